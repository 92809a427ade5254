"""azure-core's retry policies with a deadline, and one that hands the time-outs of a request to a transport.

azure-core's own ``timeout`` does not count the waits that a server demands with ``Retry-After``: a vault that throttles
could hold a caller for hours. Imported only when a vault is called, since azure-core's policies are slow to import.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from azure.core.pipeline.policies import AsyncHTTPPolicy, AsyncRetryPolicy, RetryPolicy

from azure_certvar_credential._transport.attempt import is_untrusted

if TYPE_CHECKING:
    from azure.core.pipeline.policies._retry import RetryPolicyBase as _Base
else:
    _Base = object


class _Deadline(_Base):
    """What both policies add to azure-core's.

    :param until: the deadline, as :func:`time.monotonic` counts.
    :param options: azure-core's retry options.
    """

    def __init__(self, until: float, **options: Any) -> None:
        super().__init__(**options)
        self._until = until

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        """Give each request the time that is left; without any it is not sent."""
        return {**super().configure_retries(options), "timeout": self._until - time.monotonic()}

    def increment(self, settings: dict[str, Any], response: Any = None, error: Exception | None = None) -> bool:
        """Return whether to retry: no server that is not trusted, and not if the wait before it ends too late.

        :param response: the response, or the request if there is none.
        """
        if error is not None and is_untrusted(error):
            return False
        if not super().increment(settings, response=response, error=error):
            return False
        wait = (self.get_retry_after(response) if error is None else None) or self.get_backoff_time(settings)
        left = self._until - time.monotonic() - wait
        options = response.context.options
        options["read_timeout"] = min(left, options.get("read_timeout") or left)
        return left > 0


class VaultRetryPolicy(_Deadline, RetryPolicy[Any, Any]):
    """For the synchronous clients."""


class AsyncVaultRetryPolicy(_Deadline, AsyncRetryPolicy[Any, Any]):
    """For the asynchronous clients."""


class TimeoutsAsOne(AsyncHTTPPolicy[Any, Any]):
    """Stands before a transport that takes both time-outs as a pair, see :func:`.pipeline.takes_time_outs_as_one`."""

    async def send(self, request: Any) -> Any:
        """Send with the pair; the policies before this one go on with two numbers."""
        options = request.context.options
        numbers = {name: options.pop(name) for name in ("connection_timeout", "read_timeout") if name in options}
        if len(numbers) == 2:
            options["connection_timeout"] = tuple(numbers.values())
        try:
            return await self.next.send(request)
        finally:
            options.update(numbers)
