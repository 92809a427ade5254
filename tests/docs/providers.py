"""Runs samples against servers on loopback that are not Microsoft's."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Mapping

from azure_certvar_credential import ClientCertificate
from tests.docs.conftest import ROOT
from tests.real.servers.oidc_provider import OidcProvider
from tests.real.servers.tls import TlsFiles


def at_provider(provider: OidcProvider, scope: str) -> dict[str, str]:
    """Register a client at a provider, and return the variables that a sample reads."""
    certificate = ClientCertificate.self_signed("client of a provider")
    # requests and httpx trust what these files name.
    trusted = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), provider.ca_file)
    return {
        **trusted,
        "OIDC_ISSUER": provider.issuer,
        "OIDC_SCOPE": scope,
        "AZURE_CLIENT_ID": provider.register(certificate.signer.public_key),
        "APP_CERT": certificate.to_pem(),
    }


def run_with(sample: str, variables: Mapping[str, str]) -> str:
    """Run a sample against servers on loopback, and return what it prints."""
    command = [sys.executable, str(ROOT / "samples" / sample)]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    result = subprocess.run(
        command, cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def server_context(tls: TlsFiles) -> ssl.SSLContext:
    """Return what a server on loopback presents."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)
    return context
