"""Where a client assertion comes from: a certificate's key, what it signed a moment ago, or another credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core import assertion
from azure_certvar_credential._core.effects import (
    Flow,
    LoadAssertion,
    LoadCertificate,
    Moment,
    Now,
    ReadAssertion,
    Sign,
    WriteAssertion,
)
from azure_certvar_credential._core.endpoint import token_endpoint
from azure_certvar_credential._core.recovery import Recovery
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import CertificateError, ConfigurationError

if TYPE_CHECKING:
    from azure_certvar_credential._core.config import Settings
    from azure_certvar_credential.certificates import ClientCertificate


def client_assertion(settings: Settings, audience: str | None) -> Flow[str]:
    """Sign an assertion for somebody else's request; yields effects, returns the JWS.

    :param settings: the credential's.
    :param audience: whom it is for, the ``aud``; None for the token endpoint of the credential's own tenant, the global
        one, for which region somebody else posts to is not known here.
    """
    endpoint = (
        (yield from token_endpoint(settings, settings.tenant_id, regional=False)) if audience is None else audience
    )
    certificate: ClientCertificate = yield LoadCertificate()
    moment: Moment = yield Now()
    return (yield from _sign(settings, certificate, endpoint, moment.time, moment.jti))


def check_audience(audience: object) -> None:
    """Check the audience of an assertion.

    :raises ConfigurationError: it is no text, or has white space.
    """
    if audience is not None and (
        not isinstance(audience, str) or not audience or any(c.isspace() or not c.isprintable() for c in audience)
    ):
        raise ConfigurationError(
            f"audience must be the token endpoint or issuer that the assertion is for, such as "
            f"'https://idp.example/token', not {redact_value(audience)}"
        )


def client_assertion_for(
    settings: Settings, certificate: ClientCertificate | None, endpoint: str, moment: Moment, recovery: Recovery
) -> Flow[str]:
    """Return the client assertion of a token request.

    A key in memory signs a fresh one; of a remote signer a recent one is taken if there is one. Without a certificate
    it comes from the credential's assertion source.

    :param endpoint: the URL that the request goes to.
    :param recovery: says whether a recent one may be used, and how far the server's clock is ahead.
    """
    if certificate is None:
        given: str = yield LoadAssertion()
        return given
    remote = getattr(certificate.signer, "remote", False)
    key = (certificate.sha256_thumbprint, settings.algorithm, endpoint)
    kept: str | None = (yield ReadAssertion(key)) if remote and recovery.may_reuse else None
    recovery.sends(reused=kept is not None)
    if kept is not None:
        return kept
    signed = yield from _sign(settings, certificate, endpoint, moment.time + recovery.clock_offset, moment.jti)
    if remote:
        yield WriteAssertion(key, signed, moment.time + assertion.LIFETIME - assertion.REUSE_MARGIN)
    return signed


def _sign(settings: Settings, certificate: ClientCertificate, audience: str, issued_at: float, jti: str) -> Flow[str]:
    message = assertion.signing_input(
        assertion.encoded_header(
            certificate,
            settings.algorithm,
            sha1_only=settings.authority.rules.sha1_only,
            with_chain=settings.send_certificate_chain,
        ),
        client_id=settings.client_id,
        audience=audience,
        issued_at=issued_at,
        jti=jti,
    )
    signature: bytes = yield Sign(certificate.signer, message, settings.algorithm)
    if not isinstance(signature, bytes):
        raise CertificateError(f"the certificate's signer returned {type(signature).__name__}; it has to return bytes")
    return assertion.compact(message, signature)
