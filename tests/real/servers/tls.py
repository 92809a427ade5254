"""The certificate authority of the loopback servers, made for one test run."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files: what a server presents, and what its clients trust.

    :ivar certificate: the server's certificate, for ``localhost`` and ``127.0.0.1``.
    :ivar key: the server's private key.
    :ivar ca: the authority that issued it, for ``connection_verify`` and ``cafile``.
    """

    certificate: Path
    key: Path
    ca: Path

    @classmethod
    def issue(cls, directory: Path) -> TlsFiles:
        """Make an authority and a server certificate in ``directory``."""
        authority = trustme.CA()
        server = authority.issue_cert("localhost", "127.0.0.1")
        files = cls(directory / "server.pem", directory / "server.key", directory / "ca.pem")
        server.private_key_pem.write_to_path(str(files.key))
        for block in server.cert_chain_pems:
            block.write_to_path(str(files.certificate), append=True)
        authority.cert_pem.write_to_path(str(files.ca))
        return files

    def context(self) -> ssl.SSLContext:
        """A client context that trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self.ca))
