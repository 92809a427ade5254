"""``private_key_jwt``: a client assertion signed by the certificate's key (RFC 7523 section 2.2).

Every request gets a fresh assertion, because strict servers refuse a ``jti`` that they have seen. Vaults throttle, so a
remote signer's recent assertion is used again; if the server refuses it, a fresh one follows. Two more refusals are
answered with another request, each once: the assertion's times do not fit the server's clock, which its ``Date`` shows;
and the server refuses a certificate that has been replaced meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core import exchange
from azure_certvar_credential._core.authority import DEFAULT_ALGORITHM
from azure_certvar_credential._core.client_authentication import ClientProof, assertion
from azure_certvar_credential._core.effects import (
    Endpoint,
    Flow,
    LoadCertificate,
    Moment,
    Now,
    ReadAlgorithm,
    ReadAssertion,
    Sign,
    Unanswered,
    WriteAlgorithm,
    WriteAssertion,
)
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateError,
    CertificateRejectedError,
    ConfigurationError,
)
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.protocol import is_remote

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate

# The "typ" of the update of RFC 7523 (draft-ietf-oauth-rfc7523bis).
CLIENT_AUTHENTICATION = "client-authentication+jwt"
# What signers do that cannot do PSS; Entra accepts it.
FALLBACK = "RS256"
# Entra tolerates five minutes, so a smaller difference (seconds) than this is not the reason for a refusal.
CLOCK_TOLERANCE = 60.0


class PrivateKeyJwt(Value):
    """Signs client assertions with the key of the credential's certificate.

    :ivar client_id: the application's id: ``iss`` and ``sub``.
    :ivar algorithm: the JWS ``alg``.
    :ivar send_certificate_chain: whether assertions carry ``x5c``.
    :ivar sha1_only: whether the server finds certificates by ``x5t`` alone.
    :ivar by_default: whether the algorithm is the authority's default, not the user's choice.
    :ivar for_issuer: whether assertions are for the issuer, where a metadata document names one that is not Entra.
    """

    client_id: str
    algorithm: str
    send_certificate_chain: bool = False
    sha1_only: bool = False
    by_default: bool = False
    for_issuer: bool = False

    def begin(self) -> Flow[ClientProof]:
        """Load the certificate."""
        certificate: ClientCertificate = yield LoadCertificate(None)
        return _CertificateProof(self, certificate)

    def assertion_for(self, audience: str | Endpoint) -> Flow[str]:
        """Sign a fresh assertion for a request that another library sends; yields effects, returns the JWS.

        :param audience: the ``aud``, or the endpoint that it follows from.
        """
        certificate: ClientCertificate = yield LoadCertificate()
        moment: Moment = yield Now()
        return (yield from self.sign(certificate, audience, moment.time, moment.jti))

    def audience_and_type(self, audience: str | Endpoint) -> tuple[str, str]:
        """Return ``aud`` and ``typ`` of assertions for an endpoint, or for an audience that the caller chose."""
        if isinstance(audience, str):
            return audience, CLIENT_AUTHENTICATION if self.for_issuer else "JWT"
        if self.for_issuer and audience.issuer:
            return audience.issuer, CLIENT_AUTHENTICATION
        return audience.url, "JWT"

    def sign(self, certificate: ClientCertificate, audience: str | Endpoint, issued_at: float, jti: str) -> Flow[str]:
        """Sign an assertion; yields effects, returns the JWS.

        A signer that refuses PSS, as many HSMs and smart cards do, signs with :data:`FALLBACK`, unless the user chose
        the algorithm.

        :param audience: as :meth:`audience_and_type` takes it.
        :param issued_at: seconds since the epoch (UTC).
        :param jti: an unused id.
        :raises CertificateError: the signer returned something other than a signature.
        :raises ConfigurationError: the signer does not offer the algorithm.
        """
        may_fall_back = (
            self.by_default and self.algorithm == DEFAULT_ALGORITHM and not isinstance(certificate.signer, MemorySigner)
        )
        known: str | None = (yield ReadAlgorithm(certificate.sha256_thumbprint)) if may_fall_back else None
        algorithm = known or self.algorithm
        try:
            return (yield from self._signed(certificate, algorithm, audience, issued_at, jti))
        except ConfigurationError as error:
            if not may_fall_back or algorithm == FALLBACK:
                raise
            refused = error
        signed = yield from self._signed(certificate, FALLBACK, audience, issued_at, jti)
        yield WriteAlgorithm(certificate.sha256_thumbprint, FALLBACK, refused)
        return signed

    def _signed(
        self, certificate: ClientCertificate, algorithm: str, audience: str | Endpoint, issued_at: float, jti: str
    ) -> Flow[str]:
        aud, typ = self.audience_and_type(audience)
        header = assertion.encoded_header(
            certificate,
            algorithm,
            typ=typ,
            sha1_only=self.sha1_only,
            with_chain=self.send_certificate_chain,
        )
        message = assertion.signing_input(header, client_id=self.client_id, audience=aud, issued_at=issued_at, jti=jti)
        signature: bytes = yield Sign(certificate.signer, message, algorithm)
        if not isinstance(signature, bytes):
            raise CertificateError(f"the certificate's signer must return bytes, not {type(signature).__name__}")
        return assertion.compact(message, signature)


class _CertificateProof:
    """The assertions of one acquisition.

    :param method: how to sign.
    :param certificate: the certificate to sign with.
    """

    __slots__ = (
        "_certificate",
        "_clock_offset",
        "_may_correct_clock",
        "_may_reload",
        "_may_reuse",
        "_method",
        "_reused",
    )

    def __init__(self, method: PrivateKeyJwt, certificate: ClientCertificate) -> None:
        self._method = method
        self._certificate = certificate
        # Seconds by which the server's clock is ahead of ours, once the server has refused our times.
        self._clock_offset = 0.0
        self._may_correct_clock = self._may_reload = self._may_reuse = True
        self._reused = False

    @property
    def about(self) -> str:
        certificate = self._certificate
        return f"certificate used has thumbprint {certificate.thumbprint} and expires {certificate.not_after:%Y-%m-%d}"

    def fields(self, endpoint: Endpoint, moment: Moment) -> Flow[dict[str, str]]:
        """Return the fields with an assertion: a remote signer's recent one if it may be reused, else a fresh one."""
        method, certificate = self._method, self._certificate
        key = signed = None
        # A look at the protocol takes longer than all the rest, save the signature.
        if not isinstance(certificate.signer, MemorySigner) and is_remote(certificate.signer):
            key = (certificate.sha256_thumbprint, method.algorithm, method.audience_and_type(endpoint)[0])
            signed = (yield ReadAssertion(key)) if self._may_reuse else None
            # Only the first request may reuse one.
            self._reused, self._may_reuse = signed is not None, False
        if signed is None:
            signed = yield from method.sign(certificate, endpoint, moment.time + self._clock_offset, moment.jti)
            if key is not None:
                yield WriteAssertion(key, signed, moment.time + assertion.LIFETIME - assertion.REUSE_MARGIN)
        return {"client_assertion_type": assertion.ASSERTION_TYPE, "client_assertion": signed}

    def recovers(self, failure: Exception, answer: exchange.Response | Unanswered, moment: Moment) -> Flow[bool]:
        """Return whether a fresh assertion, the server's time or another certificate may succeed."""
        from azure_certvar_credential._core.hints import CLOCK_CODE, ROTATION_CODES

        if self._reused and type(failure) in (AuthenticationError, CertificateRejectedError):
            return True  # perhaps the server only refuses to see an assertion twice
        codes = failure.error_codes if isinstance(failure, AuthenticationError) else ()
        # Entra names the clock; other servers only say that authentication failed, often with no reason (RFC 6749).
        is_clock = CLOCK_CODE in codes or (not codes and getattr(failure, "error_code", None) == "invalid_client")
        if is_clock and self._corrects_clock(answer, moment.time):
            return True
        if not self._may_reload or ROTATION_CODES.isdisjoint(codes):
            return False
        self._may_reload = False
        refused = self._certificate
        self._certificate = yield LoadCertificate(refused=refused)
        return self._certificate is not refused

    def _corrects_clock(self, answer: exchange.Response | Unanswered, now: float) -> bool:
        """Adopt the server's time, once, if its ``Date`` differs from ours.

        :param now: our time of the request, in seconds since the epoch.
        """
        if not self._may_correct_clock or isinstance(answer, Unanswered):
            return False
        from azure_certvar_credential._core.refusals import read_date

        date = read_date(answer.headers.get("date"))
        if date is None or abs(date - now) <= CLOCK_TOLERANCE:
            return False
        self._may_correct_clock, self._clock_offset = False, date - now
        return True
