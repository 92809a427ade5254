"""Signs through a callable that reaches the private key: in a vault, a signing service, a key agent."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import NoReturn

from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential.exceptions import CertificateError, ConfigurationError
from azure_certvar_credential.signers.coroutines import is_coroutine_function
from azure_certvar_credential.signers.keys import PublicKey, described, fitting, signature_length
from azure_certvar_credential.signers.public_keys import PublicKeyData, public_key_from


class CallbackSigner:
    """A :class:`~azure_certvar_credential.signers.protocol.Signer` around a function.

    >>> signer = CallbackSigner(leaf, lambda message, algorithm: key_service.sign(message, algorithm))
    >>> credential = CertVarCredential(tenant_id, client_id, ClientCertificate(leaf, signer))

    :param public_key: the public half of the key: a public key or certificate of ``cryptography``, or either as PEM or
        DER.
    :param sign: takes the whole message (not a hash of it) and a JWS ``alg`` value such as ``PS256``, and returns the
        raw JWS signature (RFC 7518 sections 3.3 to 3.5): PSS with a salt as long as the hash, ECDSA as ``r || s``. It
        must be thread-safe. It may raise ConfigurationError for an algorithm that the key's holder does not offer. Its
        exceptions pass through.
    :param remote: whether each signature is a request to a service that throttles. If so, an assertion is reused until
        shortly before it expires; if not, each token request signs a fresh one.
    :raises CertificateFormatError: the public key cannot be read.
    :raises UnsupportedKeyError: the public key is neither RSA nor EC.
    :raises ConfigurationError: ``sign`` is not callable, or is a coroutine function (see :class:`AsyncCallbackSigner`).
    """

    __slots__ = ("_public_key", "_remote", "_sign")

    def __init__(self, public_key: PublicKeyData, sign: Callable[[bytes, str], bytes], *, remote: bool = False) -> None:
        if not callable(sign):
            raise ConfigurationError(f"sign must be callable, not of type {type(sign).__name__}")
        if is_coroutine_function(sign):
            raise ConfigurationError(
                "sign is a coroutine function; use AsyncCallbackSigner with a credential of "
                "azure_certvar_credential.aio"
            )
        self._public_key = public_key_from(public_key)
        self._sign = sign
        self._remote = remote

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    @property
    def remote(self) -> bool:
        """Whether each signature is a request over the network, so that assertions are reused."""
        return self._remote

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message``; see :meth:`.Signer.sign`.

        :raises ConfigurationError: the key does not fit the algorithm.
        :raises CertificateError: the function did not return bytes of the right length.
        """
        fitting(self._public_key, algorithm)
        return _checked(self._sign(message, algorithm), self._public_key)

    def __repr__(self) -> str:
        return identified(f"CallbackSigner {described(self._public_key)}", self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a CallbackSigner refers to a function of this process and cannot be pickled or copied")


class AsyncCallbackSigner:
    """An :class:`~azure_certvar_credential.signers.protocol.AsyncSigner` around a coroutine function.

    >>> async def sign(message, algorithm):
    ...     return await asyncio.to_thread(key_service.sign, message, algorithm)
    >>> certificate = ClientCertificate(leaf, AsyncCallbackSigner(leaf, sign))

    :param public_key: the public half of the key: a public key or certificate of ``cryptography``, or either as PEM or
        DER.
    :param sign: takes the whole message (not a hash of it) and a JWS ``alg`` value such as ``PS256``, and returns an
        awaitable of the raw JWS signature; see :class:`CallbackSigner`. It runs on the event loop that called
        ``get_token``, so it must not block.
    :param remote: whether each signature is a request to a service that throttles. If so, an assertion is reused until
        shortly before it expires; if not, each token request signs a fresh one.
    :raises CertificateFormatError: the public key cannot be read.
    :raises UnsupportedKeyError: the public key is neither RSA nor EC.
    :raises ConfigurationError: ``sign`` is not callable.
    """

    __slots__ = ("_public_key", "_remote", "_sign")

    def __init__(
        self, public_key: PublicKeyData, sign: Callable[[bytes, str], Awaitable[bytes]], *, remote: bool = False
    ) -> None:
        if not callable(sign):
            raise ConfigurationError(f"sign must be callable, not of type {type(sign).__name__}")
        self._public_key = public_key_from(public_key)
        self._sign = sign
        self._remote = remote

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    @property
    def remote(self) -> bool:
        """Whether each signature is a request over the network, so that assertions are reused."""
        return self._remote

    async def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message``; see :meth:`.AsyncSigner.sign`.

        :raises ConfigurationError: the key does not fit the algorithm.
        :raises CertificateError: the function did not return an awaitable of bytes of the right length.
        """
        fitting(self._public_key, algorithm)
        pending: object = self._sign(message, algorithm)
        if not inspect.isawaitable(pending):
            raise CertificateError(
                f"the signing function returned {type(pending).__name__}, which cannot be awaited; give a coroutine "
                "function, or use CallbackSigner"
            )
        return _checked(await pending, self._public_key)

    def __repr__(self) -> str:
        return identified(f"AsyncCallbackSigner {described(self._public_key)}", self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an AsyncCallbackSigner refers to a function of this process and cannot be pickled or copied")


def _checked(signature: object, public_key: PublicKey) -> bytes:
    """Return a signature after checking type and length; building the certificate verifies it with the key."""
    if inspect.iscoroutine(signature):
        signature.close()  # else Python warns of a coroutine that was never awaited
    if not isinstance(signature, bytes | bytearray | memoryview):
        raise CertificateError(
            f"the signing function returned {type(signature).__name__}; it must return the signature as bytes"
        )
    value = bytes(signature)
    expected = signature_length(public_key)
    if len(value) != expected:
        remedy = (
            "; RFC 7518 section 3.4 requires r || s, not ASN.1 DER" if described(public_key).startswith("EC") else ""
        )
        raise CertificateError(
            f"the signing function returned {len(value)} bytes, but a signature of this key ({described(public_key)}) "
            f"has {expected}{remedy}"
        )
    return value
