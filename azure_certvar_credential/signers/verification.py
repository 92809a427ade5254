"""Checks a signature that somebody else made, before it is sent to a server that would only say 'invalid'."""

from __future__ import annotations

from cryptography.exceptions import InternalError, InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from azure_certvar_credential.signers.memory import PublicKey
from azure_certvar_credential.signers.public_keys import fitting, signature_length

_HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}


def verify(public_key: PublicKey, message: bytes, signature: bytes, algorithm: str) -> bool:
    """Tell whether ``signature`` is the key's JWS signature of ``message``.

    :param public_key: the key of the certificate, RSA or EC.
    :param message: the whole message, not a hash of it.
    :param signature: the raw JWS signature, ``r || s`` for ECDSA; ASN.1 DER is not one (RFC 7518 section 3.4).
    :param algorithm: a JWS ``alg`` value, such as ``PS256``. The salt of PSS must be as long as the hash (section 3.5).
    :raises ConfigurationError: the algorithm is unknown or does not fit the key.
    """
    row = fitting(public_key, algorithm)
    digest = _HASHES[row.hash_bits]
    if len(signature) != signature_length(public_key):
        return False
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            public_key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
        elif row.scheme == "PSS":
            public_key.verify(signature, message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        else:
            public_key.verify(signature, message, padding.PKCS1v15(), digest)
    except (InvalidSignature, InternalError, ValueError):
        # ValueError: a key that is no key (an even modulus, a point off the curve) verifies nothing.
        return False
    return True
