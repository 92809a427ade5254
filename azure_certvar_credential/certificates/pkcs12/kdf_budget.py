"""Reads how much work a key derivation asks for before any of it is done, and bounds the sum.

The author of a file chooses its iteration counts, and two billion is as easy to write as two thousand: a single call
of OpenSSL would then run for many minutes.
"""

from __future__ import annotations

from azure_certvar_credential.certificates.ber import SEQUENCE, Element, MalformedError
from azure_certvar_credential.exceptions import CertificateFormatError

# The limit for all derivations of one input together. OpenSSL does 4 to 18 million iterations a second with SHA
# instructions and about one million without, Python one to three million, so the limit costs seconds at worst. Windows
# and OpenSSL write 2,000, keytool 10,000, NSS 600,000; OWASP's highest recommendation (2023) is 1,300,000.
MAX_ITERATIONS = 5_000_000

# scrypt (RFC 7914) takes 128 * N * r bytes of memory. OpenSSL refuses 32 MiB and more; it writes N=16384, r=8, p=1,
# which takes half of that.
MAX_SCRYPT_BLOCKS = 2**18 - 1

# The time of scrypt is proportional to N * r * p; each unit takes as long as this many iterations (measured).
_ITERATIONS_OF_A_BLOCK = 2

PBES2 = "1.2.840.113549.1.5.13"
PBMAC1 = "1.2.840.113549.1.5.14"
PBKDF2 = "1.2.840.113549.1.5.12"
SCRYPT = "1.3.6.1.4.1.11591.4.11"

# The schemes whose parameters are a salt and an iteration count: PBES1 (RFC 8018 A.3) and PKCS #12 (RFC 7292 C).
SALT_AND_ITERATIONS = {
    "1.2.840.113549.1.5.1": "PBE-MD2-DES",
    "1.2.840.113549.1.5.3": "PBE-MD5-DES",
    "1.2.840.113549.1.5.4": "PBE-MD2-RC2-64",
    "1.2.840.113549.1.5.6": "PBE-MD5-RC2-64",
    "1.2.840.113549.1.5.10": "PBE-SHA1-DES",
    "1.2.840.113549.1.5.11": "PBE-SHA1-RC2-64",
    "1.2.840.113549.1.12.1.1": "PBE-SHA1-RC4-128",
    "1.2.840.113549.1.12.1.2": "PBE-SHA1-RC4-40",
    "1.2.840.113549.1.12.1.3": "PBE-SHA1-3DES",
    "1.2.840.113549.1.12.1.4": "PBE-SHA1-2DES",
    "1.2.840.113549.1.12.1.5": "PBE-SHA1-RC2-128",
    "1.2.840.113549.1.12.1.6": "PBE-SHA1-RC2-40",
}

# Available without OpenSSL's legacy provider; the others in the table above need it.
_WITHOUT_LEGACY_PROVIDER = {"PBE-SHA1-3DES", "PBE-SHA1-2DES"}

# HMAC with MD5, SHA-1, SHA-2 and SM3: the pseudo-random functions of PBKDF2 (RFC 8018 B.1) that OpenSSL has.
_PRFS = {*(f"1.2.840.113549.2.{number}" for number in range(6, 14)), "1.2.156.10197.1.401.3.1"}

# The ciphers that every OpenSSL build has: 3DES, and AES in the modes ECB, CBC, OFB and CFB with each of its key sizes.
_CIPHERS = {
    "1.2.840.113549.3.7",
    *(f"2.16.840.1.101.3.4.1.{size + mode}" for size in (0, 20, 40) for mode in (1, 2, 3, 4)),
}

# The ciphers that a build may lack.
_OPTIONAL_CIPHERS = {
    "1.3.14.3.2.7": "DES-CBC",
    "1.2.840.113549.3.2": "RC2-CBC",
    "1.2.840.113533.7.66.10": "CAST5-CBC",
    "1.3.6.1.4.1.3029.1.2": "BF-CBC",
    "1.3.6.1.4.1.188.7.1.1.2": "IDEA-CBC",
    "1.2.410.200004.1.4": "SEED-CBC",
    "1.2.156.10197.1.104.2": "SM4-CBC",
    "1.2.392.200011.61.1.1.1.2": "CAMELLIA-128-CBC",
    "1.2.392.200011.61.1.1.1.3": "CAMELLIA-192-CBC",
    "1.2.392.200011.61.1.1.1.4": "CAMELLIA-256-CBC",
    "1.2.410.200046.1.1.2": "ARIA-128-CBC",
    "1.2.410.200046.1.1.7": "ARIA-192-CBC",
    "1.2.410.200046.1.1.12": "ARIA-256-CBC",
}


class Budget:
    """The number of iterations left for one input, over all its keys and files."""

    __slots__ = ("_spent",)

    def __init__(self) -> None:
        self._spent = 0

    def affords(self, count: int) -> bool:
        """Take iterations from the budget if that many are left; return whether they were.

        :param count: the number of iterations.
        """
        if self._spent + count > MAX_ITERATIONS:
            return False
        self._spent += count
        return True

    def spend(self, count: int, what: str) -> None:
        """Take iterations from the budget before doing them.

        :param count: the number of iterations.
        :param what: the part that asks for them, such as ``the PFX``.
        :raises CertificateFormatError: they exceed :data:`MAX_ITERATIONS` in total.
        """
        self._spent += count
        if self._spent > MAX_ITERATIONS:
            # A number of a thousand digits would not help.
            shown = f"{self._spent:,}" if self._spent < 10**15 else "more than 10^15"
            raise CertificateFormatError(
                f"with {what} the certificate data asks for {shown} iterations of key derivation; the limit is "
                f"{MAX_ITERATIONS:,}. Export it again with a lower count, such as `openssl pkcs12 -export -iter 100000`"
            )


def iterations(algorithm: Element, depth: int = 0) -> int:
    """Return the number of iterations that an AlgorithmIdentifier asks for; 0 if it derives no key.

    :param algorithm: an ``AlgorithmIdentifier`` (RFC 5280 section 4.1.1.2). scrypt is converted to iterations.
    :param depth: the number of algorithms that enclose this one.
    :raises MalformedError: it is not an ``AlgorithmIdentifier``.
    :raises CertificateFormatError: scrypt needs more memory than :data:`MAX_SCRYPT_BLOCKS` allows.
    """
    fields = algorithm.children()
    if not fields:
        raise MalformedError("an AlgorithmIdentifier without an algorithm")
    name = fields[0].object_identifier()
    if len(fields) < 2:
        return 0
    if name in (PBES2, PBMAC1):
        if depth:
            raise MalformedError("a password-based scheme inside another one")
        return sum(iterations(inner, depth + 1) for inner in fields[1].children())
    if name == SCRYPT:
        return _scrypt_iterations(fields[1].children())
    if name == PBKDF2 or name in SALT_AND_ITERATIONS:
        parameters = fields[1].children()
        if len(parameters) < 2:
            raise MalformedError("key derivation parameters without an iteration count")
        return max(0, parameters[1].integer())
    return 0


def is_pkcs12(algorithm: Element) -> bool:
    """Return whether an encryption scheme uses PKCS #12's own key derivation (RFC 7292 appendix C).

    :param algorithm: an ``AlgorithmIdentifier`` that :func:`iterations` has read.
    """
    return algorithm.children()[0].object_identifier().startswith("1.2.840.113549.1.12.1.")


def unknown_part(algorithm: Element) -> str | None:
    """Return the first OBJECT IDENTIFIER in an encryption scheme that OpenSSL does not know, or None.

    :param algorithm: an ``AlgorithmIdentifier`` that :func:`iterations` has read.
    :raises MalformedError: its parameters do not fit the scheme.
    """
    name, parameters = _parts(algorithm)
    if name != PBES2:
        return None if name in SALT_AND_ITERATIONS else name
    if len(parameters) < 2:
        raise MalformedError("PBES2 without its two algorithms")
    (derivation, inside), (cipher, _) = _parts(parameters[0]), _parts(parameters[1])
    if derivation not in (PBKDF2, SCRYPT):
        return derivation
    if cipher not in _CIPHERS and cipher not in _OPTIONAL_CIPHERS:
        return cipher
    functions = [_parts(parameter)[0] for parameter in inside if parameter.tag == SEQUENCE]
    return next((function for function in functions if function not in _PRFS), None)


def is_pbes2(algorithm: Element) -> bool:
    """Return whether an encryption scheme is PBES2 (RFC 8018 section 6.2).

    :param algorithm: an ``AlgorithmIdentifier`` that :func:`iterations` has read.
    """
    return algorithm.children()[0].object_identifier() == PBES2


def optional_name(algorithm: Element) -> str | None:
    """Return the name of an encryption that some builds of OpenSSL lack or have only in the legacy provider.

    :param algorithm: an ``AlgorithmIdentifier`` that :func:`iterations` has read.
    :returns: None for any other.
    :raises MalformedError: its parameters do not fit the scheme.
    """
    name, parameters = _parts(algorithm)
    if name == PBES2 and len(parameters) > 1:
        return _OPTIONAL_CIPHERS.get(_parts(parameters[1])[0])
    scheme = SALT_AND_ITERATIONS.get(name)
    return None if scheme in _WITHOUT_LEGACY_PROVIDER else scheme


def _parts(algorithm: Element) -> tuple[str, tuple[Element, ...]]:
    """Return the dotted name of an ``AlgorithmIdentifier`` and the elements of its parameters, if any."""
    fields = algorithm.children()
    if not fields:
        raise MalformedError("an AlgorithmIdentifier without an algorithm")
    constructed = len(fields) > 1 and fields[1].tag == SEQUENCE
    return fields[0].object_identifier(), fields[1].children() if constructed else ()


def _scrypt_iterations(parameters: tuple[Element, ...]) -> int:
    if len(parameters) < 4:
        raise MalformedError("scrypt parameters are missing")
    cost, block_size, parallelization = (max(1, parameter.integer()) for parameter in parameters[1:4])
    blocks = cost * block_size
    # OpenSSL allocates N r blocks for the table, p r for the input, and 2 r more (RFC 7914 section 2).
    if blocks + (parallelization + 2) * block_size > MAX_SCRYPT_BLOCKS:
        raise CertificateFormatError(
            "the encrypted private key asks for 32 MiB or more of memory for scrypt, which OpenSSL refuses; encrypt it "
            "again with `openssl pkcs8 -topk8 -scrypt`"
        )
    return blocks * parallelization * _ITERATIONS_OF_A_BLOCK
