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

import os
import subprocess
import sys
import time

import local
from azure_certvar_credential import CertVarCredential, SQLiteTokenCache


def job() -> str:
    """Get a token, as a job does at its start, and say what that took."""
    answers: list[object] = []
    cache = SQLiteTokenCache(os.environ.get("TOKEN_CACHE"))
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names, token_cache=cache, raw_response_hook=answers.append) as credential:
        began = time.perf_counter()
        credential.get_token("https://graph.microsoft.com/.default")
        took = (time.perf_counter() - began) * 1000
    note = cache.path.with_name("cron_job.milliseconds")
    if answers:
        note.write_text(str(took))
        return f"requested a token: {took:.0f} ms"
    return f"the token was in the cache: {took:.0f} ms, {float(note.read_text()) - took:.0f} ms saved"


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
        subprocess.run([sys.executable, __file__], check=True)  # noqa: S603 - this file, as cron runs it a minute before
    print(job())
