"""Certificates that the tests of the commands share: a key takes longer to make than a command to run."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer
from tests.certificates import making

GRAPH = "https://graph.microsoft.com"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A served local Entra with an application, and the variables with which a command signs in to it.

    :ivar server: the local Entra.
    :ivar application: the application, which has one app role.
    :ivar environment: azure-identity's variables, and the certificate authority.
    """

    server: EntraServer
    application: Application
    environment: dict[str, str] = field(repr=False)

    @property
    def entra(self) -> EntraEmulator:
        """The emulator behind the server."""
        return self.server.emulator


@pytest.fixture(scope="session")
def certificate() -> ClientCertificate:
    """The certificate that is registered; valid since yesterday, for servers whose clock is behind."""
    key = making.rsa_key()
    leaf = making.self_signed("certvar test", key, begins=making.NOW - DAY, ends=making.NOW + 90 * DAY)
    return ClientCertificate(leaf, key)


@pytest.fixture(scope="session")
def another() -> ClientCertificate:
    """A certificate that is registered nowhere."""
    return ClientCertificate.self_signed("another", days=90)


def pfx(certificate: ClientCertificate, password: str | None = None) -> str:
    """Return a certificate as ``certvar new`` prints it."""
    return base64.b64encode(certificate.to_pfx(password)).decode("ascii")


@pytest.fixture
def signed_up(certificate: ClientCertificate) -> Iterator[SignedUp]:
    """A fresh local Entra whose application has the certificate."""
    entra = EntraEmulator()
    application = entra.add_application(certificate.public_der(), roles=["User.Read.All"])
    with entra.serve() as server:
        environment = {
            "AZURE_TENANT_ID": application.tenant_id,
            "AZURE_CLIENT_ID": application.client_id,
            "AZURE_AUTHORITY_HOST": server.authority,
            "AZURE_CLIENT_CERTIFICATE": pfx(certificate),
            "SSL_CERT_FILE": server.ca_file,
        }
        yield SignedUp(server, application, environment)
        entra.release()
