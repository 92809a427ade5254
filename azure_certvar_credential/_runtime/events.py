"""The fields of a line in the log, for people who collect logs as data; named like the attributes of the metrics.

They say no more than the line does, and nothing secret. https://opentelemetry.io/docs/specs/semconv/general/naming/
"""

from __future__ import annotations

import logging
import re
from typing import Any

from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._secrecy.redaction import redact_error
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.exceptions import AuthenticationError

_LOGGER = logging.getLogger("azure_certvar_credential")

# RFC 6749 section 5.2, and what Entra adds: no server chooses the name of a time series.
_OAUTH_ERRORS = re.compile(
    "invalid_(request|client|grant|scope|resource)|unauthorized_client|unsupported_grant_type|access_denied|"
    "interaction_required|login_required|server_error|temporarily_unavailable"
)


def event(name: str, error: BaseException | str | None = None, **fields: object) -> dict[str, Any]:
    """Return the fields of a line for ``extra=`` of :mod:`logging`.

    :param name: what happened; ``certvar.event``.
    :param error: why, or its class; ``error.type``.
    :param fields: more, without the prefix ``certvar.``; durations are in seconds.
    """
    named = {f"certvar.{key}": value for key, value in fields.items()}
    if error is not None:
        named["error.type"] = error if isinstance(error, str) else error_type(error)
    return {"certvar.event": name, **named}


def error_type(error: BaseException) -> str:
    """Return a failure's class of a low cardinality: AADSTS code, OAuth's error code, HTTP status, or class name.

    https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/
    """
    if isinstance(error, AuthenticationError):
        if error.error_codes:
            return f"AADSTS{error.error_codes[0]}"
        if error.error_code is not None and _OAUTH_ERRORS.fullmatch(error.error_code):
            return error.error_code
        if error.status_code is not None and error.status_code != 200:
            return str(error.status_code)
    return type(error).__name__


def refresh_failed(request: TokenRequest, entry: Entry, now: float, failure: Exception | str) -> str:
    """Log that a token could not be replaced and still serves.

    :param failure: why; a text says why the new token is worse.
    :returns: the class of the failure, as :func:`error_type` names it.
    """
    kind = "short_lived_token" if isinstance(failure, str) else error_type(failure)
    valid_for, retry_in = entry.token.expires_on - now, entry.fresh_until - now
    scopes, tenant_id = " ".join(request.scopes), request.tenant_id
    _LOGGER.warning(
        "could not refresh the token for %s in tenant %s, valid for another %.0f s; next attempt in %.0f s: %s",
        scopes,
        tenant_id,
        valid_for,
        retry_in,
        failure if isinstance(failure, str) else redact_error(failure),
        extra=event("refresh_failed", kind, scopes=scopes, tenant_id=tenant_id, valid_for=valid_for, retry_in=retry_in),
    )
    return kind
