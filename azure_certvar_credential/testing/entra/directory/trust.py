"""What an application trusts beside its registered certificates."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """A federated identity credential: an identity whose token replaces a certificate.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation

    :ivar issuer: the token's ``iss``.
    :ivar subject: its ``sub``.
    :ivar audience: its ``aud``, or the identifier of the resource with that ``aud``.
    """

    issuer: str
    subject: str
    audience: str


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """A subject name and issuer rule.

    :ivar subject_name: the common name or DNS name that the leaf must have.
    :ivar authority: the certificate authority that must have issued it.
    """

    subject_name: str
    authority: x509.Certificate
