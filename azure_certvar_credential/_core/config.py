"""The settings of a credential: checked once, frozen, and shared by the sync and async shells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from azure_certvar_credential._core import tenant as tenants
from azure_certvar_credential._core.authority import DEFAULT_HOST, KNOWN_HOSTS, REGION_VARIABLE, Authority
from azure_certvar_credential._core.checks import check_flags, refuse_quotes
from azure_certvar_credential._core.client_authentication import ClientAuthentication
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.grants.client_credentials import APPLICATION
from azure_certvar_credential._core.options import CredentialOptions
from azure_certvar_credential._core.request import TokenRequest, token_request
from azure_certvar_credential._core.retries import Retry
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import ConfigurationError, TenantNotAllowedError

if TYPE_CHECKING:
    from azure_certvar_credential._core.sharing_options import Sharing

_LONGEST_CLIENT_ID = 256
# The length of a line of base64 (RFC 7468 section 2): it would be a key, and would be sent to the server.
_KEY_LINE = 64


class Settings(Value):
    """A credential's checked settings.

    :ivar tenant_id: the credential's own tenant, lower case.
    :ivar client_id: the application's id.
    :ivar authority: the authorization server.
    :ivar client_authentication: how the application proves its identity.
    :ivar additionally_allowed_tenants: other tenants that ``get_token`` may name; ``*`` for all.
    :ivar retry: how failures that may pass are retried.
    :ivar region: the Azure region whose endpoint is asked, :data:`.authority.AUTO_REGION`, or None for none.
    :ivar single_tenant: whether ``get_token`` ignores its ``tenant_id``.
    :ivar client_claims: claims that requests ask for unless ``get_token`` names others, as JSON text; or None.
    :ivar sharing: how tokens are shared with other processes; None if they are not.
    """

    tenant_id: str
    client_id: str
    authority: Authority
    client_authentication: ClientAuthentication
    additionally_allowed_tenants: frozenset[str]
    retry: Retry
    region: str | None = None
    single_tenant: bool = False
    sharing: Sharing | None = None
    client_claims: str | None = None

    def sharing_for(self, grant: Grant) -> Sharing | None:
        """Return how tokens of a grant are shared with other processes; None if they are not."""
        sharing = self.sharing
        if sharing is None or not grant.cacheable or (grant.for_user and not sharing.user_tokens):
            return None
        return sharing

    def authentication_of(self, request: TokenRequest) -> ClientAuthentication:
        """Return how the client of a request proves its identity: the application's way, or by tokens of it."""
        grants = request.grant.earlier_legs
        if not grants:
            return self.client_authentication
        # For agent identities alone.
        from azure_certvar_credential._core.client_authentication.earlier_legs import EarlierLegs

        return EarlierLegs(request.tenant_id, grants)

    def request(
        self,
        scopes: tuple[str, ...],
        *,
        claims: str | None,
        tenant_id: str | None,
        enable_cae: bool,
        grant: Grant = APPLICATION,
        client_claims: object = None,
    ) -> TokenRequest:
        """Check the arguments of a ``get_token`` and settle the tenant.

        :param client_claims: in the place of the credential's own; None for those.
        :raises ConfigurationError: as :func:`.request.token_request`, :func:`.tenant.resolve_tenant` and
            :func:`.client_claims.client_claims` say.
        """
        tenant = tenants.resolve_tenant(
            tenant_id,
            default=self.tenant_id,
            allowed=self.additionally_allowed_tenants,
            fixed=self.single_tenant,
        )
        if tenant != self.tenant_id and self.authority.kind == "oidc":
            raise TenantNotAllowedError(
                f"get_token was asked for tenant {redact_value(tenant)}, and the OpenID provider "
                f"{redact_value(self.authority.base)} has one token endpoint: make another credential with that "
                "tenant's oidc_authority"
            )
        return token_request(
            scopes,
            tenant_id=tenant,
            enable_cae=enable_cae,
            claims=claims,
            grant=grant,
            client_claims=self.client_claims if client_claims is None else _client_claims(client_claims),
        )


def settings(options: CredentialOptions, *, retry: Retry, environment: Mapping[str, str]) -> Settings:
    """Check a constructor's arguments, which :class:`~azure_certvar_credential.CertVarCredential` documents.

    :param options: the arguments.
    :param retry: how failures that may pass are retried.
    :param environment: the process's environment variables; ``AZURE_AUTHORITY_HOST`` is the default authority,
        ``AZURE_REGIONAL_AUTHORITY_NAME`` the default region, and ``AZURE_IDENTITY_DISABLE_MULTITENANTAUTH`` restricts
        the credential to its own tenant.
    :raises ConfigurationError: an argument cannot work; the message names it and says what to write instead.
    """
    check_flags(disable_instance_discovery=options.disable_instance_discovery)
    tenant = tenants.parse_tenant(options.tenant_id)
    client_id = options.client_id
    refuse_quotes("client_id", client_id)
    is_text = isinstance(client_id, str) and client_id.isascii() and client_id.isprintable() and " " not in client_id
    # Most are GUIDs, too short for a key.
    is_key = is_text and len(client_id) >= _KEY_LINE and re.search(rf"[A-Za-z0-9+/=]{{{_KEY_LINE}}}", client_id)
    if not is_text or not 0 < len(client_id) <= _LONGEST_CLIENT_ID or is_key:
        raise ConfigurationError(
            f"client_id must be the 'Application (client) ID' of the app registration, not {redact_value(client_id)}"
        )
    others = options.additionally_allowed_tenants or ()
    if isinstance(others, (str, bytes)) or not isinstance(others, Iterable):
        raise ConfigurationError(
            "additionally_allowed_tenants must be a list, such as ['*'] or [tenant_id], "
            f"not a value of type {type(others).__name__}"
        )
    allowed = frozenset(name if name == tenants.ANY_TENANT else tenants.parse_tenant(name) for name in others)
    for name in allowed or {tenant}:
        tenants.refuse_user_tenant(name)
    server = _authority(options, tenant, environment)
    region = options.region
    if region is not None or environment.get(REGION_VARIABLE):
        # Few applications may have one.
        from azure_certvar_credential._core.region import choose

        region = choose(region, server, environment)
    return Settings(
        tenant,
        client_id,
        server,
        options.client_authentication(server),
        allowed,
        retry,
        region,
        single_tenant=bool(environment.get(tenants.SINGLE_TENANT_VARIABLE)),
        sharing=options.sharing(),
        client_claims=None if options.claims is None else _client_claims(options.claims, "claims"),
    )


def _client_claims(given: object, name: str = "client_claims") -> str:
    # For those who ask for claims alone.
    from azure_certvar_credential._core.client_claims import client_claims

    return client_claims(given, name)


def _authority(options: CredentialOptions, tenant_id: str, environment: Mapping[str, str]) -> Authority:
    name = options.authority or environment.get("AZURE_AUTHORITY_HOST") or DEFAULT_HOST
    if options.oidc_authority is None and isinstance(name, str) and name in KNOWN_HOSTS and tenant_id != tenants.ADFS:
        return Authority(f"https://{name}", "entra")
    # Any other takes more to read.
    from azure_certvar_credential._core.authority_url import parse_authority, parse_issuer

    if options.oidc_authority is None:
        return parse_authority(name, tenant_id=tenant_id, trusted_kinds=options.trusted_kinds())
    if options.authority:
        raise ConfigurationError(
            "authority and oidc_authority exclude each other: pass authority for one of Microsoft's sign-in hosts or "
            "an ADFS server, oidc_authority for any other OpenID provider"
        )
    return parse_issuer(options.oidc_authority, tenant_id=tenant_id)
