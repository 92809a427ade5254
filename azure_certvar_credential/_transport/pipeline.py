"""What the sync and the async pipeline have in common: the policies, the request, and the reading of a response."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import copy
from typing import Any

from azure.core.exceptions import AzureError, DecodeError, HttpResponseError, ServiceResponseError
from azure.core.pipeline.policies import (
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    HttpLoggingPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest

from azure_certvar_credential._core.effects import Fetch, Send, Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._transport.options import DEFAULT_TIMEOUTS
from azure_certvar_credential._version import __version__
from azure_certvar_credential.exceptions import ConfigurationError

SDK_MONIKER = f"certvar-credential/{__version__}"


def build_policies(retry_policy: type[Any], options: Mapping[str, Any]) -> list[Any]:
    """Return the policies of a pipeline, outermost first.

    There is no redirect policy, so an assertion never follows a redirect to another host; and no
    ``NetworkTraceLoggingPolicy``, so the body of a request or response is never logged, whatever ``logging_enable``
    says. The retry policy repeats connections that were not made; what follows a request that was sent is the flow's
    to repeat, with a fresh assertion.

    :param retry_policy: azure-core's sync or async retry policy.
    :param options: checked pipeline options.
    """
    if options.get("policies") is not None:
        return _with_the_callers(retry_policy, options)
    given = {name: value for name, value in options.items() if value is not None}
    retry = {name: value for name, value in given.items() if name.startswith("retry_") or name == "timeout"}
    return [
        RequestIdPolicy(**given),
        HeadersPolicy(**given),
        UserAgentPolicy(sdk_moniker=SDK_MONIKER, **given),
        ProxyPolicy(**given),
        *_listed(given.get("per_call_policies")),
        retry_policy(**{"retry_total": 3, **retry, "retry_status": 0, "retry_read": 0}),
        *_listed(given.get("per_retry_policies")),
        CustomHookPolicy(**given),
        DistributedTracingPolicy(**given),
        HttpLoggingPolicy(**given),
    ]


def _with_the_callers(retry_policy: type[Any], options: Mapping[str, Any]) -> list[Any]:
    """Place additional policies into a list of the caller's own, as azure-core's ``PipelineClient`` does."""
    policies = [*_listed(options.get("per_call_policies")), *_listed(options["policies"])]
    per_retry = _listed(options.get("per_retry_policies"))
    if not per_retry:
        return policies
    places = [place for place, policy in enumerate(policies, 1) if isinstance(policy, retry_policy)]
    if not places:
        raise ConfigurationError(
            "per_retry_policies come after the retry policy, and policies has none: put them into policies themselves"
        )
    return [*policies[: places[-1]], *per_retry, *policies[places[-1] :]]


def transport_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of azure-core's own transports, with time-outs that suit a token endpoint."""
    names = (
        "connection_cert",
        "connection_data_block_size",
        "connection_timeout",
        "connection_verify",
        "read_timeout",
        "use_env_settings",
    )
    return {**DEFAULT_TIMEOUTS, **{name: options[name] for name in names if options.get(name) is not None}}


def run_options(effect: Send | Fetch, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that azure-core's policies take with each request only, not in their constructor."""
    # What is sent here: azure-core's retry policy leaves POST alone unless told otherwise. A list of the caller's own
    # may have no retry policy, and then the option would end up at the transport.
    if options.get("policies") is not None:
        return {}
    once = {"retry_total": 0} if isinstance(effect, Fetch) and effect.once else {}
    return {"retry_on_methods": ["GET", "POST"], **once}


def http_request(effect: Send | Fetch) -> HttpRequest:
    """Return the effect as azure-core's request."""
    if isinstance(effect, Fetch):
        return HttpRequest("GET", effect.url, headers={"Accept": "application/json"})
    headers = {
        **effect.headers,
        "x-client-Ver": __version__,
        "x-client-OS": sys.platform,
    }
    return HttpRequest("POST", effect.url, headers=headers, data=dict(effect.form))


class BoundedBody:
    """Collects the body of a response up to one octet more than it may have."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0

    def full(self, chunk: bytes) -> bool:
        """Take a chunk; say whether the bound is passed and reading should stop."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        return self._size > MAX_BODY

    def response(self, http_response: Any) -> Response:
        """Return what was read as the flow's response."""
        headers = {str(name).lower(): str(value) for name, value in http_response.headers.items()}
        return Response(int(http_response.status_code), headers, b"".join(self._chunks)[: MAX_BODY + 1])


def unanswered(error: AzureError) -> Unanswered:
    """Return a transport's failure for the flow to repeat or raise.

    :raises AzureError: the request was never sent, and the retry policy has repeated that already; or it is no failure
        of the connection, such as the refusal of a policy.
    """
    clean = without_request(error)
    if isinstance(error, (ServiceResponseError, DecodeError)) or type(error) is HttpResponseError:
        return Unanswered(clean)
    raise clean


def without_request(error: AzureError) -> AzureError:
    """Return an error of the same class and text that holds nothing of the request.

    The exceptions underneath keep a reference to the request, whose body holds the assertion, where error reporters
    would find it.
    """
    with suppress(TypeError):  # a constructor of another shape
        return type(error)(error.message)
    # Not made while the TypeError is handled: azure-core's errors keep what is being handled, with all its frames.
    return AzureError(error.message)


def _listed(policies: Any) -> list[Any]:
    """Return the caller's policies as a list, ready for one more pipeline.

    azure-core writes into each which one comes next; one that stands in another pipeline already, of a copy of the
    credential, of another event loop or of another client, would send from there through the transport of here.
    """
    if policies is None:
        return []
    return [_unlinked(policy) for policy in (policies if isinstance(policies, Iterable) else [policies])]


def _unlinked(policy: Any) -> Any:
    if getattr(policy, "next", None) is None:
        return policy
    try:
        return copy(policy)
    except Exception as error:  # noqa: BLE001 - of the caller's class
        reason = type(error).__name__
    raise ConfigurationError(
        f"the policy {type(policy).__name__} stands in another pipeline and cannot be copied ({reason}): give each "
        "credential, and each event loop's, one of its own, or let it be copied"
    )
