"""The record of requests to the token endpoint: what a test asks when it wants to know what was sent."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from azure_certvar_credential.testing.http import Request, Response
from azure_certvar_credential.testing.jose import MalformedError, parse_compact

SECRET_PARAMETERS = frozenset(
    {"assertion", "client_assertion", "client_secret", "code", "password", "refresh_token", "request"}
)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request to the token endpoint and how it was answered.

    :ivar url: the URL that was posted to.
    :ivar path: the path in it.
    :ivar tenant: the tenant in it.
    :ivar form: the form's parameters, ``fmi_path`` for one, without those that are secret.
    :ivar assertion: the client assertion as it came, or None; hidden from the repr.
    :ivar assertion_header: its JOSE header, or None if it could not be read.
    :ivar assertion_claims: its claims, or None if it could not be read. Nothing of it is verified.
    :ivar headers: the request's header fields, names in lower case.
    :ivar status: the HTTP status of the answer.
    :ivar error_codes: the AADSTS codes of the answer.
    :ivar fault: the name of the fault that it met, or None.
    """

    url: str
    path: str
    tenant: str
    form: Mapping[str, str]
    assertion: str | None = field(repr=False)
    assertion_header: Mapping[str, object] | None
    assertion_claims: Mapping[str, object] | None
    headers: Mapping[str, str] = field(repr=False)
    status: int
    error_codes: tuple[int, ...]
    fault: str | None


def record(request: Request, response: Response, tenant: str, fault: str | None) -> TokenRequest:
    """Describe a request and its answer."""
    try:
        form = dict(request.form())
    except ValueError:
        form = {}
    assertion = form.get("client_assertion")
    header = claims = None
    if assertion is not None:
        try:
            jws = parse_compact(assertion, strict=False)
            header, claims = jws.header, jws.claims
        except MalformedError:
            # Recorded without: the answer says what is the matter with it.
            header = claims = None
    return TokenRequest(
        request.url,
        request.path,
        tenant,
        {name: value for name, value in form.items() if name not in SECRET_PARAMETERS},
        assertion,
        header,
        claims,
        request.headers,
        response.status,
        _error_codes(response),
        fault,
    )


def _error_codes(response: Response) -> tuple[int, ...]:
    try:
        body = response.json()
    except ValueError:
        return ()
    return tuple(body.get("error_codes", ())) if isinstance(body, dict) else ()


class RequestLog(Sequence[TokenRequest]):
    """The latest requests, oldest first; safe between threads.

    :param limit: how many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._entries: deque[TokenRequest] = deque(maxlen=limit)

    def append(self, entry: TokenRequest) -> None:
        """Add the newest; the oldest goes if there is no room."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._entries.clear()

    def _snapshot(self) -> tuple[TokenRequest, ...]:
        with self._lock:
            return tuple(self._entries)

    @overload
    def __getitem__(self, index: int) -> TokenRequest: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[TokenRequest]: ...

    def __getitem__(self, index: int | slice) -> TokenRequest | Sequence[TokenRequest]:
        return self._snapshot()[index]

    def __iter__(self) -> Iterator[TokenRequest]:
        return iter(self._snapshot())

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<RequestLog of {len(self)}>"
