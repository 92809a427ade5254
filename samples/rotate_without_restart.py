"""Replace a certificate while the program runs: no restart, no failed call.

    AZURE_TENANT_ID, AZURE_CLIENT_ID   as the app registration shows them
    APP_CERT                           certificate and private key in use: PEM, or base64 of a PFX
    APP_CERT_NEXT                      the one that replaces it, registered as well

Both certificates are registered while the change goes on; the old one is removed from the registration afterwards.
"""

import logging
import os
import time

from azure_certvar_credential import CertificateSource, CertVarCredential, EnvironmentCertificate


def main() -> None:
    """Get tokens without a pause while the certificate changes underneath."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    current, following = EnvironmentCertificate("APP_CERT"), EnvironmentCertificate("APP_CERT_NEXT")
    before, after = current(), following()
    # Read again every second, to see it here; the default is an hour.
    source = CertificateSource(current, max_age=1)
    with CertVarCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], source) as credential:
        calls = 0
        until = time.monotonic() + 2
        while time.monotonic() < until:
            # Another resource each time, so that every token has to be signed for.
            credential.get_token(f"api://orders-{calls}/.default")
            calls += 1
            if calls == 5:
                os.environ["APP_CERT"] = os.environ["APP_CERT_NEXT"]
            time.sleep(0.05)
        print(f"{calls} calls, none failed; {before.thumbprint} was replaced by {after.thumbprint}")
        print(f"in use now: {credential!r}")


if __name__ == "__main__":
    main()
