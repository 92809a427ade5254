"""What the tests of the servers of ``certvar`` share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer
from tests.cli.servers.programs import Server, environment, pfx_of, sign_in_of


@dataclass(frozen=True)
class Registered:
    """An application with its certificate at a local Entra over TLS.

    :ivar variables: the environment by which ``certvar`` signs in as it, the certificate as a PFX among them.
    """

    entra: EntraEmulator
    server: EntraServer
    application: Application
    certificate: ClientCertificate
    variables: dict[str, str]


@pytest.fixture
def registered(entra: EntraEmulator, entra_server: EntraServer) -> Registered:
    certificate = ClientCertificate.self_signed("app")
    application = entra.add_application(certificate)
    variables = environment(**sign_in_of(application, entra_server), **pfx_of(certificate))
    return Registered(entra, entra_server, application, certificate, variables)


@pytest.fixture(scope="module")
def emulating() -> Iterator[Server]:
    """A running ``certvar emulator`` with a Key Vault."""
    with Server(["emulator", "--key-vault", "--env"], environment()) as server:
        yield server
