"""A Graph, the Entra whose tokens it takes, and Graph's own client between them: where ``test_graph.py`` plays."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import httpx
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.graph_request_adapter import options as graph_options
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]  # it has no annotations

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer
from tests.real.servers.graph import GraphServer

SCOPE: Final = "https://graph.microsoft.com/.default"
MANY: Final = 200

Credential: TypeAlias = CertVarCredential | AsyncCertVarCredential


@dataclass
class ServerClock:
    """The local Entra's clock: a minute behind, within what it forgives, so that it can be put forward without waiting.

    Times in tokens are whole seconds; a token that is to be newer than another needs another second.
    """

    offset: float = -60

    def __call__(self) -> float:
        return time.time() + self.offset


@dataclass
class Scene:
    """A Graph and the Entra whose tokens it takes, both on loopback TLS.

    :ivar asked: the keyword arguments of every call of ``get_token``, in order.
    :ivar got: what each returned.
    """

    clock: ServerClock
    entra: EntraEmulator
    server: EntraServer
    application: Application
    certificate: ClientCertificate
    graph: GraphServer
    trust: ssl.SSLContext
    asked: list[dict[str, Any]] = field(default_factory=list)
    got: list[object] = field(default_factory=list)

    @asynccontextmanager
    async def credential(self, kind: str, **options: Any) -> AsyncIterator[Credential]:
        """A credential whose answers to Graph's client are noted."""
        asked, got = self.asked, self.got
        arguments = (self.application.tenant_id, self.application.client_id, self.certificate.to_pem())
        options = {
            "authority": self.server.authority,
            "disable_instance_discovery": True,
            "connection_verify": self.server.ca_file,
            **options,
        }

        class Noted(CertVarCredential):
            def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
                asked.append({"scopes": scopes, **kwargs})
                token = super().get_token(*scopes, **kwargs)
                got.append(token)
                return token

        class AsyncNoted(AsyncCertVarCredential):
            async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
                asked.append({"scopes": scopes, **kwargs})
                token = await super().get_token(*scopes, **kwargs)
                got.append(token)
                return token

        if kind == "sync":
            with Noted(*arguments, **options) as credential:
                yield credential
        else:
            async with AsyncNoted(*arguments, **options) as asynchronous:
                yield asynchronous

    @asynccontextmanager
    async def client(self, credential: Credential) -> AsyncIterator[Any]:
        """Graph's client as its documentation customises it: the default middleware around a httpx client of ours."""
        limits = httpx.Limits(max_connections=MANY, max_keepalive_connections=MANY)
        # In the end the transport is closed here, because the middleware around it does not pass that on.
        async with (
            httpx.AsyncHTTPTransport(verify=self.trust, limits=limits) as transport,
            httpx.AsyncClient(base_url=self.graph.base_url, transport=transport, timeout=60) as http_client,
        ):
            provider = AzureIdentityAuthenticationProvider(credential, scopes=[SCOPE], allowed_hosts=["localhost"])
            adapter = GraphRequestAdapter(
                provider, GraphClientFactory.create_with_default_middleware(client=http_client, options=graph_options)
            )
            yield GraphServiceClient(request_adapter=adapter)

    def revoke_sessions(self) -> str:
        """Make every token worthless that was issued so far; returns the claims of Graph's challenge."""
        self.clock.offset += 10
        return self.graph.revoke(int(self.clock()))
