"""Reads PFX files (PKCS #12, RFC 7292): first the structure, then the encrypted safes, then keys and certificates.

Every iteration count, even an encrypted one, is taken from the budget before a key is derived with it. Where a part
cannot be read, the error names the reason; OpenSSL has one message for all of them.
"""

from __future__ import annotations

import logging

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.material import MOST_KEYS, too_many_keys
from azure_certvar_credential.certificates.pkcs12 import kdf_budget, mac_data, openssl, pbe
from azure_certvar_credential.certificates.pkcs12.authenticated_safe import (
    EXPORT_AGAIN,
    Bags,
    Encrypted,
    Structure,
    inspect,
    iterations_of,
)
from azure_certvar_credential.certificates.pkcs12.encrypted_keys import open_key, read_key
from azure_certvar_credential.certificates.pkcs12.kdf import EMPTY_PASSWORD, NO_PASSWORD, Passphrase
from azure_certvar_credential.certificates.pkcs12.passwords import NOT_ASCII, wrong_password_hint
from azure_certvar_credential.certificates.structures import load_certificate
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    PasswordRequiredError,
    WrongPasswordError,
)
from azure_certvar_credential.signers.keys import PrivateKey

_logger = logging.getLogger(__name__)


class _ClosedError(Exception):
    """A part cannot be read with this password.

    :ivar algorithms: the encryption of the part, if OpenSSL tried to read it.
    """

    def __init__(self, *algorithms: ber.Element) -> None:
        super().__init__()
        self.algorithms = algorithms


def load_pfx(
    pfx: ber.Element, password: bytes | None, budget: kdf_budget.Budget
) -> tuple[pkcs12.PKCS12KeyAndCertificates, list[PrivateKey], list[CertificateFormatError]]:
    """Read keys and certificates from a PFX.

    :param pfx: the whole file as an element.
    :param password: its password; ignored if it is not needed.
    :param budget: what the key derivations may cost.
    :returns: the certificates with the first key, the other keys, and the errors of certificates that cannot be read.
    :raises PasswordRequiredError: it is encrypted, and ``password`` is None or empty.
    :raises WrongPasswordError: the password does not open it.
    :raises CertificateFormatError: it is damaged, asks for too many iterations, or uses an unsupported algorithm.
    :raises UnsupportedKeyError: one of its keys is not an RSA or EC key, or is too weak.
    :raises AmbiguousPrivateKeyError: it has more than one key, and they cannot be compared, or too many.
    """
    try:
        structure = inspect(pfx)
        budget.spend(structure.iterations, "the PFX")
        refused: list[CertificateFormatError] = []
        certificates, keys = _unlock(structure, password, budget, refused)
        entries = [pkcs12.PKCS12Certificate(certificate, None) for certificate in certificates]
        return pkcs12.PKCS12KeyAndCertificates(keys[0] if keys else None, None, entries), keys[1:], refused
    except ber.MalformedError as error:
        problem = str(error)
    # Outside the handler, so that the foreign exception does not become __context__.
    raise CertificateFormatError(f"the PFX is damaged or cut off: {problem}")


def _unlock(
    structure: Structure, password: bytes | None, budget: kdf_budget.Budget, refused: list[CertificateFormatError]
) -> tuple[list[x509.Certificate], list[PrivateKey]]:
    mac = structure.mac
    if mac and not mac_data.is_known(mac):
        raise CertificateFormatError(
            f"the PFX has a MAC with the algorithm {mac.digest}, which is not supported. {EXPORT_AGAIN}"
        )
    closed, fits = _ClosedError(), False
    for number, passphrase in enumerate(_passphrases(structure, password)):
        # Several encodings of one password may fit the MAC, and each is then tried on the content.
        cost = mac.iterations if mac and not passphrase.octets else structure.iterations
        if number and not budget.affords(cost):
            continue
        if mac:
            if not mac_data.verifies(mac, structure.content, passphrase):
                continue
            fits = True
        try:
            return _open(structure, passphrase, budget, refused)
        except _ClosedError as error:
            closed = error
    raise _failure(structure, password, closed, fits=fits)


def _passphrases(structure: Structure, password: bytes | None) -> list[Passphrase]:
    """Return the passwords to try: also none at all, since an unneeded password is ignored."""
    possible = [*Passphrase.encodings_of(password)] if password else []
    takes_octets = (structure.mac is None or structure.mac.digest == kdf_budget.PBMAC1) and all(
        kdf_budget.is_pbes2(algorithm) for algorithm in structure.algorithms
    )
    # Both forms of no password are the same for PBES2 and PBMAC1; the work is not repeated.
    return [*possible, NO_PASSWORD] if takes_octets else [*possible, NO_PASSWORD, EMPTY_PASSWORD]


def _open(
    structure: Structure, passphrase: Passphrase, budget: kdf_budget.Budget, refused: list[CertificateFormatError]
) -> tuple[list[x509.Certificate], list[PrivateKey]]:
    hidden = Bags()
    foreign: list[Encrypted] = []
    try:
        for safe in structure.encrypted:
            if pbe.can_decrypt(safe.algorithm):
                hidden.read(ber.parse_first(pbe.decrypt(safe.algorithm, safe.content, passphrase)))
            else:
                foreign.append(safe)
        hidden_iterations = iterations_of(hidden.algorithms)
    except ber.MalformedError:
        raise _ClosedError from None
    budget.spend(hidden_iterations, "the PFX")
    encoded = (*structure.bags.certificates, *hidden.certificates)
    certificates = []
    for certificate in encoded:
        try:
            certificates.append(load_certificate(certificate, "the PFX"))
        except CertificateFormatError as error:
            refused.append(error)
    if foreign:
        others = openssl.certificates_in(foreign, passphrase)
        if others is None:
            raise _ClosedError(*(safe.algorithm for safe in foreign))
        certificates += others
    bags = [*structure.bags.keys, *hidden.keys]
    if foreign and not bags:
        _logger.info(
            "the PFX shows no private key; keys among certificates that OpenSSL decrypts (RC2, RC4) are not read"
        )
    return certificates, _keys(bags, passphrase, is_right=structure.mac is not None)


def _keys(bags: list[ber.Element | Encrypted], passphrase: Passphrase, *, is_right: bool) -> list[PrivateKey]:
    if len(bags) > MOST_KEYS:
        raise too_many_keys()
    keys: list[PrivateKey] = []
    closed = None
    for bag in bags:
        try:
            keys.append(_key(bag, passphrase, is_alone=len(bags) == 1))
        except _ClosedError as error:
            closed = error
    if closed and (keys or (is_right and len(bags) > 1)):
        raise AmbiguousPrivateKeyError(
            f"the PFX has {len(bags)} private keys, and they cannot be compared; keep only the one to sign with"
        )
    if closed:
        raise closed
    return keys


def _key(bag: ber.Element | Encrypted, passphrase: Passphrase, *, is_alone: bool) -> PrivateKey:
    try:
        if isinstance(bag, Encrypted):
            key = open_key(bag, passphrase, by_openssl=is_alone).key
        else:
            key = read_key(bag.to_der(), passphrase, by_openssl=is_alone)
    except ber.MalformedError:
        raise _ClosedError from None
    if key is None:
        raise _ClosedError(*([bag.algorithm] if isinstance(bag, Encrypted) else []))
    return key


def _failure(
    structure: Structure, password: bytes | None, closed: _ClosedError, *, fits: bool
) -> CertificateFormatError | PasswordRequiredError | WrongPasswordError:
    optional = sorted({name for algorithm in closed.algorithms if (name := kdf_budget.optional_name(algorithm))})
    lacking = [name for name in optional if openssl.lacks(name)]
    if lacking:
        right = " (the password is right)" if fits else ""
        return CertificateFormatError(
            f"the PFX is encrypted with {', '.join(lacking)}, which the installed OpenSSL does not provide{right}. "
            f"{EXPORT_AGAIN}"
        )
    if fits and password and not password.isascii():
        return CertificateFormatError(
            "the password fits the MAC of the PFX, but does not decrypt its content: the tool that made it has encoded "
            f"the characters outside ASCII in another way. {NOT_ASCII}"
        )
    if fits or (structure.mac is None and not structure.algorithms):
        return CertificateFormatError(
            "the PFX cannot be read, although the password is right: it is damaged, its parts have different "
            f"passwords, or it uses an algorithm that OpenSSL lacks. {EXPORT_AGAIN}"
        )
    if not password:
        tried = "" if password is None else ", and the empty one does not open it"
        return PasswordRequiredError(f"the PFX is protected by a password{tried}; give its password")
    also = f" (or the installed OpenSSL has no {', '.join(optional)}. {EXPORT_AGAIN})" if optional else ""
    return WrongPasswordError(
        f"the password does not open the PFX, or its content is damaged{also}{wrong_password_hint(password)}"
    )
