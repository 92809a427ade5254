"""The settings of a credential: checked once, frozen, and shared by the sync and async shells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure_certvar_credential._core import region as regions
from azure_certvar_credential._core import tenant as tenants
from azure_certvar_credential._core.authority import DEFAULT_ALGORITHM, DEFAULT_HOST, Authority
from azure_certvar_credential._core.authority_url import parse_authority, parse_issuer
from azure_certvar_credential._core.request import TokenRequest, UserAssertion, token_request
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError, TenantNotAllowedError
from azure_certvar_credential.signers.algorithms import algorithm_named
from azure_certvar_credential.signers.keys import curve_of

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate

# Not a row of characters as long as a line of base64: that would be a key, and be sent to the server.
_CLIENT_ID = re.compile(r"(?!.*[A-Za-z0-9+/=]{64})[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request that may succeed later is sent again, in azure-core's terms.

    :ivar total: retries altogether.
    :ivar status: retries after an answer that says "later".
    :ivar read: retries after a connection that broke once the request was sent.
    :ivar backoff_factor: seconds; doubled each time in exponential mode.
    :ivar backoff_max: the longest pause in seconds.
    :ivar exponential: whether pauses grow.
    """

    total: int = 3
    status: int = 3
    read: int = 3
    backoff_factor: float = 0.8
    backoff_max: float = 120.0
    exponential: bool = True

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait before a retry; ``attempt`` counts from 1, and the first retry is immediate."""
        if attempt <= 1:
            return 0.0
        growth = float(2 ** min(attempt - 1, 16)) if self.exponential else 1.0
        return min(self.backoff_max, self.backoff_factor * growth)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a credential was told, checked.

    :ivar tenant_id: the credential's own tenant, lower case.
    :ivar client_id: the application's id.
    :ivar authority: the authorization server.
    :ivar algorithm: the JWS ``alg`` of its assertions.
    :ivar send_certificate_chain: whether assertions carry ``x5c``.
    :ivar additionally_allowed_tenants: other tenants that ``get_token`` may name; ``*`` for all.
    :ivar retry: how failures that may pass are retried.
    :ivar federated: the client assertion comes from an assertion source, and there is no certificate.
    :ivar region: the Azure region whose endpoint is asked, :data:`.region.AUTO`, or None for the global endpoint.
    """

    tenant_id: str
    client_id: str
    authority: Authority
    algorithm: str
    send_certificate_chain: bool
    additionally_allowed_tenants: frozenset[str]
    retry: Retry
    federated: bool = False
    region: str | None = None

    def request(
        self,
        scopes: tuple[str, ...],
        *,
        claims: str | None,
        tenant_id: str | None,
        enable_cae: bool,
        fmi_path: str | None = None,
        user: UserAssertion | None = None,
    ) -> TokenRequest:
        """Check the arguments of a ``get_token`` and settle the tenant.

        :raises ConfigurationError: as :func:`.request.token_request` and :func:`.tenant.resolve_tenant` say.
        """
        tenant = tenants.resolve_tenant(tenant_id, default=self.tenant_id, allowed=self.additionally_allowed_tenants)
        if tenant != self.tenant_id and self.authority.kind == "oidc":
            raise TenantNotAllowedError(
                f"a token of tenant {redact_value(tenant)} was asked for, and the OpenID provider "
                f"{redact_value(self.authority.base)} has one token endpoint; make another credential, with "
                f"that tenant's "
                "oidc_authority"
            )
        return token_request(
            scopes, tenant_id=tenant, enable_cae=enable_cae, claims=claims, fmi_path=fmi_path, user=user
        )


def settings(
    tenant_id: str,
    client_id: str,
    *,
    algorithm: str | None,
    send_certificate_chain: bool,
    authority: str | None,
    additionally_allowed_tenants: Iterable[str],
    disable_instance_discovery: bool,
    retry: Retry,
    environment: Mapping[str, str],
    federated: bool = False,
    region: str | None = None,
    oidc_authority: str | None = None,
) -> Settings:
    """Check a constructor's arguments, which :class:`~azure_certvar_credential.CertVarCredential` documents.

    :param environment: the process's environment variables; ``AZURE_AUTHORITY_HOST`` is the default authority,
        ``AZURE_REGIONAL_AUTHORITY_NAME`` the default region.
    :param federated: the client assertion comes from an assertion source, and there is no certificate.
    :param region: the Azure region whose token endpoint is asked, such as ``westeurope``, or ``auto`` for the one that
        the process runs in.
    :param oidc_authority: the issuer of an OpenID provider, instead of ``authority``; its metadata document names the
        token endpoint.
    :raises ConfigurationError: an argument that cannot work, naming it and what to write instead.
    """
    check_flags(send_certificate_chain=send_certificate_chain, disable_instance_discovery=disable_instance_discovery)
    tenant = tenants.parse_tenant(tenant_id)
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise ConfigurationError(
            f"client_id must be the 'Application (client) ID' of the app registration, not {redact_value(client_id)}"
        )
    if isinstance(additionally_allowed_tenants, (str, bytes)) or not isinstance(
        additionally_allowed_tenants or (), Iterable
    ):
        raise ConfigurationError(
            "additionally_allowed_tenants is a list: write ['*'] or [tenant_id], "
            f"not a value of type {type(additionally_allowed_tenants).__name__}"
        )
    allowed = frozenset(
        name if name == tenants.ANY_TENANT else tenants.parse_tenant(name)
        for name in additionally_allowed_tenants or ()
    )
    for name in allowed or {tenant}:
        tenants.refuse_user_tenant(name)
    server = _authority(
        authority, oidc_authority, tenant, trust_unknown_host=bool(disable_instance_discovery), environment=environment
    )
    chosen = algorithm or server.rules.algorithm
    algorithm_named(chosen)
    check_choice(server, chosen)
    return Settings(
        tenant,
        client_id,
        server,
        chosen,
        bool(send_certificate_chain),
        allowed,
        retry,
        federated,
        regions.choose(region, server, environment),
    )


def _authority(
    authority: str | None,
    oidc_authority: str | None,
    tenant_id: str,
    *,
    trust_unknown_host: bool,
    environment: Mapping[str, str],
) -> Authority:
    if oidc_authority is None:
        return parse_authority(
            authority or environment.get("AZURE_AUTHORITY_HOST") or DEFAULT_HOST,
            tenant_id=tenant_id,
            trust_unknown_host=trust_unknown_host,
        )
    if authority:
        raise ConfigurationError(
            "authority and oidc_authority exclude each other: give authority for a sign-in host of Microsoft's or an "
            "ADFS server, oidc_authority for any other OpenID provider"
        )
    return parse_issuer(oidc_authority, tenant_id=tenant_id)


def check_flags(**flags: object) -> None:
    """Check options that are True or False: a text, as environment variables are, is true whatever it says.

    :param flags: each option by its name; None stands for its default.
    :raises ConfigurationError: one is neither; the message names it.
    """
    for name, flag in flags.items():
        if not isinstance(flag, (bool, type(None))):
            raise ConfigurationError(f"{name} must be True or False, not {redact_value(flag)}")


def check_choice(server: Authority, algorithm: str) -> None:
    """Check that an authority verifies an algorithm.

    :raises ConfigurationError: it verifies another one only.
    """
    rules = server.rules
    if algorithm != rules.algorithm and not rules.choice:
        raise ConfigurationError(f"{rules.title} verifies {rules.algorithm} only, not {algorithm}: leave algorithm out")


def check_key(certificate: ClientCertificate, algorithm: str) -> None:
    """Check that a certificate's key can sign under the algorithm.

    :raises ConfigurationError: it cannot; the message names an algorithm that the key fits.
    """
    row = algorithm_named(algorithm)
    if row.key_type != certificate.key_type:
        remedy = (
            "use an RSA certificate: Entra refuses ES algorithms, which other servers take with algorithm='ES256'"
            if certificate.key_type == "EC"
            else f"leave algorithm out for {DEFAULT_ALGORITHM}"
        )
        raise ConfigurationError(
            f"algorithm {algorithm} needs an {row.key_type} key, and the certificate's key is "
            f"{certificate.key_type}-{certificate.key_size}; {remedy}"
        )
    curve = curve_of(certificate.signer.public_key)
    if row.curve != curve:
        raise ConfigurationError(f"algorithm {algorithm} needs a key on {row.curve} (RFC 7518), not on {curve}")
