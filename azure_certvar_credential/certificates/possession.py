"""Checks which keys are accepted, and proves that a signer holds the private half of a certificate's public key."""

from __future__ import annotations

import os

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.naming import describe, describe_key, public_key_sha256
from azure_certvar_credential.exceptions import (
    CertificateError,
    CertificateFormatError,
    ConfigurationError,
    KeyMismatchError,
    UnsupportedKeyError,
)
from azure_certvar_credential.signers.algorithms import CURVES
from azure_certvar_credential.signers.coroutines import is_coroutine_function
from azure_certvar_credential.signers.keys import PrivateKey, PublicKey
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS
from azure_certvar_credential.signers.protocol import Signer

# NIST SP 800-131A disallows shorter RSA keys for signatures, and Entra rejects them.
MIN_RSA_BITS = 2048
# A signature takes 0.2 s; with twice the bits it takes eight times as long. Entra accepts up to 4096.
MAX_RSA_BITS = 8192
# Octets of a structure with a public key whose parts are not looked at before the key is read.
_MAX_READ = 8_192
# FIPS 186-5 appendix A.1.1 takes public exponents below 2^256; a verification takes time for each bit.
_MAX_EXPONENT_BITS = 256

# The NUL distinguishes a challenge from every JWS signing input, which is base64url and a full stop (RFC 7515 section
# 5.1), so its signature can never become part of an assertion.
_CHALLENGE = b"azure_certvar_credential proof of possession\x00"


def check_key(key: object) -> PublicKey:
    """Return a public key if its private half can sign a client assertion.

    :param key: a public key.
    :raises UnsupportedKeyError: it is neither RSA nor EC, an RSA key of fewer than 2048 or more than 8192 bits or with
        a long public exponent, or on a curve without an ES algorithm.
    """
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise UnsupportedKeyError(
                f"the RSA key has {key.key_size} bits; Microsoft Entra ID requires at least {MIN_RSA_BITS}"
            )
        if key.key_size > MAX_RSA_BITS:
            raise UnsupportedKeyError(
                f"the RSA key has {key.key_size} bits; use at most {MAX_RSA_BITS} (larger keys take seconds to sign)"
            )
        exponent = key.public_numbers().e.bit_length()
        if exponent > _MAX_EXPONENT_BITS:
            raise UnsupportedKeyError(
                f"the RSA key's public exponent has {exponent} bits; use 65537, and at most {_MAX_EXPONENT_BITS} bits"
            )
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVES:
            raise UnsupportedKeyError(
                f"the key is {describe_key(key)}; the curves with a JWS algorithm are {', '.join(sorted(CURVES))}"
            )
        return key
    raise unsupported(describe_key(key))


def check_numbers(key: PrivateKey) -> None:
    """Check that the numbers of an RSA private key are those of its public half (RFC 8017 section 3.2).

    OpenSSL signs with each of them but ``d``, in time that grows with the cube of its length, and checks none of them.
    With the two primes of the modulus, and exponents and coefficient that are inverses as they should be, a signature
    verifies, and a fiftieth of its time is enough to see that. That the factors are prime is not tested: damage cannot
    bring about another pair of factors, and who makes a modulus of more primes deceives nobody but himself.

    :param key: a key whose public half :func:`check_key` has accepted.
    :raises CertificateFormatError: they are not the numbers of one key.
    """
    if isinstance(key, rsa.RSAPrivateKey) and not _belong_together(key.private_numbers()):
        raise CertificateFormatError(
            "the RSA private key is damaged: its numbers do not belong together; export it again"
        )


def _belong_together(numbers: rsa.RSAPrivateNumbers) -> bool:
    # A frame of its own, which has ended when the error is raised: its variables are the key.
    p, q, e, modulus = numbers.p, numbers.q, numbers.public_numbers.e, numbers.public_numbers.n
    # First the lengths, so that no computation is long.
    if p * q != modulus or min(p, q) < 2 or max(numbers.d, numbers.iqmp) >= modulus:
        return False
    if numbers.dmp1 >= p or numbers.dmq1 >= q:
        return False
    return e * numbers.dmp1 % (p - 1) == 1 == e * numbers.dmq1 % (q - 1) and numbers.iqmp * q % p == 1


def unsupported(kind: str) -> UnsupportedKeyError:
    """Return the error for a key of another type, such as ``Ed25519``."""
    return UnsupportedKeyError(
        f"the key is of type {kind}, which cannot sign a client assertion; use RSA with {MIN_RSA_BITS} bits or more"
    )


def as_signer(key: object) -> Signer:
    """Return a signer unchanged, or wrap a private key in one.

    :param key: an RSA or EC private key of ``cryptography``, or a :class:`Signer`.
    :raises UnsupportedKeyError: see :func:`check_key`.
    :raises CertificateError: it is neither a key nor a signer.
    """
    if isinstance(key, (MemorySigner, rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        signer = key if isinstance(key, MemorySigner) else MemorySigner(key)
        check_key(signer.public_key)
        check_numbers(signer.private_key)
        return signer
    # Before the protocol: Ed25519PrivateKey has `sign` and `public_key` too, with another meaning.
    if hasattr(key, "private_bytes"):
        raise unsupported(describe_key(key))
    if not isinstance(key, Signer) or not callable(key.sign):
        raise CertificateError(
            f"the key is of type {type(key).__name__}; give an RSA or EC private key of cryptography, or an object "
            "with a `public_key` property and a method `sign(message, algorithm)`"
        )
    if callable(key.public_key):
        raise CertificateError(
            f"`public_key` of the signer {type(key).__name__} is a method; it must be a property (Signer protocol)"
        )
    check_key(key.public_key)
    return key


def prove_possession(leaf: x509.Certificate, signer: Signer) -> None:
    """Let the signer sign a fresh challenge, and verify that with the certificate's public key.

    Of an RSA key in memory :func:`check_numbers` has shown as much.

    :param leaf: the certificate that the signer should belong to.
    :param signer: one that :func:`as_signer` returned.
    :raises KeyMismatchError: the public keys differ, or the signature does not verify.
    :raises CertificateError: the signer does not return bytes.
    """
    leaf_key = public_key_of(leaf)
    if leaf_key is None or leaf_key != signer.public_key:
        raise mismatch([leaf], signer.public_key)
    # A subclass may sign with something else.
    if type(signer) is MemorySigner and isinstance(leaf_key, rsa.RSAPublicKey):
        return
    if is_coroutine_function(signer.sign):
        return  # no event loop runs here to await it in; the public keys are equal, and the server will verify
    # For EC keys, and signers of others.
    from azure_certvar_credential.signers.verification import verify

    challenge = _CHALLENGE + os.urandom(32)
    signature, algorithm = _sign(challenge, signer)
    if not isinstance(signature, bytes):
        raise CertificateError(
            f"`sign` of {type(signer).__name__} returned {type(signature).__name__}; it must return bytes"
        )
    if not verify(leaf_key, challenge, signature, algorithm):
        raise KeyMismatchError(
            f"a signature by {type(signer).__name__} does not verify with the public key of the certificate "
            f"{describe(leaf)}, although its public_key equals the certificate's (SHA-256 "
            f"{public_key_sha256(leaf_key)}): the private key is damaged, or it is a different key"
        )


def public_key_of(certificate: x509.Certificate) -> PublicKey | None:
    """Return a certificate's public key if it is RSA or EC; None for any other, as for :func:`readable_key`."""
    key = readable_key(certificate)
    return key if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else None


def readable_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """Return a certificate's public key; None for one that cannot be read, or is too long to compute with."""
    # Converting a number of a megabyte takes seconds; a key of 8192 bits takes 1100 octets.
    if len(certificate.tbs_certificate_bytes) > _MAX_READ and _key_length(certificate) > _MAX_READ:
        return None
    try:
        key = certificate.public_key()
    except PARSER_ERRORS:
        return None
    if isinstance(key, rsa.RSAPublicKey):
        is_long = key.key_size > 2 * MAX_RSA_BITS or key.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS
        return None if is_long else key
    return key


def _key_length(certificate: x509.Certificate) -> int:
    """Return the octets of the SubjectPublicKeyInfo (RFC 5280 section 4.1)."""
    fields = ber.parse_first(certificate.tbs_certificate_bytes).children()
    return max((len(field.encoded) for field in fields if field.tag == ber.SEQUENCE), default=0)


def mismatch(certificates: list[x509.Certificate], key: PublicKey) -> KeyMismatchError:
    """Return the error for a key that does not belong to any of the certificates."""
    phrases = []
    for certificate in certificates[:5]:
        public_key = public_key_of(certificate)
        digest = public_key_sha256(public_key) if public_key else "of another type"
        phrases.append(f"{describe(certificate)} with public-key SHA-256 {digest}")
    more = f" and {len(certificates) - 5} more" if len(certificates) > 5 else ""
    return KeyMismatchError(
        f"the private key with public-key SHA-256 {public_key_sha256(key)} does not belong to any of the given "
        f"certificates: {'; '.join(phrases)}{more}. Give the key that was created with the certificate"
    )


def _sign(challenge: bytes, signer: Signer) -> tuple[object, str]:
    public_key = signer.public_key
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        algorithm = CURVES[public_key.curve.name].name
        return signer.sign(challenge, algorithm), algorithm
    try:
        return signer.sign(challenge, "PS256"), "PS256"
    except ConfigurationError:
        # Some hardware signs only with PKCS #1 v1.5; its signer raises this.
        return signer.sign(challenge, "RS256"), "RS256"
