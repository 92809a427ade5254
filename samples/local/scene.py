"""What the stand-ins share."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, Request

_KEYS = "https://login.microsoftonline.com/common/discovery/v2.0/keys"


@dataclass(frozen=True, slots=True)
class Scene:
    """The local Entra, and what else a stand-in needs.

    :ivar application: the application that the environment names.
    :ivar certificate: its certificate, with the private key.
    :ivar tls: the servers' TLS context, for localhost and every host of :mod:`local.services`.
    :ivar folder: a folder that is removed when the process ends.
    """

    entra: EntraEmulator
    application: Application
    certificate: ClientCertificate
    tls: ssl.SSLContext = field(repr=False)
    folder: Path

    @property
    def trusted(self) -> Path:
        """The PEM file with the certificate authority of :attr:`tls`."""
        return self.folder / "trusted.pem"

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims of an access token.

        :param audience: the resource that it must be for, such as ``https://storage.azure.com``.
        :raises jwt.InvalidTokenError: the local Entra did not sign it, it has expired, or it is for another resource.
        """
        keys = jwt.PyJWKSet.from_dict(self.entra.handle(Request("GET", _KEYS)).json())
        try:
            key = keys[jwt.get_unverified_header(token)["kid"]]
        except KeyError:
            raise jwt.InvalidTokenError("the token names no key of the local Entra") from None
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=audience)
        return claims


def listen(handler: type[socketserver.BaseRequestHandler]) -> int:
    """Serve connections to a port of 127.0.0.1, each in a thread, until the process ends; return the port."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name=handler.__qualname__, daemon=True).start()
    return int(server.server_address[1])


def copy(source: socket.socket, target: socket.socket) -> None:
    """Send what comes from one connection to another, until either ends."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return  # the peer has closed it, which ends the copying too
