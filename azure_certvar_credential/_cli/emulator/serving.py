"""Opens the local Entra, and a Key Vault beside it, for programs in any language."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure_certvar_credential._cli.emulator.observed import Observed
from azure_certvar_credential._cli.emulator.page import POLICY, render
from azure_certvar_credential._cli.exports import Exports
from azure_certvar_credential._cli.failures import CommandError
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.testing import EntraEmulator, KeyVaultEmulator
from azure_certvar_credential.testing.credentials import CertificateLike
from azure_certvar_credential.testing.server import TlsServer

VAULT_CERTIFICATE = "app"
# How curl, Node.js, Python's requests, and OpenSSL and Go find the authorities that they trust.
_TRUST = ("CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Scene:
    """What the local Entra has.

    :ivar port: its port; 0 for any.
    :ivar registered: the certificates of its application; empty to make one.
    :ivar tenant_id: its tenant's GUID; None to generate one.
    :ivar client_id: its application's GUID; None to generate one.
    :ivar roles: the application roles that its tokens carry.
    :ivar strict: whether it refuses what production clients send against the standards.
    :ivar key_vault: whether there is a Key Vault too.
    """

    port: int = 0
    registered: Sequence[CertificateLike] = ()
    tenant_id: str | None = None
    client_id: str | None = None
    roles: Sequence[str] = ()
    strict: bool = False
    key_vault: bool = False


@contextmanager
def opened(scene: Scene, log: Callable[[str], None]) -> Iterator[Exports]:
    """Serve a scene over TLS on the loopback interface while the context is open; yield the variables for its clients.

    :param scene: what there is.
    :param log: called with the line of each request.
    :raises CommandError: an id or a certificate is not valid, or the port is in use.
    """
    made = None if scene.registered else ClientCertificate.self_signed("certvar emulator")
    try:
        entra = EntraEmulator(strict=scene.strict, tenant_id=scene.tenant_id)
        application = entra.add_application(
            *([made] if made is not None else scene.registered), client_id=scene.client_id, roles=scene.roles
        )
    except (TypeError, ValueError) as error:
        raise CommandError(f"the application cannot be registered: {error}") from None

    with ExitStack() as stack:
        places: dict[str, str] = {}

        def page() -> tuple[bytes, str]:
            return render([application], entra.requests[:], places), POLICY

        servers = [stack.enter_context(_server(Observed(entra, log, page), scene.port))]
        if scene.key_vault:
            vault = KeyVaultEmulator(entra)
            vault.add_certificate(VAULT_CERTIFICATE, made or ClientCertificate.self_signed("certvar emulator vault"))
            servers.append(stack.enter_context(_server(Observed(vault, log), 0)))
        bundle = stack.enter_context(_file(b"".join(server.ca_pem for server in servers)))
        urls = dict(zip(("AZURE_AUTHORITY_HOST", "KEY_VAULT_URL"), (server.url for server in servers), strict=False))
        places |= {**urls, "certificate authorities": str(bundle)}
        identity = {"AZURE_TENANT_ID": application.tenant_id, "AZURE_CLIENT_ID": application.client_id}
        yield Exports(
            {**identity, **urls, **dict.fromkeys(_TRUST, str(bundle))},
            {} if made is None else {"AZURE_CLIENT_CERTIFICATE": made.to_pem()},
        )


@contextmanager
def _server(emulator: Observed, port: int) -> Iterator[TlsServer]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(TlsServer(emulator, port))
        except OSError as error:
            raise CommandError(f"the local Entra cannot listen at port {port}: {error.strerror}") from None
        yield server


@contextmanager
def _file(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="certvar-emulator-") as directory:
        path = Path(directory) / "ca.pem"
        path.write_bytes(content)
        yield path
