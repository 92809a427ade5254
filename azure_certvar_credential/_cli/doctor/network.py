"""Looks at the way to the server: names, proxy, TLS. Sends only a handshake, and a request for a public document.

The rules are the transport's own, so that the verdict is that of a credential: which proxy, and which authorities.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography import x509

from azure_certvar_credential._core.effects import Fetch, Unanswered
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._transport.sync import Sender
from azure_certvar_credential._transport.trust import ssl_context, variable_in_force
from azure_certvar_credential.certificates.naming import issuer

#: Seconds for a connection, a handshake or a document.
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Handshake:
    """The server's side of a connection.

    :ivar version: such as ``TLSv1.3``.
    :ivar issuer: who issued the server's certificate.
    """

    version: str
    issuer: str


def addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a host.

    :raises OSError: its name has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def handshake(url: str, proxy: str | None, options: Mapping[str, Any], *, verified: bool = True) -> Handshake:
    """Connect to a server, through a proxy if there is one, and return what its TLS shows.

    :param url: of the server.
    :param proxy: an ``http`` proxy, or None.
    :param options: pipeline options: ``connection_verify``.
    :param verified: whether the server has to be trusted; otherwise nothing is sent after the handshake.
    :raises ssl.SSLCertVerificationError: it is not trusted.
    :raises OSError: it, or the proxy, does not let us through.
    """
    server = urlsplit(url)
    context = ssl_context(options if verified else {"connection_verify": False})
    way = urlsplit(proxy or url)
    connection = http.client.HTTPSConnection(
        way.hostname or "", way.port or (443 if proxy is None else 80), timeout=SECONDS, context=context
    )
    try:
        if proxy is not None:
            connection.set_tunnel(server.hostname or "", server.port or 443, headers=_proxy_login(way.username, way))
        connection.connect()
        tls: ssl.SSLSocket = connection.sock
        shown = tls.getpeercert(binary_form=True)
        name = issuer(x509.load_der_x509_certificate(shown)) if shown else "unknown"
        return Handshake(tls.version() or "TLS", name)
    finally:
        connection.close()


def document(url: str, options: Mapping[str, Any]) -> Response:
    """Get a public document, once, as a credential would.

    :raises azure.core.exceptions.AzureError: there is no answer.
    """
    sender = Sender({**options, "retry_total": 0, "read_timeout": SECONDS, "connection_timeout": SECONDS})
    try:
        answer = sender.send(Fetch(url))
    finally:
        sender.close()
    if isinstance(answer, Unanswered):
        raise answer.error
    return answer


def trusted(options: Mapping[str, Any]) -> str:
    """Return which certificate authorities are trusted."""
    if options.get("connection_verify"):
        return f"--ca-file {options['connection_verify']}"
    return variable_in_force(options) or "the authorities of the system and of certifi"


def _proxy_login(user: str | None, way: Any) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(way.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode('ascii')}"}
