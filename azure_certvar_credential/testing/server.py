"""Serves an emulator on the loopback interface, for clients that need a real socket."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import trustme

from azure_certvar_credential._http.sockets import ClosingSocket
from azure_certvar_credential.testing.http import Emulator
from azure_certvar_credential.testing.listener import Listener, start

if TYPE_CHECKING:
    from typing_extensions import Self


class LoopbackServer:
    """Serves an emulator on 127.0.0.1 over plain HTTP while it is open; made by the emulator's ``serve()``.

    :param emulator: answers the requests.
    :param port: the TCP port to listen on; 0 lets the system choose.

    :ivar emulator: answers the requests.
    :ivar port: the TCP port; exists while the server is open, as all attributes below do.
    :ivar url: ``http://127.0.0.1:PORT``.
    """

    emulator: Emulator
    port: int
    url: str
    _host = "127.0.0.1"

    def __init__(self, emulator: Emulator, port: int = 0) -> None:
        self.emulator = emulator
        self._wanted_port = port
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        if self._listener is not None:
            raise RuntimeError("the server is already open")
        self._listener = listener = self._listen()
        self.port = listener.port
        self.url = f"{listener.scheme}://{self._host}:{listener.port}"
        start(listener, type(self).__name__)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()
            self._drop_tls()

    def _listen(self) -> Listener:
        tls = self._make_tls()
        try:
            return Listener(self.emulator, tls, self._wanted_port)
        except OSError:
            self._drop_tls()
            raise

    def _make_tls(self) -> ssl.SSLContext | None:
        return None

    def _drop_tls(self) -> None:
        """Remove what :meth:`_make_tls` left on disk."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url if self._listener else 'closed'}>"


class TlsServer(LoopbackServer):
    """Serves an emulator over TLS, as ``https://localhost:PORT``.

    The server makes a certificate authority when it opens and forgets it when it closes.

    :ivar ca_pem: the certificate authority's certificate, PEM bytes.
    :ivar ca_file: the path of a temporary file with ``ca_pem``, for ``connection_verify=`` and ``verify=``; closing the
        server removes it.
    """

    ca_pem: bytes
    ca_file: str
    _host = "localhost"

    def _make_tls(self) -> ssl.SSLContext:
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.sslsocket_class = ClosingSocket
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        # ssl loads a private key only from a file. trustme writes one and removes it as soon as it is loaded; the key
        # protects nothing but the loopback and lives no longer than the server.
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(tls)
        self.ca_pem = authority.cert_pem.bytes()
        descriptor, self.ca_file = tempfile.mkstemp(prefix="entra-emulator-ca-", suffix=".pem")
        os.close(descriptor)
        Path(self.ca_file).write_bytes(self.ca_pem)
        return tls

    def _drop_tls(self) -> None:
        Path(self.ca_file).unlink()
