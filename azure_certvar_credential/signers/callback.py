"""Signs through any callable: a vault, a signing service, a key agent, whatever holds the private key."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import NoReturn

from azure_certvar_credential.exceptions import CertificateError, ConfigurationError
from azure_certvar_credential.signers.coroutines import is_coroutine_function
from azure_certvar_credential.signers.keys import PublicKey, described, fitting, signature_length
from azure_certvar_credential.signers.public_keys import PublicKeyData, public_key_from


class CallbackSigner:
    """A :class:`~azure_certvar_credential.signers.protocol.Signer` around a function.

    :param public_key: the public half of the key: a public key or certificate of ``cryptography``, or PEM or DER of
        one.
    :param sign: called with the whole message (not a hash of it) and a JWS ``alg`` value such as ``PS256``; returns the
        raw JWS signature (RFC 7518 sections 3.3 to 3.5): PSS with a salt as long as the hash, ECDSA as ``r || s``. It
        may be called by many threads at once, and may raise ConfigurationError for an algorithm that the key's holder
        does not offer. What it raises passes through.
    :param remote: whether a signature costs a request to a service that throttles; an assertion is then used again
        until shortly before its end, else each token request has a fresh one.
    :raises CertificateFormatError: the public key cannot be read.
    :raises UnsupportedKeyError: the public key is neither RSA nor EC.
    :raises ConfigurationError: ``sign`` is not callable, or a coroutine function (:class:`AsyncCallbackSigner`).
    """

    __slots__ = ("_public_key", "_remote", "_sign")

    def __init__(self, public_key: PublicKeyData, sign: Callable[[bytes, str], bytes], *, remote: bool = False) -> None:
        if not callable(sign):
            raise ConfigurationError(f"sign is of type {type(sign).__name__}, which cannot be called")
        if is_coroutine_function(sign):
            raise ConfigurationError(
                "sign is a coroutine function; use AsyncCallbackSigner, and the credential of "
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
        """Whether assertions are used again, because each signature costs a request."""
        return self._remote

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message``; see :meth:`Signer.sign`.

        :raises ConfigurationError: the key does not fit the algorithm.
        :raises CertificateError: the function returned what cannot be a signature of this key.
        """
        fitting(self._public_key, algorithm)
        return _checked(self._sign(message, algorithm), self._public_key)

    def __repr__(self) -> str:
        return f"<CallbackSigner {described(self._public_key)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a CallbackSigner refers to a function of this process and is not pickled or copied")


class AsyncCallbackSigner:
    """An :class:`~azure_certvar_credential.signers.protocol.AsyncSigner` around a coroutine function.

    :param public_key: as for :class:`CallbackSigner`.
    :param sign: as for :class:`CallbackSigner`, but it returns an awaitable. It runs on the event loop of the caller of
        ``get_token``, so it must not block.
    :param remote: as for :class:`CallbackSigner`.
    :raises CertificateFormatError: the public key cannot be read.
    :raises UnsupportedKeyError: the public key is neither RSA nor EC.
    :raises ConfigurationError: ``sign`` is not callable.
    """

    __slots__ = ("_public_key", "_remote", "_sign")

    def __init__(
        self, public_key: PublicKeyData, sign: Callable[[bytes, str], Awaitable[bytes]], *, remote: bool = False
    ) -> None:
        if not callable(sign):
            raise ConfigurationError(f"sign is of type {type(sign).__name__}, which cannot be called")
        self._public_key = public_key_from(public_key)
        self._sign = sign
        self._remote = remote

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    @property
    def remote(self) -> bool:
        """Whether assertions are used again, because each signature costs a request."""
        return self._remote

    async def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message``; see :meth:`CallbackSigner.sign`."""
        fitting(self._public_key, algorithm)
        pending: object = self._sign(message, algorithm)
        if not inspect.isawaitable(pending):
            raise CertificateError(
                f"the signing function returned {type(pending).__name__}, which cannot be awaited; give a coroutine "
                "function, or use CallbackSigner"
            )
        return _checked(await pending, self._public_key)

    def __repr__(self) -> str:
        return f"<AsyncCallbackSigner {described(self._public_key)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an AsyncCallbackSigner refers to a function of this process and is not pickled or copied")


def _checked(signature: object, public_key: PublicKey) -> bytes:
    """Refuse what no verification is needed for; that it is the right key's is shown against the certificate."""
    if inspect.iscoroutine(signature):
        signature.close()  # else Python warns of a coroutine that was never awaited
    if not isinstance(signature, bytes | bytearray | memoryview):
        raise CertificateError(
            f"the signing function returned {type(signature).__name__}; it has to return the signature as bytes"
        )
    value = bytes(signature)
    expected = signature_length(public_key)
    if len(value) != expected:
        remedy = (
            "; RFC 7518 section 3.4 wants r and s one after the other, not ASN.1 DER"
            if described(public_key).startswith("EC")
            else ""
        )
        raise CertificateError(
            f"the signing function returned {len(value)} bytes, and a signature of this key ({described(public_key)}) "
            f"has {expected}{remedy}"
        )
    return value
