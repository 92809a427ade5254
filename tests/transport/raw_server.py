"""A TLS server on loopback that answers with octets, and the two credentials that ask it for a token."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import trustme
from azure.core.exceptions import AzureError

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential._http.sockets import ClosingSocket
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential

# Outside of the main thread, an acquisition that runs no code of others starts no thread.
Kind = Literal["sync", "sync, outside of the main thread", "aio"]
Respond = Callable[[Any], object]

TENANT, CLIENT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJTRUNSRVQtQUNDRVNTLVRPS0VOIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
BODY = json.dumps({"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN}).encode()
GOOD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY

_CA = trustme.CA()
TRUSTED = Path(tempfile.mkdtemp()) / "ca.pem"
_CA.cert_pem.write_to_path(str(TRUSTED))
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
_TLS.sslsocket_class = ClosingSocket  # a client that goes early must not leave a warning to the next test
_CA.issue_cert("localhost").configure_cert(_TLS)
CERTIFICATE = ClientCertificate.self_signed("raw")


@dataclass
class RawServer:
    """A running server.

    :ivar authority: its URL.
    :ivar connections: how many there were.
    :ivar requests: the whole requests.
    """

    authority: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    open: int = 0

    @property
    def jtis(self) -> list[str]:
        """The ids of the assertions that came."""
        parts = [re.search(rb"client_assertion=[^.&]+\.([^.&]+)", request) for request in self.requests]
        return [json.loads(base64.urlsafe_b64decode(part[1] + b"=="))["jti"] for part in parts if part]

    def quiet(self) -> bool:
        """Return whether, within a second, every connection has ended and no thread of a credential runs."""
        for _ in range(100):
            busy = any(thread.name.startswith("certvar") for thread in threading.enumerate())
            if not busy and self.open == 0:
                return True
            time.sleep(0.01)
        return False


@contextmanager
def raw_server(respond: Respond, *, handshake: bool = True) -> Iterator[RawServer]:
    """Serve while the context lasts.

    :param respond: is given the connection once a whole request has come; the connection is closed after it.
    :param handshake: whether the server speaks TLS at all; otherwise ``respond`` is given the TCP connection at once.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(f"https://localhost:{listener.getsockname()[1]}")

    def one(connection: Any) -> None:
        server.open += 1
        try:
            if handshake:
                connection = _TLS.wrap_socket(connection, server_side=True)
                server.requests.append(_request(connection))
            respond(connection)
        except (OSError, EOFError):
            return  # the client has gone, which some tests are about
        finally:
            connection.close()
            server.open -= 1

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _request(connection: Any) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data or (data.startswith(b"POST") and b"client_assertion=" not in data):
        received = connection.recv(65536)
        if not received:
            raise EOFError
        data += received
    return data


def sending(octets: bytes) -> Respond:
    """Answer with these octets, and end TLS in an orderly way."""

    def respond(connection: Any) -> None:
        connection.sendall(octets)
        connection.unwrap()

    return respond


def dripping(first: bytes, again: bytes) -> Respond:
    """Answer with the first octets, and then with the others for ever."""

    def respond(connection: Any) -> None:
        connection.sendall(first)
        while True:
            time.sleep(0.05)
            connection.sendall(again)

    return respond


def silent(connection: Any) -> None:
    """Wait until the client goes."""
    connection.settimeout(20)
    while connection.recv(65536):
        pass


def get_token(
    kind: Kind,
    authority: str,
    given: Any = CERTIFICATE,
    *,
    calls: int = 1,
    call_timeout: float | None = None,
    **options: Any,
) -> str:
    """Return the token of a new credential, which is closed after it.

    :param calls: how many tokens to ask for, each for another scope.
    :param call_timeout: the time-out of the call itself, in seconds.
    """
    if kind == "sync, outside of the main thread":
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(get_token, "sync", authority, given, calls=calls, call_timeout=call_timeout, **options)
            return asked.result()
    arguments = _arguments(authority, options)
    scopes = [f"api://{number}/.default" for number in range(calls)]
    if kind == "sync":
        with CertVarCredential(TENANT, CLIENT, given, **arguments) as credential:
            return [credential.get_token(scope, timeout=call_timeout).token for scope in scopes][-1]

    async def ask() -> str:
        try:
            async with AsyncCertVarCredential(TENANT, CLIENT, given, **arguments) as credential:
                return [(await credential.get_token(scope, timeout=call_timeout)).token for scope in scopes][-1]
        finally:
            await asyncio.sleep(0.05)  # aiohttp's close() returns before its sockets are closed

    return asyncio.run(ask())


def ask_twice(kind: Kind, authority: str, given: Any) -> list[str]:
    """Return what two calls of a new credential bring: a token or the name of an error."""
    arguments = _arguments(authority, {"timeout": 0.5})

    async def ask() -> list[str]:
        made = (AsyncCertVarCredential if kind == "aio" else CertVarCredential)(TENANT, CLIENT, given, **arguments)
        outcomes = []
        for _ in range(2):
            try:
                token = made.get_token("api://one/.default")
                outcomes.append((await token if inspect.isawaitable(token) else token).token)
            except AzureError as error:
                outcomes.append(type(error).__name__)
        closed = made.close()
        if closed is not None:
            await closed
        return outcomes

    return asyncio.run(ask())


def _arguments(authority: str, options: dict[str, Any]) -> dict[str, Any]:
    named = {} if "oidc_authority" in options else {"authority": authority, "disable_instance_discovery": True}
    return {
        **named,
        "connection_verify": str(TRUSTED),
        "use_env_settings": False,
        "retry_backoff_factor": 0,
        **options,
    }
