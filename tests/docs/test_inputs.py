"""Every row of the README's tables of inputs leads to a token."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.credentials import TokenCredential
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

import azure_certvar_credential
from azure_certvar_credential import CertVarCredential, ClientCertificate, RedisTokenCache, SQLiteTokenCache
from azure_certvar_credential.exceptions import CertificateFormatError
from azure_certvar_credential.keyvault import KeyVaultCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, KeyVaultEmulator
from tests.docs.tables import GUIDES, code, extras, rows
from tests.real.softhsm import ORDERS, PIN, SoftHsm, certificate_for, signer_of

SCOPE = "https://graph.microsoft.com/.default"
INPUTS, PLACES, CACHES = "## Which input do I have?", "## Key Vault and HSM", "## Sharing tokens"
CI = GUIDES / "ci.md"
OTHER_CLOUDS = rows("## Other clouds and other servers", GUIDES / "servers.md")


def readable(row: list[str]) -> str:
    return re.sub(r"\W+", " ", row[0]).strip()


class LocalCredential(CertVarCredential):
    """Signs in to the local Entra."""

    entra: EntraEmulator

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"transport": self.entra.transport(), **options})


@pytest.fixture(scope="module")
def made() -> ClientCertificate:
    return ClientCertificate.self_signed("readme")


@pytest.fixture
def entra() -> EntraEmulator:
    return EntraEmulator()


@pytest.fixture
def application(entra: EntraEmulator, made: ClientCertificate) -> Application:
    return entra.add_application(made)


@pytest.fixture
def names(
    entra: EntraEmulator, application: Application, made: ClientCertificate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """What the code in the tables speaks of; every password in it is a dot of omission."""
    password = "…"
    pfx = made.to_pfx(password)
    loaded = pkcs12.load_pkcs12(pfx, password.encode())
    assert loaded.key is not None
    unprotected = base64.b64encode(made.to_pfx(None)).decode()
    for name in ("APP_CERT", "AZURE_CLIENT_CERTIFICATE"):
        monkeypatch.setenv(name, unprotected)
    monkeypatch.setenv("AZURE_TENANT_ID", application.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", application.client_id)
    monkeypatch.setattr(LocalCredential, "entra", entra, raising=False)
    secret = KeyVaultSecret(SecretProperties(content_type="application/x-pkcs12"), unprotected)
    vault = KeyVaultEmulator(entra)
    vault.add_certificate("app", made)
    local = LocalCredential(application.tenant_id, application.client_id, made)
    yield {
        **{name: getattr(azure_certvar_credential, name) for name in azure_certvar_credential.__all__},
        "CertVarCredential": LocalCredential,
        "KeyVaultCertificate": partial(KeyVaultCertificate, transport=vault.transport()),
        "tenant_id": application.tenant_id,
        "client_id": application.client_id,
        "pem": made.to_pem(),
        "encrypted_pem": made.to_pem(password),
        "pfx_bytes": pfx,
        "json_text": json.dumps({"contentType": "application/x-pkcs12", "value": unprotected}),
        "certificate_der": made.public_der(),
        "key_der": loaded.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "leaf": made.leaf,
        "key": loaded.key,
        "others": [],
        "loaded": loaded,
        "secret_client": SimpleNamespace(get_secret=lambda _: secret),
        "sign": made.signer.sign,
        "vault_url": vault.vault_url,
        "vault_credential": local,
        "os": os,
    }
    local.close()


def assert_signed_in(entra: EntraEmulator, certificate: ClientCertificate) -> None:
    """Assert that the last token request was answered, and signed with this certificate."""
    assert entra.requests[-1].status == 200
    assert (entra.requests[-1].assertion_header or {})["x5t#S256"] == certificate.x5t_s256


@pytest.mark.parametrize("row", rows(INPUTS), ids=readable)
def test_each_input_leads_to_a_token(
    row: list[str], names: dict[str, Any], made: ClientCertificate, entra: EntraEmulator
) -> None:
    expression = code(row[1])[0].replace("[…]", "others")
    if "encrypted" in row[0]:
        expression = expression.replace("pem", "encrypted_pem")

    value = eval(expression, names)  # noqa: S307 - the README's own

    if row[0] == "nothing yet":
        made, application = value, entra.add_application(value.public_der())
        value = LocalCredential(application.tenant_id, application.client_id, value.to_pfx(None))
    assert isinstance(value, LocalCredential)
    with value:
        assert value.get_token(SCOPE).token
    assert_signed_in(entra, made)


@pytest.mark.parametrize("row", [row for row in rows(PLACES) if "Pkcs11" not in row[1]], ids=readable)
def test_each_place_leads_to_a_token(
    row: list[str], names: dict[str, Any], made: ClientCertificate, entra: EntraEmulator
) -> None:
    readable_end, writable_end = os.pipe()
    os.write(writable_end, made.to_pem().encode())
    os.close(writable_end)
    try:
        value = eval(code(row[1])[0].replace("(0)", f"({readable_end})"), names)  # noqa: S307 - the README's own
        with LocalCredential(names["tenant_id"], names["client_id"], value) as credential:
            assert credential.get_token(SCOPE).token
    finally:
        os.close(readable_end)
    assert_signed_in(entra, made)


def test_a_key_in_an_hsm_leads_to_a_token(softhsm: SoftHsm, names: dict[str, Any], entra: EntraEmulator) -> None:
    [row] = [row for row in rows(PLACES) if "Pkcs11" in row[1]]
    with signer_of(softhsm, key_label="app") as signer:
        leaf: x509.Certificate = certificate_for(signer.public_key)
    application = entra.add_application(leaf)
    expression = code(row[1])[0]
    for name, value in {"token_label": ORDERS, "key_label": "app", "pin": PIN}.items():
        expression = expression.replace(f"{name}=…", f"{name}={value!r}")

    certificate = eval(expression, {**names, "leaf": leaf, "module": softhsm.module})  # noqa: S307 - the README's own

    with LocalCredential(application.tenant_id, application.client_id, certificate) as credential:
        assert credential.get_token(SCOPE).token
    assert_signed_in(entra, certificate)


def test_the_extras_of_the_places_are_among_the_extras() -> None:
    assert {extra for row in rows(PLACES) for extra in code(row[2])} <= set(extras())


@pytest.mark.parametrize(
    "row", rows("Text that lost its line breaks on the way is recognised all the same:", CI), ids=readable
)
def test_text_that_a_ci_system_changed_is_recognised(row: list[str], made: ClientCertificate) -> None:
    text = eval(code(row[1])[0], {"pem": made.to_pem(), "base64": base64})  # noqa: S307 - the guide's own

    assert ClientCertificate.load(text).thumbprint == made.thumbprint


def test_the_first_line_alone_is_refused(made: ClientCertificate) -> None:
    with pytest.raises(CertificateFormatError, match="cut off"):
        ClientCertificate.load(made.to_pem().splitlines()[0])


@pytest.mark.parametrize("row", OTHER_CLOUDS, ids=readable)
def test_each_authority_of_the_guide_is_taken(row: list[str], names: dict[str, Any]) -> None:
    arguments = [text for text in code(row[1]) if "=" in text]
    given: dict[str, Any] = eval(f"dict({', '.join(arguments)})", names)  # noqa: S307 - the guide's own
    assert given

    tenant_id = given.pop("tenant_id", "contoso.onmicrosoft.com")
    LocalCredential(tenant_id, names["client_id"], names["pem"], **given)


@pytest.mark.parametrize("row", rows("# Agents", GUIDES / "agents.md"), ids=readable)
def test_an_agents_first_token_takes_as_many_requests_as_the_guide_says(
    row: list[str], made: ClientCertificate, entra: EntraEmulator, application: Application
) -> None:
    identity = entra.add_agent_identity(application)
    user_token = entra.issue_user_token(entra.add_user("Alex Wilber"), application)
    account = entra.add_user("Sales Agent", agent=identity)
    blueprint = CertVarCredential(application.tenant_id, application.client_id, made, transport=entra.transport())
    with blueprint:
        agent = blueprint.agent(identity.client_id)
        acting: dict[str, TokenCredential] = {
            "the agent": agent,
            "the agent for a signed-in user": agent.on_behalf_of(user_token),
            "the agent's user account": agent.user(object_id=account.object_id),
        }
        assert acting[row[0]].get_token(SCOPE).token

    assert len(entra.requests) == int(row[1])


def test_each_cache_is_taken() -> None:
    names = {"SQLiteTokenCache": SQLiteTokenCache, "RedisTokenCache": RedisTokenCache}
    given = [eval(f"dict({text})", names) for row in rows(CACHES) for text in code(row[1])]  # noqa: S307 - the README's

    assert [type(each["token_cache"]) for each in given] == [SQLiteTokenCache, RedisTokenCache]
