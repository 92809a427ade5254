"""How the tables of refusals are written: a fault, the code it is refused with, and the gist of the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from azure_certvar_credential.testing import Response
from tests.testing.kit import World, refused

Send = Callable[[World], Response]
"""Sends a faulty request and returns the answer."""

Answer = tuple[int, str, int]
"""AADSTS code, OAuth error, HTTP status."""

Table = Mapping[Answer, list[tuple[str, Send, str]]]
"""For each answer: what the fault is called, how it is sent, and a pattern that the description matches."""

CLIENT = ("invalid_client", 401)
GRANT = ("invalid_grant", 400)
REQUEST = ("invalid_request", 400)
SCOPE = ("invalid_scope", 400)
UNAUTHORIZED = ("unauthorized_client", 400)


def each(table: Table) -> pytest.MarkDecorator:
    """Parametrize a test over every fault of a table."""
    return pytest.mark.parametrize(
        ("answer", "send", "text"),
        [
            pytest.param(answer, send, text, id=title)
            for answer, faults in table.items()
            for title, send, text in faults
        ],
    )


def check(response: Response, answer: Answer, text: str) -> None:
    """The answer is this one, and its description says so."""
    code, error, status = answer
    assert refused(response) == (status, error, [code])
    description = response.json()["error_description"]
    assert description.startswith(f"AADSTS{code}: ")
    assert re.search(text, description), description


def with_assertion(header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None) -> Send:
    """A good request, but for these changes of the assertion."""
    return lambda world: world.post(world.form(client_assertion=world.assertion(header, claims)))


def with_text(assertion: str) -> Send:
    """A good request with this text for an assertion."""
    return lambda world: world.post(world.form(client_assertion=assertion))


def with_form(**changes: str | None) -> Send:
    """A good request, but for these changes of the form."""
    return lambda world: world.post(world.form(**changes))
