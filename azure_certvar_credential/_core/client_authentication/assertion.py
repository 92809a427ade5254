"""The client assertion: a JWT (RFC 7519) in JWS compact form (RFC 7515), used according to RFC 7523 section 2.2.

Pure: callers pass the time and the ``jti``, and sign between :func:`signing_input` and :func:`compact`. Stricter than
other clients: base64url without padding in every segment and in the thumbprints,
integer times, ``x5c`` as an array of unwrapped base64.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from azure_certvar_credential.signers.encoding import base64url

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Microsoft asks for 5 to 10 minutes between nbf and exp:
# https://learn.microsoft.com/entra/identity-platform/certificate-credentials
LIFETIME = 600
# Vaults throttle, so an assertion of a remote signer is used again until this many seconds before its end.
REUSE_MARGIN = 60

# One for all, while json.dumps makes one for each text.
_to_json = json.JSONEncoder(separators=(",", ":")).encode


def encoded_header(
    certificate: ClientCertificate,
    algorithm: str,
    *,
    typ: str = "JWT",
    sha1_only: bool = False,
    with_chain: bool = False,
) -> str:
    """Return the protected header as the first segment of the JWS.

    :param certificate: the source of the thumbprints and the chain.
    :param algorithm: the JWS ``alg``.
    :param typ: the JWS ``typ`` (RFC 7515 section 4.1.9).
    :param sha1_only: send ``x5t`` alone, as ADFS expects.
    :param with_chain: send ``x5c``, the certificates themselves, leaf first (RFC 7515 section 4.1.6); Entra requires it
        for registrations by subject name and issuer.
    """
    return _encoded_header(
        algorithm,
        typ,
        # SHA-1 identifies a certificate here and protects nothing. Verifiers that accept only RS* look for x5t; those
        # that know PS* look for x5t#S256.
        certificate.x5t if sha1_only or algorithm.startswith("RS") else None,
        None if sha1_only else certificate.x5t_s256,
        certificate.x5c if with_chain else None,
    )


# All assertions of a certificate have the same header, so it is encoded once. Few certificates are in use at a time;
# the bound only stops rotated ones from piling up.
@lru_cache(maxsize=32)
def _encoded_header(
    algorithm: str, typ: str, x5t: str | None, x5t_s256: str | None, x5c: tuple[str, ...] | None
) -> str:
    header: dict[str, object] = {"alg": algorithm, "typ": typ}
    if x5t is not None:
        header["x5t"] = x5t
    if x5t_s256 is not None:
        header["x5t#S256"] = x5t_s256
    if x5c is not None:
        header["x5c"] = list(x5c)
    return base64url(_to_json(header).encode())


def signing_input(header: str, *, client_id: str, audience: str, issued_at: float, jti: str) -> bytes:
    """Return the octets to sign (RFC 7515 section 5.1): header and claims, encoded and joined by a full stop.

    :param header: from :func:`encoded_header`.
    :param client_id: the application's id; both ``iss`` and ``sub`` (RFC 7523 section 3).
    :param audience: the token endpoint that the request is posted to.
    :param issued_at: seconds since the epoch, UTC; ``iat`` and ``nbf``, cut to an integer. ``exp`` is ten minutes on.
    :param jti: an unused id (RFC 7519 section 4.1.7).
    """
    iat = int(issued_at)
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": jti,
        "iat": iat,
        "nbf": iat,
        "exp": iat + LIFETIME,
    }
    return f"{header}.{base64url(_to_json(claims).encode())}".encode("ascii")


def compact(signed: bytes, signature: bytes) -> str:
    """Join signing input and signature to the JWS compact serialization (RFC 7515 section 3.1)."""
    return f"{signed.decode('ascii')}.{base64url(signature)}"
