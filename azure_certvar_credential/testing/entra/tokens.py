"""Issues access tokens, app-only and delegated, in both of Entra's versions, and ID tokens.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import jwt

from azure_certvar_credential.testing.entra.claims import Challenge, parse_claims_request, wants_cae
from azure_certvar_credential.testing.entra.directory.model import Application, User
from azure_certvar_credential.testing.entra.directory.resources import Resource, check_version, make_resource
from azure_certvar_credential.testing.entra.routes import entra_issuer
from azure_certvar_credential.testing.jose import encode
from azure_certvar_credential.testing.signing import signing_key

_MAX_ISSUED = 10_000

PUBLIC_CLIENT: Literal["0"] = "0"
CERTIFICATE_CLIENT: Literal["2"] = "2"
FRONT_END = "5e5a7f0e-0000-4000-8000-00000f207e9d"
"""The client id of the front end that users sign in to. It is fictitious and not in the directory."""


# Those of an agent that acts by itself, https://learn.microsoft.com/entra/agent-id/identity-platform/agent-token-claims;
# the values for its users are unpublished.
_AGENT_CLAIMS = {"xms_act_fct": "3 9 11", "xms_sub_fct": "9 3 11", "xms_tnt_fct": "3 9", "xms_idrel": "7 10"}


@dataclass(frozen=True, slots=True)
class Delegation:
    """The user and the permissions of a delegated token.

    :ivar user: the user.
    :ivar scopes: the names of the permissions, without the resource.
    :ivar methods: how the user signed in; the values of ``amr``.
    """

    user: User
    scopes: tuple[str, ...]
    methods: tuple[str, ...] = ("pwd",)


@dataclass(frozen=True, slots=True)
class Grant:
    """The contents of a token.

    :ivar issuer: the value of ``iss``.
    :ivar tenant_id: the tenant that issues the token.
    :ivar client_id: the client that requests the token.
    :ivar resource: the resource.
    :ivar now: seconds since the epoch.
    :ivar lifetime: seconds.
    :ivar requested: the ``access_token`` member of the request's ``claims`` parameter.
    :ivar object_id: the client's service principal; unused in a delegated token.
    :ivar subject: the value of ``sub``; None for the object id.
    :ivar roles: the application roles of an app-only token.
    :ivar delegation: the user and the permissions, or None for an app-only token.
    :ivar blueprint: the client id of an agent identity's blueprint; None for any other client.
    :ivar method: the client authentication: ``0`` for none, ``2`` for a certificate.
    """

    issuer: str
    tenant_id: str
    client_id: str
    resource: Resource
    now: float
    lifetime: float
    requested: Mapping[str, object]
    object_id: str = ""
    subject: str | None = None
    roles: tuple[str, ...] = ()
    delegation: Delegation | None = None
    blueprint: str | None = None
    method: Literal["0", "2"] = CERTIFICATE_CLIENT


@dataclass(frozen=True, slots=True)
class UserToken:
    """The access token with which a front end calls a middle tier; see ``EntraEmulator.issue_user_token``."""

    user: User
    application: Application
    scopes: tuple[str, ...]
    lifetime: float
    version: int
    claims: str | None
    authority: str

    def grant(self, now: float) -> Grant:
        """Return the contents of the token.

        :param now: seconds since the epoch.
        :raises ValueError: there is no scope, the version is unknown, or ``claims`` is not a claims request.
        """
        if not self.scopes:
            raise ValueError("a user's token needs at least one scope")
        check_version(self.version)
        client_id, app_id_uri, *more = self.application.identifiers
        requested = {} if self.claims is None else parse_claims_request(self.claims)
        tenant_id = self.user.tenant_id
        return Grant(
            entra_issuer(self.authority.rstrip("/"), tenant_id, self.version),
            tenant_id,
            FRONT_END,
            make_resource(more[0] if more else app_id_uri, client_id=client_id, version=self.version),
            now,
            self.lifetime,
            requested,
            # Most challenges ask the user for a second factor.
            delegation=Delegation(self.user, self.scopes, ("pwd", "mfa") if requested else ("pwd",)),
            method=PUBLIC_CLIENT,
        )


class TokenIssuer:
    """Issues tokens, and remembers the claims request of each; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._issued: OrderedDict[str, tuple[int, Mapping[str, object]]] = OrderedDict()
        self._count = 0

    @property
    def count(self) -> int:
        """The number of tokens issued so far."""
        return self._count

    def issue(self, grant: Grant) -> str:
        """Issue an access token, a JWT signed with RS256."""
        uti = encode(secrets.token_bytes(16))
        with self._lock:
            self._count += 1
            self._issued[uti] = (self._count, grant.requested)
            if len(self._issued) > _MAX_ISSUED:
                self._issued.popitem(last=False)
        return _sign(_access_claims(grant, uti), version=grant.resource.version)

    def issue_id_token(self, grant: Grant, user: User) -> str:
        """Issue the ID token of an access token (OpenID Connect Core section 2).

        :param grant: the access token's contents; the ID token's audience is the client.
        :param user: the user.
        """
        claims = _times(grant) | {
            "aud": grant.client_id,
            "iss": grant.issuer,
            "name": user.name,
            "oid": user.object_id,
            "preferred_username": user.user_principal_name,
            "sub": pairwise_subject(user, grant.client_id),
            "tid": grant.tenant_id,
            "uti": encode(secrets.token_bytes(16)),
            "ver": "2.0",
        }
        return _sign(claims, version=2)

    def answers(self, uti: object, challenge: Challenge) -> bool:
        """Return whether a token was issued in answer to a claims challenge.

        :param uti: the token's ``uti``.
        :param challenge: the challenge.
        """
        with self._lock:
            number, requested = self._issued.get(str(uti), (0, {}))
        return number > challenge.since and all(
            requested.get(name) == value for name, value in challenge.requested.items()
        )


def pairwise_subject(user: User, client_id: str) -> str:
    """The ``sub`` of a user, which differs for each application (OpenID Connect Core section 8.1)."""
    return encode(hashlib.sha256(f"{user.object_id} {client_id}".encode()).digest())


def _sign(claims: Mapping[str, object], *, version: int) -> str:
    key = signing_key()
    return jwt.encode(
        dict(claims),
        key.private_key,
        algorithm="RS256",
        headers={"kid": key.key_id, **({"x5t": key.key_id} if version == 1 else {})},
    )


def _times(grant: Grant) -> dict[str, object]:
    issued = int(grant.now)
    return {"iat": issued, "nbf": issued, "exp": int(grant.now + grant.lifetime)}


def _access_claims(grant: Grant, uti: str) -> dict[str, object]:
    version_1 = grant.resource.version == 1
    claims = _times(grant) | {"aud": grant.resource.audience, "iss": grant.issuer, "tid": grant.tenant_id, "uti": uti}
    if version_1:
        claims |= {"appid": grant.client_id, "appidacr": grant.method, "ver": "1.0"}
    else:
        claims |= {"azp": grant.client_id, "azpacr": grant.method, "ver": "2.0"}
    if grant.delegation is None:
        claims |= {"oid": grant.object_id, "sub": grant.subject or grant.object_id}
        if version_1:
            claims["idp"] = grant.issuer
        if grant.roles:
            claims["roles"] = list(grant.roles)
    else:
        claims |= _user_claims(grant.delegation, grant.resource)
    if grant.resource.idtyp:
        claims["idtyp"] = "user" if grant.delegation else "app"
    if grant.blueprint is not None:
        claims |= _AGENT_CLAIMS | {"xms_par_app_azp": grant.blueprint}
    if wants_cae(grant.requested):
        claims["xms_cc"] = ["CP1"]
    return claims


def _user_claims(delegation: Delegation, resource: Resource) -> dict[str, object]:
    user = delegation.user
    claims: dict[str, object] = {
        "name": user.name,
        "oid": user.object_id,
        "scp": " ".join(delegation.scopes),
        "sub": pairwise_subject(user, resource.client_id),
    }
    if resource.version == 2:
        return claims | {"preferred_username": user.user_principal_name}
    return claims | {
        "acr": "1",
        "amr": list(delegation.methods),
        "unique_name": user.user_principal_name,
        "upn": user.user_principal_name,
    }
