"""The key that signs the emulator's tokens, which resource servers find through JWKS."""

from __future__ import annotations

import base64
import functools
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from azure_certvar_credential.testing.credentials import sha1_thumbprint
from azure_certvar_credential.testing.jose import encode


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of the emulator, of which the process has one.

    :ivar private_key: signs access tokens; in memory only.
    :ivar certificate: the self-signed certificate around its public half.
    """

    private_key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def key_id(self) -> str:
        """``kid`` and ``x5t`` of the tokens: base64url of the certificate's SHA-1, as Entra has it."""
        return encode(sha1_thumbprint(self.certificate))

    def jwk(self) -> dict[str, object]:
        """The public half as a JSON Web Key (RFC 7517)."""
        numbers = self.private_key.public_key().public_numbers()
        der = self.certificate.public_bytes(Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": encode(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")),
            "x5c": [base64.b64encode(der).decode()],
        }


_signing_key_lock = threading.Lock()


def signing_key() -> SigningKey:
    """Return the key of the process; the first caller waits while it is made, some tenths of a second."""
    # The cache alone would let two first callers make a key each.
    with _signing_key_lock:
        return _make_signing_key()


@functools.cache
def _make_signing_key() -> SigningKey:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "EntraEmulator token signing")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        # Wide, because the emulator's clock may be set to any time.
        .not_valid_before(datetime(2000, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(2099, 12, 31, tzinfo=timezone.utc))
        .sign(private_key, hashes.SHA256())
    )
    return SigningKey(private_key, certificate)
