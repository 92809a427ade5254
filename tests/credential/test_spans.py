"""Spans of token requests by azure-core's tracing: its own, and its plugin for OpenTelemetry."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from azure.core.settings import settings
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE, World

# azure-core asks for the global provider, which a process sets once.
EXPORTER = InMemorySpanExporter()


@pytest.fixture(scope="module", autouse=True)
def provider() -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(EXPORTER))
    trace.set_tracer_provider(made)
    assert trace.get_tracer_provider() is made
    return made


@pytest.fixture(params=["azure-core itself", "azure-core by the environment", "the plugin"])
def tracing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Trace in one of azure-core's two ways."""
    EXPORTER.clear()
    name: str = request.param
    if name == "the plugin":
        settings.tracing_implementation = "opentelemetry"
    elif name == "azure-core by the environment":
        monkeypatch.setenv("AZURE_TRACING_ENABLED", "true")
    else:
        settings.tracing_enabled = True
    yield name
    settings.tracing_implementation.unset_value()
    settings.tracing_enabled.unset_value()


def finished() -> list[ReadableSpan]:
    return list(EXPORTER.get_finished_spans())


async def test_a_token_request_is_a_span_and_a_cached_token_is_none(world: World, tracing: str) -> None:
    driver = world.driver()
    for _ in range(3):
        await driver.get_token(STORAGE)
    (span,) = finished()
    attributes = dict(span.attributes or {})
    (sent,) = world.entra.requests
    assert attributes.get("url.full", attributes.get("http.url")) == sent.url
    assert attributes.get("http.response.status_code", attributes.get("http.status_code")) == 200
    assert span.kind is trace.SpanKind.CLIENT


async def test_it_stands_below_the_span_of_who_asked(world: World, tracing: str, provider: TracerProvider) -> None:
    driver = world.driver()
    with provider.get_tracer("test").start_as_current_span("list blobs") as outer:
        await driver.get_token(STORAGE)
    inner = next(span for span in finished() if span.name != "list blobs")
    assert inner.parent is not None
    assert inner.parent.span_id == outer.get_span_context().span_id


async def test_a_refusal_is_a_span_with_an_error(world: World, tracing: str) -> None:
    world.entra.inject(Fault.aadsts(700016))
    with pytest.raises(AuthenticationError):
        await world.driver().get_token(STORAGE)
    (span,) = finished()
    attributes = dict(span.attributes or {})
    assert attributes.get("http.response.status_code", attributes.get("http.status_code")) == 400


async def test_no_span_holds_a_secret(world: World, tracing: str) -> None:
    sent: list[str] = []

    def note(request: object) -> bool:
        sent.append(dict(request.form())["client_assertion"])  # type: ignore[attr-defined]
        return False

    world.entra.inject(Fault.throttled(), when=note)
    world.entra.inject(Fault.reset_after())
    token = await world.driver().get_token(STORAGE)
    text = json.dumps([json.loads(span.to_json()) for span in finished()])
    assert len(finished()) == len(sent) == 2
    for secret in (token.token, *sent):
        assert secret not in text
        assert secret.rsplit(".", 1)[1] not in text


async def test_nothing_is_traced_unless_asked_for(world: World) -> None:
    EXPORTER.clear()
    await world.driver().get_token(STORAGE)
    assert not finished()
