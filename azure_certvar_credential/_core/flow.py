"""How a token is acquired: the whole story on one page.

The order of these steps is what makes the credential secure and polite, so it stands here once, for sync and async.

1. A fresh token in the cache ends the story, unless a claims challenge asks for another one.
2. The certificate signs an assertion for the endpoint that the request goes to; every request has an assertion of its
   own, because strict servers refuse a ``jti`` that they have seen.
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
    ReadCache,
    Send,
    Sign,
    Token,
    Unanswered,
    Wait,
    WriteCache,
)
from azure_certvar_credential._core.freshness import Freshness, freshness, refresh_on, required_on
from azure_certvar_credential._core.hints import CLOCK_CODE, ROTATION_CODES
from azure_certvar_credential.exceptions import AuthenticationError, TemporarilyUnavailableError

if TYPE_CHECKING:
    from azure_certvar_credential._core.config import Retry, Settings
    from azure_certvar_credential._core.request import TokenRequest
    from azure_certvar_credential.certificates import ClientCertificate

# A caller is waiting: a pause that the server asks for is sat out up to here, and reported beyond.
LONGEST_PAUSE = 5.0
# Entra tolerates five minutes; a smaller difference is not why it refused.
CLOCK_TOLERANCE = 60.0


def acquire(settings: Settings, request: TokenRequest) -> Flow[Token]:
    """Acquire a token; yields effects, returns the token.

    :param settings: the credential's.
    :param request: what to acquire.
    :raises AuthenticationError: the server refused, or answered with something that is no token.
    """
    if request.claims is None:
        cached: Token | None = yield ReadCache(request)
        if cached is not None:
            moment: Moment = yield Now()
            state = freshness(moment.time, refresh_on=cached.refresh_on, required_on=cached.required_on)
            if state is Freshness.FRESH:
                return cached
    certificate: ClientCertificate = yield LoadCertificate()
    clock_offset = 0.0
    may_correct_clock = may_reload = True
    retries = _Retries(settings.retry)
    while True:
        moment = yield Now()
        answer = yield from _exchange(settings, request, certificate, moment, clock_offset)
        if isinstance(answer, Unanswered):
            pause = retries.after_broken_connection()
            if pause is None:
                raise answer.error
            yield Wait(pause)
            continue
        try:
            response = exchange.read(answer, now=moment.time, about=_describe(certificate))
        except AuthenticationError as error:
            offset = _clock_offset(answer, moment.time) if CLOCK_CODE in error.error_codes else 0.0
            if may_correct_clock and abs(offset) > CLOCK_TOLERANCE:
                may_correct_clock, clock_offset = False, offset
                continue
            if may_reload and not ROTATION_CODES.isdisjoint(error.error_codes):
                may_reload, refused = False, certificate
                certificate = yield LoadCertificate(refused=refused)
                if certificate is not refused:
                    continue
            pause = retries.after_refusal(error)
            if pause is None:
                raise
            yield Wait(pause)
        else:
            token = _token(response, moment)
            yield WriteCache(request, token)
            return token


def _exchange(
    settings: Settings, request: TokenRequest, certificate: ClientCertificate, moment: Moment, clock_offset: float
) -> Flow[exchange.Response | Unanswered]:
    """Sign a fresh assertion and post it."""
    endpoint = settings.authority.token_endpoint(request.tenant_id)
    message = assertion.signing_input(
        assertion.encoded_header(
            certificate,
            settings.algorithm,
            sha1_only=settings.authority.kind == "adfs",
            with_chain=settings.send_certificate_chain,
        ),
        client_id=settings.client_id,
        audience=endpoint,
        issued_at=moment.time + clock_offset,
        jti=moment.jti,
    )
    signature: bytes = yield Sign(certificate.signer, message, settings.algorithm)
    fields = exchange.form(
        request, client_id=settings.client_id, client_assertion=assertion.compact(message, signature)
    )
    answer: exchange.Response | Unanswered = yield Send(endpoint, fields, exchange.headers(moment.correlation_id))
    return answer


def _token(response: exchange.TokenResponse, moment: Moment) -> Token:
    """Date the token from the moment the request was made: it cannot have been issued earlier."""
    return Token(
        response.access_token,
        response.token_type,
        expires_on=moment.time + response.expires_in,
        refresh_on=refresh_on(moment.time, response.expires_in, response.refresh_in, moment.jitter),
        required_on=required_on(moment.time, response.expires_in),
    )


def _clock_offset(answer: exchange.Response, now: float) -> float:
    """Return by how many seconds the server's clock is ahead of ours; 0 if it does not say."""
    date = exchange.read_date(answer.headers.get("date"))
    return 0.0 if date is None else date - now


def _describe(certificate: ClientCertificate) -> str:
    return f"certificate used has thumbprint {certificate.thumbprint} and expires {certificate.not_after:%Y-%m-%d}"


class _Retries:
    """Counts the retries of one acquisition."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._total, self._status, self._read = retry.total, retry.status, retry.read
        self._attempt = 0

    def after_broken_connection(self) -> float | None:
        """Return the pause in seconds before the next request, or None to give up."""
        self._read -= 1
        return self._pause(self._read)

    def after_refusal(self, error: AuthenticationError) -> float | None:
        """Return the pause in seconds before the next request, or None if the refusal stands."""
        if not isinstance(error, TemporarilyUnavailableError):
            return None
        if error.retry_after is not None and error.retry_after > LONGEST_PAUSE:
            return None
        self._status -= 1
        pause = self._pause(self._status)
        return None if pause is None else max(pause, error.retry_after or 0.0)

    def _pause(self, left: int) -> float | None:
        self._total -= 1
        self._attempt += 1
        return None if min(left, self._total) < 0 else self._retry.pause(self._attempt)
