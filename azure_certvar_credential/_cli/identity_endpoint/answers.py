"""Writes the bodies that Azure's clients read from a managed-identity endpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import AzureError

from azure_certvar_credential._cli.identity_endpoint.requests import RefusedError
from azure_certvar_credential.exceptions import (
    AcquisitionTimeoutError,
    AuthenticationError,
    CertificateError,
    ConfigurationError,
    TemporarilyUnavailableError,
)

# The first class that an error is an instance of gives its status and OAuth error. Azure's clients try again after 500
# and above, which suits a failure that may pass, and no refusal.
_FAILURES: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (TemporarilyUnavailableError, HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable"),
    (AuthenticationError, HTTPStatus.BAD_REQUEST, "invalid_client"),
    (ConfigurationError, HTTPStatus.BAD_REQUEST, "invalid_request"),
    (CertificateError, HTTPStatus.INTERNAL_SERVER_ERROR, "server_error"),
    (AcquisitionTimeoutError, HTTPStatus.GATEWAY_TIMEOUT, "temporarily_unavailable"),
    (AzureError, HTTPStatus.BAD_GATEWAY, "temporarily_unavailable"),
)
# What the errors of Entra have beside the text; Microsoft's support asks for it.
_FROM_ENTRA = ("error_codes", "correlation_id", "trace_id", "timestamp")

FAILURES = tuple(kind for kind, _, _ in _FAILURES)
"""The errors of ``get_token`` that the endpoint answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request.

    :ivar status: the HTTP status.
    :ivar body: the JSON object; not in the repr because it may contain a token.
    :ivar headers: further header fields.
    :ivar resource: what the token is for; None for a request that was refused.
    :ivar reason: why there is no token; None if there is one.
    """

    status: int
    body: Mapping[str, object] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    resource: str | None = None
    reason: str | None = None


def granted(token: AccessTokenInfo, resource: str, client_id: str, now: float) -> Answer:
    """Answer with a token, in fields that serve both forms; times are strings, as in both.

    :param token: the token.
    :param resource: what it is for, as the client wrote it.
    :param client_id: the application that it was issued to.
    :param now: seconds since the epoch.
    """
    body = {
        "access_token": token.token,
        "token_type": token.token_type,
        "resource": resource,
        "client_id": client_id,
        "expires_on": str(token.expires_on),
        "expires_in": str(max(0, int(token.expires_on - now))),
    }
    return Answer(200, body, resource=resource)


def refused(refusal: RefusedError) -> Answer:
    """Answer a request that a guard refused."""
    return Answer(refusal.status, _error(refusal.status, refusal.error, str(refusal)), reason=str(refusal))


def failed(error: Exception, resource: str) -> Answer:
    """Answer a request for which no token could be acquired.

    :param error: an instance of one of :data:`FAILURES`; its text has no secret in it.
    :param resource: what the token was for.
    """
    status, name = next((status, name) for kind, status, name in _FAILURES if isinstance(error, kind))
    headers: dict[str, str] = {}
    more: dict[str, object] = {}
    if isinstance(error, AuthenticationError):
        name = error.error_code or name
        more = {field: getattr(error, field) for field in _FROM_ENTRA if getattr(error, field)}
        if error.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(error.retry_after))
    return Answer(int(status), {**_error(int(status), name, str(error)), **more}, headers, resource, str(error))


def _error(status: int, error: str, text: str) -> Mapping[str, object]:
    # IMDS's clients read error and error_description, App Service's statusCode and message.
    return {"error": error, "error_description": text, "statusCode": status, "message": text}
