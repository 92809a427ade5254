"""A middle tier with FastAPI: a dependency signs each request's user in to the next API, on their behalf.

Install, in a clone of this repository:

    pip install '.[aio,testing]' fastapi httpx uvicorn

Set in the environment, or run it with --local, which calls it once as a user:

    AZURE_TENANT_ID, AZURE_CLIENT_ID   as the app registration of this API shows them
    APP_CERT                           certificate and private key: PEM, or base64 of a PFX
    ORDERS_URL, ORDERS_SCOPE           the next API, and a delegated permission there, such as api://orders/Orders.Read

GET /orders, at port 8080 or PORT, takes an access token issued for this API. With --local the sample prints:

    200 {… "name": "Adele Vance", … "scp": "Orders.Read", …}
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, security

import local
from azure_certvar_credential.aio import CertVarCredential
from azure_certvar_credential.exceptions import OnBehalfOfError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Share one credential, which keeps users apart, and one client among all requests."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    async with CertVarCredential(*names) as app.state.credential, httpx.AsyncClient() as app.state.client:
        yield


async def token(request: Request, caller: Annotated[Any, Depends(security.HTTPBearer())]) -> str:
    """Exchange the caller's token for one of the next API."""
    credential: CertVarCredential = request.app.state.credential
    try:
        return (await credential.on_behalf_of(caller.credentials).get_token(os.environ["ORDERS_SCOPE"])).token
    except OnBehalfOfError as error:  # the client may have to prompt the user, and returns with another token
        raise HTTPException(401, headers={"WWW-Authenticate": error.www_authenticate}) from None


async def orders(request: Request, token: Annotated[str, Depends(token)]) -> Any:
    """Answer with the caller's orders."""
    answer = await request.app.state.client.get(os.environ["ORDERS_URL"], headers={"Authorization": f"Bearer {token}"})
    return answer.raise_for_status().json()


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start(visit="/orders")
    (api := FastAPI(lifespan=lifespan)).get("/orders")(orders)
    uvicorn.run(api, port=int(os.environ.get("PORT", "8080")), log_level="warning")
