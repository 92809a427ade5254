"""The innermost policies: what a transport raises is translated before azure-core's spans and retries see it."""

from __future__ import annotations

from typing import Any

from azure.core.pipeline.policies import AsyncHTTPPolicy, HTTPPolicy

from azure_certvar_credential._transport.attempt import current


class Boundary(HTTPPolicy[Any, Any]):
    """Stands before a synchronous transport."""

    def send(self, request: Any) -> Any:
        """Send, and raise what :meth:`.Attempt.translated` makes of a failure."""
        try:
            return self.next.send(request)
        except Exception as error:
            attempt, failure = current(), error
            if attempt is None:
                raise
        # Outside of the handler: an error that is made while another one is handled keeps that one, with its request.
        raise attempt.translated(failure)


class AsyncBoundary(AsyncHTTPPolicy[Any, Any]):
    """Stands before an asynchronous transport."""

    async def send(self, request: Any) -> Any:
        """Send, and raise what :meth:`.Attempt.translated` makes of a failure."""
        try:
            return await self.next.send(request)
        except Exception as error:
            attempt, failure = current(), error
            if attempt is None:
                raise
        raise attempt.translated(failure)
