"""Call an MCP server that wants a client's own tokens (client credentials): the certificate signs the assertion.

Install, in a clone of this repository:

    pip install '.[aio,testing]' mcp

Set in the environment, or run it with --local:

    OIDC_ISSUER, MCP_URL       the server's OpenID provider, and its URL
    AZURE_CLIENT_ID, APP_CERT  the client's id at the provider; certificate and private key, PEM or base64 of a PFX

It prints the names of the server's tools; with --local it prints "tools: orders".
"""

import asyncio
import os
import sys

import httpx2
from mcp import ClientSession
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthToken

import local
from azure_certvar_credential.aio import CertVarCredential


class InMemory:
    tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> None: ...

    async def set_client_info(self, client_info: object) -> None: ...


async def _main() -> None:
    issuer, url, client_id = os.environ["OIDC_ISSUER"], os.environ["MCP_URL"], os.environ["AZURE_CLIENT_ID"]
    async with CertVarCredential(
        "none.example", client_id, os.environ["APP_CERT"], oidc_authority=issuer
    ) as credential:
        auth = PrivateKeyJWTOAuthProvider(url, InMemory(), client_id, credential.client_assertion, issuer=issuer)
        async with (
            httpx2.AsyncClient(auth=auth) as http,
            streamable_http_client(url, http_client=http) as streams,
            ClientSession(*streams[:2]) as session,
        ):
            await session.initialize()
            print("tools:", *(tool.name for tool in (await session.list_tools()).tools))


if "--local" in sys.argv:
    local.start("mcp_server")
asyncio.run(_main())
