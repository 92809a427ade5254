"""A middle tier: exchange the caller's token, and call the next API on the user's behalf.

Install, in a clone of this repository:

    pip install '.[aio,testing]'

Set in the environment, or run it with --local, which calls it once as a user:

    AZURE_TENANT_ID, AZURE_CLIENT_ID   as the app registration of this API shows them
    APP_CERT                           certificate and private key: PEM, or base64 of a PFX
    ORDERS_URL, ORDERS_SCOPE           the next API, and a delegated permission there, such as api://orders/Orders.Read

GET /orders, at port 8080 or PORT, takes an access token issued for this API. With --local the sample prints:

    ======== Running on http://127.0.0.1:… ========
    (Press CTRL+C to quit)
    200 {… "name": "Adele Vance", … "scp": "Orders.Read", …}
"""

import os
import sys
from collections.abc import AsyncIterator

from aiohttp import ClientSession, web

import local
from azure_certvar_credential.aio import CertVarCredential
from azure_certvar_credential.exceptions import AuthenticationError, OnBehalfOfError

CREDENTIAL, SESSION = web.AppKey("CREDENTIAL", CertVarCredential), web.AppKey("SESSION", ClientSession)


async def connections(app: web.Application) -> AsyncIterator[None]:
    """Share one credential and one session among all requests, and close them at the end."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    async with CertVarCredential(*names) as app[CREDENTIAL], ClientSession() as app[SESSION]:
        yield


async def orders(request: web.Request) -> web.Response:
    """Answer with the orders of the user whose token came with the request."""
    user_token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        token = await request.app[CREDENTIAL].on_behalf_of(user_token).get_token(os.environ["ORDERS_SCOPE"])
    except OnBehalfOfError as error:  # the client may have to prompt the user, and returns with another token
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": error.www_authenticate}) from None
    except AuthenticationError as error:
        print(error)
        raise web.HTTPBadGateway(text="this API cannot sign in") from None
    bearer = {"Authorization": f"Bearer {token.token}"}
    async with request.app[SESSION].get(os.environ["ORDERS_URL"], headers=bearer) as answer:
        return web.Response(status=answer.status, text=await answer.text(), content_type="application/json")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start(visit="/orders")
    (application := web.Application()).cleanup_ctx.append(connections)
    application.add_routes([web.get("/orders", orders)])
    web.run_app(application, host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
