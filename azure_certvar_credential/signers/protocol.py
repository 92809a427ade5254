"""The protocols of whatever holds a private key and signs client assertions with it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from azure_certvar_credential.signers.keys import PublicKey


@runtime_checkable
class Signer(Protocol):
    """Signs with a private key, which it holds itself or reaches elsewhere.

    >>> class OwnSigner:
    ...     public_key = leaf.public_key()
    ...     def sign(self, message, algorithm):
    ...         return key_service.sign(message, algorithm)
    >>> certificate = ClientCertificate(leaf, OwnSigner())
    """

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key; it must equal the certificate's."""

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign a message.

        >>> len(certificate.signer.sign(b"header.payload", "PS256"))
        256

        :param message: the whole message, not a hash of it.
        :param algorithm: a JWS ``alg`` value, such as ``PS256`` (RFC 7518 section 3.1).
        :returns: the raw JWS signature: the RSA signature, or ``r || s`` for ECDSA (RFC 7518 section 3.4).
        :raises ConfigurationError: the key does not fit the algorithm, or its holder does not offer it.
        """


@runtime_checkable
class AsyncSigner(Protocol):
    """A :class:`Signer` whose ``sign`` is a coroutine function, for the asynchronous credentials only.

    >>> class OwnSigner:
    ...     public_key = leaf.public_key()
    ...     async def sign(self, message, algorithm):
    ...         return await asyncio.to_thread(key_service.sign, message, algorithm)
    >>> certificate = ClientCertificate(leaf, OwnSigner())
    """

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key; it must equal the certificate's."""

    def sign(self, message: bytes, algorithm: str) -> Awaitable[bytes]:
        """Sign a message.

        >>> signature = await async_signer.sign(b"header.payload", "PS256")

        :param message: the whole message, not a hash of it.
        :param algorithm: a JWS ``alg`` value, such as ``PS256`` (RFC 7518 section 3.1).
        :returns: an awaitable of the raw JWS signature; see :meth:`Signer.sign`.
        :raises ConfigurationError: the key does not fit the algorithm, or its holder does not offer it.
        """


@runtime_checkable
class RemoteSigner(Protocol):
    """A :class:`Signer` or :class:`AsyncSigner` that says whether each signature is a request over the network.

    The attribute is optional. Where :attr:`remote` is true, a credential reuses a signed assertion until shortly before
    it expires, because the service behind the signer throttles; otherwise each token request signs a fresh one.

    >>> class OwnSigner:
    ...     public_key, remote = leaf.public_key(), True
    ...     def sign(self, message, algorithm):
    ...         return key_service.sign(message, algorithm)
    >>> certificate = ClientCertificate(leaf, OwnSigner())
    """

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key; it must equal the certificate's."""

    @property
    def remote(self) -> bool:
        """Whether each signature is a request over the network."""

    def sign(self, message: bytes, algorithm: str) -> bytes | Awaitable[bytes]:
        """Sign a message; see :meth:`Signer.sign` and :meth:`AsyncSigner.sign`.

        >>> signature = certificate.signer.sign(b"header.payload", "PS256")
        """


def is_remote(signer: Signer | AsyncSigner) -> bool:
    """Return whether a signer says that each signature is a request over the network; see :class:`RemoteSigner`."""
    return isinstance(signer, RemoteSigner) and bool(signer.remote)
