"""Performs calls with the clients of Azure's packages, and reports their failures as errors of this package.

Each call has a client of its own. A certificate is read once an hour, and an assertion that a vault signed is used
again, so that no connection is worth keeping: none goes stale, none is shared after a fork or with another event loop,
and there is nothing to close.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from azure.core.exceptions import AzureError

from azure_certvar_credential._transport.async_library import refuse_aiohttp_under_trio, within
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential.exceptions import KeyVaultUnavailableError
from azure_certvar_credential.keyvault.access import Access, client_class, requires_keyvault_extra
from azure_certvar_credential.keyvault.calls import VaultCall
from azure_certvar_credential.keyvault.failures import explained
from azure_certvar_credential.keyvault.guard import GuardedCredential


def performer(access: Access) -> Callable[[VaultCall], Any]:
    """Return a function that performs the calls of one flow, for :func:`.effects.run`.

    All its calls, their retries and the waits between them have ``access.timeout`` seconds from now. A transport of the
    caller's own can exceed that if a server sends a response in many small pieces.

    :returns: raises :class:`.KeyVaultError` or :class:`.ConfigurationError` if a call fails.
    """
    from azure_certvar_credential._transport.urllib3_transport import Urllib3Transport
    from azure_certvar_credential.keyvault.retries import VaultRetryPolicy

    until = time.monotonic() + access.timeout
    options = _trusting(access)

    def perform(call: VaultCall) -> Any:
        left = _time_left(access, call, until)
        transport = {} if access.shares_transport else {"transport": Urllib3Transport(options)}
        credential = access.credential_for(call.url)
        policy = VaultRetryPolicy(until, **access.options)
        client = _client(access, call, call.module, credential, transport, policy)
        try:
            with Deadline(left).applied():
                answer = getattr(client, call.method)(*call.arguments, **access.timeouts_within(left))
                return list(answer) if call.pages else answer
        except BaseException as error:  # noqa: BLE001 - a credential may raise anything, and so do the clients
            failure = _failure(access, call, error, until, credential)
        finally:
            if transport:
                client.close()
        # Raised here, so that the other error, which has the request and its token, does not hang behind it.
        raise failure

    return perform


def async_performer(access: Access) -> Callable[[VaultCall], Awaitable[Any]]:
    """Return a function that performs the calls of one flow, for :func:`.effects.arun`.

    All its calls, their retries and the waits between them end within ``access.timeout`` seconds from now.

    :returns: raises :class:`.KeyVaultError` or :class:`.ConfigurationError` if a call fails.
    """
    from azure_certvar_credential._transport.pipeline import takes_time_outs_as_one
    from azure_certvar_credential.keyvault.retries import AsyncVaultRetryPolicy, TimeoutsAsOne

    until = time.monotonic() + access.timeout

    async def perform(call: VaultCall) -> Any:
        left = _time_left(access, call, until)
        transport = {} if access.shares_transport else {"transport": await _async_transport(access)}
        more = [TimeoutsAsOne()] if takes_time_outs_as_one(access.options.get("transport")) else []
        credential = access.credential_for(call.url)
        with requires_keyvault_extra():
            policy = AsyncVaultRetryPolicy(until, **access.options)
            client = _client(access, call, f"{call.module}.aio", credential, transport, policy, *more)
        try:
            return await within(left, _async_answer(client, call, access.timeouts_within(left)))
        except BaseException as error:  # noqa: BLE001 - a credential may raise anything, and so do the clients
            failure = _failure(access, call, error, until, credential)
        finally:
            if transport:
                await client.close()
        raise failure

    return perform


def _trusting(access: Access) -> dict[str, Any]:
    """Return the options with an SSL context, which takes long to fill, for the transports of several calls."""
    from azure_certvar_credential._transport.trust import ssl_context

    own = not access.shares_transport
    return {**access.options, "connection_verify": ssl_context(access.options)} if own else dict(access.options)


async def _async_transport(access: Access) -> Any:
    refuse_aiohttp_under_trio()
    with requires_keyvault_extra():
        from azure_certvar_credential._transport._aiohttp import make_transport
    options = await in_thread(_trusting, access)
    return make_transport(options["connection_verify"], options)


def _failure(
    access: Access, call: VaultCall, error: BaseException, until: float, credential: GuardedCredential
) -> BaseException:
    if isinstance(error, (AzureError, TimeoutError)) and time.monotonic() >= until:
        return _late(access, call)
    return explained(error, call.operation, call.subject, access.explain_trust, access.secrets(credential))


async def _async_answer(client: Any, call: VaultCall, timeouts: dict[str, float]) -> Any:
    answer = getattr(client, call.method)(*call.arguments, **timeouts)
    return [item async for item in answer] if call.pages else await answer


def _client(  # noqa: PLR0917 - the parts of one client
    access: Access,
    call: VaultCall,
    module: str,
    credential: GuardedCredential,
    transport: Mapping[str, Any],
    retry_policy: object,
    *more: object,
) -> Any:
    from azure_certvar_credential._transport.pipeline import listed

    options = {
        **access.options,
        **transport,
        "retry_policy": retry_policy,
        "per_call_policies": listed(access.options.get("per_call_policies")),
        "per_retry_policies": [*listed(access.options.get("per_retry_policies")), *more],
    }
    return client_class(module, call.client)(call.target, credential, **options)


def _time_left(access: Access, call: VaultCall, until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise _late(access, call)
    return left


def _late(access: Access, call: VaultCall) -> KeyVaultUnavailableError:
    return KeyVaultUnavailableError(
        f"could not {call.operation.does} {call.subject}: the vault did not answer within timeout={access.timeout:g} s"
    )
