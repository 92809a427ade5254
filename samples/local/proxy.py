"""An HTTPS proxy on loopback that answers for the hosts it knows and connects to none."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler

from azure_certvar_credential.testing import Request, Response
from local.scene import listen

LOOPBACK = "127.0.0.1"
Answer = Callable[[Request], Response]


def serve(hosts: Mapping[str, Answer], tls: ssl.SSLContext) -> str:
    """Start the proxy and return its URL, for ``HTTPS_PROXY``.

    :param hosts: what answers for each host name; for ``127.0.0.1`` requests to the proxy itself, without TLS.
    :param tls: presents a certificate for all of these names.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_CONNECT(self) -> None:
            """Take the connection for the host's own, and go on over TLS."""
            if self.path.partition(":")[0] not in hosts:
                self.send_error(403, f"--local has no {self.path}")
                return
            self.send_response_only(200)
            self.end_headers()
            self.wfile.flush()
            self.request = tls.wrap_socket(self.request, server_side=True)
            self.setup()
            # http.client asks with HTTP/1.0, which would end the connection here.
            self.close_connection = False

        def exchange(self) -> None:
            """Answer a request that came through the tunnel."""
            host = self.headers.get("Host", "").partition(":")[0]
            answer = hosts.get(host) if host == LOOPBACK or isinstance(self.request, ssl.SSLSocket) else None
            if answer is None:
                self.send_error(403, f"--local has no {self.path}")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            url = f"https://{self.headers['Host']}{self.path}"
            response = answer(Request(self.command, url, dict(self.headers.items()), body))
            self.send_response_only(response.status)
            length = {} if "Content-Length" in response.headers else {"Content-Length": str(len(response.body))}
            for name, value in {**response.headers, **length}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = exchange

        def finish(self) -> None:
            """Close the TLS connection; the server closes the plain one alone."""
            super().finish()
            self.request.close()

        def log_message(self, format: str, *args: object) -> None:
            """Write no log: the sample's own lines are what --local shows."""

    return f"http://{LOOPBACK}:{listen(Handler)}"
