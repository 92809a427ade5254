"""Reads PFX files (PKCS #12, RFC 7292): their structure first, then what is encrypted, and then keys and certificates.

Every iteration count is read and taken from the budget before a key is derived with it, also one that is itself
encrypted; and where something cannot be read, the reason is known: OpenSSL has one message for everything.
"""

from __future__ import annotations

import logging

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from azure_certvar_credential.certificates import kdf, pbe, pfx_mac, pfx_openssl, tlv
from azure_certvar_credential.certificates.der import accept, load_certificate, load_key
from azure_certvar_credential.certificates.derivation import EMPTY_PASSWORD, NO_PASSWORD, Passphrase
from azure_certvar_credential.certificates.passwords import wrong_password_hint
from azure_certvar_credential.certificates.pfx_structure import (
    EXPORT_AGAIN,
    Bags,
    Encrypted,
    Structure,
    inspect,
    iterations_of,
)
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    PasswordError,
    PasswordRequiredError,
    WrongPasswordError,
)
from azure_certvar_credential.signers.memory import PrivateKey

_logger = logging.getLogger(__name__)

# Octets of a PKCS #8 structure: nine numbers of RSA with 16384 bits have 9.3 kB.
_LARGEST_KEY = 10_000


class _ClosedError(Exception):
    """A part cannot be read with a password.

    :ivar algorithms: its encryption, where OpenSSL was asked to read it.
    """

    def __init__(self, *algorithms: tlv.Element) -> None:
        super().__init__()
        self.algorithms = algorithms


def load_pfx(
    pfx: tlv.Element, password: bytes | None, budget: kdf.Budget
) -> tuple[pkcs12.PKCS12KeyAndCertificates, list[PrivateKey]]:
    """Read keys and certificates from a PFX.

    :param pfx: the whole file as an element.
    :param password: its password; one that is not needed is ignored.
    :param budget: what the key derivations may cost.
    :returns: its certificates with its first key, and the other keys, where there is more than one.
    :raises PasswordRequiredError: it is encrypted and ``password`` is None or empty.
    :raises WrongPasswordError: the password is not the file's.
    :raises CertificateFormatError: it is damaged, asks for too many iterations, or uses what is not supported.
    :raises UnsupportedKeyError: it has a key that is no RSA or EC key, or one that is too weak.
    :raises AmbiguousPrivateKeyError: it has more than one key, and they cannot be compared.
    """
    try:
        structure = inspect(pfx)
        budget.spend(structure.iterations, "the PFX")
        certificates, keys = _unlock(structure, password, budget)
    except tlv.MalformedError as error:
        raise CertificateFormatError(f"the PFX is damaged or cut off: {error}") from None
    entries = [pkcs12.PKCS12Certificate(certificate, None) for certificate in certificates]
    return pkcs12.PKCS12KeyAndCertificates(keys[0] if keys else None, None, entries), keys[1:]


def _unlock(
    structure: Structure, password: bytes | None, budget: kdf.Budget
) -> tuple[list[x509.Certificate], list[PrivateKey]]:
    mac = structure.mac
    if mac and not pfx_mac.is_known(mac):
        raise CertificateFormatError(
            f"the PFX has a MAC with the algorithm {mac.digest}, which is not supported. {EXPORT_AGAIN}"
        )
    closed, fits = _ClosedError(), False
    for number, passphrase in enumerate(_passphrases(structure, password)):
        if number and not budget.affords(mac.iterations if mac else structure.iterations):
            break
        if mac:
            if not pfx_mac.verifies(mac, structure.content, passphrase):
                continue
            fits = True
        try:
            return _open(structure, passphrase, budget)
        except _ClosedError as error:
            closed = error
    raise _failure(structure, password, closed, fits=fits)


def _passphrases(structure: Structure, password: bytes | None) -> list[Passphrase]:
    """Return what may be the password: also none at all, since one that is not needed is ignored."""
    possible = [Passphrase.of(password)] if password else []
    takes_octets = (structure.mac is None or structure.mac.digest == kdf.PBMAC1) and all(
        kdf.is_pbes2(algorithm) for algorithm in structure.algorithms
    )
    # To PBES2 and PBMAC1 they are the same: the work is not done twice for nothing.
    return [*possible, NO_PASSWORD] if takes_octets else [*possible, NO_PASSWORD, EMPTY_PASSWORD]


def _open(
    structure: Structure, passphrase: Passphrase, budget: kdf.Budget
) -> tuple[list[x509.Certificate], list[PrivateKey]]:
    hidden = Bags()
    foreign: list[Encrypted] = []
    try:
        for safe in structure.encrypted:
            if pbe.can_decrypt(safe.algorithm):
                hidden.read(tlv.parse_first(pbe.decrypt(safe.algorithm, safe.content, passphrase)))
            else:
                foreign.append(safe)
        hidden_iterations = iterations_of(hidden.algorithms)
    except tlv.MalformedError:
        raise _ClosedError from None
    budget.spend(hidden_iterations, "the PFX")
    encoded = (*structure.bags.certificates, *hidden.certificates)
    certificates = [load_certificate(certificate, "the PFX") for certificate in encoded]
    if foreign:
        others = pfx_openssl.certificates_in(foreign, passphrase)
        if others is None:
            raise _ClosedError(*(safe.algorithm for safe in foreign))
        certificates += others
    bags = [*structure.bags.keys, *hidden.keys]
    if foreign and not bags:
        _logger.info(
            "the PFX shows no private key, and none is looked for among certificates that OpenSSL decrypts (RC2, RC4)"
        )
    return certificates, _keys(bags, passphrase, is_right=structure.mac is not None)


def _keys(bags: list[tlv.Element | Encrypted], passphrase: Passphrase, *, is_right: bool) -> list[PrivateKey]:
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


def _key(bag: tlv.Element | Encrypted, passphrase: Passphrase, *, is_alone: bool) -> PrivateKey:
    algorithms = [bag.algorithm] if isinstance(bag, Encrypted) else []
    try:
        if isinstance(bag, tlv.Element):
            left: bytes | Encrypted = bag.der()
        elif pbe.can_decrypt(bag.algorithm):
            left = tlv.parse_first(pbe.decrypt(bag.algorithm, bag.content, passphrase)).der()
        else:
            left = bag
    except tlv.MalformedError:
        raise _ClosedError from None
    if isinstance(left, bytes):
        try:
            # No password: nothing more is derived, and a key that is encrypted twice is none.
            return load_key(left, None, kdf.Budget(), "the PFX")
        except (CertificateFormatError, PasswordError):
            # OpenSSL takes keys that cryptography's stricter parser refuses.
            pass
    # OpenSSL validates RSA keys, which takes long (40 ms with 2048 bits, minutes with 65536): one is what a PFX should
    # have, and none that is larger than the largest RSA key that is taken.
    size = len(left) if isinstance(left, bytes) else len(left.content)
    key = pfx_openssl.key_in(left, passphrase) if is_alone and size <= _LARGEST_KEY else None
    if key is None:
        raise _ClosedError(*algorithms)
    return accept(key)


def _failure(
    structure: Structure, password: bytes | None, closed: _ClosedError, *, fits: bool
) -> CertificateFormatError | PasswordRequiredError | WrongPasswordError:
    legacy = sorted({name for algorithm in closed.algorithms if (name := kdf.legacy_name(algorithm))})
    if fits or (structure.mac is None and not structure.algorithms):
        if legacy:
            return CertificateFormatError(
                f"the PFX is encrypted with {', '.join(legacy)}, which this OpenSSL does not provide (the password is "
                f"right). {EXPORT_AGAIN}"
            )
        return CertificateFormatError(
            "the PFX cannot be read although its password is right: it is damaged, its parts have different "
            f"passwords, or it uses an algorithm that OpenSSL does not have. {EXPORT_AGAIN}"
        )
    if not password:
        return PasswordRequiredError("the PFX is protected by a password; give it")
    also = f" (or this OpenSSL has no {', '.join(legacy)}. {EXPORT_AGAIN})" if legacy else ""
    return WrongPasswordError(
        f"the password does not open the PFX, or its content is damaged{also}{wrong_password_hint(password)}"
    )
