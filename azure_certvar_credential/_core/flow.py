"""The acquisition of a token, on one page for sync and async.

1. A fresh token in the cache is returned, unless a claims challenge asks for another one. If other processes share a
   cache, that is asked next (:mod:`.sharing`).
2. The application authenticates at the token endpoint (:mod:`.client_authentication`), and presents the request's grant
   (:mod:`.grants`) or the refresh token that came with the last token.
3. The endpoint answers with a token, which is cached, or with a refusal. A refusal is final, unless

   * the client authentication has something else to try: a fresh assertion, the server's clock, another certificate;
   * the grant has a fallback: the user's assertion after a refused refresh token;
   * the server is busy or the connection broke: then the request is repeated after a pause, as often as the retry
     settings allow. If the server asks for a long pause, the caller gets the failure at once, with ``retry_after``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core import exchange
from azure_certvar_credential._core.authority import AUTO_REGION
from azure_certvar_credential._core.effects import (
    DetectRegion,
    Endpoint,
    Flow,
    Moment,
    Now,
    ReadCache,
    Send,
    Token,
    Unanswered,
    Wait,
    WriteCache,
)
from azure_certvar_credential._core.freshness import freshness, refresh_on, required_on
from azure_certvar_credential._core.retries import Retries
from azure_certvar_credential.exceptions import AuthenticationError, OnBehalfOfError

if TYPE_CHECKING:
    from azure_certvar_credential._core.client_authentication import ClientProof
    from azure_certvar_credential._core.config import Settings
    from azure_certvar_credential._core.grants import Grant
    from azure_certvar_credential._core.request import TokenRequest

# For the gateways of Entra; Microsoft's support can search for the client-request-id.
HEADERS = {
    "Accept": "application/json",
    "return-client-request-id": "true",
    "x-client-SKU": "azure-certvar-credential",
    # A 429 with Retry-After is understood.
    "x-ms-lib-capability": "retry-after, h429",
}


def acquire(settings: Settings, request: TokenRequest) -> Flow[Token]:
    """Acquire a token; yields effects, returns the token.

    :param settings: the credential's settings.
    :param request: the checked request.
    :raises AuthenticationError: the server refused, or answered with something other than a token.
    :raises azure.core.exceptions.AzureError: the connection failed, and retries did not help.
    """
    cached: Token | None = None
    if request.claims is None:
        cached = yield ReadCache(request)
    sharing = None if settings.sharing is None else settings.sharing_for(request.grant)
    if sharing is not None:
        # For those who share a cache alone.
        from azure_certvar_credential._core.sharing import acquire_shared

        return (yield from acquire_shared(sharing, request, cached, _requested(settings, request, cached)))
    if cached is not None and (yield from _is_fresh(cached)):
        return cached
    token = yield from _requested(settings, request, cached)
    if request.grant.cacheable:
        yield WriteCache(request, token)
    return token


def _is_fresh(token: Token) -> Flow[bool]:
    moment: Moment = yield Now()
    state = freshness(
        moment.time, requested_on=token.requested_on, refresh_on=token.refresh_on, required_on=token.required_on
    )
    return state == "fresh"


def _requested(settings: Settings, request: TokenRequest, cached: Token | None) -> Flow[Token]:
    """Request a token from the server; yields effects, returns the token.

    :param cached: the last token, whose refresh token may serve; or None.
    """
    grant, retries = request.grant, Retries(settings.retry)
    if cached is not None and cached.refresh_token is not None:
        grant = grant.renewed_with(cached.refresh_token)
    endpoint = yield from token_endpoint(settings, request.tenant_id, retries, regional=grant.regional)
    client = yield from settings.authentication_of(request).begin()
    while True:
        moment: Moment = yield Now()
        # Send gets no name here: it holds the assertion, and this frame is in the traceback of a failure.
        answer: exchange.Response | Unanswered = yield (
            yield from _token_request(settings, request, grant, client, endpoint=endpoint, moment=moment)
        )
        outcome = _outcome(answer, grant, client, moment)
        if isinstance(outcome, Token):
            return outcome
        if (yield from client.recovers(outcome, answer, moment)):
            continue
        if grant.fallback is not None and _is_refused(outcome):
            grant = grant.fallback
            continue
        pause = retries.pause(outcome, sent=not isinstance(answer, Unanswered) or answer.sent)
        if pause is None:
            raise outcome
        yield Wait(pause)


def token_endpoint(settings: Settings, tenant_id: str, retries: Retries, *, regional: bool = True) -> Flow[Endpoint]:
    """Return the token endpoint for a tenant; yields effects where it has to be found out.

    :param settings: the credential's settings.
    :param tenant_id: the tenant to ask, lower case.
    :param retries: the retries that the acquisition has left.
    :param regional: use the credential's region. Regional endpoints serve applications that ask for themselves, not
        on behalf of a user.
    """
    region = settings.region if regional else None
    if region == AUTO_REGION:
        region = yield DetectRegion()
    authority = settings.authority if region is None else settings.authority.in_region(region)
    url = authority.token_endpoint(tenant_id)
    if url is not None:
        return Endpoint(url)
    # Only credentials of an OpenID provider pay for this import.
    from azure_certvar_credential._core.metadata import published_endpoint

    return (yield from published_endpoint(settings, retries))


def _token_request(
    settings: Settings, request: TokenRequest, grant: Grant, client: ClientProof, *, endpoint: Endpoint, moment: Moment
) -> Flow[Send]:
    """Return the token request.

    This frame ends before the request is sent, so the traceback of a failure has no variable with the assertion.
    :class:`Send` hides it as well.
    """
    # Each once, in this order.
    scopes = dict.fromkeys((*request.scopes, *grant.added_scopes))
    fields = {
        "client_id": settings.client_id,
        "scope": " ".join(scopes),
        **grant.fields(),
        **(yield from client.fields(endpoint, moment)),
    }
    claims = request.claims_parameter
    if claims is not None:
        fields["claims"] = claims
    headers = {**HEADERS, **grant.headers(request.tenant_id), "client-request-id": moment.correlation_id}
    return Send(endpoint.url, fields, headers)


def _outcome(
    answer: exchange.Response | Unanswered, grant: Grant, client: ClientProof, moment: Moment
) -> Token | Exception:
    """Read the answer. A token's life is counted from the request, because it cannot have begun earlier."""
    if isinstance(answer, Unanswered):
        return _naming(grant.leg, answer.error) if grant.leg else answer.error
    try:
        response = exchange.read(
            answer, now=moment.time, about=lambda: client.about, leg=grant.leg, for_user=grant.for_user
        )
    except AuthenticationError as error:
        return error.with_traceback(None)  # its frames hold the answer, and so perhaps a token
    kept = grant.renewed_with(response.refresh_token) if response.refresh_token else grant
    return Token(
        response.access_token,
        response.token_type,
        expires_on=moment.time + response.expires_in,
        refresh_on=refresh_on(moment.time, response.expires_in, response.refresh_in, moment.jitter),
        required_on=required_on(moment.time, response.expires_in),
        requested_on=moment.time,
        refresh_token=kept.refresh_token,
    )


def _naming(leg: str, error: Exception) -> Exception:
    """Return a failure of the connection whose message says which of several requests failed."""
    # Made of its message alone, as the transports make them.
    return type(error)(f"{error}; the request was for {leg}")


def _is_refused(failure: Exception) -> bool:
    """Return whether the server refused the grant itself, not the certificate, and not for the moment."""
    return isinstance(failure, OnBehalfOfError) or type(failure) is AuthenticationError
