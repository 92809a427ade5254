"""Promises about logs, error reports and the disk; each check takes one credential's scene."""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest
from requests import PreparedRequest

from azure_certvar_credential._core.effects import Send
from azure_certvar_credential._secrecy.tracebacks import linked
from azure_certvar_credential.exceptions import AuthenticationError, ConfigurationError
from azure_certvar_credential.testing import Fault
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond
from tests.credential.columns import Scene, assert_shows_no_secret, failure_of
from tests.credential.test_frames import PASSWORD
from tests.transport.loopback import unused_port

FAULTS = [
    None,
    Fault.server_error(503),
    Fault.not_json(),
    Fault.reset_before(),
    Fault.reset_after(),
    Fault.truncated(),
    Fault.oversized(),
    Fault.aadsts(700016),
    Fault.aadsts(700027),
    Fault.without_access_token(),
    Fault.expires_in("soon"),
    Fault.token_type("pop"),
]


async def no_text_shows_a_secret(scene: Scene) -> None:
    """Errors, log records at every level, and what ``repr`` shows."""
    scene.log.set_level(logging.DEBUG)
    for fault in FAULTS:
        scene.world.entra.faults.clear()
        if fault is not None:
            scene.world.entra.inject(fault, times=None)
        error = await failure_of(scene, logging_enable=True, **scene.with_password)
        assert (error is None) == (fault is None)
        assert_shows_no_secret(scene, error)
    scene.world.entra.faults.clear()
    driver = scene.driver(**scene.with_password)
    acquired = await driver.get_token(scene.scope)
    shown = [repr(driver.credential), repr(acquired), repr(await driver.get_token_info(scene.scope))]
    assert not [secret for secret in [acquired.token, *scene.secrets] if secret in " ".join(shown)]
    assert scene.log.records


async def no_refusal_shows_a_secret(scene: Scene) -> None:
    """A constructor that refuses another argument has the key among its own."""
    refused: list[dict[str, Any]] = [
        {"retry_totl": 1},
        {"tenant_id": "no tenant!"},
        {"authority": "http://login.microsoftonline.com"},
        {"proxies": 5},
        {"additionally_allowed_tenants": PASSWORD},
    ]
    for options in refused:
        with pytest.raises(ConfigurationError) as caught:
            scene.driver(**scene.with_password, **options)
        assert_shows_no_secret(scene, caught.value)


async def no_text_shows_an_option(scene: Scene) -> None:
    """Libraries quote a proxy's URL and a bad header; nothing of it is passed on."""
    scene.log.set_level(logging.DEBUG)
    options: list[dict[str, Any]] = [
        {"proxies": {"https": f"http://me:open-sesame@127.0.0.1:{unused_port()}"}},
        {"proxies": {"https": "http://me:open-sesame@[::1"}},
        {"headers": {"X-Api-Key": "open-sesame\r\nX-Other: 1"}},
    ]
    for one in options:
        # Without the transport in process, so that azure-core's own, and the library under it, are at work.
        error = await failure_of(scene, transport=None, logging_enable=True, **one)
        assert error is not None
        assert_shows_no_secret(scene, error, "open-sesame")
    for mark in "#?/\\":
        # What the environment says is checked by nobody before a library reads it.
        scene.patch.setenv("HTTPS_PROXY", f"http://me:open-sesame{mark}alibaba@127.0.0.1:{unused_port()}")
        error = await failure_of(scene, transport=None, logging_enable=True)
        assert error is not None
        assert_shows_no_secret(scene, error, "open-sesame", "alibaba")
    scene.patch.delenv("HTTPS_PROXY")
    assert not scene.world.requests


def _quoting(status: int, error: str, content_type: str) -> tuple[Fault, Callable[[Request], bool]]:
    """Return a fault whose answer quotes the tokens and the key of the request, whole and in pieces.

    :returns: the fault, and what has to be shown each request.
    """
    quoted = ""

    def note(request: Request) -> bool:
        nonlocal quoted
        tokens = [value for name, value in request.form() if name.endswith(("assertion", "_token", "_credential"))]
        whole = [request.headers["x-api-key"], *tokens]
        quoted = " ".join(one for token in whole for one in (token, *token.split(".")))
        return True

    def answer(_: object, conditions: Conditions) -> Response:
        body = json.dumps({"error": error or quoted, "error_description": quoted, "suberror": quoted})
        return respond(conditions, status, body.encode(), content_type=content_type.format(quoted[:40]))

    return Fault("quotes the request", answer), note


async def no_text_quotes_the_request(scene: Scene) -> None:
    """Servers and gateways quote what they refuse; short keys look like any other word."""
    scene.log.set_level(logging.DEBUG)
    for status, error, content_type in ((401, "invalid_client", "application/json"), (400, "", "application/json; {}")):
        fault, note = _quoting(status, error, content_type)
        scene.world.entra.faults.clear()
        scene.world.entra.inject(fault, times=None, when=note)
        raised = await failure_of(scene, logging_enable=True, headers={"X-Api-Key": "open-sesame"})
        assert isinstance(raised, AuthenticationError)
        assert "[removed]" in str(raised)
        signatures = [secret.rpartition(".")[2] for secret in scene.secrets if secret.count(".") == 2]
        assert_shows_no_secret(scene, raised, "open-sesame", *signatures)


async def no_error_holds_the_request(scene: Scene) -> None:
    """Error reporters walk an exception's attributes."""
    scene.world.entra.inject(Fault.reset_after(), times=None)
    error = await failure_of(scene)
    assert isinstance(error, AzureError)
    reachable: list[object] = [vars(one) for one in linked(error)]
    for _ in range(3):
        reachable += gc.get_referents(*reachable)
    assert not [one for one in reachable if isinstance(one, (HttpRequest, PreparedRequest, Send))]


_RECORDS: list[list[str]] = []


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _RECORDS:
        path, mode, flags = arguments
        if path == os.devnull:  # where azure-core's user agent sends the errors of a program that it runs
            return
        if set(mode or "") & set("wax+") or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            _RECORDS[-1].append(str(path))


@cache
def _install() -> None:
    """Add the audit hook, which nothing can remove, once."""
    sys.addaudithook(_record)


@contextmanager
def _files_written() -> Iterator[list[str]]:
    """Record the files that are opened for writing."""
    _install()
    _RECORDS.append([])
    try:
        yield _RECORDS[-1]
    finally:
        _RECORDS.pop()


async def nothing_is_written(scene: Scene) -> None:
    """Loading, signing, and acquiring a token open no file for writing."""
    scene.patch.setattr(sys, "dont_write_bytecode", True)
    with _files_written() as written:
        assert await failure_of(scene, **scene.with_password) is None
        assert written == []
        tempfile.TemporaryFile().close()
        assert written  # so the record would have shown it


async def no_secret_is_pickled(scene: Scene) -> None:
    """A credential that holds a key, or a function that may return one, refuses."""
    credential = scene.driver().credential
    with pytest.raises(TypeError) as caught:
        pickle.dumps(credential)
    assert_shows_no_secret(scene, caught.value)
