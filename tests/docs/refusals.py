"""Brings the stand-ins of ``samples/local`` tokens that they must refuse, and prints what the clients make of that.

Run as a program with ``samples`` among its import paths; each line is ``stand-in: what happened``.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from typing import Any

import psycopg
import redis
import requests
from azure.core.credentials import AccessToken
from azure.servicebus import ServiceBusClient, ServiceBusMessage, TransportType
from redis.backoff import NoBackoff
from redis.retry import Retry

import local
from azure_certvar_credential import CertVarCredential
from local.sql_driver import connect

GRAPH = "https://graph.microsoft.com"


class Holding:
    """A credential with one token."""

    def __init__(self, token: str) -> None:
        self.token = AccessToken(token, int(time.time()) + 3600)

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return self.token


def ask_graph(token: str) -> object:
    return requests.get(f"{GRAPH}/v1.0/users", headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code


def ask_postgres(token: str) -> object:
    return psycopg.connect(password=token)


def ask_redis(token: str) -> object:
    host, port = os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"])
    trusted = os.environ["SSL_CERT_FILE"]
    once = Retry(NoBackoff(), 0)
    user: dict[str, Any] = {"username": "someone", "password": token} if token else {}
    return redis.Redis(host=host, port=port, ssl=True, ssl_ca_certs=trusted, retry=once, **user).get("greeting")


def ask_service_bus(token: str) -> object:
    with (
        ServiceBusClient(
            os.environ["SERVICE_BUS"],
            Holding(token),
            transport_type=TransportType.Amqp,
            custom_endpoint_address=os.environ["SERVICE_BUS_ENDPOINT"],
            connection_verify=os.environ["SSL_CERT_FILE"],
            retry_total=0,
        ) as client,
        client.get_queue_sender("orders") as sender,
    ):
        sender.send_messages(ServiceBusMessage("order"))
    return "sent"


def ask_sql(token: str) -> object:
    octets = token.encode("utf-16-le")
    return connect("", attrs_before={1256: struct.pack("<i", len(octets)) + octets})


def tell(name: str, ask: Callable[[], object]) -> None:
    try:
        print(f"{name}: {ask()}")
    except Exception as error:  # noqa: BLE001 - which one it is, is what the test reads
        print(f"{name}: {type(error).__name__}")


def main() -> None:
    local.start("postgres", "redis_gate", "amqp_broker", "sql_driver")
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names) as credential:
        other = credential.get_token("https://vault.azure.net/.default").token
        right = credential.get_token(f"{GRAPH}/.default").token
    forged = right.rpartition(".")[0] + "." + other.rpartition(".")[2]
    tell("graph, right token", lambda: ask_graph(right))
    for kind, token in {"other audience": other, "forged": forged}.items():
        for name, ask in {
            "graph": ask_graph,
            "postgres": ask_postgres,
            "redis": ask_redis,
            "service bus": ask_service_bus,
            "sql": ask_sql,
        }.items():
            tell(f"{name}, {kind}", lambda ask=ask, token=token: ask(token))  # type: ignore[misc] # both are bound here
    tell("redis, no token", lambda: ask_redis(""))
    tell("elsewhere", lambda: requests.get("https://www.contoso.example", timeout=30))


if __name__ == "__main__":
    main()
