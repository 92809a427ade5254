"""Logs the requests to an emulator, a line each, and answers the request for its page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from azure_certvar_credential._cli.log_lines import log_line
from azure_certvar_credential.testing.http import Emulator, Request, Response, conditions_of, respond


class Observed:
    """An emulator with a log and a page.

    :param emulator: answers every request but that for the page.
    :param log: called with the line of each request; it may be called in several threads at once.
    :param page: renders the page at ``/`` and returns it with its Content-Security-Policy; None for no page.
    """

    def __init__(
        self, emulator: Emulator, log: Callable[[str], None], page: Callable[[], tuple[bytes, str]] | None = None
    ) -> None:
        self._emulator = emulator
        self._log = log
        self._page = page

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        if self._page is not None and request.path == "/" and request.method in {"GET", "HEAD"}:
            body, policy = self._page()
            return respond(
                conditions_of(request, time.time()),
                200,
                body,
                content_type="text/html; charset=utf-8",
                headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"},
            )
        response = self._emulator.handle(request)
        self._log(log_line(time.time(), response.status, request.method, request.path, *_reasons(response)))
        return response

    def release(self) -> None:
        """Release the answers that the emulator holds."""
        self._emulator.release()


def _reasons(response: Response) -> list[str]:
    try:
        body: Any = response.json()
    except ValueError:
        return []
    if not isinstance(body, dict):
        return []
    codes = body.get("error_codes")
    if isinstance(codes, list):
        return [f"AADSTS{code}" for code in codes]
    # Key Vault's errors are objects with a code.
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else error
    return [code] if isinstance(code, str) else []
