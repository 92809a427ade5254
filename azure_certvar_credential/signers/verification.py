"""Verifies a signature made elsewhere before it is sent: the server would only answer 'invalid'."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from azure_certvar_credential.signers.keys import PublicKey, fitting, signature_length
from azure_certvar_credential.signers.parser_errors import VERIFY_ERRORS
from azure_certvar_credential.signers.primitives import HASHES, PKCS1V15, PSS


def verify(public_key: PublicKey, message: bytes, signature: bytes, algorithm: str) -> bool:
    """Return whether ``signature`` is the key's JWS signature of ``message``.

    :param public_key: the certificate's key, RSA or EC.
    :param message: the whole message, not a hash of it.
    :param signature: the raw JWS signature. For ECDSA that is ``r || s``, not ASN.1 DER (RFC 7518 section 3.4).
    :param algorithm: a JWS ``alg`` value, such as ``PS256``. A PSS salt must be as long as the hash (section 3.5).
    :raises ConfigurationError: the algorithm is unknown or does not fit the key.
    """
    row = fitting(public_key, algorithm)
    digest = HASHES[row.hash_bits]
    if len(signature) != signature_length(public_key):
        return False
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            public_key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
        else:
            padding = PSS[row.hash_bits] if row.scheme == "PSS" else PKCS1V15
            public_key.verify(signature, message, padding, digest)
    except VERIFY_ERRORS:
        # Not only InvalidSignature: an even modulus or a point off the curve verifies nothing either.
        return False
    return True
