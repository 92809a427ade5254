"""The on-behalf-of grant, by which a middle tier acts for a user, and the refresh token grant.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow, RFC 7523 section 2.1 and RFC 6749
section 6. The order of Entra's checks is unpublished; here it is form, signature, audience, kind, time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import jwt

from azure_certvar_credential.testing.entra.directory.model import Application, User
from azure_certvar_credential.testing.entra.directory.resources import GRAPH
from azure_certvar_credential.testing.entra.errors import refuse, utc_text
from azure_certvar_credential.testing.entra.grants.exchange import Exchange, require
from azure_certvar_credential.testing.entra.grants.scopes import OFFLINE_ACCESS, OPENID, UserScope, read_user_scope
from azure_certvar_credential.testing.entra.grants.sessions import Session
from azure_certvar_credential.testing.entra.tokens import Delegation
from azure_certvar_credential.testing.http import Response
from azure_certvar_credential.testing.jose import MalformedError, encode, numeric_date, parse_compact
from azure_certvar_credential.testing.signing import signing_key

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
USE = "on_behalf_of"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A signed-in user, the id of the token that began the session, and the methods of signing in."""

    user: User
    uti: str
    methods: tuple[str, ...]


def on_behalf_of(exchange: Exchange) -> Response:
    """Answer the on-behalf-of grant.

    :raises RefusalError: with the AADSTS code of the first fault.
    """
    form = exchange.form
    require(form, "assertion", "requested_token_use", "scope")
    if form["requested_token_use"] != USE:
        raise refuse(9002313, reason="The requested_token_use is not supported.")
    scope = read_user_scope(form["scope"])
    claims = _verify(form["assertion"], exchange)
    user = _user(str(claims.get("oid")), exchange)
    methods = claims.get("amr", ["pwd"])
    signed_in = SignIn(user, str(claims.get("uti")), tuple(methods) if isinstance(methods, list) else ())
    return answer(exchange, signed_in, scope)


def refresh(exchange: Exchange) -> Response:
    """Answer the refresh token grant.

    :raises RefusalError: with the AADSTS code of the first fault.
    """
    form, backend = exchange.form, exchange.backend
    require(form, "refresh_token")
    session = backend.sessions.find(form["refresh_token"])
    if session is None:
        raise refuse(70000)
    if session.client_id != exchange.application.client_id:
        raise refuse(700007)
    if session.tenant_id != exchange.tenant.tenant_id:
        # Documented for authorization codes. Entra also redeems a guest's refresh tokens in other tenants, but the
        # emulator has no guests.
        raise refuse(700005)
    if session.revoked is not None:
        raise refuse(50173, issued=utc_text(session.issued), since=utc_text(session.revoked))
    lifetime = backend.settings.refresh_token_lifetime
    if exchange.conditions.now >= session.issued + lifetime:
        raise refuse(700082, issued=utc_text(session.issued), days=f"{lifetime / 86_400:.0f}.00:00:00")
    user = _user(session.user.object_id, exchange)
    return answer(
        exchange, SignIn(user, session.uti, session.methods), read_user_scope(form.get("scope", session.scope))
    )


def _verify(assertion: str, exchange: Exchange) -> Mapping[str, object]:
    """Verify a user's assertion and return its claims."""
    try:
        jws = parse_compact(assertion, strict=True)
        algorithm = jwt.get_algorithm_by_name("RS256")
        key = signing_key()
        if jws.header.get("alg") != "RS256" or not algorithm.verify(
            jws.signing_input, key.private_key.public_key(), jws.signature
        ):
            raise refuse(
                50013, reason="[Reason - The key was not found, or use of the key to verify the signature failed.]"
            )
        start, end = (numeric_date(jws.claims.get(name), name, strict=True) for name in ("nbf", "exp"))
    except MalformedError as error:
        raise refuse(50027, reason=f"[Reason - {error}.]") from error
    # The clients of an agent's users ask for tokens for its blueprint.
    claims, application = jws.claims, exchange.application.blueprint or exchange.application
    if not isinstance(claims.get("aud"), str) or not application.is_called(str(claims["aud"])):
        raise refuse(500131, audience=str(claims.get("aud"))[:200], expected=application.client_id)
    if "scp" not in claims:
        # An app-only token names its client in a claim; an ID token names it only as the audience.
        if "appid" in claims or "azp" in claims:
            raise refuse(7000114, client_id=claims.get("appid", claims.get("azp")))
        raise refuse(240002, grant_type=GRANT_TYPE)
    now, skew = exchange.conditions.now, exchange.backend.settings.clock_skew
    if not start - skew <= now < end + skew:
        raise refuse(500133, now=utc_text(now), end=utc_text(end))
    return claims


def _user(object_id: str, exchange: Exchange) -> User:
    user = exchange.backend.directory.user(object_id)
    if user is None:
        raise refuse(50034, tenant=exchange.tenant.tenant_id)
    if user.tenant_id != exchange.tenant.tenant_id:
        raise refuse(50020, tenant=exchange.tenant.tenant_id, client_id=exchange.application.client_id)
    return user


def answer(exchange: Exchange, signed_in: SignIn, scope: UserScope) -> Response:
    """Answer with a token of a user, and what the scope asks for beside it.

    :raises RefusalError: with the AADSTS code of the first fault.
    """
    resource = exchange.resource(scope.resource)
    names = _permissions(exchange.application, scope)
    _check_demand(exchange, scope.resource, signed_in)
    user = signed_in.user
    grant = exchange.grant(resource, delegation=Delegation(user, names, signed_in.methods))
    granted = [f"{scope.resource}/{name}" for name in names]
    if not scope.names:
        granted.append(f"{scope.resource}/.default")
    more = {"scope": " ".join(granted)}
    if OFFLINE_ACCESS in scope.reserved:
        session = Session(
            user,
            exchange.application.client_id,
            exchange.tenant.tenant_id,
            scope.text,
            signed_in.uti,
            signed_in.methods,
            exchange.conditions.now,
        )
        more["refresh_token"] = exchange.backend.sessions.begin(session)
    if OPENID in scope.reserved:
        # An ID token has version 2, whichever version the resource accepts.
        of_version_2 = replace(grant, issuer=exchange.route.issuer(grant.tenant_id, 2))
        more["id_token"] = exchange.backend.issuer.issue_id_token(of_version_2, user)
    if exchange.form.get("client_info") == "1":
        # MSAL identifies the user in its cache by this.
        info = {"uid": user.object_id, "utid": user.tenant_id}
        more["client_info"] = encode(json.dumps(info).encode())
    return exchange.succeed(grant, **more)


def _permissions(application: Application, scope: UserScope) -> tuple[str, ...]:
    """Return the names of the granted permissions."""
    consented, resource = application.consented_scopes, scope.resource.lower()
    if consented is None:
        # The usual permission of Graph, and of any other resource.
        return scope.names or (("User.Read",) if resource == GRAPH else ("user_impersonation",))
    known = {
        name.lower(): name
        for of, _, name in (full.rpartition("/") for full in sorted(consented))
        if of.rstrip("/").lower() == resource
    }
    if not known or not all(name.lower() in known for name in scope.names):
        raise refuse(65001, suberror="consent_required", client_id=application.client_id)
    return tuple(known[name.lower()] for name in scope.names) or tuple(known.values())


def _check_demand(exchange: Exchange, resource: str, signed_in: SignIn) -> None:
    demand = exchange.backend.sessions.demand_of(resource)
    if demand is None or exchange.backend.issuer.answers(signed_in.uti, demand.challenge):
        return
    raise refuse(demand.code, suberror="basic_action", claims=demand.challenge.claims, resource=resource)
