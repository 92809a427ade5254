"""Finds AADSTS codes in a text, and what the package knows about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure_certvar_credential._core.hints import AGENT_HINTS, HINTS, USER_HINTS

if TYPE_CHECKING:
    from rich.console import Console

#: As much of a log as is read.
MOST = 1 << 20
# Entra's own page for a code, which needs no sign-in.
_PAGE = "https://login.microsoftonline.com/error?code={code}"

_NAMED = re.compile(r"AADSTS(\d{4,8})", re.IGNORECASE)
# "error_codes":[700027,…] of a token response.
_LISTED = re.compile(r"error_codes\W{1,6}([\d,\s]+)")
_BARE = re.compile(r"\s*\d{1,9}(?:[\s,;]+\d{1,9})*\s*")


@dataclass(frozen=True, slots=True)
class Explained:
    """A code.

    :ivar code: its number.
    :ivar hint: cause and remedy; None if the package does not know the code.
    :ivar for_user: what it means where a token was asked for on behalf of a user, if that is something else.
    :ivar for_agent: what it means in a leg of an agent identity, if that is something else.
    """

    code: int
    hint: str | None
    for_user: str | None = None
    for_agent: str | None = None

    @property
    def page(self) -> str:
        """Microsoft's page about it."""
        return _PAGE.format(code=self.code)


def codes_in(text: str) -> list[int]:
    """Return the codes of a text, each once: ``AADSTS…``, those of a token response, or nothing but numbers."""
    found = [match[1] for match in _NAMED.finditer(text)]
    for match in _LISTED.finditer(text):
        found += re.findall(r"\d+", match[1])
    if not found and _BARE.fullmatch(text):
        found = re.findall(r"\d+", text)
    return list(dict.fromkeys(map(int, found)))


def explained(text: str) -> list[Explained]:
    """Return what is known about each code of a text."""
    return [
        Explained(code, HINTS.get(code) or USER_HINTS.get(code), USER_HINTS.get(code), AGENT_HINTS.get(code))
        for code in codes_in(text)
    ]


def as_json(found: list[Explained]) -> dict[str, Any]:
    """Return the documented shape."""
    return {
        "codes": [
            {
                "code": item.code,
                "hint": item.hint,
                "hint_on_behalf_of": item.for_user,
                "hint_for_agent": item.for_agent,
                "page": item.page,
            }
            for item in found
        ]
    }


def show(console: Console, found: list[Explained]) -> None:
    """Print what is known about each code."""
    from rich.text import Text

    from azure_certvar_credential._cli.output import hanging

    if not found:
        console.print("There is no AADSTS code in the text.")
    for item in found:
        console.print(Text(f"AADSTS{item.code}", style="bold"))
        unknown = "This package does not know the code: it is not one that a sign-in with a certificate meets."
        hanging(console, Text("  "), item.hint or unknown)
        for who, hint in (("On behalf of a user: ", item.for_user), ("For an agent: ", item.for_agent)):
            if hint and hint != item.hint:
                hanging(console, Text("  "), Text.assemble((who, "bold"), hint))
        hanging(console, Text("  "), Text(item.page, style="dim"))
