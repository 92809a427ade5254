"""Builds what :func:`local.start` leads a sample to."""

from __future__ import annotations

import atexit
import os
import shutil
import ssl
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import trustme

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import EntraEmulator
from local import proxy, services, visitor
from local.scene import Scene


def build(stand_ins: Sequence[str], visit: str | None) -> None:
    """Start the local Entra and the stand-ins, and set the variables that lead there; see :func:`local.start`."""
    folder = Path(tempfile.mkdtemp(prefix="certvar-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    certificate, renewed = ClientCertificate.self_signed("sample"), ClientCertificate.self_signed("sample, renewed")
    entra = EntraEmulator()
    application = entra.add_application(certificate, renewed)
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    scene = Scene(entra, application, certificate, renewed, tls, folder)
    hosts = services.hosts(scene)
    authority.issue_cert("localhost", *hosts).configure_cert(tls)
    authority.cert_pem.write_to_path(str(scene.trusted))

    for name in list(os.environ):
        if name.startswith("AZURE_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ |= services.VARIABLES
    names = {"AZURE_CLIENT_ID": application.client_id, "VAULT_CLIENT_ID": application.client_id}
    os.environ |= {"AZURE_TENANT_ID": application.tenant_id, **names}
    os.environ |= {"APP_CERT": certificate.to_pem(), "APP_CERT_NEXT": renewed.to_pem()}
    os.environ["TOKEN_CACHE"] = str(folder / "tokens.db")
    os.environ |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(scene.trusted))
    url = proxy.serve(hosts, tls)
    os.environ |= {"HTTP_PROXY": url, "HTTPS_PROXY": url, "ORDERS_URL": f"{url}/protected/user/Orders.Read"}
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"
    for name in stand_ins:
        os.environ |= import_module(f"local.{name}").start(scene)
    if visit is not None:
        visitor.send(visit, scene)
