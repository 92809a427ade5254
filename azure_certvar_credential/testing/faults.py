"""Faults on demand: what a token endpoint and the network before it do on a bad day."""

from __future__ import annotations

import json
import threading
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
    Request,
    Response,
    respond,
    respond_json,
)

Serve = Callable[[Conditions], Response]
"""Answers the request as if nothing were wrong, under the given conditions."""

Predicate = Callable[[Request], bool]
"""Chooses the requests that a fault is meant for."""

_HTML = b"<!DOCTYPE html><html><head><title>Oops</title></head><body>Our services aren't available</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with one request; made by the functions below and queued by ``EntraEmulator.inject``.

    :ivar name: what it is called in the record of requests.
    :ivar apply: answers the request, with or without serving it.
    :ivar recorded: whether the emulator gets to see the request at all.
    """

    name: str
    apply: Callable[[Serve, Conditions], Response] = field(repr=False)
    recorded: bool = True

    @staticmethod
    def throttled(retry_after: float | datetime | str | None = 60, *, json: bool = True) -> Fault:
        """429, too many requests.

        :param retry_after: ``Retry-After``: seconds, a time (sent as an HTTP date), a string that is sent as it is, or
            None for no such header.
        :param json: whether the body is Entra's JSON; else it is the text ``Too Many Requests``.
        """
        return _failed("throttled", 429, retry_after, "temporarily_unavailable" if json else None, "Too Many Requests")

    @staticmethod
    def server_error(
        status: int = 503, *, retry_after: float | datetime | str | None = None, json: bool = True
    ) -> Fault:
        """5xx, the server is out of order.

        :param status: 500, 502, 503, 504 or another.
        :param retry_after: as for :meth:`throttled`.
        :param json: whether the body is JSON; else it is plain text.
        """
        return _failed("server_error", status, retry_after, "server_error" if json else None, "Server Error")

    @staticmethod
    def aadsts(
        code: int, *, status: int | None = None, suberror: str | None = None, claims: str | None = None
    ) -> Fault:
        """Entra's error of a code.

        :param code: a code of :data:`~azure_certvar_credential.testing.aadsts.AADSTS`.
        :param status: the HTTP status, if not the usual one.
        :param suberror: the body's ``suberror``.
        :param claims: the body's ``claims``, a JSON string.
        :raises ValueError: the emulator does not know the code.
        """
        if code not in AADSTS:
            raise ValueError(f"AADSTS{code} is not one of {', '.join(map(str, sorted(AADSTS)))}")
        forced = Forced(code, status, suberror, claims)
        return Fault(f"aadsts {code}", lambda serve, conditions: serve(replace(conditions, forced=forced)))

    @staticmethod
    def hang(seconds: float = 30) -> Fault:
        """The request is served, and the answer kept back until ``EntraEmulator.release()``.

        :param seconds: for how long at most.
        """
        return Fault("hang", lambda serve, conditions: _deliver(serve(conditions), hold=Hold(seconds)))

    @staticmethod
    def latency(seconds: float) -> Fault:
        """The answer comes late.

        :param seconds: how late.
        """
        return Fault("latency", lambda serve, conditions: _deliver(serve(conditions), delay=seconds))

    @staticmethod
    def truncated() -> Fault:
        """The connection ends in the middle of the body, of which Content-Length promised more."""

        def cut(serve: Serve, conditions: Conditions) -> Response:
            response = serve(conditions)
            return _deliver(response, sent=len(response.body) // 2)

        return Fault("truncated", cut)

    @staticmethod
    def reset_before() -> Fault:
        """The connection is reset before the request is looked at: not recorded, and nothing is issued."""
        return Fault("reset_before", _reset_before, recorded=False)

    @staticmethod
    def reset_after() -> Fault:
        """The connection is reset after the request was served: the answer is lost."""
        return Fault("reset_after", lambda serve, conditions: _deliver(serve(conditions), reset="after"))

    @staticmethod
    def not_json(status: int = 200) -> Fault:
        """A page of HTML, as gateways and captive portals send.

        :param status: 200, 503 or another.
        """
        return Fault(
            "not_json",
            lambda _serve, conditions: respond(conditions, status, _HTML, content_type="text/html; charset=utf-8"),
        )

    @staticmethod
    def not_an_object(value: object = ("not", "an", "object")) -> Fault:
        """200 with JSON that is not an object.

        :param value: what it is instead.
        """
        return Fault("not_an_object", lambda _serve, conditions: respond_json(conditions, 200, value))

    @staticmethod
    def oversized(size: int = 2 << 20) -> Fault:
        """A valid answer, with white space after it up to ``size`` bytes."""

        def pad(serve: Serve, conditions: Conditions) -> Response:
            response = serve(conditions)
            return _with_body(response, response.body.ljust(size))

        return Fault("oversized", pad)

    @staticmethod
    def without_access_token() -> Fault:
        """A success that lacks ``access_token``."""
        return _edited("without_access_token", lambda body: {k: v for k, v in body.items() if k != "access_token"})

    @staticmethod
    def expires_in(value: object) -> Fault:
        """A success whose ``expires_in`` is ``value``: negative, a word, null."""
        return _edited("expires_in", lambda body: {**body, "expires_in": value})

    @staticmethod
    def token_type(value: object) -> Fault:
        """A success whose ``token_type`` is ``value`` instead of ``Bearer``."""
        return _edited("token_type", lambda body: {**body, "token_type": value})

    @staticmethod
    def clock_skew(seconds: float) -> Fault:
        """The server's clock is off: ``Date`` shows it, and AADSTS700024 follows if it is off by enough.

        :param seconds: positive if the server is ahead.
        """
        return Fault("clock_skew", lambda serve, conditions: serve(replace(conditions, now=conditions.now + seconds)))

    @staticmethod
    def unknown_certificate() -> Fault:
        """The directory does not know the certificate yet: AADSTS700027, key not found."""
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


@dataclass(slots=True)
class _Queued:
    fault: Fault
    remaining: int | None
    when: Predicate


class FaultQueue:
    """The faults that wait for their request; safe between threads.

    A request meets one fault at most: the first in the queue that is meant for it.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: list[_Queued] = []
        self._holds: list[Hold] = []

    def add(self, fault: Fault, times: int | None, when: Predicate) -> None:
        """Queue ``fault`` for the next ``times`` requests that ``when`` chooses; None means for all of them."""
        if times is not None and times < 1:
            raise ValueError(f"times is at least 1, or None for every request; got {times}")
        with self._condition:
            self._queue.append(_Queued(fault, times, when))

    def take(self, request: Request) -> Fault | None:
        """Take the fault that ``request`` meets, if any."""
        with self._condition:
            for queued in self._queue:
                if queued.when(request):
                    if queued.remaining is not None:
                        queued.remaining -= 1
                        if queued.remaining == 0:
                            self._queue.remove(queued)
                    return queued.fault
        return None

    def clear(self) -> None:
        """Forget every fault that is still waiting."""
        with self._condition:
            self._queue.clear()

    def hold(self, hold: Hold) -> None:
        """Remember an answer that is kept back."""
        with self._condition:
            self._holds = [*(known for known in self._holds if not known.future.done()), hold]
            self._condition.notify_all()

    def wait_for_hanging(self, count: int, timeout: float) -> bool:
        """Block until ``count`` answers are kept back, or ``timeout`` seconds have passed; tell which."""
        with self._condition:
            return self._condition.wait_for(lambda: len(self._holds) >= count, timeout)

    def release(self) -> None:
        """Let go of every answer that is kept back."""
        with self._condition:
            holds, self._holds = self._holds, []
        for hold in holds:
            hold.release()

    def __len__(self) -> int:
        """How many queued faults still wait for a request."""
        return len(self._queue)
