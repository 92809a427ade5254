"""Reads PFX files (PKCS #12, RFC 7292): first their structure, without any key derivation, then their content.

The structure tells what OpenSSL's one message for everything does not: that the file is cut off, asks for an absurd
number of iterations, has two keys, or needs a cipher that this OpenSSL lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import pkcs12

from azure_certvar_credential.certificates import kdf, tlv
from azure_certvar_credential.certificates.der import load_key
from azure_certvar_credential.certificates.foreign import PARSER_ERRORS
from azure_certvar_credential.certificates.passwords import wrong_password_hint
from azure_certvar_credential.certificates.pfx_mac import Mac, read_mac, verifies
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    PasswordError,
    PasswordRequiredError,
    WrongPasswordError,
)
from azure_certvar_credential.signers.memory import PrivateKey

_DATA = "1.2.840.113549.1.7.1"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_KEY_BAG = "1.2.840.113549.1.12.10.1.1"
_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
_SAFE_CONTENTS_BAG = "1.2.840.113549.1.12.10.1.6"

# Bags inside bags (RFC 7292 section 4.2.6); no tool is known that writes any.
_MAX_BAG_DEPTH = 4

# A pipe: the key is not on disk in the clear in between.
_EXPORT_AGAIN = (
    "Export it again with AES-256, for instance `openssl pkcs12 -in old.pfx -legacy -nodes | openssl pkcs12 -export "
    "-out new.pfx`"
)


@dataclass(frozen=True, slots=True)
class Structure:
    """What can be read of a PFX without its password.

    :ivar content: the octets that the MAC protects.
    :ivar mac: the MAC, or None if there is none.
    :ivar algorithms: the AlgorithmIdentifier of every visible encryption.
    :ivar keys: the visible key bags, each a PKCS #8 structure, encrypted or not.
    """

    content: bytes
    mac: Mac | None
    algorithms: tuple[tlv.Element, ...]
    keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        # A key bag that is not encrypted is a private key.
        return f"<PFX structure with {len(self.keys)} visible keys>"


def load_pfx(
    pfx: tlv.Element, password: bytes | None, budget: kdf.Budget
) -> tuple[pkcs12.PKCS12KeyAndCertificates, list[PrivateKey]]:
    """Read key and certificates from a PFX.

    :param pfx: the whole file as an element.
    :param password: its password; one that is not needed is ignored.
    :param budget: what the key derivations may cost.
    :returns: what ``cryptography`` found, and the other keys, which it leaves out, where there is more than one.
    :raises PasswordRequiredError: it is encrypted and ``password`` is None or empty.
    :raises WrongPasswordError: the password is not the file's.
    :raises CertificateFormatError: it is damaged, asks for too many iterations, or uses what OpenSSL lacks.
    :raises AmbiguousPrivateKeyError: it has more than one key, and they cannot be compared.
    """
    try:
        structure = inspect(pfx)
        total = sum(kdf.iterations(algorithm) for algorithm in structure.algorithms)
        # Newer releases of cryptography warn of BER and announce to refuse it.
        encoded = pfx.der()
    except tlv.MalformedError as error:
        raise CertificateFormatError(f"the PFX is damaged or cut off: {error}") from None
    budget.spend(total + (structure.mac.iterations if structure.mac else 0), "the PFX")
    content = _parse(encoded, password)
    if content is None and password:
        content = _parse(encoded, None)
    if content is None:
        raise _failure(structure, password)
    return content, _all_keys(structure, password, budget) if len(structure.keys) > 1 else []


def inspect(pfx: tlv.Element) -> Structure:
    """Read the structure of a PFX; nothing is decrypted.

    :raises MalformedError: it is not one, or damaged.
    :raises CertificateFormatError: it is protected by a signature in place of a password.
    """
    fields = pfx.children()
    if len(fields) < 2 or fields[0].integer() != 3:
        raise tlv.MalformedError("version 3 is missing")
    kind, value = _content_info(fields[1])
    if kind == _SIGNED_DATA:
        raise CertificateFormatError(
            "the PFX is protected by a signature (public-key integrity mode), which OpenSSL does not read. "
            + _EXPORT_AGAIN
        )
    content = _explicit(value).octets()
    mac = read_mac(fields[2]) if len(fields) > 2 else None
    algorithms: list[tlv.Element] = []
    keys: list[bytes] = []
    for safe in tlv.parse_first(content).children():
        kind, value = _content_info(safe)
        if kind == _DATA:
            _read_bags(tlv.parse_first(_explicit(value).octets()), algorithms, keys, 0)
        elif kind == _ENCRYPTED_DATA:
            encrypted = _explicit(value).children()
            info = encrypted[1].children() if len(encrypted) > 1 else ()
            if len(info) < 2:
                raise tlv.MalformedError("EncryptedData has no algorithm")
            algorithms.append(info[1])
    return Structure(content, mac, tuple(algorithms), tuple(keys))


def _read_bags(bags: tlv.Element, algorithms: list[tlv.Element], keys: list[bytes], depth: int) -> None:
    if depth > _MAX_BAG_DEPTH:
        raise tlv.MalformedError("bags nest too deeply")
    for bag in bags.children():
        kind, value = _content_info(bag)
        if kind == _SHROUDED_KEY_BAG:
            key = _explicit(value)
            algorithms.extend(key.children()[:1])
            keys.append(key.encoded)
        elif kind == _KEY_BAG:
            keys.append(_explicit(value).encoded)
        elif kind == _SAFE_CONTENTS_BAG:
            _read_bags(_explicit(value), algorithms, keys, depth + 1)


def _content_info(element: tlv.Element) -> tuple[str, tlv.Element]:
    fields = element.children()
    if len(fields) < 2:
        raise tlv.MalformedError("a type without a value")
    return fields[0].object_identifier(), fields[1]


def _explicit(element: tlv.Element) -> tlv.Element:
    inside = element.children()
    if element.tag != tlv.CONTEXT_0 or len(inside) != 1:
        raise tlv.MalformedError("expected one element under [0]")
    return inside[0]


def _parse(encoded: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates | None:
    try:
        return pkcs12.load_pkcs12(encoded, password)
    except PARSER_ERRORS:
        # The text is the same for every cause; _failure() finds the cause.
        return None


def _failure(
    structure: Structure, password: bytes | None
) -> CertificateFormatError | PasswordRequiredError | WrongPasswordError:
    mac = structure.mac
    fits = verifies(mac, structure.content, password) if mac else None
    if fits or (mac is None and not structure.algorithms):
        legacy = sorted({name for algorithm in structure.algorithms if (name := kdf.legacy_name(algorithm))})
        if legacy:
            return CertificateFormatError(
                f"the PFX is encrypted with {', '.join(legacy)}, which this OpenSSL does not provide (the password is "
                f"right). {_EXPORT_AGAIN}"
            )
        return CertificateFormatError(
            "the PFX cannot be read although its password is right: it is damaged, its parts have different "
            f"passwords, or it uses an algorithm that OpenSSL does not have. {_EXPORT_AGAIN}"
        )
    if not password:
        return PasswordRequiredError("the PFX is protected by a password; give it")
    # RFC 9579 of 2024, which OpenSSL reads from 3.4 on.
    pbmac1 = f" (or OpenSSL does not know its MAC, PBMAC1. {_EXPORT_AGAIN})" if mac and mac.digest == kdf.PBMAC1 else ""
    return WrongPasswordError(
        f"the password does not open the PFX, or its content is damaged{pbmac1}{wrong_password_hint(password)}"
    )


def _all_keys(structure: Structure, password: bytes | None, budget: kdf.Budget) -> list[PrivateKey]:
    # OpenSSL returns the first key and leaves the others out without a word.
    try:
        return [load_key(key, password, budget, "the PFX") for key in structure.keys]
    except (CertificateFormatError, PasswordError):
        raise AmbiguousPrivateKeyError(
            f"the PFX has {len(structure.keys)} private keys, and they cannot be compared; keep only the one to "
            "sign with"
        ) from None
