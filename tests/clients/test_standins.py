"""The stand-ins refuse what the services refuse: without that, the clients' tests would show nothing."""

from __future__ import annotations

import ssl
import time
from typing import Any, Final

import httpx
import jwt
import pytest
from azure.core.credentials import AccessToken
from cryptography.hazmat.primitives.asymmetric import rsa

from azure_certvar_credential import CertVarCredential
from tests.clients.broker import Broker
from tests.clients.resource import Answer, Resource
from tests.clients.scene import Scene

AUDIENCE: Final = "https://search.azure.com"


@pytest.fixture
def token(scene: Scene) -> str:
    with CertVarCredential(**scene.arguments) as credential:
        return credential.get_token(f"{AUDIENCE}/.default").token


def _forged(token: str, **changes: Any) -> str:
    """The same claims under the same key id, signed with another key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    key = rsa.generate_private_key(65537, 2048)
    return jwt.encode(claims | changes, key, "RS256", headers={"kid": jwt.get_unverified_header(token)["kid"]})


def _status(resource: Resource, ca_file: str, authorization: str | None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    trust = ssl.create_default_context(cafile=ca_file)
    return httpx.get(f"{resource.url}/", headers=headers, verify=trust).status_code


def test_the_resource_takes_a_token_for_its_audience_and_no_other(scene: Scene, resource: Resource, token: str) -> None:
    resource.play(AUDIENCE, Answer("GET /"))
    assert _status(resource, scene.ca_file, f"Bearer {token}") == 200
    resource.play("https://eventgrid.azure.net", Answer("GET /"))
    assert _status(resource, scene.ca_file, f"Bearer {token}") == 401


def test_the_resource_refuses_a_forged_token_and_none_at_all(scene: Scene, resource: Resource, token: str) -> None:
    resource.play(AUDIENCE, Answer("GET /"))
    for authorization in (None, f"Basic {token}", f"Bearer {_forged(token)}", f"Bearer {token[:-4]}AAAA"):
        assert _status(resource, scene.ca_file, authorization) == 401
    assert not resource.asked


class _Holder:
    """A credential that has one token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)


def test_the_broker_refuses_a_token_for_another_resource_and_a_forged_one(
    scene: Scene, broker: Broker, token: str
) -> None:
    from azure.servicebus import ServiceBusClient, ServiceBusMessage, TransportType
    from azure.servicebus.exceptions import ServiceBusError

    for refused in (token, _forged(token, aud="https://servicebus.azure.net")):
        with (
            ServiceBusClient(
                "contoso.servicebus.windows.net",
                _Holder(refused),
                custom_endpoint_address=broker.endpoint,
                transport_type=TransportType.Amqp,
                connection_verify=scene.ca_file,
                retry_total=0,
            ) as client,
            pytest.raises(ServiceBusError),
            client.get_queue_sender("refused") as sender,
        ):
            sender.send_messages(ServiceBusMessage("an order"))

    refusals = [event["refused"] for event in broker.events if "refused" in event]
    assert refusals == [f"audience {AUDIENCE}", "wrong signature"]
