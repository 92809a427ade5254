"""A frozen value with what the core reads of a certificate, so that the core is tested without parsing one."""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate
    from azure_certvar_credential.signers.protocol import PublicKey


class NamedSigner:
    """A signer for tests whose script answers :class:`Sign` itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def public_key(self) -> PublicKey:
        raise AssertionError("the core never looks at a public key")

    def sign(self, message: bytes, algorithm: str) -> bytes:
        raise AssertionError("the core signs through an effect only")


@dataclass(frozen=True)
class CertificateValues:
    """The attributes that ``_core`` reads."""

    x5t: str
    x5t_s256: str
    x5c: tuple[str, ...]
    thumbprint: str
    not_after: datetime
    key_type: str
    key_size: int
    signer: object


def certificate(der: bytes = b"a certificate", *, key_type: str = "RSA", key_size: int = 2048) -> ClientCertificate:
    """Return a certificate whose thumbprints are those of ``der``."""
    sha1 = hashlib.sha1(der, usedforsecurity=False)
    values = CertificateValues(
        x5t=_base64url(sha1.digest()),
        x5t_s256=_base64url(hashlib.sha256(der).digest()),
        x5c=(b64encode(der).decode(), b64encode(b"its issuer, with octets \xff\xfe\xfd").decode()),
        thumbprint=sha1.hexdigest().upper(),
        not_after=datetime(2031, 5, 17, 12, 0, tzinfo=timezone.utc),
        key_type=key_type,
        key_size=key_size,
        signer=NamedSigner(der.decode("latin-1")),
    )
    return cast("ClientCertificate", values)


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
