"""List the documents of a SharePoint site, which takes an application's tokens only if it signs in with a certificate.

Install, in a clone of this repository:

    pip install '.[testing]' Office365-REST-Python-Client

Set in the environment, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX
    SHAREPOINT_URL    the site, such as https://contoso.sharepoint.com/sites/orders

The application needs SharePoint's permission 'Sites.Selected', and to be granted this site. The client keeps the token
for as long as it is told, and then asks for another. The sample prints the site's title, and its lists with the number
of their items; with --local:

    Orders
    - Documents (3)
    - Site Pages (1)
"""

import os
import sys
import time
from urllib.parse import urlsplit

from office365.sharepoint.client_context import ClientContext

import local
from azure_certvar_credential import CertVarCredential


def main() -> None:
    """Print what the site holds."""
    site = os.environ["SHAREPOINT_URL"]
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names) as credential:

        def token() -> dict[str, object]:
            found = credential.get_token(f"https://{urlsplit(site).hostname}/.default")
            # The client would use a token to its last second; a request takes a while.
            seconds = found.expires_on - time.time() - 300
            return {"access_token": found.token, "token_type": "Bearer", "expires_in": seconds}

        client = ClientContext(site).with_access_token(token)
        lists = client.web.lists
        client.load(client.web).load(lists).execute_query()
        print(client.web.title)
        for found in lists:
            print(f"- {found.title} ({found.item_count})")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    main()
