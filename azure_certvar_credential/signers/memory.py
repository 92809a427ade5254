"""Signs with a private key that is held in memory as a ``cryptography`` object."""

from __future__ import annotations

from typing import NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import Algorithm, algorithm_named

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}
# Made once: they are the same for every signature, and making them takes longer than the rest of `sign`
# beside OpenSSL.
_PSS = {bits: padding.PSS(padding.MGF1(digest), digest.digest_size) for bits, digest in _HASHES.items()}
_PKCS1V15 = padding.PKCS1v15()


class MemorySigner:
    """A :class:`~azure_certvar_credential.signers.protocol.Signer` over a key in this process's memory.

    :param private_key: an RSA or elliptic-curve private key.
    """

    __slots__ = ("_private_key", "_public_key")

    def __init__(self, private_key: PrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key()

    @property
    def private_key(self) -> PrivateKey:
        """The private key itself, for the exports that a caller asks for by name."""
        return self._private_key

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message``; see :meth:`Signer.sign`."""
        row = algorithm_named(algorithm)
        key = self._private_key
        digest = _HASHES[row.hash_bits]
        if isinstance(key, rsa.RSAPrivateKey):
            if row.scheme == "PSS":
                return key.sign(message, _PSS[row.hash_bits], digest)
            if row.scheme == "PKCS1v15":
                return key.sign(message, _PKCS1V15, digest)
        elif row.curve == key.curve.name:
            # RFC 7518 section 3.4: r and s as big-endian octets of the curve's size, one after the other.
            size = (key.curve.key_size + 7) // 8
            r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        raise ConfigurationError(_misfit(key, row))

    def __repr__(self) -> str:
        return f"<MemorySigner {_describe(self._private_key)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a MemorySigner holds a private key in memory and is not pickled or copied")


def _describe(key: PrivateKey) -> str:
    return f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePrivateKey) else f"RSA {key.key_size}"


def _misfit(key: PrivateKey, row: Algorithm) -> str:
    need = f"an EC key on {row.curve}" if row.curve else "an RSA key"
    return f"algorithm {row.name} needs {need}, and this key is {_describe(key)}"
