"""A certificate is named by its place: a vault, and a token on which the key stays; each with its real client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import KeyVaultEmulator, KeyVaultServer
from tests.cli.commands.conftest import GRAPH, SignedUp
from tests.cli.commands.kit import certvar
from tests.real.softhsm import PIN, SoftHsm


@dataclass(frozen=True, slots=True)
class Vault:
    """A served vault, and the variables by which azure-identity and a command sign in.

    :ivar server: the vault.
    :ivar environment: the variables; azure-identity reads the certificate of the vault's reader from a file.
    """

    server: KeyVaultServer
    environment: dict[str, str]

    @property
    def emulator(self) -> KeyVaultEmulator:
        """The emulator behind the server."""
        return self.server.emulator

    def name(self, certificate: str) -> str:
        """Return the name of a certificate in it."""
        return f"keyvault:{self.server.url}/certificates/{certificate}"


@pytest.fixture
def vault(signed_up: SignedUp, certificate: ClientCertificate, tmp_path: Path) -> Iterator[Vault]:
    reader = tmp_path / "reader.pem"
    reader.write_text(certificate.to_pem())
    with KeyVaultEmulator(signed_up.entra).serve() as server:
        authorities = tmp_path / "authorities.pem"
        authorities.write_bytes(signed_up.server.ca_pem + server.ca_pem)
        yield Vault(
            server,
            {
                **signed_up.environment,
                "AZURE_CLIENT_CERTIFICATE": "",
                "AZURE_CLIENT_CERTIFICATE_PATH": str(reader),
                "SSL_CERT_FILE": "",
                "REQUESTS_CA_BUNDLE": str(authorities),
            },
        )


def test_a_certificate_in_a_vault_is_inspected_and_signs_in(
    vault: Vault, signed_up: SignedUp, another: ClientCertificate
) -> None:
    application = signed_up.entra.add_application(another.public_der())
    vault.emulator.add_certificate("app", another, exportable=False)

    shown = certvar("inspect", "--json", "-c", vault.name("app"), **vault.environment)
    token = certvar(
        *("token", "--json", "--scope", f"{GRAPH}/.default", "-c", vault.name("app")),
        *("--client", application.client_id),
        **vault.environment,
    )

    assert (shown.json["thumbprint"], shown.json["private_key"]) == (another.thumbprint, "KeyVaultSigner")
    assert token.json["client"] == application.client_id
    assert "keys/sign" in {request.permission for request in vault.emulator.requests}


def test_a_new_certificate_goes_straight_into_the_vault(vault: Vault) -> None:
    made = certvar("new", "made here", "--key", "RSA-2048", "--to", vault.name("made"), **vault.environment)
    shown = certvar("inspect", "--json", "-c", vault.name("made"), **vault.environment)

    assert (made.code, made.out) == (0, ""), made.err
    assert f"imported into {vault.name('made')}" in " ".join(made.err.split())
    assert shown.json["subject"] == "CN=made here"
    assert {request.permission for request in vault.emulator.requests} >= {"certificates/import"}


def test_a_certificate_that_the_vault_lacks_is_a_failure(vault: Vault) -> None:
    ran = certvar("inspect", "--json", "-c", vault.name("nothing"), **vault.environment)

    assert ran.code == 1
    assert ran.json["error"]["kind"] == "KeyVaultNotFoundError"


def test_a_key_on_a_token_signs_and_its_certificate_comes_from_there(softhsm: SoftHsm) -> None:
    uri = f"pkcs11:token=orders;object=certified?module-path={softhsm.module}"

    shown = certvar("inspect", "--json", "-c", uri, "--password", "env:PIN", PIN=PIN)
    made = certvar(
        *("assertion", "--json", "-c", uri, "--password", "env:PIN", "--algorithm", "ES256"),
        *("--tenant", "contoso.example", "--client", "app", "--authority", "https://localhost:1"),
        PIN=PIN,
    )

    assert shown.json["private_key"] == "Pkcs11Signer"
    assert shown.json["subject"] == "CN=certified"
    assert (made.code, made.json["header"]["alg"]) == (0, "ES256")
    assert PIN not in shown.out + made.out + made.err


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("pkcs11:token=orders;object=app", "MissingCertificateError"),
        ("pkcs11:token=orders;object=none", "MissingPrivateKeyError"),
        ("pkcs11:token=orders;id=%09", "UnsupportedKeyError"),
        ("pkcs11:token=nowhere;object=app", "ConfigurationError"),
    ],
)
def test_what_a_token_lacks_is_named(softhsm: SoftHsm, uri: str, kind: str) -> None:
    ran = certvar("inspect", "--json", "-c", f"{uri}?module-path={softhsm.module}", "--password", "env:PIN", PIN=PIN)

    assert ran.code == (2 if kind == "ConfigurationError" else 1)
    assert ran.json["error"]["kind"] == kind


def test_a_wrong_pin_is_not_repeated(softhsm: SoftHsm) -> None:
    uri = f"pkcs11:token=orders;object=certified?module-path={softhsm.module}"

    ran = certvar("inspect", "-c", uri, "--password", "env:PIN", PIN="9999")

    assert ran.code == 1
    assert "9999" not in ran.err
