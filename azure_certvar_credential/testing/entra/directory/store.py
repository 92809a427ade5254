"""The directory's contents, in memory."""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass, field

from azure_certvar_credential.testing.entra.directory.model import Application, Tenant, User
from azure_certvar_credential.testing.entra.directory.resources import Resource, make_resource

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+")


@dataclass(slots=True)
class Directory:
    """The tenants, applications, users and resources; thread-safe.

    :param known_resources: the identifiers of the resources, in lower case; None for all.
    """

    known_resources: frozenset[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _tenants: dict[str, Tenant] = field(default_factory=dict)
    _applications: dict[str, Application] = field(default_factory=dict)
    _users: dict[str, User] = field(default_factory=dict)
    _resource_versions: dict[str, int] = field(default_factory=dict)

    def add_tenant(self, tenant: Tenant) -> None:
        """Add a tenant under its id and its domains.

        :raises ValueError: one of these names is already in use.
        """
        names = [name.lower() for name in (tenant.tenant_id, *tenant.domains)]
        with self._lock:
            taken = [name for name in names if name in self._tenants]
            if taken:
                raise ValueError(f"a tenant already has the name {', '.join(taken)}")
            self._tenants.update(dict.fromkeys(names, tenant))

    def tenant(self, name: str) -> Tenant | None:
        """Find a tenant by its id or one of its domains."""
        return self._tenants.get(name.lower())

    def tenants(self) -> tuple[Tenant, ...]:
        """All tenants."""
        with self._lock:
            return tuple(dict.fromkeys(self._tenants.values()))

    def add_application(self, application: Application) -> None:
        """Add an application.

        :raises ValueError: its client id is already in use.
        """
        with self._lock:
            if application.client_id.lower() in self._applications:
                raise ValueError(f"an application already has the client id {application.client_id}")
            self._applications[application.client_id.lower()] = application

    def application(self, client_id: str) -> Application | None:
        """Find an application by its client id."""
        return self._applications.get(client_id.lower())

    def applications(self) -> tuple[Application, ...]:
        """All applications."""
        with self._lock:
            return tuple(self._applications.values())

    def application_called(self, name: str) -> Application | None:
        """Find the application with the identifier ``name``, its client id or one of its App ID URIs."""
        return next((application for application in self.applications() if application.is_called(name)), None)

    def set_resource(self, resource: str, version: int) -> None:
        """Add a resource, or change the version of its tokens."""
        with self._lock:
            self._resource_versions[resource.rstrip("/").lower()] = version

    def resource(self, identifier: str) -> Resource | None:
        """Find a resource by its identifier."""
        identifier = identifier.rstrip("/")
        name = identifier.lower()
        version = self._resource_versions.get(name)
        application = self.application_called(identifier)
        if application is not None:
            return make_resource(identifier, client_id=application.client_id, version=version)
        if version is None and self.known_resources is not None and name not in self.known_resources:
            return None
        return make_resource(identifier, version=version)

    def add_user(self, user: User) -> None:
        """Add a user.

        :raises ValueError: the user principal name is already in use.
        """
        with self._lock:
            if any(user.user_principal_name.lower() == u.user_principal_name.lower() for u in self._users.values()):
                raise ValueError(f"a user already has the name {user.user_principal_name}")
            self._users[user.object_id] = user

    def user(self, object_id: str) -> User | None:
        """Find a user by object id."""
        return self._users.get(object_id.lower())

    def user_called(self, name: str) -> User | None:
        """Find a user by user principal name."""
        wanted = name.lower()
        with self._lock:
            return next((user for user in self._users.values() if user.user_principal_name.lower() == wanted), None)


def is_tenant_name(name: str) -> bool:
    """Return whether ``name`` can name a tenant: whether it is a GUID or a DNS name."""
    try:
        uuid.UUID(name)
    except ValueError:
        return _DNS_NAME.fullmatch(name) is not None
    return True
