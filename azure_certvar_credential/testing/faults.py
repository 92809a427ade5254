"""Faults on demand: errors of the token endpoint and of the network in front of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from email.utils import format_datetime

from azure_certvar_credential.testing.aadsts import AADSTS
from azure_certvar_credential.testing.http import (
    Conditions,
    Delivery,
    Forced,
    Hold,
    Response,
    respond,
    respond_json,
)

Serve = Callable[[Conditions], Response]
"""Answers the request without the fault, under the given conditions."""

_HTML = b"<!DOCTYPE html><html><head><title>Oops</title></head><body>Our services aren't available</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one request; made by the functions below and queued by ``EntraEmulator.inject``.

    >>> entra.inject(Fault.throttled(retry_after=0))
    >>> token = credential.get_token("https://graph.microsoft.com/.default")
    >>> [request.fault for request in entra.requests]
    ['throttled 429', None]

    :ivar name: the fault's name in the request log.
    :ivar apply: produces the answer, and may serve the request to do so.
    :ivar recorded: whether the request reaches the emulator and is logged.
    """

    name: str
    apply: Callable[[Serve, Conditions], Response] = field(repr=False)
    recorded: bool = True

    @staticmethod
    def throttled(retry_after: float | datetime | str | None = 60, *, json: bool = True) -> Fault:
        """Answer 429 Too Many Requests.

        >>> entra.inject(Fault.throttled(retry_after=120))

        :param retry_after: the ``Retry-After`` header: seconds, a time (sent as an HTTP date) or a string (sent
            unchanged); None for no header.
        :param json: whether the body is Entra's JSON; otherwise it is the text ``Too Many Requests``.
        """
        return _failed("throttled", 429, retry_after, "temporarily_unavailable" if json else None, "Too Many Requests")

    @staticmethod
    def server_error(
        status: int = 503, *, retry_after: float | datetime | str | None = None, json: bool = True
    ) -> Fault:
        """Answer 5xx: the server is unavailable.

        >>> entra.inject(Fault.server_error(500), times=2)

        :param status: the HTTP status, such as 500, 502, 503 or 504.
        :param retry_after: as for :meth:`throttled`.
        :param json: whether the body is JSON; otherwise it is plain text.
        """
        return _failed("server_error", status, retry_after, "server_error" if json else None, "Server Error")

    @staticmethod
    def aadsts(
        code: int, *, status: int | None = None, suberror: str | None = None, claims: str | None = None
    ) -> Fault:
        """Answer with an AADSTS error.

        >>> entra.inject(Fault.aadsts(700016))

        :param code: a key of ``AADSTS`` in ``azure_certvar_credential.testing.aadsts``.
        :param status: the HTTP status; None for the usual one of the code.
        :param suberror: the body's ``suberror``.
        :param claims: the body's ``claims``, a JSON string.
        :raises ValueError: the code is unknown.
        """
        if code not in AADSTS:
            raise ValueError(f"unknown AADSTS code {code}; known codes: {', '.join(map(str, sorted(AADSTS)))}")
        forced = Forced(code, status, suberror, claims)
        return Fault(f"aadsts {code}", lambda serve, conditions: serve(replace(conditions, forced=forced)))

    @staticmethod
    def hang(seconds: float = 30) -> Fault:
        """Serve the request, but hold the answer until ``EntraEmulator.release()``.

        >>> entra.inject(Fault.hang())

        :param seconds: the longest time that the answer is held.
        """
        return Fault("hang", lambda serve, conditions: _deliver(serve(conditions), hold=Hold(seconds)))

    @staticmethod
    def latency(seconds: float) -> Fault:
        """Delay the answer.

        >>> entra.inject(Fault.latency(0.2))

        :param seconds: the delay.
        """
        return Fault("latency", lambda serve, conditions: _deliver(serve(conditions), delay=seconds))

    @staticmethod
    def truncated() -> Fault:
        """Close the connection in the middle of the body, before the end that Content-Length announced.

        >>> entra.inject(Fault.truncated())
        """

        def cut(serve: Serve, conditions: Conditions) -> Response:
            response = serve(conditions)
            return _deliver(response, sent=len(response.body) // 2)

        return Fault("truncated", cut)

    @staticmethod
    def reset_before() -> Fault:
        """Reset the connection before the emulator sees the request: it logs and issues nothing.

        >>> entra.inject(Fault.reset_before())
        """
        return Fault("reset_before", _reset_before, recorded=False)

    @staticmethod
    def reset_after() -> Fault:
        """Serve the request, then reset the connection: the answer is lost.

        >>> entra.inject(Fault.reset_after())
        """
        return Fault("reset_after", lambda serve, conditions: _deliver(serve(conditions), reset="after"))

    @staticmethod
    def not_json(status: int = 200) -> Fault:
        """Answer with an HTML page, as gateways and captive portals do.

        >>> entra.inject(Fault.not_json())

        :param status: the HTTP status, such as 200 or 503.
        """
        return Fault(
            "not_json",
            lambda _serve, conditions: respond(conditions, status, _HTML, content_type="text/html; charset=utf-8"),
        )

    @staticmethod
    def not_an_object(value: object = ("not", "an", "object")) -> Fault:
        """Answer 200 with JSON that is not an object.

        >>> entra.inject(Fault.not_an_object("maintenance"))

        :param value: the JSON value to send.
        """
        return Fault("not_an_object", lambda _serve, conditions: respond_json(conditions, 200, value))

    @staticmethod
    def oversized(size: int = 2 << 20) -> Fault:
        """Pad a valid answer with white space to ``size`` bytes.

        >>> entra.inject(Fault.oversized())
        """

        def pad(serve: Serve, conditions: Conditions) -> Response:
            response = serve(conditions)
            return _with_body(response, response.body.ljust(size))

        return Fault("oversized", pad)

    @staticmethod
    def without_access_token() -> Fault:
        """Answer a success without ``access_token``.

        >>> entra.inject(Fault.without_access_token())
        """
        return _edited("without_access_token", lambda body: {k: v for k, v in body.items() if k != "access_token"})

    @staticmethod
    def expires_in(value: object) -> Fault:
        """Answer a success whose ``expires_in`` is ``value``, such as a negative number, a word or None.

        >>> entra.inject(Fault.expires_in("soon"))
        """
        return _edited("expires_in", lambda body: {**body, "expires_in": value})

    @staticmethod
    def token_type(value: object) -> Fault:
        """Answer a success whose ``token_type`` is ``value`` instead of ``Bearer``.

        >>> entra.inject(Fault.token_type("mac"))
        """
        return _edited("token_type", lambda body: {**body, "token_type": value})

    @staticmethod
    def clock_skew(seconds: float) -> Fault:
        """Shift the server's clock: ``Date`` shows it, and a shift beyond the tolerance causes AADSTS700024.

        >>> entra.inject(Fault.clock_skew(3600), times=None)

        :param seconds: positive to set the server's clock ahead.
        """
        return Fault("clock_skew", lambda serve, conditions: serve(replace(conditions, now=conditions.now + seconds)))

    @staticmethod
    def unknown_certificate() -> Fault:
        """Answer AADSTS700027, key not found, as while a new certificate is not yet replicated.

        >>> entra.inject(Fault.unknown_certificate())
        """
        return Fault(
            "unknown_certificate", lambda serve, conditions: serve(replace(conditions, certificates_known=False))
        )


def _failed(name: str, status: int, retry_after: float | datetime | str | None, error: str | None, text: str) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": _retry_after(retry_after)}

    def fail(_serve: Serve, conditions: Conditions) -> Response:
        if error is None:
            return respond(conditions, status, text.encode(), content_type="text/plain", headers=headers)
        return respond_json(conditions, status, {"error": error, "error_description": text}, headers=headers)

    return Fault(f"{name} {status}", fail)


def _retry_after(value: float | datetime | str) -> str:
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(timezone.utc), usegmt=True)
    return str(value)


def _reset_before(_serve: Serve, _conditions: Conditions) -> Response:
    return Response(0, {}, delivery=Delivery(reset="before"))


def _deliver(response: Response, **how: object) -> Response:
    return replace(response, delivery=replace(response.delivery, **how))  # type: ignore[arg-type]


def _with_body(response: Response, body: bytes) -> Response:
    return replace(response, headers={**response.headers, "Content-Length": str(len(body))}, body=body)


def _edited(name: str, edit: Callable[[dict[str, object]], Mapping[str, object]]) -> Fault:
    def change(serve: Serve, conditions: Conditions) -> Response:
        response = serve(conditions)
        if response.status != 200:
            return response
        return _with_body(response, json.dumps(edit(response.json())).encode())

    return Fault(name, change)
