"""The emulators on the loopback interface, behind TLS where they are in Azure, for clients that want a real socket."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import trustme

from azure_certvar_credential.testing.http import Emulator
from azure_certvar_credential.testing.listener import Listener, start

if TYPE_CHECKING:
    from typing_extensions import Self

    from azure_certvar_credential.testing.entra.emulator import EntraEmulator
    from azure_certvar_credential.testing.instance_metadata.emulator import InstanceMetadataEmulator
    from azure_certvar_credential.testing.key_vault.emulator import KeyVaultEmulator


class LoopbackServer:
    """Serves an emulator on 127.0.0.1 over TLS while it is open; made by the emulator's ``serve()``.

    The certificate authority is made when it is opened and forgotten when it is closed; the attributes below exist in
    between.

    :ivar emulator: what is served.
    :ivar port: the TCP port.
    :ivar url: ``https://localhost:PORT``.
    :ivar ca_pem: the certificate authority's certificate, PEM bytes.
    :ivar ca_file: the path of a temporary file with it, for ``connection_verify=`` and ``verify=``; removed at the end.
    """

    emulator: Emulator
    port: int
    url: str
    ca_pem: bytes
    ca_file: str

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        if self._listener is not None:
            raise RuntimeError("the server is open already")
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        # ssl can load a private key from a file only. trustme writes this one, which is thrown away with the server
        # and protects nothing but the loopback, and removes the file as soon as it is loaded.
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(tls)
        listener = Listener(self.emulator, tls)
        self.ca_pem = authority.cert_pem.bytes()
        descriptor, self.ca_file = tempfile.mkstemp(prefix="entra-emulator-ca-", suffix=".pem")
        os.close(descriptor)
        Path(self.ca_file).write_bytes(self.ca_pem)
        self.port = listener.port
        self.url = f"https://localhost:{listener.port}"
        self._listener = listener
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
            Path(self.ca_file).unlink()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url if self._listener else 'closed'}>"


class EntraServer(LoopbackServer):
    """Serves the local Entra; see :class:`LoopbackServer`."""

    emulator: EntraEmulator

    @property
    def authority(self) -> str:
        """The same as ``url``, under the name by which credentials take it."""
        return self.url


class KeyVaultServer(LoopbackServer):
    """Serves the local Key Vault; see :class:`LoopbackServer`."""

    emulator: KeyVaultEmulator

    def __enter__(self) -> Self:
        super().__enter__()
        _forget_challenges(self.url)
        return self

    @property
    def vault_url(self) -> str:
        """The same as ``url``, under the name by which Key Vault's clients take it."""
        return self.url


def _forget_challenges(url: str) -> None:
    """Take from Azure's Key Vault clients what they remember of a host of this process, an earlier vault at that port.

    They keep challenges by host and port for as long as the process lives, and would ask for tokens of the other
    vault's tenant.
    """
    for name, module in list(sys.modules.items()):
        is_theirs = name.startswith("azure.keyvault.") and name.endswith(".http_challenge_cache")
        # Older versions raise for a host that they do not know.
        if is_theirs and module.get_challenge_for_url(url) is not None:
            module.remove_challenge_for_url(url)


class InstanceMetadataServer:
    """Serves the local Instance Metadata Service on 127.0.0.1 over plain HTTP, as it is in Azure, while it is open.

    :ivar emulator: what is served.
    :ivar url: ``http://127.0.0.1:PORT``, in the place of ``http://169.254.169.254``; while it is open.
    """

    url: str

    def __init__(self, emulator: InstanceMetadataEmulator) -> None:
        self.emulator = emulator
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        if self._listener is not None:
            raise RuntimeError("the server is open already")
        self._listener = listener = Listener(self.emulator, None)
        self.url = f"http://127.0.0.1:{listener.port}"
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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url if self._listener else 'closed'}>"
