"""Have the processes of a fleet share one token through Redis or Valkey.

Install, in a clone of this repository:

    pip install '.[redis,testing]'

Set in the environment, or run it with --local, which starts a redis-server, if that is on PATH:

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
import sys

import local
from azure_certvar_credential import CertVarCredential, RedisTokenCache


def member(_number: int) -> tuple[str, int]:
    """Get a token in a process of its own; return it, and how many requests that took."""
    answers, cache = list[object](), RedisTokenCache(os.environ["REDIS_URL"])
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names, token_cache=cache, raw_response_hook=answers.append) as credential:
        return credential.get_token("https://graph.microsoft.com/.default").token, len(answers)


def main() -> None:
    """Start the fleet and count."""
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        tokens, requests = zip(*pool.map(member, range(8), chunksize=1), strict=True)
    print(f"{len(tokens)} processes, {len(set(tokens))} token\ntoken requests: {sum(requests)}")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start("redis_server")
    main()
