"""Have the processes of a fleet share one token through Redis or Valkey.

Install, in a clone of this repository:

    pip install '.[redis,testing]'

Set in the environment, or run it with --local, which starts a local Entra and a redis-server:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX; the key must be RSA
    REDIS_URL         rediss://USER:PASSWORD@HOST:PORT/0

Only a holder of the private key can read what Redis holds. The sample starts eight processes at once:

    8 processes, 1 token
    token requests: …
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from typing import Any

from azure_certvar_credential import CertVarCredential, ClientCertificate, RedisTokenCache
from azure_certvar_credential.testing import EntraEmulator


def member(options: dict[str, Any]) -> tuple[str, int]:
    """Get a token in a process of its own; return it, and how many requests that took."""
    answers, cache = list[object](), RedisTokenCache(os.environ["REDIS_URL"])
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names, token_cache=cache, raw_response_hook=answers.append, **options) as credential:
        return credential.get_token("https://graph.microsoft.com/.default").token, len(answers)


def main(**options: Any) -> None:
    """Start the fleet and count."""
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        tokens, requests = zip(*pool.map(member, [options] * 8, chunksize=1), strict=True)
    print(f"{len(tokens)} processes, {len(set(tokens))} token\ntoken requests: {sum(requests)}")


def local() -> None:
    """Run it without Azure."""
    certificate, entra = ClientCertificate.self_signed("fleet"), EntraEmulator()
    application = entra.add_application(certificate)
    with entra.serve() as server, tempfile.TemporaryDirectory() as folder:
        os.environ |= {"AZURE_TENANT_ID": application.tenant_id, "AZURE_CLIENT_ID": application.client_id}
        os.environ |= {"APP_CERT": certificate.to_pem(), "REDIS_URL": f"unix://{folder}/redis"}
        command = ["redis-server", "--port", "0", "--unixsocket", f"{folder}/redis", "--save", "", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as redis:  # noqa: S603 - the command is fixed
            main(authority=server.authority, disable_instance_discovery=True, connection_verify=server.ca_file)
            redis.terminate()


if __name__ == "__main__":
    local() if "--local" in sys.argv else main()
