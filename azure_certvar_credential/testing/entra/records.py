"""The log of requests to the token endpoint, for tests to inspect."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from azure_certvar_credential.testing.http import Request, Response
from azure_certvar_credential.testing.jose import MalformedError, parse_compact

SECRET_PARAMETERS = frozenset(
    {
        *("assertion", "client_assertion", "client_secret", "code", "password", "refresh_token", "request"),
        "user_federated_identity_credential",
    }
)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request to the token endpoint and its answer.

    >>> token = credential.get_token("https://graph.microsoft.com/.default")
    >>> entra.requests[-1].assertion_header["alg"]
    'PS256'

    :ivar url: the URL of the request.
    :ivar path: the path of the URL.
    :ivar tenant: the tenant in the path.
    :ivar form: the form's parameters, such as ``fmi_path``, without the secret ones.
    :ivar assertion: the client assertion, or None; not in the repr.
    :ivar assertion_header: its JOSE header, not verified; None if the assertion is malformed.
    :ivar assertion_claims: its claims, not verified; None if the assertion is malformed.
    :ivar headers: the request's header fields, with names in lower case.
    :ivar status: the HTTP status of the answer.
    :ivar error_codes: the AADSTS codes of the answer.
    :ivar fault: the name of the fault that the request met, or None.
    :ivar error_description: the answer's ``error_description``, with the reason for a refusal; None if it has none.
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
    error_description: str | None = None


def record(request: Request, response: Response, tenant: str, fault: str | None) -> TokenRequest:
    """Describe a request and its answer for the log."""
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
            # The answer already reports the fault of the assertion.
            header = claims = None
    answer = _answer(response)
    codes = answer.get("error_codes")
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
        tuple(codes) if isinstance(codes, list) else (),
        fault,
        answer.get("error_description"),
    )


def _answer(response: Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:  # a fault may answer with anything
        return {}
    return body if isinstance(body, dict) else {}


class RequestLog(Sequence[TokenRequest]):
    """The latest requests, oldest first; thread-safe.

    :param limit: the number of requests to keep.
    """

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._entries: deque[TokenRequest] = deque(maxlen=limit)

    def append(self, entry: TokenRequest) -> None:
        """Add a request; a full log drops its oldest one."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Remove all requests."""
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
