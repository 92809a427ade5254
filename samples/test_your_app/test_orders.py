"""Tests of the application; the fixtures ``entra`` and ``entra_server`` come with azure-certvar-credential[testing]."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer, Fault
from orders import Orders


@pytest.fixture
def application(entra: EntraEmulator, monkeypatch: pytest.MonkeyPatch) -> Application:
    certificate = ClientCertificate.self_signed("orders")
    registered = entra.add_application(certificate)
    monkeypatch.setenv("AZURE_TENANT_ID", registered.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", registered.client_id)
    monkeypatch.setenv("APP_CERT", certificate.to_pem())
    return registered


@pytest.fixture
def orders(application: Application, entra_server: EntraServer) -> Iterator[Orders]:
    trust = {"connection_verify": entra_server.ca_file, "disable_instance_discovery": True}
    opened = Orders(entra_server.url, authority=entra_server.authority, **trust)
    yield opened
    opened.close()


def test_the_api_sees_the_application(orders: Orders, application: Application) -> None:
    assert orders.fetch()["appid"] == application.client_id


def test_two_calls_take_one_token(orders: Orders, entra: EntraEmulator) -> None:
    orders.fetch()
    orders.fetch()

    assert [request.status for request in entra.requests] == [200]


def test_a_busy_entra_delays_and_fails_nothing(orders: Orders, entra: EntraEmulator) -> None:
    entra.inject(Fault.server_error(503))

    assert orders.fetch()
    assert [request.status for request in entra.requests] == [503, 200]


def test_a_certificate_that_nobody_registered_is_named(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = ClientCertificate.self_signed("stranger")
    monkeypatch.setenv("APP_CERT", stranger.to_pem())

    with pytest.raises(AuthenticationError, match="AADSTS700027") as caught:
        orders.fetch()

    assert stranger.thumbprint in str(caught.value)
