"""An MCP server with one tool, ``orders``, which takes the tokens of :mod:`local.oidc`."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

from local import oidc
from local.scene import Scene, say


class _Verifier:
    def __init__(self, url: str) -> None:
        self._url = url

    async def verify_token(self, token: str) -> AccessToken | None:
        client_id, ends = oidc.issued.get(token), int(time.time()) + 60
        if client_id is None:
            return None
        say("the MCP server runs in this process; it verified the token")
        return AccessToken(token=token, client_id=client_id, scopes=[], expires_at=ends, resource=self._url)


def start(_scene: Scene) -> dict[str, str]:
    """Start it and return ``MCP_URL``."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listening.getsockname()[1]}/mcp"
    auth = AuthSettings.model_validate(
        {"issuer_url": oidc.ISSUER, "resource_server_url": url, "validate_token_resource": True}
    )
    server: MCPServer[None] = MCPServer("orders", log_level="WARNING", token_verifier=_Verifier(url), auth=auth)
    server.add_tool(lambda: "none", name="orders", description="Return the orders")
    app = server.streamable_http_app(host="localhost")
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    threading.Thread(target=running.run, args=([listening],), name="mcp-server", daemon=True).start()
    return {"MCP_URL": url}
