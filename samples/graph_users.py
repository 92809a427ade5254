"""List users with the asynchronous Microsoft Graph client.

Install, in a clone of this repository:

    pip install '.[aio]' msgraph-sdk

Set in the environment:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX

The application needs the application permission 'User.Read.All' with an administrator's consent. The sample prints one
display name a line:

    Ada Lovelace
    Grace Hopper
    …
"""

import asyncio
import os

from msgraph import GraphServiceClient

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
    asyncio.run(main())
