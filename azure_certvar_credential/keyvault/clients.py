"""Performs calls with the clients of Azure's packages, and reports their failures as errors of this package.

Each call has a client of its own. A certificate is read once an hour, and an assertion that a vault signed is used
again, so that no connection is worth keeping: none goes stale, none is shared after a fork or with another event loop,
and there is nothing to close.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.exceptions import KeyVaultUnavailableError
from azure_certvar_credential.keyvault.access import Access, client_class, requires_keyvault_extra
from azure_certvar_credential.keyvault.calls import VaultCall
from azure_certvar_credential.keyvault.failures import explained
from azure_certvar_credential.keyvault.guard import GuardedCredential


def performer(access: Access) -> Callable[[VaultCall], Any]:
    """Return a function that performs the calls of one flow, for :func:`.effects.run`.

    All its calls, their retries and the waits between them end within ``access.timeout`` seconds from now. With a
    transport of the caller's own, a server that sends a response in many small pieces can exceed that: such a transport
    bounds only the wait for each piece.

    :returns: raises :class:`.KeyVaultError` or :class:`.ConfigurationError` if a call fails.
    """
    from azure_certvar_credential.keyvault.retries import VaultRetryPolicy

    until = time.monotonic() + access.timeout

    def perform(call: VaultCall) -> Any:
        limit = Deadline(_time_left(access, call, until))
        credential = access.credential_for(call.url)
        retries = VaultRetryPolicy(until, **access.options)
        client = _client(access, call, call.module, credential, retries, **_transport(access))
        try:
            with limit.applied():
                answer = getattr(client, call.method)(*call.arguments, **access.timeouts_within(limit.remaining()))
                return list(answer) if call.pages else answer
        except BaseException as error:  # noqa: BLE001 - a credential may raise anything, and so do the clients
            failure = _failure(access, call, credential, error, late=limit.over and _is_of_connection(error))
        finally:
            if not access.shares_transport:
                client.close()
        # Raised here, so that the other error, which has the request and its token, does not hang behind it.
        raise failure

    return perform


def async_performer(access: Access) -> Callable[[VaultCall], Awaitable[Any]]:
    """Return a function that performs the calls of one flow, for :func:`.effects.arun`.

    All its calls, their retries and the waits between them end within ``access.timeout`` seconds from now.

    :returns: raises :class:`.KeyVaultError` or :class:`.ConfigurationError` if a call fails.
    """
    from azure_certvar_credential.keyvault.retries import AsyncVaultRetryPolicy

    until = time.monotonic() + access.timeout

    async def perform(call: VaultCall) -> Any:
        left = _time_left(access, call, until)
        with requires_keyvault_extra():
            credential = access.credential_for(call.url)
            retries = AsyncVaultRetryPolicy(until, **access.options)
            client = _client(access, call, f"{call.module}.aio", credential, retries)
        try:
            return await asyncio.wait_for(_async_answer(client, call, access.timeouts_within(left)), left)
        except BaseException as error:  # noqa: BLE001 - a credential may raise anything, and so do the clients
            late = isinstance(error, asyncio.TimeoutError) and time.monotonic() >= until
            failure = _failure(access, call, credential, error, late=late)
        finally:
            if not access.shares_transport:
                await client.close()
        raise failure

    return perform


async def _async_answer(client: Any, call: VaultCall, timeouts: dict[str, float]) -> Any:
    answer = getattr(client, call.method)(*call.arguments, **timeouts)
    return [item async for item in answer] if call.pages else await answer


def _client(
    access: Access,
    call: VaultCall,
    module: str,
    credential: GuardedCredential,
    retry_policy: object,
    **transport: object,
) -> Any:
    options = {**access.options, **transport}
    return client_class(module, call.client)(call.target, credential, retry_policy=retry_policy, **options)


def _transport(access: Access) -> dict[str, object]:
    """Return a transport that keeps to the deadline in every read, unless the caller has given one."""
    if access.shares_transport:
        return {}
    # Imported late, because requests is slow to import.
    from azure_certvar_credential._transport._requests import make_transport

    return {"transport": make_transport({**access.options, **access.timeouts})}


def _is_of_connection(error: BaseException) -> bool:
    return isinstance(error, AzureError) and not isinstance(error, HttpResponseError)


def _failure(
    access: Access, call: VaultCall, credential: GuardedCredential, error: BaseException, *, late: bool
) -> BaseException:
    if late:
        return _late(access, call)
    return explained(error, call.operation, call.subject, access.secrets(credential))


def _time_left(access: Access, call: VaultCall, until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise _late(access, call)
    return left


def _late(access: Access, call: VaultCall) -> KeyVaultUnavailableError:
    return KeyVaultUnavailableError(
        f"could not {call.operation.does} {call.subject}: the vault did not answer within timeout={access.timeout:g} s"
    )
