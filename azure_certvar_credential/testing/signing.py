"""The key that signs the emulator's tokens; resource servers find it in the JWKS."""

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
    """The emulators' signing key; the process has one.

    :ivar private_key: signs tokens; never leaves memory.
    :ivar certificate: the self-signed certificate of the public key.
    """

    private_key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def key_id(self) -> str:
        """``kid`` and ``x5t`` of the tokens: base64url of the certificate's SHA-1, as in Entra."""
        return encode(sha1_thumbprint(self.certificate))

    def jwk(self) -> dict[str, object]:
        """The public key as a JSON Web Key (RFC 7517)."""
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
    """Return the process's signing key; the first call generates it, which takes some tenths of a second."""
    # The cache alone would let two concurrent first calls generate two keys.
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
        # Long, because a test may set the emulator's clock to any time.
        .not_valid_before(datetime(2000, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(2099, 12, 31, tzinfo=timezone.utc))
        .sign(private_key, hashes.SHA256())
    )
    return SigningKey(private_key, certificate)
