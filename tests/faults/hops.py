"""What fails before the request is sent: names, proxies and TLS."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential.exceptions import UntrustedServerError
from tests.faults.fault import BROKEN, UNREACHED, Errors, Fault, response, token

# With user, password and more of its own words than a client may repeat.
_PROXIES: dict[str, bytes] = {
    "demands credentials": response(407, b"", 'Proxy-Authenticate: Basic realm="proxy"'),
    "demands credentials with a page": response(407, b"<html>who are you?</html>", content_type="text/html"),
    "demands credentials of a kind that nobody knows": response(407, b"", "Proxy-Authenticate: Negotiate"),
    "refuses": response(403, b"<html>no</html>", content_type="text/html"),
    "wants payment": response(402),
    "knows no CONNECT": response(405),
    "cannot reach the host": response(502),
    "is overloaded": response(503, b"", "Retry-After: 3600"),
    "waits in vain": response(504),
    "redirects": response(302, b"", "Location: https://localhost:{here}/"),
    "answers with a token": token(),
    "hangs up": b"",
    "speaks another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "breaks off in its headers": b"HTTP/1.1 200 Connection established\r\nVia: 1.1 pro",
    "answers and breaks off": b"HTTP/1.1 200 Connection established\r\n\r\n",
    "answers and speaks no TLS": b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
}


def _fails(code: int) -> Any:
    def resolve(*arguments: object, **options: object) -> list[Any]:
        raise socket.gaierror(code, "no such name")

    return resolve


def _hangs_up(connection: socket.socket, over: threading.Event) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def _speaks_http(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(response(400, b"plain HTTP"))


def _speaks_garbage(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\xff\xff" + bytes(1000))


def _sends_an_alert(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # handshake_failure (RFC 8446 section 6.2)


def faults() -> Iterator[Fault]:
    """Yield the rows."""
    for name, code in {
        "unknown": socket.EAI_NONAME,
        "not known yet": socket.EAI_AGAIN,
        "broken": socket.EAI_FAIL,
    }.items():
        yield Fault(claim=f"a name that is {name}", resolve=_fails(code), errors=UNREACHED, requests=0)
    for name, answer in _PROXIES.items():
        yield Fault(claim=f"a proxy that {name}", proxy=answer, errors=UNREACHED, requests=0)
    for name in ("expired", "another name", "unknown authority"):
        yield Fault(claim=f"a certificate of the server: {name}", tls=name, errors=(UntrustedServerError,), requests=0)
    # With TLS 1.3 the client may have sent its request when it hears of this (RFC 8446 section 4.4.2.4).
    either: Errors = (ServiceRequestError, ServiceResponseError)
    for version in ("1.2", "1.3"):
        yield Fault(
            claim=f"a server that wants a client certificate, TLS {version}",
            tls=f"client certificate, TLS {version}",
            errors=UNREACHED if version == "1.2" else either,
            requests=0,
        )
    for greeting, claim in {
        _hangs_up: "a server that hangs up before TLS",
        _speaks_http: "a server that speaks HTTP without TLS",
        _speaks_garbage: "a server that speaks garbage in the place of TLS",
        _sends_an_alert: "a server that refuses TLS",
    }.items():
        yield Fault(claim=claim, greeting=greeting, errors=either, requests=0)
    for name, end in {"with a reset": _reset, "with plain text": _plain_text}.items():
        yield Fault(claim=f"a server that ends TLS {name} after the request", answer=end, errors=BROKEN, requests=2)


def _reset(connection: socket.socket, over: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _plain_text(connection: socket.socket, over: threading.Event) -> None:
    """A load balancer that answers in plain text once its TLS is gone."""
    with socket.socket(fileno=connection.detach()) as plain:
        plain.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        over.wait(0.05)
