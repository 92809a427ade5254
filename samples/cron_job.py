"""Keep the token of a job that runs every minute, so that it asks Entra once an hour and not sixty times.

Install, in a clone of this repository:

    pip install '.[testing]'

Set in the environment, or run it with --local, which runs the job twice against a local Entra:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX; the key must be RSA
    TOKEN_CACHE       the path of the cache; by default it is in the user's cache directory

Only a holder of the private key can read the file. The second run prints the second line:

    requested a token: … ms
    the token was in the cache: … ms, … ms saved
"""

import multiprocessing
import os
import sys
import tempfile
import time
from typing import Any

from azure_certvar_credential import CertVarCredential, ClientCertificate, SQLiteTokenCache
from azure_certvar_credential.testing import EntraEmulator


def job(**options: Any) -> str:
    """Get a token, as a job does at its start, and say what that took."""
    answers: list[object] = []
    cache = SQLiteTokenCache(os.environ.get("TOKEN_CACHE"))
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names, token_cache=cache, raw_response_hook=answers.append, **options) as credential:
        began = time.perf_counter()
        credential.get_token("https://graph.microsoft.com/.default")
        took = (time.perf_counter() - began) * 1000
    note = cache.path.with_name("cron_job.milliseconds")
    if answers:
        note.write_text(str(took))
        return f"requested a token: {took:.0f} ms"
    return f"the token was in the cache: {took:.0f} ms, {float(note.read_text()) - took:.0f} ms saved"


def run_locally() -> None:
    """Run the job twice without Azure, each time in a new process."""
    certificate, entra = ClientCertificate.self_signed("job"), EntraEmulator()
    names = entra.add_application(certificate)
    with entra.serve() as server, tempfile.TemporaryDirectory() as folder:
        os.environ |= {"AZURE_TENANT_ID": names.tenant_id, "AZURE_CLIENT_ID": names.client_id}
        os.environ |= {"APP_CERT": certificate.to_pem(), "TOKEN_CACHE": f"{folder}/tokens.db"}
        local = {"authority": server.authority, "connection_verify": server.ca_file, "disable_instance_discovery": True}
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            print(*(pool.apply(job, kwds=local) for _ in range(2)), sep="\n")


if __name__ == "__main__":
    run_locally() if "--local" in sys.argv else print(job())
