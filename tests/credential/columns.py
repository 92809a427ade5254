"""Every credential over one local Entra: the columns of the table of promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, Fault
from azure_certvar_credential.testing.entra.directory.model import User
from azure_certvar_credential.testing.http import respond
from tests.credential.test_frames import PASSWORD, pieces
from tests.credential.test_secrets import JWT
from tests.credential.users import ORDERS, user_token
from tests.credential.world import STORAGE, Clock, Driver, Kind, World
from tests.msal.world import MsalWorld, use_clock
from tests.reporters import reported

Family = Literal["certificate", "msal", "federated", "user", "agent", "agent user"]
FAMILIES: tuple[Family, ...] = ("certificate", "msal", "federated", "user", "agent", "agent user")


@dataclass(frozen=True)
class Column:
    """A credential.

    :ivar family: what it proves its identity with, and for whom it acts.
    """

    family: Family
    kind: Kind

    def __str__(self) -> str:
        return f"{self.family}-{self.kind}"


COLUMNS = [Column(family, kind) for family in FAMILIES for kind in ("sync", "aio")]


@dataclass
class Scene:
    """A credential's world, and what happened in it.

    :ivar patch: for environment variables.
    :ivar log: for log records.
    :ivar assertions: those that the source of a federated credential has returned.
    :ivar users: the tokens of users, by name.
    :ivar agent: an agent identity below the world's application, and its user; None until it is needed.
    """

    column: Column
    world: World
    patch: pytest.MonkeyPatch
    log: pytest.LogCaptureFixture
    assertions: list[str] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    agent: tuple[Application, User] | None = None

    @property
    def scope(self) -> str:
        """A scope that the credential may ask for."""
        return ORDERS if self.column.family == "user" else STORAGE

    def driver(self, certificate: Any = None, **options: Any) -> Driver:
        """Return a new credential; a federated one does not take the certificate, and its source signs instead."""
        match self.column.family:
            case "federated":
                return self.world.driver(self._source(), federated=True, **options)
            case "user":
                return self.world.driver(certificate, **options).for_user(self.user())
            case "agent" | "agent user":
                return self._agent(self.world.driver(certificate, **options))
        return self.world.driver(certificate, **options)

    @property
    def legs(self) -> int:
        """How many requests come before those for users: the blueprint's token for an agent."""
        return 1 if self.column.family == "agent" else 0

    def acting(self) -> Driver:
        """Return a new credential that may act for users."""
        return self.driver() if self.column.family == "agent" else self.world.driver()

    def user(self, name: str = "Adele Vance", **options: Any) -> str:
        """Return a user's token."""
        if name not in self.users:
            self.users[name] = user_token(self.world, name, **options)
        return self.users[name]

    @property
    def with_password(self) -> dict[str, Any]:
        """The arguments with which a credential loads an encrypted key; none for one that has no key."""
        if self.column.family == "federated":
            return {}
        return {"certificate": self.world.certificate.to_pem(PASSWORD), "password": PASSWORD}

    @property
    def secrets(self) -> list[str]:
        """What may be shown nowhere: pieces of the key, the password, and every assertion and user's token so far."""
        sent = [request.assertion for request in self.world.entra.requests if request.assertion]
        return [*pieces(self.world.certificate), *sent, *self.assertions, *self.users.values()]

    def _agent(self, blueprint: Driver) -> Driver:
        """Return the credential of the world's one agent, or of its user."""
        entra, application = self.world.entra, self.world.application
        if self.agent is None:
            agent = entra.add_agent_identity(application)
            self.agent = agent, entra.add_user("Sales Agent", agent=agent)
        agent, user = self.agent
        credential = blueprint.credential.agent(agent.client_id)
        return Driver(credential.user(object_id=user.object_id) if self.column.family == "agent user" else credential)

    def _source(self) -> Callable[[], str]:
        application = self.world.application
        signer = CertVarCredential(application.tenant_id, application.client_id, self.world.certificate)

        def source() -> str:
            self.assertions.append(signer.client_assertion())
            return self.assertions[-1]

        return source


def scene(
    column: Column, certificate: ClientCertificate, patch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> Scene:
    """Return a world in which the local Entra knows one application with one certificate."""
    clock = Clock()
    use_clock(patch, clock)
    entra = EntraEmulator(clock=clock)
    make = MsalWorld if column.family == "msal" else World
    world = make(column.kind, clock, entra, certificate, entra.add_application(certificate))
    return Scene(column, world, patch, log)


def answering(status: int, body: bytes, **headers: str) -> Fault:
    """Return a fault with the given answer."""
    return Fault(f"HTTP {status}", lambda _, conditions: respond(conditions, status, body, headers=headers))


async def failure_of(scene: Scene, **options: Any) -> Exception | None:
    """Return what a new credential raises when it is made or asked for a token; None for a token."""
    try:
        await scene.driver(**{"retry_total": 0, **options}).get_token(scene.scope)
    except Exception as error:  # noqa: BLE001 - the checks look at whatever it is
        return error
    return None


def assert_shows_no_secret(scene: Scene, error: Exception | None, *more: str) -> None:
    """Fail if a secret is in an error, or in a log record so far."""
    texts = [scene.log.text, *(repr(vars(record)) for record in scene.log.records)]
    if error is not None:
        texts.append(reported(error))
    text = "\n".join(texts)
    for secret in [*scene.secrets, *more]:
        assert secret not in text
    assert not JWT.search(text)
