"""Federated identity credentials: the token of another identity authenticates the application.

The rules for certificates do not apply to such a token: it has no thumbprint and no ``jti``, and its subject is not the
application. https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

from collections.abc import Sequence

import jwt

from azure_certvar_credential.testing.entra.directory.resources import resource_client_id
from azure_certvar_credential.testing.entra.directory.trust import FederatedCredential
from azure_certvar_credential.testing.entra.errors import refuse, utc_text
from azure_certvar_credential.testing.jose import MalformedError, numeric_date, parse_compact
from azure_certvar_credential.testing.signing import signing_key


def is_federated(assertion: str) -> bool:
    """Return whether a client assertion is the token of another identity: its issuer is a URL, not an application id.

    :param assertion: the compact serialization; False if it is malformed.
    """
    try:
        issuer = parse_compact(assertion, strict=False).claims.get("iss")
    except MalformedError:
        return False
    return isinstance(issuer, str) and issuer.lower().startswith("https://")


def verify_federated(assertion: str, trusted: Sequence[FederatedCredential], *, now: float, clock_skew: float) -> None:
    """Verify the token of another identity as an application's client assertion.

    :param assertion: the compact serialization; :func:`is_federated` accepts it.
    :param trusted: the application's federated identity credentials, one of which must match the token exactly.
    :param now: seconds since the epoch.
    :param clock_skew: the tolerance for the issuer's clock, seconds.
    :raises RefusalError: no credential has the issuer (700211), the subject (700213) or the audience (700212); the
        signature is not the emulator's (700027); the token is expired or not yet valid (700024) or malformed (50027).
    """
    try:
        jws = parse_compact(assertion, strict=False)
        claims = jws.claims
        start, end = (numeric_date(claims.get(name), name, strict=False) for name in ("nbf", "exp"))
    except MalformedError as error:
        raise refuse(50027, reason=f"[Reason - {error}.]") from error
    issuer, subject, audience = (str(claims.get(name))[:200] for name in ("iss", "sub", "aud"))
    candidates = [c for c in trusted if c.issuer == issuer]
    if not candidates:
        raise refuse(700211, issuer=issuer)
    candidates = [c for c in candidates if c.subject == subject]
    if not candidates:
        raise refuse(700213, subject=subject)
    # In Entra's tokens for the exchange, the audience is the exchange's application id.
    if not any(audience in (c.audience, resource_client_id(c.audience)) for c in candidates):
        raise refuse(700212, audience=audience)
    algorithm = jwt.get_algorithm_by_name("RS256")
    public_key = signing_key().private_key.public_key()
    if jws.header.get("alg") != "RS256" or not algorithm.verify(jws.signing_input, public_key, jws.signature):
        # Entra's code for this is unpublished.
        raise refuse(700027, reason="Client assertion contains an invalid signature. [Reason - The key was not found.]")
    if not start - clock_skew <= now < end + clock_skew:
        raise refuse(700024, now=utc_text(now), start=utc_text(start), end=utc_text(end))
