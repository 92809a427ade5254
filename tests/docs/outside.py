"""The world outside as the documentation names it, on loopback: the sign-in, Graph, a vault.

A snippet says ``CertVarCredential(tenant_id, client_id, …)`` and nothing of a test's transport or authority. So it runs
in a process of its own (``play.py``) whose name resolution sends Microsoft's hosts here, and whose trusted certificate
authority is ours; the sockets, the TLS and every client library are real.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

import trustme

from azure_certvar_credential.testing import EntraEmulator, KeyVaultEmulator
from azure_certvar_credential.testing import Request as EmulatorRequest
from tests.real.servers.graph import GraphServer
from tests.real.servers.https import HttpsServer, Request, Response

LOGIN_HOST = "login.microsoftonline.com"
GRAPH_HOST = "graph.microsoft.com"
VAULT_HOST = "contoso.vault.azure.net"
# An API that takes the tokens of users: the emulator's protected resource.
ORDERS_HOST = "orders.contoso.example"


class Outside:
    """Serves an emulator, a Graph and a vault that take its tokens, under Microsoft's host names while it is open.

    :param emulator: the local Entra.
    :param authority: issues the TLS certificate.
    :ivar vault: the local Key Vault.
    :ivar hosts: the port on 127.0.0.1 of each host name; there is none before it is open.
    """

    def __init__(self, emulator: EntraEmulator, authority: trustme.CA) -> None:
        self._emulator = emulator
        self.vault = KeyVaultEmulator(emulator, name=VAULT_HOST.partition(".")[0])
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(LOGIN_HOST, GRAPH_HOST, VAULT_HOST, ORDERS_HOST).configure_cert(self._tls)
        self._servers = ExitStack()
        self.hosts: dict[str, int] = {}

    def __enter__(self) -> Outside:
        with ExitStack() as servers:
            login = servers.enter_context(HttpsServer(self._tls, asking(self._emulator)))
            vault = servers.enter_context(HttpsServer(self._tls, asking(self.vault)))
            # The same emulator under a name that this process can resolve, for Graph to fetch its keys from.
            entra = servers.enter_context(self._emulator.serve())
            graph = servers.enter_context(
                GraphServer(
                    self._tls,
                    jwks_uri=f"{entra.url}/common/discovery/v2.0/keys",
                    jwks_trust=ssl.create_default_context(cafile=entra.ca_file),
                )
            )
            self._servers = servers.pop_all()
        self.hosts = {
            LOGIN_HOST: login.port,
            GRAPH_HOST: graph.port,
            VAULT_HOST: vault.port,
            ORDERS_HOST: login.port,
        }
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._servers.close()


def asking(emulator: EntraEmulator | KeyVaultEmulator) -> Callable[[Request], Response]:
    """Return what answers a server's requests out of an emulator."""

    def answer(request: Request) -> Response:
        url = f"https://{request.headers['host']}{request.target}"
        response = emulator.handle(EmulatorRequest(request.method, url, request.headers, request.body))
        headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
        return Response(response.status, headers, response.body)

    return answer
