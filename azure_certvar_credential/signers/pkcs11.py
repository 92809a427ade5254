"""Signs through PKCS #11 with a private key that stays in a hardware security module, a smart card or a TPM."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, TypeVar

from cryptography import x509

from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential._secrecy.known_secrets import is_quoted
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.exceptions import (
    CertificateError,
    ConfigurationError,
    CredentialClosedError,
    PasswordError,
)
from azure_certvar_credential.signers.algorithms import Algorithm
from azure_certvar_credential.signers.keys import PublicKey, described, fitting, signature_length
from azure_certvar_credential.signers.public_keys import PublicKeyData, public_key_from

if TYPE_CHECKING:
    from azure_certvar_credential.signers._cryptoki.keys import Found
    from azure_certvar_credential.signers._cryptoki.module import Module
    from azure_certvar_credential.signers._cryptoki.token import Token

_T = TypeVar("_T")
_LONGEST_LABEL = 32


class Pkcs11Signer:
    """A :class:`~azure_certvar_credential.signers.protocol.Signer` for a key on a PKCS #11 token (OASIS v3.1).

    The constructor loads the module, logs in and finds the key, so that configuration errors show there. All signers on
    a token share one session. If it is lost, the operation is tried once more in a new session before it fails. Any
    number of threads may sign; one at a time enters the module, as python-pkcs11 requires. In a child process after
    ``os.fork`` the module is initialised and logged in again.

    >>> signer = Pkcs11Signer(module, token_label="orders", key_label="certified", pin=pin)
    >>> certificate = ClientCertificate(signer.certificate(), signer)

    :param module_path: the path of the vendor's PKCS #11 library, such as ``/usr/lib/softhsm/libsofthsm2.so``.
    :param token_label: the label of the token.
    :param key_label: the private key's label (``CKA_LABEL``).
    :param key_id: its id (``CKA_ID``), as bytes or in hexadecimal, with or without colons. Label and id may both be
        given; with neither, the token must have exactly one private key.
    :param pin: the user PIN, or a function that returns it. The function is called whenever a session is opened, and
        its result is not stored. Give None if the token needs no PIN, has its own key pad, or another signer has
        already logged in. A PIN that the token rejects is never tried again.
    :param public_key: the public half, for a token that does not show it: a public key or certificate of
        ``cryptography``, or either as PEM or DER.
    :raises ImportError: the extra ``pkcs11`` is not installed.
    :raises ConfigurationError: module or token are missing, or an argument is of the wrong form.
    :raises MissingPrivateKeyError: there is no such key; the message lists the existing ones.
    :raises AmbiguousPrivateKeyError: several keys match; the message lists them.
    :raises MissingCertificateError: the token does not show the public half, and ``public_key`` is not given.
    :raises UnsupportedKeyError: the key is neither RSA nor EC, or may not sign.
    :raises PasswordRequiredError: the token needs a PIN.
    :raises WrongPasswordError: the token rejects the PIN.
    :raises PasswordError: the PIN is locked, expired, not set, or not str.
    :raises CertificateError: the token failed twice.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_found",
        "_key_id",
        "_key_label",
        "_pin",
        "_pins",
        "_public_key",
        "_refused",
        "_token",
    )

    @clears_frames
    def __init__(
        self,
        module_path: str | os.PathLike[str],
        *,
        token_label: str,
        key_label: str | None = None,
        key_id: bytes | str | None = None,
        pin: str | Callable[[], str] | None = None,
        public_key: PublicKeyData | None = None,
    ) -> None:
        # CK_TOKEN_INFO has 32 bytes for it; a longer text was given by mistake.
        if not isinstance(token_label, str) or not 0 < len(token_label) <= _LONGEST_LABEL:
            raise ConfigurationError(
                f"token_label must be the label of the token, a str of 1 to {_LONGEST_LABEL} characters"
            )
        if key_label is not None and not isinstance(key_label, str):
            raise ConfigurationError(f"key_label must be CKA_LABEL, a str, not of type {type(key_label).__name__}")
        if pin is not None and not isinstance(pin, str) and not callable(pin):
            raise PasswordError(f"pin must be a str or a function that returns it, not of type {type(pin).__name__}")
        self._key_label = key_label
        self._key_id = _octets(key_id)
        self._pin = pin
        self._pins: set[str] = set()
        self._refused: PasswordError | None = None
        self._found: Found | None = None
        given = None if public_key is None else public_key_from(public_key)
        module_at, token_on = _cryptoki()
        module = module_at(module_path)
        with module.lock:
            self._token = token_on(module, token_label)
            self._token.join(self)
            self._closed = False
            try:
                self._attempt(self._key, "show its private keys")
                self._public_key = given or self._attempt(self._shown_public_key, "show the public key")
            except BaseException:
                self.close()
                raise

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    @clears_frames
    def certificate(self) -> x509.Certificate:
        """Return the certificate that the token keeps beside the key, under the same id, or else the same label.

        >>> signer = Pkcs11Signer(module, token_label="orders", key_label="certified", pin=pin)
        >>> certificate = ClientCertificate(signer.certificate(), signer)

        :raises MissingCertificateError: the token has none.
        :raises CertificateFormatError: it is damaged.
        :raises CredentialClosedError, PasswordError, CertificateError: as :meth:`sign`.
        """
        with self._token.module.lock:
            return self._attempt(self._shown_certificate, "show the certificate")

    @clears_frames
    def sign(self, message: bytes, algorithm: str) -> bytes:
        """Sign ``message`` on the token; see :meth:`.Signer.sign`.

        :raises ConfigurationError: the key does not fit the algorithm, or the token does not offer it.
        :raises CredentialClosedError: the signer is closed.
        :raises PasswordError: the session was lost, and the token rejects the PIN for a new one.
        :raises CertificateError: the token failed, and again in a new session.
        """
        row = fitting(self._public_key, algorithm)
        with self._token.module.lock:
            return self._attempt(lambda: self._signed(message, row), f"sign with {row.name}")

    def close(self) -> None:
        """Release the token; the last signer on it logs out. May be called more than once.

        >>> with Pkcs11Signer(module, token_label="orders", key_label="app", pin=pin) as signer:
        ...     signature = signer.sign(b"header.payload", "PS256")
        """
        with self._token.module.lock:
            if not self._closed:
                self._closed = True
                self._found = None
                self._token.leave(self)

    def __enter__(self) -> Pkcs11Signer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_public_key"):
            return "<Pkcs11Signer, not initialised>"
        label = "" if self._key_label is None else f", key {self._key_label!r}"
        key_id = "" if self._key_id is None else f", id {self._key_id.hex()}"
        shown = f"Pkcs11Signer {described(self._public_key)}, token {self._token.label!r}{label}{key_id}"
        return identified(shown, self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Pkcs11Signer holds a session and perhaps a PIN, and cannot be pickled or copied")

    def _attempt(self, action: Callable[[], _T], doing: str) -> _T:
        """Run an action in the session, and once more in a new one if it was lost; with the lock held."""
        from pkcs11 import PKCS11Error

        from azure_certvar_credential.signers._cryptoki.errors import explained, is_lost, is_uninitialised

        if self._closed:
            raise CredentialClosedError("this Pkcs11Signer is closed")
        if self._refused is not None:
            raise type(self._refused)(*self._refused.args)
        token = self._token
        # Only a session that was open can have been lost. A failure to open one is not repeated, because that would
        # send the PIN again.
        was_open = token.is_open
        self._pins = {self._pin} if isinstance(self._pin, str) else set()
        failure: Exception
        try:
            try:
                return action()
            except PKCS11Error as error:
                if is_uninitialised(error):
                    token.module.revive()
                elif was_open and is_lost(error):
                    token.drop()
                else:
                    raise
            return action()
        except PKCS11Error as error:
            if is_lost(error):
                token.drop()  # the next call opens a new session
            failure = error
        except (CertificateError, ConfigurationError):  # this package's own
            raise
        except Exception as error:
            if not is_quoted(error, self._pins):
                raise
            failure = error
        finally:
            pins, self._pins = self._pins, set()
        # Outside of the handlers, and without a cause that shows the PIN.
        reason = explained(failure, token.described, doing, pins)
        self._refused = reason if isinstance(reason, PasswordError) else None
        raise reason from (None if is_quoted(failure, pins) else failure)

    def _key(self) -> Found:
        from azure_certvar_credential.signers._cryptoki.keys import Found, find_private_key, wants_pin_each_time

        session = self._token.session(self._ask_pin)
        if self._found is None or self._found.session is not session:
            key = find_private_key(session, self._key_label, self._key_id, self._token.described)
            offered = frozenset(session.token.slot.get_mechanisms())
            self._found = Found(session, key, offered, wants_pin_each_time(key))
        return self._found

    def _shown_public_key(self) -> PublicKey:
        from azure_certvar_credential.signers._cryptoki.keys import find_public_key

        found = self._key()
        return find_public_key(found.session, found.key, self._token.described)

    def _shown_certificate(self) -> x509.Certificate:
        from azure_certvar_credential.signers._cryptoki.keys import find_certificate

        found = self._key()
        return find_certificate(found.session, found.key, self._token.described)

    def _signed(self, message: bytes, row: Algorithm) -> bytes:
        from azure_certvar_credential.signers._cryptoki.mechanisms import joined, way

        found = self._key()
        chosen = way(row, found.offered, self._token.described)
        signature: bytes = found.key.sign(
            chosen.prepared(message, row.hash_bits),
            mechanism=chosen.mechanism,
            mechanism_param=chosen.parameter,
            pin=self._ask_pin() if found.wants_pin else None,
        )
        return joined(signature, signature_length(self._public_key)) if row.scheme == "ECDSA" else signature

    def _ask_pin(self) -> str | None:
        pin: object = self._pin() if callable(self._pin) else self._pin
        if pin is None:
            return None
        if not isinstance(pin, str):
            raise PasswordError(f"the function given as pin returned {type(pin).__name__}; it must return str")
        if not pin.isascii() and any("\ud800" <= character <= "\udfff" for character in pin):
            # UnicodeEncodeError would hold the PIN.
            raise PasswordError("the PIN has characters that UTF-8 cannot encode")
        self._pins.add(pin)  # for the length of the attempt, so that no text of the module passes it on
        return pin


def _cryptoki() -> tuple[Callable[[str | os.PathLike[str]], Module], Callable[[Module, str], Token]]:
    try:
        import pkcs11  # noqa: F401 - imported by name, so that the extra is not blamed for another missing module
    except ImportError as error:
        raise ImportError(
            "Pkcs11Signer needs python-pkcs11: pip install 'azure-certvar-credential[pkcs11]'", name="pkcs11"
        ) from error
    from azure_certvar_credential.signers._cryptoki.module import module_at
    from azure_certvar_credential.signers._cryptoki.token import token_on

    return module_at, token_on


def _octets(key_id: bytes | str | None) -> bytes | None:
    if isinstance(key_id, str):
        try:
            return bytes.fromhex(key_id.replace(":", " "))
        except ValueError:  # its text is not shown: it may be the PIN
            raise ConfigurationError("key_id is not hexadecimal: give CKA_ID as bytes or as 0a1b2c") from None
    if key_id is not None and not isinstance(key_id, bytes):
        raise ConfigurationError(f"key_id must be CKA_ID as bytes or hexadecimal, not of type {type(key_id).__name__}")
    return key_id
