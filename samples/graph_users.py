"""List users with the asynchronous Microsoft Graph client.

Install, in a clone of this repository:

    pip install '.[aio,testing]' msgraph-sdk

Set in the environment, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX

The application needs the application permission 'User.Read.All' with an administrator's consent. The sample prints the
display name of each user:

    Ada Lovelace
    Grace Hopper
"""

import asyncio
import os
import sys

from msgraph import GraphServiceClient

import local
from azure_certvar_credential.aio import CertVarCredential


async def main() -> None:
    """Print the name of every user on the first page."""
    async with CertVarCredential(
        os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    ) as credential:
        client = GraphServiceClient(credential, scopes=["https://graph.microsoft.com/.default"])
        page = await client.users.get()
        for user in (page.value if page else None) or []:
            print(user.display_name)


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    asyncio.run(main())
