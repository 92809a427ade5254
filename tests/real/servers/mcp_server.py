"""An MCP server that takes the tokens of an OpenID provider, made with the MCP SDK, on loopback TLS."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

import jwt
import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

from tests.real.servers.oidc_provider import OidcProvider
from tests.real.servers.tls import TlsFiles

_START_SECONDS = 20.0


class McpServer:
    """Serves one tool, ``orders``, while it is open.

    :ivar url: where clients call it.
    :ivar callers: the client ids of the verified tokens that it has seen.
    """

    def __init__(self, provider: OidcProvider, tls: TlsFiles) -> None:
        self._provider = provider
        self.callers: set[str] = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._socket.getsockname()[1]}/mcp"
        auth = AuthSettings.model_validate(
            {"issuer_url": provider.issuer, "resource_server_url": self.url, "validate_token_resource": True}
        )
        server: MCPServer[None] = MCPServer("orders", token_verifier=self, auth=auth)
        server.add_tool(lambda: "none", name="orders", description="Return the orders")
        config = uvicorn.Config(
            server.streamable_http_app(host="localhost"),
            ssl_certfile=str(tls.certificate),
            ssl_keyfile=str(tls.key),
            log_level="warning",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="mcp-server", daemon=True)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Verify a token with the provider's keys."""
        try:
            claims = self._provider.verified_claims(token, self.url)
        except jwt.InvalidTokenError:
            return None
        self.callers.add(claims["client_id"])
        return AccessToken(
            token=token, client_id=claims["client_id"], scopes=[], expires_at=claims["exp"], resource=self.url
        )

    def __enter__(self) -> McpServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)
        self._socket.close()
