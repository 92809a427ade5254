"""Replace a certificate while the program runs: no restart, no failed call.

Install, in a clone of this repository:

    pip install '.[testing]'

Set in the environment, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key in use: PEM, or base64 of a PFX
    APP_CERT_NEXT     the one that replaces it

Register both certificates before the change, and remove the old one afterwards. The sample prints their thumbprints:

    signing with …
    APP_CERT has changed
    signing with …
    … calls meanwhile, none failed
"""

import json
import os
import sys
import time
from base64 import urlsafe_b64decode

import local
from azure_certvar_credential import CertificateSource, CertVarCredential, EnvironmentCertificate


def signed_with(credential: CertVarCredential) -> str:
    """Sign an assertion as for a token request, and return the thumbprint in its header."""
    header = credential.client_assertion().partition(".")[0]
    return str(json.loads(urlsafe_b64decode(header + "=="))["x5t#S256"])


def main() -> None:
    """Keep getting tokens while the certificate changes."""
    # Read again after one second, so that the change shows here; the default is one hour.
    source = CertificateSource(EnvironmentCertificate("APP_CERT"), max_age=1)
    with CertVarCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], source) as credential:
        print(f"signing with {(before := signed_with(credential))}")
        credential.get_token("https://graph.microsoft.com/.default")
        os.environ["APP_CERT"] = os.environ["APP_CERT_NEXT"]
        print("APP_CERT has changed")
        calls, until = 0, time.monotonic() + 30
        while (now := signed_with(credential)) == before and time.monotonic() < until:
            credential.get_token("https://graph.microsoft.com/.default")
            calls += 1
            time.sleep(0.05)
        # This token is not in the cache yet, so that Entra verifies a signature by the new key.
        credential.get_token("https://management.azure.com/.default")
        print(f"signing with {now}\n{calls + 1} calls meanwhile, none failed")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    main()
