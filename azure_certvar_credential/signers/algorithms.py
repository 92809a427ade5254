"""The JWS signature algorithms (RFC 7518 section 3) that a client assertion can be signed with.

A table of names; the cryptography happens in the signers.
"""

from __future__ import annotations

from typing import Literal

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import ConfigurationError

KeyType = Literal["RSA", "EC"]
Scheme = Literal["PKCS1v15", "PSS", "ECDSA"]


class Algorithm(Value):
    """One row of RFC 7518 section 3.1.

    :ivar name: the value of the JWS header parameter ``alg``.
    :ivar key_type: the type of key that it needs.
    :ivar scheme: RSASSA-PKCS1-v1_5, RSASSA-PSS (salt as long as the hash) or ECDSA (raw ``r || s``).
    :ivar hash_bits: the length of the SHA-2 hash in bits.
    :ivar curve: the curve that RFC 7518 section 3.4 ties to an ES algorithm, by its SECG name; None for RSA.
    :ivar curve_oid: that curve's OBJECT IDENTIFIER (RFC 5480 section 2.1.1.1) in dotted form; empty for RSA.
    """

    name: str
    key_type: KeyType
    scheme: Scheme
    hash_bits: Literal[256, 384, 512]
    curve: str | None = None
    curve_oid: str = ""


ALGORITHMS: dict[str, Algorithm] = {
    row.name: row
    for row in (
        Algorithm("PS256", "RSA", "PSS", 256),
        Algorithm("PS384", "RSA", "PSS", 384),
        Algorithm("PS512", "RSA", "PSS", 512),
        Algorithm("RS256", "RSA", "PKCS1v15", 256),
        Algorithm("RS384", "RSA", "PKCS1v15", 384),
        Algorithm("RS512", "RSA", "PKCS1v15", 512),
        Algorithm("ES256", "EC", "ECDSA", 256, "secp256r1", "1.2.840.10045.3.1.7"),
        Algorithm("ES384", "EC", "ECDSA", 384, "secp384r1", "1.3.132.0.34"),
        Algorithm("ES512", "EC", "ECDSA", 512, "secp521r1", "1.3.132.0.35"),
    )
}

# The ES algorithm of each curve that has one, by the curve's SECG name.
CURVES: dict[str, Algorithm] = {row.curve: row for row in ALGORITHMS.values() if row.curve}


def algorithm_named(name: object) -> Algorithm:
    """Return the row of the table for ``name``.

    :param name: a JWS ``alg`` value, such as ``PS256``.
    :raises ConfigurationError: the name is not in the table.
    """
    row = ALGORITHMS.get(name) if isinstance(name, str) else None
    if row is None:
        raise ConfigurationError(f"algorithm {redact_value(name)} is not one of {', '.join(sorted(ALGORITHMS))}")
    return row
