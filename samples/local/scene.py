"""What the stand-ins share."""

from __future__ import annotations

import socketserver
import ssl
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, Request

_said: set[str] = set()
_saying = threading.Lock()
_KEYS = "https://login.microsoftonline.com/common/discovery/v2.0/keys"


def say(text: str) -> None:
    """Print what stands in for what, once."""
    with _saying:
        if text not in _said:
            _said.add(text)
            print(f"--local: {text}", flush=True)


@dataclass(frozen=True, slots=True)
class Scene:
    """The local Entra, and what else a stand-in needs.

    :ivar application: the application that the environment names.
    :ivar certificate: its certificate, with the private key.
    :ivar renewed: another certificate of the application, which the Key Vault holds too.
    :ivar tls: the servers' TLS context, for localhost and every host of :mod:`local.services`.
    :ivar folder: a folder that is removed when the process ends.
    """

    entra: EntraEmulator
    application: Application
    certificate: ClientCertificate
    renewed: ClientCertificate
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


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Report an error of a handler, unless it means that the client went away, which the client reports itself."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # the base names what it is given


def listen(handler: type[socketserver.BaseRequestHandler]) -> int:
    """Serve connections to a port of 127.0.0.1, each in a thread, until the process ends; return the port."""
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, name=handler.__qualname__, daemon=True).start()
    return int(server.server_address[1])
