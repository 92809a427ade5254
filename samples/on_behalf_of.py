"""A middle tier: exchange the caller's token, and call the next API on the user's behalf.

Install, in a clone of this repository:

    pip install '.[aio]'

Set in the environment:

    AZURE_TENANT_ID, AZURE_CLIENT_ID   as the app registration of this API shows them
    APP_CERT                           certificate and private key: PEM, or base64 of a PFX
    ORDERS_URL, ORDERS_SCOPE           the next API, such as api://orders/Orders.Read
    PORT                               where this API listens on the loopback interface; 8080 by default

The application needs the delegated permission ORDERS_SCOPE. GET /orders takes an access token issued for this API.
The sample prints 'Running on http://127.0.0.1:8080', and the error whenever it cannot sign in.
"""

import os
from collections.abc import AsyncIterator

from aiohttp import ClientSession, web

from azure_certvar_credential.aio import CertVarCredential
from azure_certvar_credential.exceptions import AuthenticationError, OnBehalfOfError

CREDENTIAL = web.AppKey("CREDENTIAL", CertVarCredential)
SESSION = web.AppKey("SESSION", ClientSession)


async def connections(app: web.Application) -> AsyncIterator[None]:
    """Share one credential and one session among all requests, and close them at the end."""
    certificate = os.environ["APP_CERT"]
    async with (
        CertVarCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], certificate) as credential,
        ClientSession() as session,
    ):
        app[CREDENTIAL], app[SESSION] = credential, session
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
    headers = {"Authorization": f"Bearer {token.token}"}
    async with request.app[SESSION].get(os.environ["ORDERS_URL"], headers=headers) as answer:
        return web.Response(status=answer.status, text=await answer.text(), content_type="application/json")


if __name__ == "__main__":
    application = web.Application()
    application.cleanup_ctx.append(connections)
    application.router.add_get("/orders", orders)
    web.run_app(application, host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
