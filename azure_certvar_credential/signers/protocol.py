"""What signs: the protocol between an assertion and whatever holds the private key."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    PublicKey = RSAPublicKey | EllipticCurvePublicKey


@runtime_checkable
class Signer(Protocol):
    """Holds a private key, or knows somebody who does, and signs with it."""

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key, to be compared with the certificate's."""

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign a message.

        :param message: the whole message, not a hash of it.
        :param algorithm: a JWS ``alg`` value, such as ``PS256`` (RFC 7518 section 3.1).
        :returns: the raw JWS signature: the RSA signature, or ``r || s`` for ECDSA (RFC 7518 section 3.4).
        :raises ConfigurationError: the key does not fit the algorithm.
        """


@runtime_checkable
class AsyncSigner(Protocol):
    """A :class:`Signer` whose ``sign`` is a coroutine function; for the asynchronous credential only."""

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key, to be compared with the certificate's."""

    def sign(self, message: bytes, algorithm: str) -> Awaitable[bytes]:
        """Sign a message; see :meth:`Signer.sign`."""
