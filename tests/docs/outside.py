"""The world outside as the documentation names it, on loopback: login.microsoftonline.com and graph.microsoft.com.

A snippet says ``CertVarCredential(tenant_id, client_id, …)`` and nothing of a test's transport or authority. So it runs
in a process of its own (``play.py``) whose name resolution sends Microsoft's hosts here, and whose trusted certificate
authority is ours; the sockets, the TLS and every client library are real.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import jwt
import trustme

from azure_certvar_credential.testing import EntraEmulator, Request

LOGIN_HOST = "login.microsoftonline.com"
GRAPH_HOST = "graph.microsoft.com"
_GRAPH = f"https://{GRAPH_HOST}"


class Outside:
    """Serves an emulator, and a Graph with one user, under Microsoft's host names while it is open.

    :param emulator: the local Entra.
    :param authority: issues the TLS certificate.
    :ivar hosts: the port on 127.0.0.1 of each host name.
    """

    def __init__(self, emulator: EntraEmulator, authority: trustme.CA) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(LOGIN_HOST, GRAPH_HOST).configure_cert(tls)
        self._server = _Server(emulator, tls)
        self.hosts = dict.fromkeys((LOGIN_HOST, GRAPH_HOST), self._server.server_port)

    def __enter__(self) -> Outside:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="outside", daemon=True).start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, emulator: EntraEmulator, tls: ssl.SSLContext) -> None:
        self.emulator = emulator
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def exchange(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        host = self.headers["Host"]
        if host == GRAPH_HOST:
            self._answer(*_graph(self.server.emulator, self.path, self.headers.get("Authorization", "")))
            return
        request = Request(self.command, f"https://{host}{self.path}", dict(self.headers.items()), body)
        response = self.server.emulator.handle(request)
        self._answer(response.status, response.headers, response.body)

    do_GET = do_POST = exchange  # noqa: N815 - http.server's names

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Write no log: a failed snippet shows its own error."""


def _graph(emulator: EntraEmulator, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
    """Graph's list of users, for a bearer whose token the local Entra issued for Graph."""
    keys = emulator.handle(Request("GET", f"https://{LOGIN_HOST}/common/discovery/v2.0/keys", {}, b""))
    token = authorization.removeprefix("Bearer ")
    status: int
    content: object
    try:
        key = jwt.PyJWKSet.from_json(keys.body.decode())[jwt.get_unverified_header(token)["kid"]]
        jwt.decode(token, key, algorithms=["RS256"], audience=[_GRAPH, f"{_GRAPH}/"])
    except (jwt.InvalidTokenError, KeyError) as error:
        status, content = 401, {"error": {"code": "InvalidAuthenticationToken", "message": str(error)}}
    else:
        # Graph takes the second slash that the SDK joins its base URL with.
        if path.partition("?")[0].replace("//", "/") == "/v1.0/users":
            status, content = 200, {"value": [{"id": "1", "displayName": "Ada Lovelace"}]}
        else:
            status, content = 404, {"error": {"code": "NotFound", "message": path}}
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
