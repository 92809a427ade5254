"""The metadata document of an OpenID provider: read once a day, and checked before use.

OpenID Connect Discovery 1.0 sections 3 and 4. The document decides where the client's credential goes, so its
issuer must be the requested one (section 4.3), and the endpoint must use https.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure_certvar_credential._core.answers import in_message, is_later, json_object
from azure_certvar_credential._core.authority import B2C_SUFFIXES, CIAM_SUFFIX, KNOWN_HOSTS
from azure_certvar_credential._core.effects import (
    Endpoint,
    Fetch,
    Flow,
    Moment,
    Now,
    PublishedEndpoint,
    ReadEndpoint,
    Serialized,
    Unanswered,
    Wait,
    WriteEndpoint,
)
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._core.refusals import read_retry_after
from azure_certvar_credential._core.retries import Retries, Retry
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import AuthenticationError, ResponseFormatError, TemporarilyUnavailableError

if TYPE_CHECKING:
    from azure_certvar_credential._core.config import Settings

# Providers rarely move their endpoints, and announce it in the document long before.
LIFETIME = 86400.0
# Seconds between a failed attempt to read the document again and the next one.
BACKOFF = 300.0
_PLACE = "/.well-known/openid-configuration"

# RFC 6749 section 3.2: absolute, without a fragment; a query is allowed.
_ENDPOINT = r"(?i)https://[A-Za-z0-9.:\[\]-]+(?:[/?][!\"$-~]*)?"
_LONGEST_URL = 2048


def published_endpoint(settings: Settings, retries: Retries) -> Flow[Endpoint]:
    """Return the token endpoint that the authority's metadata document names.

    The endpoint is kept for a day, and stays in use if the document cannot be read again after that.

    :param settings: the credential's settings.
    :param retries: the retries that the acquisition has left.
    :raises AuthenticationError: the document cannot be read or trusted, and never was before.
    :raises azure.core.exceptions.AzureError: no connection was made, or it broke and retries did not help.
    """
    key = settings.authority.metadata_url
    known: PublishedEndpoint | None = yield ReadEndpoint(key)
    if known is None:
        first: Endpoint = yield Serialized(_first(key, settings, retries))
        return first
    moment: Moment = yield Now()
    if moment.time < known.until:
        return known.endpoint
    # Claimed: other callers use the known endpoint in the meantime.
    yield WriteEndpoint(key, PublishedEndpoint(known.endpoint, moment.time + BACKOFF))
    try:
        # A known endpoint is not worth waiting for a second attempt.
        found = yield from _read(settings, Retries(Retry(total=0)))
    except Exception as error:  # noqa: BLE001 - after any failure, the known endpoint is still good
        yield WriteEndpoint(key, PublishedEndpoint(known.endpoint, moment.time + BACKOFF), error)
        return known.endpoint
    yield WriteEndpoint(key, PublishedEndpoint(found, moment.time + LIFETIME))
    return found


def _first(key: str, settings: Settings, retries: Retries) -> Flow[Endpoint]:
    known: PublishedEndpoint | None = yield ReadEndpoint(key)
    if known is not None:  # another request read it meanwhile, for another scope or tenant
        return known.endpoint
    moment: Moment = yield Now()
    found = yield from _read(settings, retries)
    yield WriteEndpoint(key, PublishedEndpoint(found, moment.time + LIFETIME))
    return found


def _read(settings: Settings, retries: Retries) -> Flow[Endpoint]:
    while True:
        answer: Response | Unanswered = yield Fetch(settings.authority.metadata_url)
        moment: Moment = yield Now()
        failure: Exception
        if isinstance(answer, Unanswered):
            failure = answer.error
        else:
            try:
                return endpoint_in(answer, settings, now=moment.time)
            except AuthenticationError as error:
                failure = error
        pause = retries.pause(failure, sent=not isinstance(answer, Unanswered) or answer.sent)
        if pause is None:
            raise failure
        yield Wait(pause)


def endpoint_in(answer: Response, settings: Settings, *, now: float) -> Endpoint:
    """Return the token endpoint in the answer to a request for the metadata document.

    :param answer: the whole answer.
    :param settings: the credential's settings; their authority is the requested issuer.
    :param now: the time in seconds since the epoch, to read a ``Retry-After`` that is a date.
    :raises AuthenticationError: the document cannot be used; the subclass says why.
    """
    about = f"the metadata of {redact_value(settings.authority.base)}"
    document = json_object(answer.body, limit=MAX_BODY) if answer.status == 200 else None
    if is_later(answer.status):
        raise TemporarilyUnavailableError(
            f"{about} is unavailable (HTTP {answer.status})",
            status_code=answer.status,
            retry_after=read_retry_after(answer.headers.get("retry-after"), now=now),
        )
    if document is None:
        what = "is not a JSON object" if answer.status == 200 else f"cannot be read (HTTP {answer.status})"
        raise _unusable(
            f"{about} {what}",
            f"an OpenID provider publishes it at its issuer's URL followed by {_PLACE}: check oidc_authority, and that "
            "proxies let it through",
            answer.status,
        )
    _check_issuer(document.get("issuer"), settings, about)
    _check_methods(document, settings, about)
    endpoint = document.get("token_endpoint")
    if not _is_endpoint(endpoint):
        raise _unusable(
            f"{about} names {in_message(endpoint)} as token_endpoint, which is not an https URL",
            "the provider's administrator has to correct it",
        )
    return Endpoint(str(endpoint), _audience(str(document["issuer"])))


def _check_issuer(issuer: object, settings: Settings, about: str) -> None:
    """Check that the document is the requested issuer's (section 4.3).

    MSAL accepts any issuer on the same host, and any of Microsoft's. This check demands the same URL, except for a
    trailing slash, which section 4 tells clients to remove. The one exception is a custom domain of an external tenant:
    its issuer is the tenant's own name, and is accepted if the caller's tenant_id is that tenant's GUID.
    """
    asked, tenant = settings.authority.base, settings.tenant_id
    if isinstance(issuer, str) and issuer.removesuffix("/") in (asked, f"https://{tenant}{CIAM_SUFFIX}/{tenant}/v2.0"):
        return
    text = issuer if isinstance(issuer, str) else ""
    if "{tenantid}" in text.lower():
        hint = "in oidc_authority, write the tenant's GUID instead of 'common' or 'organizations'"
    elif (_host(text) or "").endswith(CIAM_SUFFIX):
        hint = "for a custom domain of an external tenant, tenant_id must be the tenant's GUID, as in the issuer"
    else:
        hint = "write oidc_authority exactly as the provider writes its issuer"
    raise _unusable(f"{about} names {in_message(issuer)} as issuer, not the requested one", hint)


def _audience(issuer: str) -> str:
    """Return the issuer, which assertions are for, as the document spells it; empty for Entra, which documents the URL.

    The update of RFC 7523 (draft-ietf-oauth-rfc7523bis) and FAPI 2.0 want the issuer alone: with the endpoint, a server
    that names another's endpoint as its own gets assertions that the other accepts (CVE-2025-27370, CVE-2025-27371).
    """
    host = _host(issuer) or ""
    return "" if host in KNOWN_HOSTS or host.endswith((CIAM_SUFFIX, *B2C_SUFFIXES)) else issuer


def _check_methods(document: dict[str, Any], settings: Settings, about: str) -> None:
    """Check that the endpoint accepts the request to come, as far as the document says."""
    methods = _strings(document.get("token_endpoint_auth_methods_supported"))
    if methods and "private_key_jwt" not in methods:
        raise _refused(
            f"{about} says that the token endpoint accepts {_listed(methods)}, not a client assertion",
            "allow private_key_jwt at the provider",
        )
    algorithms = _strings(document.get("token_endpoint_auth_signing_alg_values_supported"))
    algorithm = settings.client_authentication.algorithm
    if algorithms and algorithm is not None and algorithm not in algorithms:
        raise _refused(
            f"{about} says that the token endpoint accepts {_listed(algorithms)}, not {algorithm}",
            "choose one of them with algorithm=",
        )


def _is_endpoint(value: object) -> bool:
    if not isinstance(value, str) or len(value) > _LONGEST_URL or not re.fullmatch(_ENDPOINT, value):
        return False
    return _host(value) is not None


def _host(url: str) -> str | None:
    """Return the host of a URL, or None without one."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is not a number
        return parts.hostname
    except ValueError:
        return None


def _strings(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _listed(names: list[str]) -> str:
    return ", ".join(in_message(name, 40) for name in names[:10])


def _unusable(message: str, hint: str, status: int = 200) -> ResponseFormatError:
    return ResponseFormatError(f"{message}. Hint: {hint}", status_code=status, hint=hint)


def _refused(message: str, hint: str) -> AuthenticationError:
    return AuthenticationError(f"{message}. Hint: {hint}", status_code=200, hint=hint)
