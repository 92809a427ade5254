"""Have the worker processes of Dask share one token; Spark's and Ray's get theirs the same way.

Install, in a clone of this repository:

    pip install '.[testing]' dask

Set in the environment, of the workers too, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX; the key must be RSA
    TOKEN_CACHE       the path of the cache; by default it is in the user's cache directory

What travels to the workers is the name of a variable and the path of a file, never a key or a token. On more than one
machine, RedisTokenCache takes the place of the file. The sample prints:

    … workers, 16 tasks, 1 token
"""

import os
import sys
from hashlib import sha256

from dask.delayed import delayed

import local
from azure_certvar_credential import CertVarCredential, EnvironmentCertificate, SQLiteTokenCache


def work(credential: CertVarCredential, _task: int) -> tuple[int, str]:
    """Get a token, as the client of a task does; return the process and a digest of the token."""
    token = credential.get_token("https://storage.azure.com/.default").token
    return os.getpid(), sha256(token.encode()).hexdigest()


def main() -> None:
    """Hand one credential to all tasks."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"]
    certificate, cache = EnvironmentCertificate("APP_CERT"), SQLiteTokenCache(os.environ.get("TOKEN_CACHE"))
    with CertVarCredential(*names, certificate, token_cache=cache) as credential:
        tasks = [delayed(work)(credential, number) for number in range(16)]
        results = delayed(list)(tasks).compute(scheduler="processes")
    workers, tokens = map(set, zip(*results, strict=True))
    print(f"{len(workers)} workers, {len(results)} tasks, {len(tokens)} token")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    main()
