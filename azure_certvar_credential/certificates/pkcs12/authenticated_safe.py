"""Reads the structure of PFX files (PKCS #12, RFC 7292) without deriving any key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.certificates.pkcs12.mac_data import Mac, read_mac
from azure_certvar_credential.exceptions import CertificateFormatError

_DATA = "1.2.840.113549.1.7.1"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_KEY_BAG = "1.2.840.113549.1.12.10.1.1"
_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
_CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3"
_SAFE_CONTENTS_BAG = "1.2.840.113549.1.12.10.1.6"
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"

# Bags inside bags (RFC 7292 section 4.2.6); no known tool writes them.
_MAX_BAG_DEPTH = 4

# A pipe, so that the key is never on disk in the clear.
EXPORT_AGAIN = (
    "Export it again with AES-256, for instance `openssl pkcs12 -in old.pfx -legacy -nodes | openssl pkcs12 -export "
    "-out new.pfx`"
)


@dataclass(frozen=True, slots=True, repr=False)
class Encrypted:
    """Content encrypted with a password.

    :ivar algorithm: the AlgorithmIdentifier of the encryption.
    :ivar content: the ciphertext.
    """

    algorithm: ber.Element
    content: bytes


@dataclass(slots=True, repr=False)
class Bags:
    """The keys and certificates of a SafeContents (RFC 7292 section 4.2), without revocation lists and secrets.

    :ivar keys: plain keys (PKCS #8) and encrypted ones, in the order of the file.
    :ivar certificates: X.509 certificates in DER.
    """

    keys: list[ber.Element | Encrypted] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)

    @property
    def algorithms(self) -> list[ber.Element]:
        """The AlgorithmIdentifier of each encrypted key."""
        return [key.algorithm for key in self.keys if isinstance(key, Encrypted)]

    def read(self, contents: ber.Element, depth: int = 0) -> None:
        """Add the content of a SafeContents.

        :param depth: the number of bags that enclose it.
        :raises MalformedError: it is not a SafeContents, or its bags nest too deeply.
        """
        if depth > _MAX_BAG_DEPTH:
            raise ber.MalformedError("bags nest too deeply")
        for bag in contents.children():
            kind, value = _content_info(bag)
            if kind == _SHROUDED_KEY_BAG:
                self.keys.append(_encrypted(_explicit(value).children()))
            elif kind == _KEY_BAG:
                self.keys.append(_explicit(value))
            elif kind == _CERTIFICATE_BAG:
                kind, value = _content_info(_explicit(value))
                if kind == _X509_CERTIFICATE:
                    self.certificates.append(_explicit(value).octets())
            elif kind == _SAFE_CONTENTS_BAG:
                self.read(_explicit(value), depth + 1)


@dataclass(frozen=True, slots=True)
class Structure:
    """The parts of a PFX that can be read without its password.

    :ivar content: the octets that the MAC protects.
    :ivar mac: the MAC, or None if there is none.
    :ivar bags: the content of the safes that are not encrypted; single keys in it may be.
    :ivar encrypted: the safes that are encrypted.
    """

    content: bytes
    mac: Mac | None
    bags: Bags
    encrypted: tuple[Encrypted, ...]

    @property
    def algorithms(self) -> list[ber.Element]:
        """The AlgorithmIdentifier of every visible encryption."""
        return [*(safe.algorithm for safe in self.encrypted), *self.bags.algorithms]

    @property
    def iterations(self) -> int:
        """The number of iterations that all visible parts ask for, the MAC included."""
        return iterations_of(self.algorithms) + (self.mac.iterations if self.mac else 0)

    def __repr__(self) -> str:
        # A key bag that is not encrypted is a private key.
        return f"<PFX structure with {len(self.bags.keys)} visible keys>"


def iterations_of(algorithms: Sequence[ber.Element]) -> int:
    """Return the total number of iterations that several AlgorithmIdentifiers ask for.

    :raises MalformedError, CertificateFormatError: as :func:`.kdf_budget.iterations`.
    """
    return sum(kdf_budget.iterations(algorithm) for algorithm in algorithms)


def inspect(pfx: ber.Element) -> Structure:
    """Read the structure of a PFX without decrypting anything.

    :raises MalformedError: it is not a PFX, or it is damaged.
    :raises CertificateFormatError: a signature protects it instead of a password.
    """
    fields = pfx.children()
    if len(fields) < 2 or fields[0].integer() != 3:
        raise ber.MalformedError("its version is not 3")
    kind, value = _content_info(fields[1])
    if kind == _SIGNED_DATA:
        raise CertificateFormatError(
            "the PFX is protected by a signature (public-key integrity mode), which is not supported. " + EXPORT_AGAIN
        )
    content = _explicit(value).octets()
    mac = read_mac(fields[2]) if len(fields) > 2 else None
    bags = Bags()
    encrypted: list[Encrypted] = []
    for safe in ber.parse_first(content).children():
        kind, value = _content_info(safe)
        if kind == _DATA:
            bags.read(ber.parse_first(_explicit(value).octets()))
        elif kind == _ENCRYPTED_DATA:
            # version, EncryptedContentInfo: type, algorithm, [0] IMPLICIT OCTET STRING (RFC 2315 sections 10.1, 13).
            data = _explicit(value).children()
            encrypted.append(_encrypted(data[1].children()[1:] if len(data) > 1 else ()))
    return Structure(content, mac, bags, tuple(encrypted))


def _encrypted(fields: Sequence[ber.Element]) -> Encrypted:
    if len(fields) < 2:
        raise ber.MalformedError("encrypted content without an algorithm or without octets")
    return Encrypted(fields[0], fields[1].octets())


def _content_info(element: ber.Element) -> tuple[str, ber.Element]:
    fields = element.children()
    if len(fields) < 2:
        raise ber.MalformedError("a type without a value")
    return fields[0].object_identifier(), fields[1]


def _explicit(element: ber.Element) -> ber.Element:
    inside = element.children()
    if element.tag != ber.CONTEXT_0 or len(inside) != 1:
        raise ber.MalformedError("expected one element under [0]")
    return inside[0]
