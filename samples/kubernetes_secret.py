"""Sign in with a certificate that Kubernetes mounts from a secret, and follow it when cert-manager renews it.

Install, in a clone of this repository:

    pip install '.[testing]'

Mount a secret of type kubernetes.io/tls and set in the pod, or run it with --local, which also renews the secret:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    TLS_SECRET_PATH   where the secret is mounted: a file system in memory, so that the key is never on disk

The credential reads the secret again every ten minutes, before the certificate expires, and when Entra does not know it
any longer; so a pod needs no restart. With --local the sample prints:

    read CN=app v1
    signed in
    the secret is renewed, and the old certificate removed from the registration
    read CN=app v2
    signed in
"""

import os
import sys
from pathlib import Path

import local
from azure_certvar_credential import CertificateSource, CertVarCredential, ClientCertificate


def mounted() -> ClientCertificate:
    """Read the secret; the kubelet puts each version into a new folder and moves the link ..data there."""
    # Follow the link once, so that certificate and key are of one version.
    version = (Path(os.environ["TLS_SECRET_PATH"]) / "..data").resolve(strict=True)
    certificate = ClientCertificate.load((version / "tls.crt").read_text() + (version / "tls.key").read_text())
    print(f"read {certificate.subject}")
    return certificate


def main() -> None:
    """Sign in, with --local twice."""
    source = CertificateSource(mounted, max_age=600)
    with CertVarCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], source) as credential:
        credential.get_token("https://graph.microsoft.com/.default")
        print("signed in")
        if "--local" in sys.argv:
            local.renew_secret()
            print("the secret is renewed, and the old certificate removed from the registration")
            credential.get_token("https://management.azure.com/.default")
            print("signed in")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start("kubelet")
    main()
