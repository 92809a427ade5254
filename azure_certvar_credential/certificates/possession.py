"""Which keys are taken, and the proof that a signer holds the private half of a certificate's public key."""

from __future__ import annotations

import secrets

from cryptography import x509
from cryptography.exceptions import InternalError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from azure_certvar_credential.certificates.naming import describe, describe_key, public_key_sha256
from azure_certvar_credential.certificates.parser_errors import PARSER_ERRORS, VERIFY_ERRORS
from azure_certvar_credential.exceptions import (
    CertificateError,
    ConfigurationError,
    KeyMismatchError,
    UnsupportedKeyError,
)
from azure_certvar_credential.signers.coroutines import is_coroutine_function
from azure_certvar_credential.signers.memory import MemorySigner, PublicKey
from azure_certvar_credential.signers.protocol import Signer

# NIST SP 800-131A disallows shorter RSA keys for signatures, and Entra takes none.
MIN_RSA_BITS = 2048
# OpenSSL verifies with no larger ones either.
MAX_RSA_BITS = 16384

# The curves of RFC 7518 section 3.4 with the one hash that it ties to each.
_CURVES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "secp256r1": ("ES256", hashes.SHA256()),
    "secp384r1": ("ES384", hashes.SHA384()),
    "secp521r1": ("ES512", hashes.SHA512()),
}

# The NUL keeps a challenge apart from every JWS signing input, which is base64url and a full stop (RFC 7515 section
# 5.1): the signature can never be made into an assertion.
_CHALLENGE = b"azure_certvar_credential proof of possession\x00"


def check_key(key: object) -> PublicKey:
    """Return a public key of a kind that can sign a client assertion.

    :param key: a public key.
    :raises UnsupportedKeyError: it is neither RSA nor EC, an RSA key below 2048 bits or above 16384, or on a curve
        without an ES algorithm.
    """
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise UnsupportedKeyError(
                f"the key is RSA with {key.key_size} bits; Microsoft Entra ID takes {MIN_RSA_BITS} and more"
            )
        if key.key_size > MAX_RSA_BITS:
            raise UnsupportedKeyError(
                f"the key is RSA with {key.key_size} bits; more than {MAX_RSA_BITS} take minutes to sign with"
            )
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise UnsupportedKeyError(
                f"the key is {describe_key(key)}; the curves with a JWS algorithm are {', '.join(sorted(_CURVES))}"
            )
        return key
    raise unsupported(describe_key(key))


def unsupported(kind: str) -> UnsupportedKeyError:
    """Return the error for a key of another kind, such as ``Ed25519``."""
    return UnsupportedKeyError(
        f"the key is of type {kind}, which cannot sign a client assertion; use RSA with {MIN_RSA_BITS} bits or more"
    )


def as_signer(key: object) -> Signer:
    """Return something that signs: the object itself if it is a signer, else a signer around the private key.

    :param key: an RSA or EC private key of ``cryptography``, or a :class:`Signer`.
    :raises UnsupportedKeyError: see :func:`check_key`.
    :raises CertificateError: it is neither a key nor a signer.
    """
    if isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        signer = MemorySigner(key)
        check_key(signer.public_key)
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
            f"`public_key` of the signer {type(key).__name__} is a method; it has to be a property (Signer protocol)"
        )
    check_key(key.public_key)
    return key


def prove_possession(leaf: x509.Certificate, signer: Signer) -> None:
    """Have a fresh challenge signed, and verify it with the certificate's public key.

    :param leaf: the certificate that the signer is said to belong to.
    :param signer: one that :func:`as_signer` returned.
    :raises KeyMismatchError: the public keys differ, or the signature does not verify.
    :raises CertificateError: the signer returns something else than bytes, or a key in memory cannot sign.
    """
    leaf_key = public_key_of(leaf)
    if leaf_key is None or leaf_key != signer.public_key:
        raise mismatch([leaf], signer.public_key)
    if is_coroutine_function(signer.sign):
        return  # there is no event loop to await it in; the public keys are equal, and the server will verify
    challenge = _CHALLENGE + secrets.token_bytes(32)
    signature, padding_name = _sign(challenge, signer)
    if not isinstance(signature, bytes):
        raise CertificateError(
            f"`sign` of {type(signer).__name__} returned {type(signature).__name__}; it has to return bytes"
        )
    if not _verifies(leaf_key, signature, challenge, padding_name):
        raise KeyMismatchError(
            f"a signature made by {type(signer).__name__} does not verify with the public key of the certificate "
            f"{describe(leaf)}, although its public_key is that certificate's (SHA-256 "
            f"{public_key_sha256(leaf_key)}): the private key is damaged, or it is another one"
        )


def public_key_of(certificate: x509.Certificate) -> PublicKey | None:
    """Return a certificate's public key if it is RSA or EC; None for any other, or one that cannot be read."""
    try:
        key = certificate.public_key()
    except PARSER_ERRORS:
        return None
    return key if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else None


def mismatch(certificates: list[x509.Certificate], key: PublicKey) -> KeyMismatchError:
    """Return the error for a key that belongs to none of the certificates."""
    phrases = []
    for certificate in certificates[:5]:
        public_key = public_key_of(certificate)
        digest = public_key_sha256(public_key) if public_key else "of another type"
        phrases.append(f"{describe(certificate)} with public-key SHA-256 {digest}")
    more = f" and {len(certificates) - 5} more" if len(certificates) > 5 else ""
    return KeyMismatchError(
        f"the private key with public-key SHA-256 {public_key_sha256(key)} belongs to none of the certificates given: "
        f"{'; '.join(phrases)}{more}. Give the key that was made together with the certificate"
    )


def _sign(challenge: bytes, signer: Signer) -> tuple[object, str]:
    public_key = signer.public_key
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        algorithm = _CURVES[public_key.curve.name][0]
        return signer.sign(challenge, algorithm), algorithm
    try:
        return signer.sign(challenge, "PS256"), "PS256"
    except ConfigurationError:
        # Some hardware signs only PKCS1v15; a signer says so with this exception.
        return signer.sign(challenge, "RS256"), "RS256"
    except (ValueError, InternalError):
        # A foreign signer's failures (network, PIN, quota) are its own and pass through.
        if not isinstance(signer, MemorySigner):
            raise
    # Outside of the handler, as everywhere: nothing foreign stands behind an error of this package.
    raise CertificateError(
        f"the private key (RSA, public-key SHA-256 {public_key_sha256(public_key)}) is damaged and cannot sign"
    )


def _verifies(public_key: PublicKey, signature: bytes, challenge: bytes, algorithm: str) -> bool:
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            half = (public_key.curve.key_size + 7) // 8
            if len(signature) != 2 * half:
                return False
            numbers = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            digest = _CURVES[public_key.curve.name][1]
            public_key.verify(encode_dss_signature(*numbers), challenge, ec.ECDSA(digest))
        elif algorithm == "PS256":
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
            public_key.verify(signature, challenge, pss, hashes.SHA256())
        else:
            public_key.verify(signature, challenge, padding.PKCS1v15(), hashes.SHA256())
    except VERIFY_ERRORS:
        return False
    return True
