"""Derives keys from a password: PBKDF2 and scrypt (RFC 8018, RFC 7914), and PKCS #12's own way (RFC 7292 appendix B).

Nothing here limits the iterations: callers have taken them from the budget of :mod:`.kdf_budget`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from azure_certvar_credential.certificates.ber import INTEGER, SEQUENCE, Element, MalformedError
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

# The purposes of a key (RFC 7292 appendix B.3).
ENCRYPTION_KEY, INITIAL_VALUE, MAC_KEY = 1, 2, 3

# prf AlgorithmIdentifier DEFAULT algid-hmacWithSHA1 (RFC 8018 A.2).
_DEFAULT_HMAC_DIGEST = hashes.SHA1()  # noqa: S303 - old files use it

# Pseudo-random functions of PBKDF2 and message authentication schemes of PBMAC1 (RFC 8018 B.1): HMAC with a digest.
_HMAC_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.2.7": _DEFAULT_HMAC_DIGEST,
    "1.2.840.113549.2.8": hashes.SHA224(),
    "1.2.840.113549.2.9": hashes.SHA256(),
    "1.2.840.113549.2.10": hashes.SHA384(),
    "1.2.840.113549.2.11": hashes.SHA512(),
    "1.2.840.113549.2.12": hashes.SHA512_224(),
    "1.2.840.113549.2.13": hashes.SHA512_256(),
}


@dataclass(frozen=True, slots=True, repr=False)
class Passphrase:
    """A password in the two forms in which PFX files use it.

    :ivar octets: for PBES2, PBMAC1 and OpenSSL: UTF-8.
    :ivar bmp: for PKCS #12's own derivation: UTF-16 big-endian and two zero octets (RFC 7292 appendix B.1).
    """

    octets: bytes
    bmp: bytes

    @classmethod
    def of(cls, password: bytes) -> Passphrase:
        """Return both forms of a password; octets that are not UTF-8 are read as Latin-1, as in OpenSSL."""
        return cls(password, _bmp(_text(password)))

    @classmethod
    def encodings_of(cls, password: bytes) -> tuple[Passphrase, ...]:
        """Return a password as each tool encodes it, the standards' way first; outside ASCII they differ.

        OpenSSL's command takes the octets of a console, and before 1.1.0 made 16 bits of each octet for PKCS #12; forge
        and others take one octet for each character.
        """
        text = _text(password)
        octets = [password, text.encode("utf-8")]
        octets += [encoded for name in ("latin-1", "cp1252") if (encoded := _encoded(text, name)) is not None]
        forms = [cls(encoded, _bmp(text)) for encoded in octets]
        forms += [cls(encoded, _bmp(encoded.decode("latin-1"))) for encoded in octets]
        return tuple(dict.fromkeys(forms))


def _text(password: bytes) -> str:
    try:
        return password.decode("utf-8")
    except UnicodeDecodeError:
        return password.decode("latin-1")


def _encoded(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return None


def _bmp(text: str) -> bytes:
    return text.encode("utf-16-be") + b"\x00\x00"


# Tools write "no password" in two ways; they differ only in PKCS #12's own derivation.
NO_PASSWORD = Passphrase(b"", b"")
EMPTY_PASSWORD = Passphrase(b"", b"\x00\x00")


def pkcs12_key(
    digest: Callable[[bytes], Hash], bmp: bytes, salt: bytes, iterations: int, *, purpose: int, length: int
) -> bytes:
    """Derive a key after RFC 7292 appendix B.2.

    :param digest: the hash function.
    :param bmp: the password as a BMPString.
    :param salt: the salt.
    :param iterations: how often to apply the hash function; less than 1 counts as 1.
    :param purpose: :data:`ENCRYPTION_KEY`, :data:`INITIAL_VALUE` or :data:`MAC_KEY`.
    :param length: the length of the key in bytes.
    """
    block = digest(b"").block_size
    seed = _filled(salt, block) + _filled(bmp, block)
    key = b""
    while True:
        value = digest(bytes([purpose]) * block + seed).digest()
        for _ in repeat(None, iterations - 1):
            value = digest(value).digest()
        key += value
        if len(key) >= length:
            return key[:length]
        # Steps 6B and 6C: each block of the seed becomes itself + this value + 1, modulo its size.
        added = int.from_bytes(_filled(value, block)[:block], "big") + 1
        blocks = (int.from_bytes(seed[start : start + block], "big") for start in range(0, len(seed), block))
        seed = b"".join(((number + added) % (1 << 8 * block)).to_bytes(block, "big") for number in blocks)


def derive(algorithm: Element, password: bytes, length: int | None = None) -> bytes:
    """Derive a key by the ``AlgorithmIdentifier`` of PBKDF2 (RFC 8018 A.2) or scrypt (RFC 7914 section 7).

    :param algorithm: one that :func:`can_derive` knows, its iterations already taken from the budget.
    :param password: UTF-8 octets.
    :param length: the length of the key in bytes; None for the length in the parameters.
    :raises MalformedError: its parameters are missing or invalid.
    """
    fields = algorithm.children()
    parameters = fields[1].children() if len(fields) > 1 else ()
    # scrypt: salt, cost, block size, parallelization; PBKDF2: salt, iterations; then optional fields.
    needed = 4 if fields[0].object_identifier() == kdf_budget.SCRYPT else 2
    numbers, optional = parameters[1:needed], parameters[needed:]
    if len(numbers) != needed - 1:
        raise MalformedError("key derivation parameters are missing")
    salt = parameters[0].octets()
    size = _length(optional, length)
    function = next((parameter for parameter in optional if parameter.tag == SEQUENCE), None)
    digest = hmac_digest(function) if function else _DEFAULT_HMAC_DIGEST
    try:
        match [number.integer() for number in numbers]:
            # With 0 iterations, old releases of cryptography panic.
            case [iterations] if iterations > 0:
                return PBKDF2HMAC(digest, size, salt, iterations).derive(password)
            case [cost, block_size, parallelization]:
                return Scrypt(salt, size, cost, block_size, parallelization).derive(password)
    except (*PARSER_ERRORS, MemoryError):
        # cryptography raises MemoryError for any scrypt numbers that OpenSSL rejects.
        pass
    raise MalformedError("key derivation parameters are invalid")


def can_derive(algorithm: Element) -> bool:
    """Return whether :func:`derive` knows a key derivation, by its ``AlgorithmIdentifier``.

    :raises MalformedError: it is not an ``AlgorithmIdentifier``.
    """
    fields = algorithm.children()
    name = fields[0].object_identifier() if fields else ""
    if name != kdf_budget.PBKDF2:
        return name == kdf_budget.SCRYPT
    parameters = fields[1].children() if len(fields) > 1 else ()
    return all(is_hmac(parameter) for parameter in parameters if parameter.tag == SEQUENCE)


def is_hmac(algorithm: Element) -> bool:
    """Return whether an ``AlgorithmIdentifier`` names an HMAC with a known digest.

    :raises MalformedError: it is not an ``AlgorithmIdentifier``.
    """
    fields = algorithm.children()
    return bool(fields) and fields[0].object_identifier() in _HMAC_DIGESTS


def hmac_digest(algorithm: Element) -> hashes.HashAlgorithm:
    """Return the digest of an ``AlgorithmIdentifier`` that :func:`is_hmac` knows."""
    return _HMAC_DIGESTS[algorithm.children()[0].object_identifier()]


def _length(parameters: tuple[Element, ...], wanted: int | None) -> int:
    # keyLength INTEGER OPTIONAL; if it differs from the cipher's, the file is damaged.
    given = next((parameter.integer() for parameter in parameters if parameter.tag == INTEGER), None)
    length = given if wanted is None else wanted
    # The work grows with the length; no key here exceeds the longest digest, 64 octets.
    if length is None or given not in (None, length) or not 0 < length <= 64:
        raise MalformedError("the key length is missing or wrong")
    return length


def _filled(octets: bytes, block: int) -> bytes:
    length = block * (-(-len(octets) // block))
    return (octets * (length // max(1, len(octets)) + 1))[:length]
