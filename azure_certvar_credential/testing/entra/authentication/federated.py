"""Federated identity credentials: a token of another identity authenticates the application.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation. Nothing of the rules for certificates
applies to such an assertion: no thumbprint, no ``jti``, and its subject is not the application.
"""

from __future__ import annotations

import jwt

from azure_certvar_credential.testing.entra.directory.model import Application
from azure_certvar_credential.testing.entra.directory.resources import resource_client_id
from azure_certvar_credential.testing.entra.errors import refuse, utc_text
from azure_certvar_credential.testing.jose import MalformedError, numeric_date, parse_compact
from azure_certvar_credential.testing.signing import signing_key


def is_federated(assertion: str) -> bool:
    """Tell whether a client assertion is somebody else's token: its issuer is a URL, where an application has its id.

    :param assertion: the compact serialization; what cannot be read is left to whoever verifies it.
    """
    try:
        issuer = parse_compact(assertion, strict=False).claims.get("iss")
    except MalformedError:
        return False
    return isinstance(issuer, str) and issuer.lower().startswith("https://")


def verify_federated(assertion: str, application: Application, *, now: float, clock_skew: float) -> None:
    """Verify a token that stands for an application.

    :param assertion: the compact serialization; :func:`is_federated` said yes.
    :param application: whose federated identity credentials it is compared with, letter by letter.
    :param now: seconds since the epoch.
    :param clock_skew: seconds by which the issuer's clock may be off.
    :raises RefusalError: 700211 no credential is of this issuer, 700213 subject, 700212 audience; 700027 the signature
        is not the emulator's; 700024 it is expired or not valid yet; 50027 it is malformed.
    """
    try:
        jws = parse_compact(assertion, strict=False)
        claims = jws.claims
        start, end = (numeric_date(claims.get(name), name, strict=False) for name in ("nbf", "exp"))
    except MalformedError as error:
        raise refuse(50027, reason=f"[Reason - {error}.]") from error
    issuer, subject, audience = (str(claims.get(name))[:200] for name in ("iss", "sub", "aud"))
    candidates = [c for c in application.federated_credentials if c.issuer == issuer]
    if not candidates:
        raise refuse(700211, issuer=issuer)
    candidates = [c for c in candidates if c.subject == subject]
    if not candidates:
        raise refuse(700213, subject=subject)
    # A token of Entra for the exchange has the exchange's application id for an audience.
    if not any(audience in (c.audience, resource_client_id(c.audience)) for c in candidates):
        raise refuse(700212, audience=audience)
    algorithm = jwt.get_algorithm_by_name("RS256")
    public_key = signing_key().private_key.public_key()
    if jws.header.get("alg") != "RS256" or not algorithm.verify(jws.signing_input, public_key, jws.signature):
        # Which code Entra has for this is published nowhere.
        raise refuse(700027, reason="Client assertion contains an invalid signature. [Reason - The key was not found.]")
    if not start - clock_skew <= now < end + clock_skew:
        raise refuse(700024, now=utc_text(now), start=utc_text(start), end=utc_text(end))
