"""Signs with a private key that this process holds in memory as a ``cryptography`` object."""

from __future__ import annotations

from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from azure_certvar_credential.signers.keys import PrivateKey, PublicKey, curve_of, described, fitting
from azure_certvar_credential.signers.primitives import HASHES, PKCS1V15, PSS


class MemorySigner:
    """A :class:`~azure_certvar_credential.signers.protocol.Signer` for a key in this process's memory.

    :param private_key: an RSA or elliptic-curve private key.
    """

    __slots__ = ("_curve", "_private_key", "_public_key")

    def __init__(self, private_key: PrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key()
        self._curve = curve_of(private_key)

    @property
    def private_key(self) -> PrivateKey:
        """The private key itself, for exports that a caller asks for by name."""
        return self._private_key

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message``; see :meth:`.Signer.sign`."""
        key = self._private_key
        row = ALGORITHMS.get(algorithm)
        if row is None or row.curve != self._curve:
            row = fitting(key, algorithm)  # raises, and says why
        digest = HASHES[row.hash_bits]
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(message, PSS[row.hash_bits] if row.scheme == "PSS" else PKCS1V15, digest)
        # RFC 7518 section 3.4: r and s as big-endian octets of the curve's size, one after the other.
        size = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def __repr__(self) -> str:
        return identified(f"MemorySigner {described(self._private_key)}", self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a MemorySigner holds a private key and cannot be pickled or copied")
