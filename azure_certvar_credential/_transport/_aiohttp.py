"""azure-core's aiohttp transport, opened with an SSL context that was made elsewhere. Needs the extra ``aio``."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport

from azure_certvar_credential._transport.pipeline import transport_options

# Raised once the request was on its way, so the server may have acted on it.
_BROKEN = (
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientPayloadError,
    aiohttp.ClientOSError,
    ConnectionResetError,
    BrokenPipeError,
)


class _Transport(AioHttpTransport):  # type: ignore[misc]  # azure-core loads it on first use, which hides its type
    """Tells a connection that broke from one that was never made, which azure-core does not for aiohttp."""

    async def send(self, request: Any, **config: Any) -> Any:
        try:
            return await super().send(request, **config)
        except ServiceRequestError as error:
            cause = error.inner_exception
            if not isinstance(cause, _BROKEN) or isinstance(cause, aiohttp.ClientConnectorError):
                raise
            broken = ServiceResponseError(error.message, error=cause)
        raise broken


def make_transport(context: ssl.SSLContext | Literal[False], options: Mapping[str, Any]) -> AioHttpTransport:
    """Return a transport for the running event loop.

    :param context: the SSL context, or False to verify nothing.
    :param options: checked pipeline options.
    """
    given = transport_options(options)
    # The context is in the connector: azure-core would otherwise read the trusted certificates anew for each request.
    given.pop("connection_verify", None)
    given.pop("connection_cert", None)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=given.get("use_env_settings", True),
        auto_decompress=False,
    )
    return _Transport(session=session, **given)
