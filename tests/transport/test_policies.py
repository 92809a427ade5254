"""azure-core's options do here what they do in every Azure client."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncRetryPolicy, HeadersPolicy, RetryPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport

from azure_certvar_credential import __version__
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._transport.pipeline import Boundary, build_policies
from azure_certvar_credential.exceptions import ConfigurationError
from tests.transport.conftest import MakePoster
from tests.transport.loopback import Received, serving, token, unused_port
from tests.transport.posting import QUIET, AsyncPoster, Poster, send, sync_poster


def sent(poster: Poster) -> Received:
    with serving(token()) as server:
        assert isinstance(poster.send(send(server.url)), Response)
    (received,) = server.received
    return received


END = Boundary()


class Mark(SansIOHTTPPolicy[Any, Any]):
    """Counts how often it is passed, and leaves a header."""

    def __init__(self, name: str = "x-mark") -> None:
        self.name = name
        self.count = 0

    def on_request(self, request: PipelineRequest[Any]) -> None:
        self.count += 1
        request.http_request.headers[self.name] = str(self.count)


def test_the_request_says_who_sends_it(poster: MakePoster) -> None:
    headers = sent(poster()).headers
    assert headers["user-agent"].startswith(f"azsdk-python-certvar-credential/{__version__} Python/")
    assert headers["x-client-sku"] == "azure-certvar-credential"
    assert headers["x-client-ver"] == __version__
    assert headers["x-client-os"] == sys.platform
    assert headers["client-request-id"] == "a-correlation-id"
    assert headers["return-client-request-id"] == "true"
    assert headers["accept"] == "application/json"
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-ms-client-request-id"])


def test_a_user_agent_stands_once_before_the_packages_own(poster: MakePoster) -> None:
    agent = sent(poster(user_agent="my-app/1.0")).headers["user-agent"]
    assert agent.startswith("my-app/1.0 azsdk-python-certvar-credential/")
    assert agent.count("my-app") == 1


def test_a_user_agent_may_replace_it_and_the_environment_add_to_it(
    poster: MakePoster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_HTTP_USER_AGENT", "from-the-environment")
    assert sent(poster()).headers["user-agent"].endswith(" from-the-environment")
    assert "environment" not in sent(poster(user_agent_use_env=False)).headers["user-agent"]


def test_request_ids_and_headers_are_the_callers_if_given(poster: MakePoster) -> None:
    headers = sent(poster(request_id="their-id", headers={"x-one": "1"})).headers
    assert headers["x-ms-client-request-id"] == "their-id"
    assert headers["x-one"] == "1"
    assert "x-ms-client-request-id" not in sent(poster(auto_request_id=False)).headers


def test_custom_hooks_are_called_once_a_request_with_request_and_response(poster: MakePoster) -> None:
    requests: list[str] = []
    responses: list[int] = []

    def on_request(request: PipelineRequest[Any]) -> None:
        requests.append(request.http_request.method)
        request.http_request.headers["x-hooked"] = "yes"

    def on_response(response: PipelineResponse[Any, Any]) -> None:
        responses.append(response.http_response.status_code)

    made = poster(raw_request_hook=on_request, raw_response_hook=on_response)
    assert sent(made).headers["x-hooked"] == "yes"
    assert (requests, responses) == (["POST"], [200])
    sent(made)
    assert (requests, responses) == (["POST"] * 2, [200] * 2)


def test_a_hook_that_reads_the_body_leaves_it_readable() -> None:
    # Sync only: an async response is read with await, which a hook cannot.
    made = sync_poster({**QUIET, "raw_response_hook": lambda response: response.http_response.read()})
    with serving(token("read-twice")) as server:
        response = made.send(send(server.url))
    made.close()
    assert isinstance(response, Response)
    assert b"read-twice" in response.body


def test_a_proxy_gets_the_request_whole(poster: MakePoster) -> None:
    with serving(token()) as proxy:
        response = poster(proxies={"http": proxy.url}).send(send("http://login.example.test"))
    assert isinstance(response, Response)
    assert proxy.received[0].line == "POST http://login.example.test/contoso.example/oauth2/v2.0/token HTTP/1.1"


def test_the_environments_proxy_is_used_unless_told_otherwise(
    poster: MakePoster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    with serving(token()) as proxy, serving(token()) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert isinstance(poster(use_env_settings=True).send(send("http://login.example.test")), Response)
        assert isinstance(poster(use_env_settings=False).send(send(server.url)), Response)
    assert len(proxy.received) == len(server.received) == 1


def test_additional_policies_have_azure_cores_places(poster: MakePoster) -> None:
    per_call, per_retry = Mark("x-call"), Mark("x-retry")
    made = poster(per_call_policies=per_call, per_retry_policies=[per_retry])
    headers = sent(made).headers
    assert (headers["x-call"], headers["x-retry"]) == ("1", "1")
    made.send(send(f"http://127.0.0.1:{unused_port()}"))
    # The flow sends again, through all of them.
    assert (per_call.count, per_retry.count) == (2, 2)


def test_a_list_of_policies_replaces_ours(poster: MakePoster) -> None:
    headers = sent(poster(policies=[Mark()], raw_request_hook=pytest.fail, user_agent="not-sent")).headers
    assert headers["x-mark"] == "1"
    assert "azsdk" not in headers.get("user-agent", "")
    assert "not-sent" not in headers.get("user-agent", "")
    assert sent(poster(policies=[])).headers["client-request-id"] == "a-correlation-id"


def test_additional_policies_join_a_list_of_policies() -> None:
    retry, first, last, per_call, per_retry = RetryPolicy(), Mark(), Mark(), Mark(), Mark()
    given = {"policies": [first, retry, last], "per_call_policies": [per_call], "per_retry_policies": per_retry}
    assert build_policies(RetryPolicy, END, given) == [per_call, first, retry, per_retry, last, END]
    given = {"policies": [first], "per_call_policies": per_call}
    assert build_policies(RetryPolicy, END, given) == [per_call, first, END]


def test_a_policy_for_each_retry_needs_a_retry_policy_in_the_list() -> None:
    with pytest.raises(ConfigurationError, match="per_retry_policies come after the retry policy"):
        build_policies(RetryPolicy, END, {"policies": [HeadersPolicy()], "per_retry_policies": [Mark()]})


@pytest.mark.parametrize("retry_policy", [RetryPolicy, AsyncRetryPolicy])
def test_nothing_in_the_pipeline_follows_redirects_sends_again_or_logs_bodies(retry_policy: type[Any]) -> None:
    names = [type(policy).__name__ for policy in build_policies(retry_policy, END, {"logging_enable": True})]
    assert not [name for name in names if "Redirect" in name or "NetworkTrace" in name or "Authentication" in name]
    assert retry_policy.__name__ not in names


class Slept(RequestsTransport):  # type: ignore[misc]  # azure-core loads it on first use, which hides its type
    """azure-core's transport, whose pauses take no time."""

    pauses: list[float]

    def sleep(self, duration: float) -> None:
        self.pauses.append(duration)


class AsyncSlept(AioHttpTransport):  # type: ignore[misc]
    """Its async twin."""

    pauses: list[float]

    async def sleep(self, duration: float) -> None:
        self.pauses.append(duration)


def test_the_flows_pauses_are_the_transports(poster: MakePoster) -> None:
    transport = _slept(poster)
    poster(transport=transport).sleep(2.5)
    assert transport.pauses == [2.5]
    poster().sleep(0.0)


def _slept(poster: MakePoster) -> Any:
    transport: Any = AsyncSlept() if isinstance(poster(), AsyncPoster) else Slept()
    transport.pauses = []
    return transport
