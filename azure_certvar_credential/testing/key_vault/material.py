"""A version of a certificate in the local Key Vault, which is also a key and a secret, and its signatures.

It uses ``cryptography`` alone and shares no signing or parsing with the rest of this package.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from azure_certvar_credential.testing.jose import encode

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
ContentType = Literal["application/x-pkcs12", "application/x-pem-file"]
PKCS12: ContentType = "application/x-pkcs12"
PEM: ContentType = "application/x-pem-file"

_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {"secp256r1": ("P-256", "ES256"), "secp384r1": ("P-384", "ES384"), "secp521r1": ("P-521", "ES512")}


@runtime_checkable
class HasPfx(Protocol):
    """An object that exports its certificate and private key as a PFX."""

    def to_pfx(self, password: None) -> bytes:
        """Return certificate, private key and chain as a PFX without a password."""


KeyPairLike = HasPfx | str | bytes
"""A certificate with its private key: PEM as text or bytes, PFX bytes, or an object with ``to_pfx()``."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with its private key.

    :ivar key: the private key; not in the repr.
    :ivar leaf: its certificate.
    :ivar chain: the other certificates in their original order, which Key Vault keeps.
    """

    key: PrivateKey = field(repr=False)
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def load_key_pair(value: KeyPairLike, password: bytes | None = None) -> KeyPair:
    """Load a certificate and its private key.

    :param value: PEM (PKCS #8 key and certificates), PFX, or an object with ``to_pfx()``.
    :param password: the password of an encrypted PFX or PEM key.
    :raises ValueError: ``value`` is not valid, or lacks the key or its certificate.
    """
    if isinstance(value, HasPfx):
        value, password = value.to_pfx(None), None
    data = value.encode() if isinstance(value, str) else value
    if b"-----BEGIN" in data:
        loaded: object = load_pem_private_key(data[data.index(b"-----BEGIN") :], password)
        certificates = x509.load_pem_x509_certificates(data)
    else:
        loaded, first, others = pkcs12.load_key_and_certificates(data, password)
        certificates = [*([first] if first else []), *others]
    if not isinstance(loaded, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise ValueError("the data has no RSA or EC private key")  # noqa: TRY004 - the content is wrong
    public = loaded.public_key()
    leaves = [certificate for certificate in certificates if certificate.public_key() == public]
    if not leaves:
        raise ValueError("the data has no certificate for its private key")
    return KeyPair(loaded, leaves[0], tuple(c for c in certificates if c is not leaves[0]))


@dataclass(slots=True)
class Version:
    """A version of a certificate, with the same id under ``/certificates``, ``/keys`` and ``/secrets``.

    :ivar pair: the certificate and its private key.
    :ivar exportable: whether the secret contains the private key.
    :ivar content_type: the content type of the secret.
    :ivar created: seconds since the epoch.
    :ivar enabled: whether it may be used.
    :ivar not_before: seconds since the epoch.
    :ivar expires: seconds since the epoch.
    :ivar secret: the secret's value; None for the certificate itself.
    :ivar id: 32 hex digits.
    """

    pair: KeyPair
    exportable: bool
    content_type: str
    created: float
    enabled: bool
    not_before: float
    expires: float
    secret: str | None = field(default=None, repr=False)
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def secret_value(self) -> str:
        """The secret's value: base64 of a PFX without a password, or PEM."""
        if self.secret is not None:
            return self.secret
        pair = self.pair
        key = pair.key if self.exportable else None
        if self.content_type == PKCS12:
            pfx = pkcs12.serialize_key_and_certificates(b"", key, pair.leaf, pair.chain or None, NoEncryption())
            return base64.b64encode(pfx).decode()
        blocks = [c.public_bytes(Encoding.PEM) for c in (pair.leaf, *pair.chain)]
        if key is not None:
            blocks.insert(0, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return b"".join(blocks).decode()

    def key_type(self) -> str:
        """The JWK's ``kty``."""
        return "RSA" if isinstance(self.pair.key, rsa.RSAPrivateKey) else "EC"

    def public_jwk(self) -> dict[str, object]:
        """The public key as a JWK (RFC 7517), without ``kid``."""
        public = self.pair.key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            values: dict[str, object] = {"n": _number(numbers.n), "e": _number(numbers.e)}
        else:
            size, point = (public.curve.key_size + 7) // 8, public.public_numbers()
            values = {"crv": _CURVES[public.curve.name][0], "x": _number(point.x, size), "y": _number(point.y, size)}
        return {"kty": self.key_type(), "key_ops": ["sign", "verify"], **values}

    def sign(self, algorithm: str, digest: bytes) -> bytes:
        """Sign a digest as Key Vault does; an ECDSA signature is ``r || s``.

        :param algorithm: RS, PS or ES with 256, 384 or 512.
        :raises ValueError: the key does not support the algorithm, or the digest's length is not that of its hash.
        """
        digest_kind = _HASHES.get(algorithm[2:])
        if digest_kind is None or algorithm[:2] not in _schemes(self.pair.key, algorithm):
            raise ValueError(f"Key and signing algorithm are incompatible. Key is {self.key_type()}, alg {algorithm}")
        if len(digest) != digest_kind.digest_size:
            raise ValueError(f"Invalid length of 'value': {len(digest)} bytes. {algorithm} takes a digest of its hash")
        key, prehashed = self.pair.key, Prehashed(digest_kind)
        if isinstance(key, rsa.RSAPrivateKey):
            if algorithm.startswith("PS"):
                pss = padding.PSS(padding.MGF1(digest_kind), digest_kind.digest_size)
                return key.sign(digest, pss, prehashed)
            return key.sign(digest, padding.PKCS1v15(), prehashed)
        size = (key.curve.key_size + 7) // 8
        return b"".join(
            part.to_bytes(size, "big") for part in decode_dss_signature(key.sign(digest, ec.ECDSA(prehashed)))
        )


def _schemes(key: PrivateKey, algorithm: str) -> Sequence[str]:
    if isinstance(key, rsa.RSAPrivateKey):
        return ("RS", "PS")
    return ("ES",) if _CURVES.get(key.curve.name, ("", ""))[1] == algorithm else ()


def _number(value: int, size: int | None = None) -> str:
    octets = value.to_bytes(size or (value.bit_length() + 7) // 8, "big")
    return encode(octets)
