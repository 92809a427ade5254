"""What an administrator does to the local Entra: tenants, applications, users, resources and policies."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence

from azure_certvar_credential.testing.credentials import CertificateLike
from azure_certvar_credential.testing.entra.claims import write_claims
from azure_certvar_credential.testing.entra.directory.model import Application, Tenant, User
from azure_certvar_credential.testing.entra.directory.resources import check_version
from azure_certvar_credential.testing.entra.grants.exchange import Backend
from azure_certvar_credential.testing.entra.grants.sessions import make_demand
from azure_certvar_credential.testing.entra.tokens import UserToken


class Administration:
    """The administrator's methods of ``EntraEmulator``.

    :ivar tenant: the first tenant.
    """

    tenant: Tenant
    _backend: Backend
    _clock: Callable[[], float]

    def add_tenant(self, tenant_id: str | None = None, *, domains: Sequence[str] = ()) -> Tenant:
        """Add a tenant.

        >>> fabrikam = entra.add_tenant(domains=["fabrikam.com"])

        :param tenant_id: its GUID; None to generate one.
        :param domains: its verified domains, which clients may use in place of the GUID.
        :raises ValueError: the id is not a GUID, or a name is already in use.
        """
        tenant = Tenant(str(uuid.UUID(tenant_id) if tenant_id else uuid.uuid4()), tuple(domains))
        self._backend.directory.add_tenant(tenant)
        return tenant

    def add_application(
        self,
        *certificates: CertificateLike,
        tenant: Tenant | None = None,
        client_id: str | None = None,
        roles: Sequence[str] = (),
        allowed_resources: Iterable[str] | None = None,
        trusted_issuers: Iterable[tuple[str, CertificateLike]] = (),
        identifier_uris: Sequence[str] = (),
        delegated_scopes: Iterable[str] | None = None,
    ) -> Application:
        """Register an application.

        >>> application = entra.add_application(certificate, roles=["Orders.Read"])

        :param certificates: PEM as text or bytes, DER, an ``x509.Certificate``, or an object with ``public_der()``.
        :param tenant: its home tenant; None for the first one.
        :param client_id: its application id, a GUID; None to generate one.
        :param roles: the application roles that its tokens carry.
        :param allowed_resources: the resources it may request tokens for; AADSTS501051 refuses others. None for all.
        :param trusted_issuers: subject name and issuer rules: pairs of a common or DNS name and the certificate of an
            authority. A certificate with that name from that authority is trusted without being registered.
        :param identifier_uris: its App ID URIs, in addition to ``api://<client id>``.
        :param delegated_scopes: the permissions that users have consented to, such as
            ``https://graph.microsoft.com/Mail.Read``; AADSTS65001 refuses others. None for all.
        :raises ValueError: the client id is not a GUID or already in use, or a certificate is not valid.
        """
        application = Application(
            str(uuid.UUID(client_id) if client_id else uuid.uuid4()),
            (tenant or self.tenant).tenant_id,
            roles=roles,
            allowed_resources=allowed_resources,
            trusted_issuers=trusted_issuers,
            identifier_uris=identifier_uris,
            delegated_scopes=delegated_scopes,
        )
        for certificate in certificates:
            application.register(certificate)
        self._backend.directory.add_application(application)
        return application

    def add_agent_identity(self, blueprint: Application, *, tenant: Tenant | None = None) -> Application:
        """Add an agent identity, whose assertions are its blueprint's tokens with its client id as ``fmi_path``.

        >>> agent = entra.add_agent_identity(application)

        :param blueprint: the application with the certificate; from now on it gets tokens for the exchange only.
        :param tenant: its tenant; None for the blueprint's.
        """
        made = Application(str(uuid.uuid4()), (tenant or blueprint).tenant_id, blueprint=blueprint)
        self._backend.directory.add_application(made)
        return made

    def add_user(
        self, name: str = "Adele Vance", *, tenant: Tenant | None = None, agent: Application | None = None
    ) -> User:
        """Add a user; the user principal name combines the name and the tenant's first domain.

        >>> user = entra.add_user("Adele Vance")

        :param name: the display name.
        :param tenant: the user's tenant; None for the first one.
        :param agent: the agent identity whose user account it is; None for a person.
        :raises ValueError: the user principal name is already in use.
        """
        tenant = tenant or self.tenant
        upn = f"{'.'.join(name.lower().split())}@{next(iter(tenant.domains), f'{tenant.tenant_id}.onmicrosoft.com')}"
        user = User(str(uuid.uuid4()), tenant.tenant_id, upn, name, agent.client_id if agent else "")
        self._backend.directory.add_user(user)
        return user

    def issue_user_token(
        self,
        user: User,
        application: Application,
        *,
        scopes: Sequence[str] = ("access_as_user",),
        lifetime: float = 3599,
        version: int = 2,
        claims: str | None = None,
        authority: str = "https://login.microsoftonline.com",
    ) -> str:
        """Issue the access token with which a front end calls a middle tier for a user.

        >>> user_token = entra.issue_user_token(entra.add_user(), application)
        >>> token = credential.on_behalf_of(user_token).get_token("https://graph.microsoft.com/User.Read")

        :param user: the user.
        :param application: the middle tier, the token's audience.
        :param scopes: the token's permissions at the middle tier, without the resource; at least one.
        :param lifetime: seconds; a negative lifetime makes an expired token.
        :param version: the token version, 1 or 2: ``requestedAccessTokenVersion`` in the middle tier's registration.
        :param claims: the claims challenge that the user has met, a JSON string; see :meth:`require_step_up`.
        :param authority: scheme and host of a version 2 token's issuer, such as ``EntraServer.authority``.
        :raises ValueError: ``scopes`` is empty, the version is unknown, or ``claims`` is not a claims request.
        """
        token = UserToken(user, application, tuple(scopes), lifetime, version, claims, authority)
        return self._backend.issuer.issue(token.grant(self._clock()))

    def require_step_up(self, resource: str, *, code: int = 50076, claims: str | None = None) -> str:
        """Refuse users' tokens for a resource until the user has met a claims challenge.

        >>> claims = entra.require_step_up("https://graph.microsoft.com")

        :param resource: its identifier, such as ``api://protected``.
        :param code: 50076 (use multi-factor authentication) or 50079 (register for it).
        :param claims: the claims request, JSON; None for that of a Conditional Access policy.
        :returns: the claims request, as in the error; pass it to :meth:`issue_user_token`.
        :raises ValueError: the claims request is not JSON or is empty, or the code is another.
        """
        claims = write_claims("capolids", values=(str(uuid.uuid4()),)) if claims is None else claims
        self._backend.sessions.demand(resource, make_demand(code, claims, self._backend.issuer.count))
        return claims

    def lift_step_up(self, resource: str) -> None:
        """Undo :meth:`require_step_up`.

        >>> entra.lift_step_up("https://graph.microsoft.com")
        """
        self._backend.sessions.demand(resource, None)

    def revoke_refresh_tokens(self, user: User | None = None) -> int:
        """Revoke the refresh tokens issued so far, and return how many; AADSTS50173 refuses them.

        >>> entra.revoke_refresh_tokens()
        0

        :param user: the user whose tokens to revoke; None for all users.
        """
        return self._backend.sessions.revoke(user, self._clock())

    def add_resource(self, resource: str, *, token_version: int = 1) -> None:
        """Add a resource, or change the version of its tokens.

        >>> entra.add_resource("api://orders", token_version=2)

        :param resource: its identifier, such as ``api://orders``.
        :param token_version: 1 or 2: ``requestedAccessTokenVersion`` in its registration.
        :raises ValueError: the version is another.
        """
        check_version(token_version)
        self._backend.directory.set_resource(resource, token_version)
