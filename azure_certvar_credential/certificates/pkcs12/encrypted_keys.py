"""Opens PKCS #8 private keys that are encrypted with a password (``EncryptedPrivateKeyInfo``, RFC 5958 section 3).

``cryptography`` opens most. This module handles the rest: ciphers and key derivations that it lacks, the empty
password, keys whose type or encoding it refuses. Known schemes are decrypted here, the others are left to OpenSSL. If
both fail, the error says whether the password may be the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import load_der_private_key

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.pkcs12 import kdf_budget, openssl, pbe
from azure_certvar_credential.certificates.pkcs12.authenticated_safe import Encrypted
from azure_certvar_credential.certificates.pkcs12.kdf import EMPTY_PASSWORD, NO_PASSWORD, Passphrase
from azure_certvar_credential.certificates.pkcs12.passwords import password_required, wrong_password
from azure_certvar_credential.certificates.private_keys import accept, load_plain_key, refuse_long
from azure_certvar_credential.certificates.structures import PRIVATE_KEY, identified
from azure_certvar_credential.exceptions import CertificateFormatError, PasswordRequiredError, WrongPasswordError
from azure_certvar_credential.signers.keys import PrivateKey
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

# The longest PKCS #8 structure, in octets, that OpenSSL gets: the nine numbers of a 4096-bit RSA key have 2.4 kB.
_LARGEST_KEY = 2_500


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """The result of opening an encrypted key with a password.

    :ivar key: the key, or None if it cannot be read.
    :ivar is_right: whether the password is certainly right.
    """

    key: PrivateKey | None
    is_right: bool


def load_encrypted(element: ber.Element, password: bytes | None, budget: kdf_budget.Budget, where: str) -> PrivateKey:
    """Open an encrypted key. Without a password, or with an empty one, try both forms in which tools write it.

    :param element: the ``EncryptedPrivateKeyInfo``.
    :param budget: what the key derivation may cost. ``cryptography`` may spend it without success; repeating it here
        once more stays bounded, since a second failure is final.
    :param where: what it was found in, for the message.
    :raises PasswordRequiredError: ``password`` is None or empty, and the empty one does not open it.
    :raises WrongPasswordError: the password does not open it.
    :raises UnsupportedKeyError: it is not an RSA or EC key, or one that is too weak.
    :raises CertificateFormatError: it is damaged, or its key derivation would take too long.
    :raises MalformedError: the parameters of the encryption are not BER.
    """
    budget.spend(kdf_budget.iterations(element.children()[0]), f"the private key in {where}")
    refuse_long(element.encoded, where)
    if password:
        try:
            key = load_der_private_key(element.encoded, password, unsafe_skip_rsa_key_validation=True)
        except PARSER_ERRORS:
            # A wrong password, or an encryption or key that cryptography does not know: its texts do not say which.
            key = None
        if key is not None:
            return accept(key)
    return _open(element, password, budget, where)


def open_key(bag: Encrypted, passphrase: Passphrase, *, by_openssl: bool = True) -> Opened:
    """Open an encrypted key with one password.

    :param bag: the encrypted key, its iterations already taken from the budget.
    :param passphrase: the password.
    :param by_openssl: whether OpenSSL may try what this package cannot read.
    :raises UnsupportedKeyError: it is not an RSA or EC key, or one that is too weak.
    :raises MalformedError: the parameters of the encryption are damaged.
    """
    left: bytes | Encrypted = bag
    if pbe.can_decrypt(bag.algorithm):
        try:
            left = ber.parse_first(pbe.decrypt(bag.algorithm, bag.content, passphrase)).to_der()
        except ber.MalformedError:
            return Opened(None, is_right=False)
    # A wrong password can leave valid padding by chance, but not all the tags of a key.
    is_right = isinstance(left, bytes) and identified(left) == PRIVATE_KEY
    return Opened(read_key(left, passphrase, by_openssl=by_openssl), is_right)


def read_key(left: bytes | Encrypted, passphrase: Passphrase, *, by_openssl: bool) -> PrivateKey | None:
    """Return the private key of a PKCS #8 structure, or of an encrypted one that only OpenSSL can decrypt.

    :param passphrase: the password.
    :param by_openssl: whether OpenSSL may try it too.
    :returns: None if it cannot be read.
    :raises UnsupportedKeyError: it is not an RSA or EC key, or one that is too weak.
    """
    if isinstance(left, bytes):
        if identified(left) != PRIVATE_KEY:
            return None  # a key that is encrypted twice: no budget covers the iterations inside
        try:
            return accept(load_plain_key(left, "the encrypted key"))
        except CertificateFormatError:
            # OpenSSL accepts keys that cryptography's stricter parser refuses.
            pass
    # OpenSSL validates RSA keys, which takes 40 ms with 2048 bits and half a minute with 16384.
    size = len(left) if isinstance(left, bytes) else len(left.content)
    key = openssl.key_in(left, passphrase) if by_openssl and size <= _LARGEST_KEY else None
    return None if key is None else accept(key)


def _open(element: ber.Element, password: bytes | None, budget: kdf_budget.Budget, where: str) -> PrivateKey:
    algorithm, content = element.children()
    bag = Encrypted(algorithm, content.octets())
    for number, passphrase in enumerate(_passphrases(algorithm, password)):
        if number and not budget.affords(kdf_budget.iterations(algorithm)):
            break
        opened = open_key(bag, passphrase)
        if opened.key is not None:
            return opened.key
        if opened.is_right:
            raise CertificateFormatError(
                f"the private key in {where} is damaged or of an unsupported type; the password is right"
            )
    raise _failure(algorithm, password, where)


def _passphrases(algorithm: ber.Element, password: bytes | None) -> tuple[Passphrase, ...]:
    if password:
        # Those that differ in the form that the scheme uses.
        forms = Passphrase.encodings_of(password)
        used = [form.bmp if kdf_budget.is_pkcs12(algorithm) else form.octets for form in forms]
        return tuple(form for number, form in enumerate(forms) if used[number] not in used[:number])
    # The schemes of PKCS #5 take octets, so that no password and an empty one are the same.
    return (NO_PASSWORD, EMPTY_PASSWORD) if kdf_budget.is_pkcs12(algorithm) else (NO_PASSWORD,)


def _failure(
    algorithm: ber.Element, password: bytes | None, where: str
) -> CertificateFormatError | PasswordRequiredError | WrongPasswordError:
    unknown, name = kdf_budget.unknown_part(algorithm), kdf_budget.optional_name(algorithm)
    lacking = f"{name}, which the installed OpenSSL does not provide" if name and openssl.lacks(name) else None
    if unknown or lacking:
        return CertificateFormatError(
            f"the private key in {where} is encrypted with {lacking or f'{unknown}, which is not supported'}; convert "
            "it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`"
        )
    if not password:
        return password_required(password, where)
    also = f" (or the installed OpenSSL has no {name}; convert the key with `openssl pkcs8 -topk8`)" if name else ""
    return wrong_password(password, where, also)
