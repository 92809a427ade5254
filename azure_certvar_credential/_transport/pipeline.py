"""What the sync and the async pipeline have in common: the policies, the request, and the reading of a response.

The innermost policy translates what a transport raises before azure-core's spans and retries see it.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping
from copy import copy
from math import inf
from typing import Any

from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.policies import (
    AsyncHTTPPolicy,
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    HttpLoggingPolicy,
    HTTPPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest

from azure_certvar_credential._core.effects import Fetch, Send, Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._transport.attempt import Attempt, under_way
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential._transport.options import DEFAULT_TIMEOUTS
from azure_certvar_credential._version import __version__
from azure_certvar_credential.exceptions import AcquisitionTimeoutError, ConfigurationError, UntrustedServerError

SDK_MONIKER = f"certvar-credential/{__version__}"
# An answer is a few kilobytes, and one that is not compressed cannot be a bomb (RFC 9110 section 12.5.3).
_UNCOMPRESSED = {"Accept-Encoding": "identity"}


class Boundary(HTTPPolicy[Any, Any]):
    """Stands before a synchronous transport."""

    def send(self, request: Any) -> Any:
        """Send, and raise what :meth:`.Attempt.translated` makes of a failure."""
        try:
            return self.next.send(request)
        except Exception as error:
            attempt, failure = under_way.get(), error
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
            attempt, failure = under_way.get(), error
            if attempt is None:
                raise
        raise attempt.translated(failure)


class _Logging(HttpLoggingPolicy):
    """Logs the headers that azure-core holds for harmless, without what a server quotes in them of the request."""

    def _redact_header(self, key: str, value: str) -> str:
        shown, attempt = super()._redact_header(key, value), under_way.get()
        return shown if attempt is None else attempt.remover()(shown)


def build_policies(retry_policy: type[Any], boundary: Any, options: Mapping[str, Any]) -> list[Any]:
    """Return the policies of a pipeline, outermost first.

    There is no redirect policy, so an assertion never follows a redirect to another host; and no
    ``NetworkTraceLoggingPolicy``, so the body of a request or response is never logged, whatever ``logging_enable``
    says. Nor is there a retry policy: the flow repeats a request, each time with a fresh assertion.

    :param retry_policy: azure-core's sync or async retry policy, which a list of the caller's own may have.
    :param boundary: the policy that translates what the transport raises.
    :param options: checked pipeline options.
    """
    if options.get("policies") is not None:
        return [*_with_the_callers(retry_policy, options), boundary]
    given = {name: value for name, value in options.items() if value is not None}
    # azure-core's own starts a program, uname, to name the processor as well.
    system = platform.uname()
    agent = f"azsdk-python-{SDK_MONIKER} Python/{platform.python_version()}"
    given.setdefault("base_user_agent", f"{agent} ({system.system}-{system.release}-{system.machine})")
    return [
        RequestIdPolicy(**given),
        HeadersPolicy(**given),
        UserAgentPolicy(**given),
        ProxyPolicy(**given),
        *listed(given.get("per_call_policies")),
        *listed(given.get("per_retry_policies")),
        CustomHookPolicy(**given),
        DistributedTracingPolicy(**given),
        _Logging(**given),
        boundary,
    ]


def _with_the_callers(retry_policy: type[Any], options: Mapping[str, Any]) -> list[Any]:
    """Place additional policies into a list of the caller's own, as azure-core's ``PipelineClient`` does."""
    policies = [*listed(options.get("per_call_policies")), *listed(options["policies"])]
    per_retry = listed(options.get("per_retry_policies"))
    if not per_retry:
        return policies
    places = [place for place, policy in enumerate(policies, 1) if isinstance(policy, retry_policy)]
    if not places:
        raise ConfigurationError(
            "per_retry_policies come after the retry policy, and policies has none: put them into policies themselves"
        )
    return [*policies[: places[-1]], *per_retry, *policies[places[-1] :]]


def transport_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of azure-core's own transports, with time-outs that suit a token endpoint.

    Trust and proxies are not among them: the connections have an SSL context, and the proxy is chosen for each request.
    """
    names = ("connection_data_block_size", "connection_timeout", "read_timeout")
    return {**DEFAULT_TIMEOUTS, **{name: options[name] for name in names if options.get(name) is not None}}


def run_options(transport: Any) -> dict[str, Any]:
    """Return time-outs within the deadline for a request through a transport of azure-core's own making."""
    config, left = getattr(transport, "connection_config", None), deadline().remaining()
    if config is None or left == inf:
        return {}
    names = {"connection_timeout": config.timeout, "read_timeout": config.read_timeout}
    return {name: min(seconds, left) for name, seconds in names.items() if isinstance(seconds, (int, float))}


def takes_time_outs_as_one(transport: Any) -> bool:
    """Return whether an asynchronous transport is one of azure-core's over requests.

    They fail with the option ``read_timeout`` of a request; in ``connection_timeout`` they take both as a pair.
    """
    # By its name: an import of the class loads requests.
    return any(base.__name__ == "RequestsTransport" for base in type(transport).__mro__)


def http_request(effect: Send | Fetch) -> HttpRequest:
    """Return the effect as azure-core's request."""
    if isinstance(effect, Fetch):
        return HttpRequest("GET", effect.url, headers={"Accept": "application/json", **_UNCOMPRESSED})
    headers = {
        **effect.headers,
        **_UNCOMPRESSED,
        "x-client-Ver": __version__,
        "x-client-OS": sys.platform,
    }
    return HttpRequest("POST", effect.url, headers=headers, data=dict(effect.form))


def read_response(http_response: Any, body: bytes | bytearray) -> Response:
    """Return a response as the flow's.

    :param body: what was read of its body; cut one octet after the bound, which shows that it is too long.
    """
    headers = {str(name).lower(): str(value) for name, value in http_response.headers.items()}
    return Response(int(http_response.status_code), headers, bytes(body[: MAX_BODY + 1]))


def unanswered(attempt: Attempt, error: Exception) -> Unanswered:
    """Return what stopped an attempt, for the flow to repeat or raise.

    :raises Exception: the deadline has passed, or it is no failure of the connection, such as the refusal of a policy.
    """
    if not isinstance(error, AzureError):
        raise error
    clean = attempt.cleaned(error)
    # Raised and not returned, so that it is not repeated.
    if isinstance(clean, (AcquisitionTimeoutError, UntrustedServerError)):
        raise clean
    if isinstance(error, (ServiceRequestError, ServiceResponseError, DecodeError)) or type(error) is HttpResponseError:
        return Unanswered(clean, sent=not isinstance(error, ServiceRequestError))
    raise clean


def listed(policies: Any) -> list[Any]:
    """Return the caller's policies as a list, ready for one more pipeline.

    :param policies: one, several or None.

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
