"""List users with the asynchronous Microsoft Graph client.

    AZURE_TENANT_ID, AZURE_CLIENT_ID   as the app registration shows them
    APP_CERT                           certificate and private key: PEM, or base64 of a PFX

The application needs the permission 'User.Read.All' (application), consented by an administrator.
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
