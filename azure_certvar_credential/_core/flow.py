"""How a token is acquired: the whole story on one page.

The order of these steps is what makes the credential secure and polite, so it stands here once, for sync and async.

1. A fresh token in the cache ends the story, unless a claims challenge asks for another one.
2. The certificate signs an assertion for the endpoint that the request goes to; every request has an assertion of its
   own, because strict servers refuse a ``jti`` that they have seen. Only when the signer is remote is a recent one used
   again, because a vault throttles; should the server refuse that, a fresh one follows.
3. The endpoint answers with a token, which is kept; or with a refusal, which is final, unless

   * the assertion's times were wrong and the server's ``Date`` tells the right one: once more with its clock;
   * the certificate was refused and there is another one by now: once more with that;
   * the server is busy or the connection broke: again after a pause, as often as the retry settings say. A server that
     names a longer pause is left alone, and the caller is told how long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core import assertion, exchange
from azure_certvar_credential._core.effects import (
    Flow,
    LoadCertificate,
    Moment,
    Now,
    ReadAssertion,
    ReadCache,
    Send,
    Sign,
    Token,
    Unanswered,
    Wait,
    WriteAssertion,
    WriteCache,
)
from azure_certvar_credential._core.freshness import Freshness, freshness, refresh_on, required_on
from azure_certvar_credential._core.recovery import Recovery
from azure_certvar_credential.exceptions import AuthenticationError, CertificateError

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
    if request.claims is None:
        cached: Token | None = yield ReadCache(request)
        if cached is not None:
            moment: Moment = yield Now()
            state = freshness(moment.time, refresh_on=cached.refresh_on, required_on=cached.required_on)
            if state is Freshness.FRESH:
                return cached
    certificate: ClientCertificate = yield LoadCertificate()
    recovery = Recovery(settings.retry)
    while True:
        moment = yield Now()
        send = yield from _signed(settings, request, certificate, moment, recovery)
        answer: exchange.Response | Unanswered = yield send
        outcome = _outcome(answer, moment, certificate)
        if isinstance(outcome, Token):
            yield WriteCache(request, outcome)
            return outcome
        if recovery.wants_fresh_assertion(outcome) or recovery.corrects_clock(outcome, answer, moment.time):
            continue
        if recovery.wants_another_certificate(outcome):
            renewed: ClientCertificate = yield LoadCertificate(refused=certificate)
            if renewed is not certificate:
                certificate = renewed
                continue
        pause = recovery.pause(outcome)
        if pause is None:
            raise outcome
        yield Wait(pause)


def _signed(
    settings: Settings, request: TokenRequest, certificate: ClientCertificate, moment: Moment, recovery: Recovery
) -> Flow[Send]:
    """Sign a fresh assertion, or take a recent one of a remote signer, and return what to post.

    This frame is gone before anything is posted, so no traceback of a failed request shows the assertion among its
    variables; :class:`Send` does not show it either.
    """
    endpoint = settings.authority.token_endpoint(request.tenant_id)
    remote = getattr(certificate.signer, "remote", False)
    key = (certificate.sha256_thumbprint, settings.algorithm, endpoint)
    kept: str | None = (yield ReadAssertion(key)) if remote and recovery.may_reuse else None
    recovery.sends(reused=kept is not None)
    if kept is None:
        issued_at = moment.time + recovery.clock_offset
        message = assertion.signing_input(
            assertion.encoded_header(
                certificate,
                settings.algorithm,
                sha1_only=settings.authority.kind == "adfs",
                with_chain=settings.send_certificate_chain,
            ),
            client_id=settings.client_id,
            audience=endpoint,
            issued_at=issued_at,
            jti=moment.jti,
        )
        signature: bytes = yield Sign(certificate.signer, message, settings.algorithm)
        if not isinstance(signature, bytes):
            raise CertificateError(
                f"the certificate's signer returned {type(signature).__name__}; it has to return bytes"
            )
        kept = assertion.compact(message, signature)
        if remote:
            yield WriteAssertion(key, kept, moment.time + assertion.LIFETIME - assertion.REUSE_MARGIN)
    fields = exchange.form(request, client_id=settings.client_id, client_assertion=kept)
    return Send(endpoint, fields, exchange.headers(moment.correlation_id))


def _outcome(
    answer: exchange.Response | Unanswered, moment: Moment, certificate: ClientCertificate
) -> Token | Exception:
    """Read the answer; date a token from the moment of the request, for it cannot have been issued earlier."""
    if isinstance(answer, Unanswered):
        return answer.error
    about = f"certificate used has thumbprint {certificate.thumbprint} and expires {certificate.not_after:%Y-%m-%d}"
    try:
        response = exchange.read(answer, now=moment.time, about=about)
    except AuthenticationError as error:
        return error.with_traceback(None)  # whose frames hold the answer, and so perhaps a token
    return Token(
        response.access_token,
        response.token_type,
        expires_on=moment.time + response.expires_in,
        refresh_on=refresh_on(moment.time, response.expires_in, response.refresh_in, moment.jitter),
        required_on=required_on(moment.time, response.expires_in),
        requested_on=moment.time,
    )
