"""A token endpoint on loopback TLS in a process of its own, light enough to measure clients with.

It verifies nothing and signs nothing: every token request gets the same token, after a latency, and is counted. OpenID
discovery is answered too, because azure-identity asks. Its standard input says what to do, a JSON object a
line, answers each with a line, and ends when its input does, so it cannot outlive the run.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections import Counter
from typing import Any, cast

import trustme

# As long as Entra's application tokens commonly are.
_TOKEN = "t" * 1400

_REASONS = {200: "OK", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}


class Endpoint:
    """What is answered, and what was seen.

    :ivar latency: seconds between a request and its answer.
    :ivar behaviour: ``ok``, ``429``, ``503``, or ``hang``, which answers when another one is set.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.behaviour = "ok"
        self.seen: Counter[str] = Counter()
        self.hanging: list[tuple[Connection, bytes]] = []

    def told(self, line: dict[str, Any]) -> dict[str, int]:
        """Do what a line of the input says; return what was seen since the last one that asked to forget."""
        self.latency = line.get("latency", self.latency)
        self.behaviour = line.get("behaviour", self.behaviour)
        if self.behaviour != "hang":
            for connection, answer in self.hanging:
                connection.write(answer)
            self.hanging.clear()
        seen = dict(self.seen)
        if line.get("forget"):
            self.seen.clear()
        return seen

    def answer(self, method: str, path: str, host: str) -> bytes:
        """Return the response to a request; a token to every token request."""
        tenant = path.strip("/").partition("/")[0]
        if method == "GET" and path.endswith("/.well-known/openid-configuration"):
            self.seen["discovery"] += 1
            base = f"https://{host}/{tenant}"
            return _response(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                },
            )
        if method != "POST" or not path.endswith("/oauth2/v2.0/token"):
            self.seen["other"] += 1
            return _response(404, {"error": "not_found", "error_description": path})
        self.seen["token"] += 1
        if self.behaviour in {"429", "503"}:
            error = {"error": "temporarily_unavailable", "error_description": f"AADSTS90033: told to say {path}"}
            return _response(int(self.behaviour), error, b"Retry-After: 1\r\n")
        life = {"expires_in": 3600, "ext_expires_in": 3600, "refresh_in": 1800}
        return _response(200, {"token_type": "Bearer", "access_token": _TOKEN, **life})


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and ``Content-Length``, which is all that these clients speak."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._endpoint.seen["connections"] += 1
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            request, *lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(fields.get("content-length", "0"))
            if not found or len(rest) < length:
                return
            self._received = rest[length:]
            method, path, _ = request.split(" ")
            self._respond(self._endpoint.answer(method, path.partition("?")[0], fields.get("host", "")))

    def _respond(self, answer: bytes) -> None:
        if self._endpoint.behaviour == "hang":
            self._endpoint.hanging.append((self, answer))
        elif self._endpoint.latency:
            asyncio.get_running_loop().call_later(self._endpoint.latency, self.write, answer)
        else:
            self.write(answer)

    def write(self, answer: bytes) -> None:
        """Send an answer, unless the client has gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


def _response(status: int, body: dict[str, Any], more: bytes = b"") -> bytes:
    octets = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(octets)}\r\n"
    )
    return head.encode() + more + b"\r\n" + octets


async def serve() -> None:
    """Serve until the standard input ends."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(tls)
    endpoint = Endpoint()
    loop = asyncio.get_running_loop()
    # A backlog for every client that connects in the same moment.
    server = await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", 0, ssl=tls, backlog=1024)
    hello = {"port": server.sockets[0].getsockname()[1], "ca": authority.cert_pem.bytes().decode()}
    print(json.dumps(hello), flush=True)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(endpoint.told(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
