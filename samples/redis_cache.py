"""Use Azure Managed Redis or Azure Cache for Redis as a cache, with a token in the place of the access key.

Install, in a clone of this repository:

    pip install '.[redis,testing]' redis-entraid

Set in the environment, or run it with --local, which puts a stand-in that verifies tokens before a redis-server:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX
    REDIS_HOST        such as contoso.westeurope.redis.azure.net
    REDIS_PORT        10000 for Azure Managed Redis, 6380 for Azure Cache for Redis
    SSL_CERT_FILE     trusted certificate authorities, PEM; the system's if it is not set

Add the application as a Redis user with an access policy. redis-entraid renews the token in the background and sends it
on every open connection, since Redis ends those whose token has expired. The sample prints:

    signed in as …
    greeting: hello
"""

import os
import sys

from redis import Redis
from redis.auth.token_manager import RetryPolicy, TokenManagerConfig
from redis_entraid.cred_provider import EntraIdCredentialsProvider
from redis_entraid.identity_provider import DefaultAzureCredentialProvider

import local
from azure_certvar_credential import CertVarCredential


def main() -> None:
    """Sign in, and set and get a key."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names) as credential:
        identity = DefaultAzureCredentialProvider(credential, ("https://redis.azure.com/.default",))
        # Renew after 70 % of the token's life; give each try 30 s, and make three, 100 ms apart.
        renewal = TokenManagerConfig(0.7, 0, 30_000, RetryPolicy(3, 100))
        with Redis(
            host=os.environ["REDIS_HOST"],
            port=int(os.environ["REDIS_PORT"]),
            ssl=True,
            ssl_ca_certs=os.environ.get("SSL_CERT_FILE"),
            credential_provider=EntraIdCredentialsProvider(identity, renewal),
            decode_responses=True,
        ) as client:
            print("signed in as", client.acl_whoami())
            client.set("greeting", "hello", ex=60)
            print("greeting:", client.get("greeting"))


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start("redis_gate")
    main()
