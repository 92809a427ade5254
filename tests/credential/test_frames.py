"""What an error reporter shows of the frames behind an error: no key, no password, no assertion, no token.

Reporters such as Sentry take the variables of every frame, so a constructor that refuses a misspelt option would
otherwise send the private key that was its argument.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from azure_certvar_credential import (
    CertVarCredential,
    ClientCertificate,
    DescriptorCertificate,
    EnvironmentCertificate,
    FederatedCredential,
)
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.aio import FederatedCredential as AsyncFederatedCredential
from azure_certvar_credential.exceptions import CertificateSourceError
from azure_certvar_credential.msal import MsalCertVarCredential, client_credential
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.users import ORDERS, user_token
from tests.credential.world import STORAGE, World
from tests.reporters import assert_reports_none_of, reported

TENANT, CLIENT = "contoso.onmicrosoft.com", "11111111-2222-3333-4444-555555555555"
PASSWORD = "correct horse battery"


def pieces(certificate: ClientCertificate) -> list[str]:
    """Lines of the private key's PEM, as text and as they stand in a PFX's octets, and the password."""
    pem = certificate.to_pem().splitlines()
    key = pem[pem.index("-----BEGIN PRIVATE KEY-----") + 1 : pem.index("-----END PRIVATE KEY-----")]
    octets = base64.b64decode("".join(key)).decode("latin-1")
    return [PASSWORD, *key[1:-1], octets[200:232], octets[600:632]]


BAD_OPTIONS: dict[str, dict[str, Any]] = {
    "a misspelt option": {"retry_totl": 1},
    "a bad tenant": {"tenant_id": "no tenant!"},
    "an authority without TLS": {"authority": "http://login.microsoftonline.com"},
    "an option of the wrong type": {"proxies": 5},
    "an algorithm for another key": {"algorithm": "ES256"},
    "no algorithm at all": {"algorithm": "HS256"},
}
FORMS: dict[str, Callable[[ClientCertificate], tuple[Any, str | None]]] = {
    "PEM": lambda certificate: (certificate.to_pem(), None),
    "encrypted PEM": lambda certificate: (certificate.to_pem(PASSWORD), PASSWORD),
    "PFX": lambda certificate: (certificate.to_pfx(PASSWORD), PASSWORD),
    "base64": lambda certificate: (base64.b64encode(certificate.to_pem().encode()).decode(), None),
}
KINDS = {"sync": CertVarCredential, "aio": AsyncCertVarCredential, "msal": MsalCertVarCredential}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", BAD_OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_constructor_that_refuses_an_option_shows_no_key(
    kind: str, options: str, form: str, certificate: ClientCertificate
) -> None:
    data, password = FORMS[form](certificate)
    arguments = {"tenant_id": TENANT, "client_id": CLIENT, **BAD_OPTIONS[options]}

    with pytest.raises(ValueError, match=r".") as caught:
        KINDS[kind](certificate=data, password=password, **arguments)

    assert "credentials.py" in reported(caught.value) or "options.py" in reported(caught.value)
    assert_reports_none_of(caught.value, pieces(certificate))


def _environment(monkeypatch: pytest.MonkeyPatch, data: str) -> EnvironmentCertificate:
    monkeypatch.setenv("APP_CERT", data)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE", data)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    return EnvironmentCertificate("APP_CERT")


def _without_an_end(certificate: ClientCertificate) -> str:
    """PEM that is cut off in the middle of its second block, so that most of the key is still there."""
    return certificate.to_pem().replace("-----END", "-----ED", 1)


DAMAGED: dict[str, Callable[[ClientCertificate], Any]] = {
    "cut off": _without_an_end,
    "a key that fits no certificate": lambda certificate: (
        certificate.to_pem().partition("-----BEGIN CERTIFICATE")[0]
        + ClientCertificate.self_signed("other").to_pem().partition("-----END PRIVATE KEY-----\n")[2]
    ),
    "a key twice wrapped, then damaged": lambda certificate: base64.b64encode(
        _without_an_end(certificate).encode()
    ).decode(),
    "PFX that is cut off": lambda certificate: certificate.to_pfx(None)[:-40],
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize(
    "way", ["constructor", "load", "environment", "from_environment", "descriptor", "client_credential"]
)
def test_a_certificate_that_cannot_be_used_is_not_shown(
    way: str, damage: str, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DAMAGED[damage](certificate)
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    source = _environment(monkeypatch, text)
    readable, writable = os.pipe()
    os.write(writable, text.encode())
    os.close(writable)
    ways: dict[str, Callable[[], object]] = {
        "constructor": lambda: CertVarCredential(TENANT, CLIENT, data, password=PASSWORD),
        "load": lambda: ClientCertificate.load(data, PASSWORD),
        "environment": source,
        "from_environment": CertVarCredential.from_environment,
        "descriptor": DescriptorCertificate(readable),
        "client_credential": lambda: client_credential(data, client_id=CLIENT),
    }

    with pytest.raises(ValueError, match=r".") as caught:
        ways[way]()
    os.close(readable)

    assert_reports_none_of(caught.value, pieces(certificate))


async def test_a_source_that_returns_something_unusable_is_not_shown(
    world: World, certificate: ClientCertificate
) -> None:
    driver = world.driver(lambda: _without_an_end(certificate))

    with pytest.raises(ValueError, match="PEM block") as caught:
        await driver.get_token(STORAGE)

    assert_reports_none_of(caught.value, pieces(certificate))


async def test_a_source_whose_error_quotes_the_key_is_told_without_it(
    world: World, certificate: ClientCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    pem = certificate.to_pem()
    answers: list[Any] = [certificate, ValueError(f"cannot parse {pem}"), ValueError(f"cannot parse {pem}")]

    def source() -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    driver = world.driver(source)
    await driver.get_token(STORAGE)
    world.clock.advance(3700)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert "ValueError: cannot parse [PEM removed]" in caplog.text
    assert not any(piece in caplog.text for piece in pieces(certificate))

    with pytest.raises(CertificateSourceError, match="failed with ValueError: cannot parse") as caught:
        await world.driver(source).get_token(STORAGE)
    assert caught.value.__cause__ is None
    assert_reports_none_of(caught.value, pieces(certificate))


async def test_a_source_whose_error_is_harmless_is_its_cause(world: World) -> None:
    def source() -> Any:
        raise LookupError("no such secret: app")

    with pytest.raises(CertificateSourceError, match="LookupError: no such secret: app") as caught:
        await world.driver(source).get_token(STORAGE)

    assert isinstance(caught.value.__cause__, LookupError)
    # The place is still told, though its variables are not.
    assert "in source" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("given", ["Bearer {}", "{}\n", "bytes"])
@pytest.mark.parametrize("form", ["value", "callable"])
async def test_a_users_token_that_is_refused_at_once_is_not_shown(world: World, given: str, form: str) -> None:
    token = user_token(world)
    value: Any = token.encode() if given == "bytes" else given.format(token)

    with pytest.raises(Exception, match="user_assertion") as caught:
        await world.driver().for_user(value if form == "value" else lambda: value).get_token(ORDERS)

    assert_reports_none_of(caught.value, token.split("."))


@pytest.mark.parametrize("kind", [FederatedCredential, AsyncFederatedCredential])
def test_an_assertion_in_the_place_of_its_source_is_not_shown(kind: Any, certificate: ClientCertificate) -> None:
    token = CertVarCredential(TENANT, CLIENT, certificate).client_assertion("https://idp.example/token")

    with pytest.raises(ValueError, match="assertion_source") as caught:
        kind(TENANT, CLIENT, token)

    assert_reports_none_of(caught.value, token.split("."))


def test_a_credential_that_could_not_be_made_can_still_be_shown() -> None:
    """A subclass's own frame holds it, and reporters call repr."""

    class Mine(CertVarCredential):
        def __init__(self) -> None:
            super().__init__(TENANT, CLIENT, "hello")

    with pytest.raises(ValueError, match=r".") as caught:
        Mine()

    assert "could not be made" in "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )


async def test_asyncios_debug_mode_logs_no_key(
    certificate: ClientCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0
    caplog.set_level(logging.DEBUG)
    credential = AsyncCertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate.to_pem,
        transport=entra.async_transport(),
    )

    await credential.get_token(STORAGE)

    loop.set_debug(False)
    assert "Executing" in caplog.text
    # asyncio shortens to thirty characters, of which the first is a quotation mark.
    assert "-----BEGIN P" not in caplog.text
