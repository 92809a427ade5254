"""How a token is acquired: the whole story on one page.

The order of these steps is what makes the credential secure and polite, so it stands here once, for sync and async.

1. A fresh token in the cache ends the story, unless a claims challenge asks for another one.
2. The certificate signs an assertion for the endpoint that the request goes to; every request has an assertion of its
   own, because strict servers refuse a ``jti`` that they have seen. Only when the signer is remote is a recent one used
   again, because a vault throttles; should the server refuse that, a fresh one follows. A federated credential has no
   certificate: its assertion is a token that another credential got.
3. The endpoint answers with a token, which is kept; or with a refusal, which is final, unless

   * it was a user's refresh token that was refused: once more with the user's assertion;
   * the assertion's times were wrong and the server's ``Date`` tells the right one: once more with its clock;
   * the certificate was refused and there is another one by now: once more with that;
   * the server is busy or the connection broke: again after a pause, as often as the retry settings say. A server that
     names a longer pause is left alone, and the caller is told how long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core import exchange, grant
from azure_certvar_credential._core.effects import (
    Flow,
    LoadCertificate,
    Moment,
    Now,
    ReadCache,
    Send,
    Token,
    Unanswered,
    Wait,
    WriteCache,
)
from azure_certvar_credential._core.endpoint import token_endpoint
from azure_certvar_credential._core.freshness import Freshness, freshness, refresh_on, required_on
from azure_certvar_credential._core.recovery import Recovery
from azure_certvar_credential._core.signing import client_assertion_for
from azure_certvar_credential.exceptions import AuthenticationError

if TYPE_CHECKING:
    from azure_certvar_credential._core.config import Settings
    from azure_certvar_credential._core.request import TokenRequest
    from azure_certvar_credential.certificates import ClientCertificate


def acquire(settings: Settings, request: TokenRequest) -> Flow[Token]:
    """Acquire a token; yields effects, returns the token.

    :param settings: the credential's.
    :param request: what to acquire.
    :raises AuthenticationError: the server refused, or answered with something that is no token.
    :raises azure.core.exceptions.AzureError: no connection was made, or it broke and retries did not help.
    """
    recovery = Recovery(settings.retry)
    user = request.user
    if request.claims is None:
        cached: Token | None = yield ReadCache(request)
        if cached is not None:
            moment: Moment = yield Now()
            state = freshness(
                moment.time,
                requested_on=cached.requested_on,
                refresh_on=cached.refresh_on,
                required_on=cached.required_on,
            )
            if state is Freshness.FRESH:
                return cached
            recovery.refresh_token = None if user is None else cached.refresh_token
    endpoint = yield from token_endpoint(settings, request.tenant_id, regional=user is None)
    certificate: ClientCertificate | None = None if settings.federated else (yield LoadCertificate())
    while True:
        moment = yield Now()
        # Not given a name: what is sent holds the assertion, and this frame is in the traceback of what fails.
        answer: exchange.Response | Unanswered = yield (
            yield from _signed(settings, request, certificate, moment, endpoint=endpoint, recovery=recovery)
        )
        outcome = _outcome(answer, request, moment, certificate, recovery)
        if isinstance(outcome, Token):
            if user is None or user.cacheable:
                yield WriteCache(request, outcome)
            return outcome
        if (
            recovery.wants_fresh_assertion(outcome)
            or recovery.wants_user_assertion(outcome)
            or (certificate is not None and recovery.corrects_clock(outcome, answer, moment.time))
        ):
            continue
        if certificate is not None and recovery.wants_another_certificate(outcome):
            renewed: ClientCertificate = yield LoadCertificate(refused=certificate)
            if renewed is not certificate:
                certificate = renewed
                continue
        pause = recovery.pause(outcome)
        if pause is None:
            raise outcome
        yield Wait(pause)


def _signed(
    settings: Settings,
    request: TokenRequest,
    certificate: ClientCertificate | None,
    moment: Moment,
    *,
    endpoint: str,
    recovery: Recovery,
) -> Flow[Send]:
    """Return what to post: the request's form with an assertion in it.

    This frame is gone before anything is posted, so no traceback of a failed request shows the assertion among its
    variables; :class:`Send` does not show it either.
    """
    assertion = yield from client_assertion_for(settings, certificate, endpoint, moment, recovery)
    fields = grant.form(
        request, client_id=settings.client_id, client_assertion=assertion, refresh_token=recovery.refresh_token
    )
    return Send(endpoint, fields, grant.headers(moment.correlation_id))


def _outcome(
    answer: exchange.Response | Unanswered,
    request: TokenRequest,
    moment: Moment,
    certificate: ClientCertificate | None,
    recovery: Recovery,
) -> Token | Exception:
    """Read the answer; date a token from the moment of the request, for it cannot have been issued earlier."""
    if isinstance(answer, Unanswered):
        return answer.error
    about = (
        "client assertion came from assertion_source"
        if certificate is None
        else f"certificate used has thumbprint {certificate.thumbprint} and expires {certificate.not_after:%Y-%m-%d}"
    )
    try:
        response = exchange.read(answer, now=moment.time, about=about, for_user=request.user is not None)
    except AuthenticationError as error:
        return error.with_traceback(None)  # whose frames hold the answer, and so perhaps a token
    return Token(
        response.access_token,
        response.token_type,
        expires_on=moment.time + response.expires_in,
        refresh_on=refresh_on(moment.time, response.expires_in, response.refresh_in, moment.jitter),
        required_on=required_on(moment.time, response.expires_in),
        requested_on=moment.time,
        # A server that does not give a new one lets the old one stand (RFC 6749 section 6).
        refresh_token=None if request.user is None else response.refresh_token or recovery.refresh_token,
    )
