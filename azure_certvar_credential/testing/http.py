"""HTTP requests and responses as values, independent of sockets.

A :class:`Response` also says how to deliver it (late, in part, not at all): the emulator decides about a fault once,
and the server and the in-process transports only carry it out.
"""

from __future__ import annotations

import concurrent.futures
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from azure_certvar_credential._json import parse_json

MAX_REQUEST_BYTES = 1 << 20
"""The longest accepted request body. An assertion with a long certificate chain takes about 10 KiB."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request.

    >>> request = Request("GET", "https://login.microsoftonline.com/common/discovery/v2.0/keys")
    >>> response = entra.handle(request)

    :param method: ``GET``, ``POST`` and so on.
    :param url: the absolute URL; URLs in the answer begin with its scheme and host.
    :param headers: header fields; the names are converted to lower case.
    :param body: the body, bytes.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", {name.lower(): value for name, value in self.headers.items()})

    @property
    def base(self) -> str:
        """Scheme and host, such as ``https://localhost:8443``."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path, percent-decoded, without the query."""
        return unquote(urlsplit(self.url).path)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query; the last one wins if a name is repeated."""
        return dict(parse_qsl(urlsplit(self.url).query))

    def form(self) -> list[tuple[str, str]]:
        """Parse the body as ``application/x-www-form-urlencoded``.

        A parameter without a value is omitted (RFC 6749 section 3.2).

        >>> Request("POST", "https://login.microsoftonline.com/common/oauth2/v2.0/token", body=b"scope=openid").form()
        [('scope', 'openid')]

        :raises ValueError: the body is not ASCII or has more than a hundred parameters.
        """
        return parse_qsl(self.body.decode("ascii"), max_num_fields=100, errors="strict")


class Hold:
    """Holds an answer until it is released, for at most ``seconds``.

    It uses a future because both threads and event loops wait for it.
    """

    __slots__ = ("future", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.future: concurrent.futures.Future[None] = concurrent.futures.Future()

    def release(self) -> None:
        """Release the answer; a second call does nothing."""
        if not self.future.done():
            self.future.set_result(None)

    def wait(self, seconds: float) -> bool:
        """Block until released.

        :param seconds: the longest time to wait.
        :returns: False if the time ran out first.
        """
        return bool(concurrent.futures.wait((self.future,), timeout=seconds).done)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a response reaches the client.

    :ivar delay: seconds before the first byte.
    :ivar hold: delays the answer until it is released or its time runs out; None for no such delay.
    :ivar reset: resets the connection ``before`` the emulator sees the request, or ``after`` it has served it.
    :ivar sent: the number of bytes of the body to send before closing the connection; None for all of them.
    """

    delay: float = 0.0
    hold: Hold | None = None
    reset: Literal["before", "after"] | None = None
    sent: int | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response.

    >>> response = entra.handle(Request("GET", "https://login.microsoftonline.com/common/discovery/v2.0/keys"))
    >>> response.status
    200

    :ivar status: the status code.
    :ivar headers: header fields, Content-Length among them.
    :ivar body: the body, bytes; not in the repr because it may contain a token.
    :ivar delivery: how to deliver it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    delivery: Delivery = Delivery()

    def json(self) -> Any:
        """Parse the body as JSON.

        >>> Response(200, {}, b'{"keys": []}').json()
        {'keys': []}

        :raises ValueError: it is not JSON.
        """
        return parse_json(self.body)


class Emulator(Protocol):
    """What a server or a transport forwards requests to, such as the local Entra."""

    def handle(self, request: Request) -> Response:
        """Answer a request."""

    def release(self) -> None:
        """Release the answers that are being held."""


@dataclass(frozen=True, slots=True)
class Forced:
    """An error that the token endpoint answers regardless of the request.

    :ivar code: the AADSTS code.
    :ivar status: the HTTP status; None for the usual one of the code.
    :ivar suberror: Entra's ``suberror``, or None.
    :ivar claims: a claims challenge, a JSON string, or None.
    """

    code: int
    status: int | None = None
    suberror: str | None = None
    claims: str | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """The circumstances of one request.

    :ivar now: the server's time, seconds since the epoch; a fault may have shifted it.
    :ivar trace_id: the server's id of the request.
    :ivar correlation_id: the client's id of the request; a generated one if the client sent none.
    :ivar echo_request_id: whether the client wants its id returned in a header.
    :ivar certificates_known: False if a fault makes the directory forget every certificate.
    :ivar forced: the error that a fault makes the token endpoint answer, or None.
    """

    now: float
    trace_id: str
    correlation_id: str
    echo_request_id: bool = False
    certificates_known: bool = True
    forced: Forced | None = None


def conditions_of(request: Request, now: float) -> Conditions:
    """Return the conditions of a request that meets no fault.

    :param request: the request, whose headers may carry the client's id.
    :param now: the server's time, seconds since the epoch.
    """
    try:
        correlation_id = str(uuid.UUID(request.headers.get("client-request-id", "")))
    except ValueError:
        correlation_id = str(uuid.uuid4())
    echo = request.headers.get("return-client-request-id", "").lower() == "true"
    return Conditions(now, str(uuid.uuid4()), correlation_id, echo)


def respond(
    conditions: Conditions,
    status: int,
    body: bytes,
    *,
    content_type: str = "application/json; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build a response with the headers of every Entra answer.

    :param conditions: supply the Date and the ids.
    :param status: the status code.
    :param body: the body, bytes.
    :param content_type: the media type.
    :param headers: additional header fields.
    """
    fields = {
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store, no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Date": format_datetime(datetime.fromtimestamp(conditions.now, timezone.utc), usegmt=True),
        "X-Content-Type-Options": "nosniff",
        "x-ms-request-id": conditions.trace_id,
        "x-ms-ests-server": "2.1.0 - EntraEmulator",
    }
    if conditions.echo_request_id:
        fields["client-request-id"] = conditions.correlation_id
    return Response(status, {**fields, **(headers or {})}, body)


def respond_json(
    conditions: Conditions, status: int, value: object, *, headers: Mapping[str, str] | None = None
) -> Response:
    """Build a response with ``value`` as its JSON body; the other parameters are those of :func:`respond`."""
    return respond(conditions, status, json.dumps(value).encode(), headers=headers)
