"""What the journeys share: both sides' certificates, a tracer that keeps its spans, and the judgement."""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from azure.core.settings import settings
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.certificates import making
from tests.faults.fault import GOOD, TOKEN, Fault
from tests.faults.server import Certificates
from tests.faults.trial import USER_TOKEN, Journey, proxy_secrets, travel
from tests.faults.verdict import leaks, wrongs

_PASSWORD = "a-password-that-opens-the-key"

Judge = Callable[[str, Fault], Awaitable[list[str]]]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The server's sides of TLS."""
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def pem() -> str:
    """A certificate with its key under a password, in the form that takes the least time to read."""
    key = making.rsa_key()
    sealed = key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(_PASSWORD.encode())
    )
    return (sealed + making.pem(making.self_signed("faults", key))).decode()


@pytest.fixture(scope="session")
def key_pieces() -> list[str]:
    """The private key in pieces as long as a text might quote."""
    text = base64.b64encode(making.key_bytes(making.rsa_key(), Encoding.DER)).decode()
    return [text[start : start + 40] for start in range(0, len(text) - 40, 40)]


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    """The exporter of the process's one tracer."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    """The spans of one test."""
    settings.tracing_enabled.set_value(value=True)
    exporter.clear()
    yield exporter
    settings.tracing_enabled.unset_value()


class _Texts(logging.Handler):
    """Keeps what every record says and holds."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s %(args)s"))
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextmanager
def _logged() -> Iterator[list[str]]:
    """Keep what every logger says at any level.

    pytest's own handlers are off meanwhile: they would write out hundreds of thousands of records, of which some quote
    octets that are no text.
    """
    root, kept = logging.getLogger(), _Texts()
    level, handlers = root.level, root.handlers
    root.handlers = [kept]
    root.setLevel(logging.DEBUG)
    try:
        yield kept.texts
    finally:
        root.handlers = handlers
        root.setLevel(level)


@pytest.fixture
def judge(
    certificates: Certificates,
    pem: str,
    key_pieces: list[str],
    monkeypatch: pytest.MonkeyPatch,
    spans: InMemorySpanExporter,
) -> Judge:
    """Send a credential on its journey and return all that was wrong with it."""

    def secrets(journey: Journey) -> list[str]:
        tokens = [piece for token in (GOOD, TOKEN, *journey.assertions) for piece in token.split(".")[1:]]
        return [_PASSWORD, *proxy_secrets(), *tokens, *USER_TOKEN.split(".")[1:], *key_pieces]

    async def judged(credential: str, fault: Fault) -> list[str]:
        with _logged() as logged:
            journey = await travel(
                credential, fault, certificates=certificates, pem=pem, password=_PASSWORD, patch=monkeypatch
            )
        told = [*logged, *(span.to_json() for span in spans.get_finished_spans())]
        return wrongs(fault, journey) + leaks(journey, secrets(journey), "\n".join(told))

    return judged
