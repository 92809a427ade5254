"""Log lines carry what they say as fields, which a JSON formatter writes; python-json-logger stands for all of them."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pythonjsonlogger.json import JsonFormatter

from azure_certvar_credential import AsyncCallbackSigner, CallbackSigner, ClientCertificate
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.testing import Fault
from tests.credential.shared_caches import MemoryCache
from tests.credential.test_health import expiring
from tests.credential.world import GRAPH, STORAGE, World

PACKAGE = Path(__file__).parents[2] / "azure_certvar_credential"
LOGGER = logging.getLogger("azure_certvar_credential")


class Lines:
    """What a handler with a JSON formatter wrote."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of an event."""
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["certvar.event"] == event]


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines()
    handler = logging.StreamHandler(made.stream)
    handler.setFormatter(JsonFormatter("%(levelname)s %(message)s"))
    level = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    yield made
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)


async def test_a_refresh_that_failed(world: World, lines: Lines) -> None:
    driver = world.driver(retry_total=0)
    await driver.get_token(STORAGE)
    world.clock.advance(3600 - 400)
    world.entra.inject(Fault.aadsts(7000112))
    await driver.get_token(STORAGE)
    await driver.settle()
    (line,) = lines.of("refresh_failed")
    message = line.pop("message")
    assert line == {
        "levelname": "WARNING",
        "certvar.event": "refresh_failed",
        "error.type": "AADSTS7000112",
        "certvar.tenant_id": world.application.tenant_id,
        "certvar.scopes": STORAGE,
        "certvar.valid_for": 399.0,
        "certvar.retry_in": 30.0,
    }
    assert "could not refresh the token" in message


async def test_a_failure_is_one_line_in_a_back_off_whatever_the_number_of_callers(world: World, lines: Lines) -> None:
    driver = world.driver(retry_total=0)
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.aadsts(7000112), times=None)
    world.clock.advance(3600 - 400)
    for expected in (1, 2, 3):
        for _ in range(50):
            await driver.get_token(STORAGE)
            await driver.settle()
        assert len(lines.of("refresh_failed")) == expected
        world.clock.advance(31)
    assert world.requests == 1 + 3


async def test_a_source_that_failed_and_a_certificate_that_changed(world: World, lines: Lines) -> None:
    after = ClientCertificate.self_signed("after")
    world.application.register(after)
    turns: list[Any] = [world.certificate, OSError("away"), after]

    def source() -> Any:
        given = turns.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    driver = world.driver(source)
    for scope in (STORAGE, GRAPH, "api://orders/.default"):
        await driver.get_token(scope)
        await driver.settle()
        world.clock.advance(4000)
    (failed,), (changed,) = lines.of("source_failed"), lines.of("certificate_changed")
    assert (failed["error.type"], failed["certvar.retry_in"]) == ("OSError", 30.0)
    assert failed["certvar.thumbprint"] == world.certificate.thumbprint
    assert (changed["levelname"], changed["certvar.thumbprint"]) == ("INFO", after.thumbprint)


async def test_a_new_certificate_that_is_not_known_yet(world: World, lines: Lines) -> None:
    unknown = ClientCertificate.self_signed("unknown")
    current = [world.certificate]
    driver = world.driver(lambda: current[0])
    await driver.get_token(STORAGE)
    current[0] = unknown
    world.clock.advance(4000)
    for scope in (STORAGE, GRAPH):
        await driver.get_token(scope)
        await driver.settle()
    (line,) = lines.of("certificate_refused")
    assert line["certvar.thumbprint"] == unknown.thumbprint


async def test_a_certificate_that_expires(world: World, lines: Lines) -> None:
    certificate = expiring(world, 6)
    await world.driver(certificate).get_token(STORAGE)
    (line,) = lines.of("certificate_expires")
    assert (line["levelname"], line["certvar.thumbprint"]) == ("ERROR", certificate.thumbprint)
    assert line["certvar.days_left"] == pytest.approx(6, abs=1)


async def test_a_signer_without_pss(world: World, lines: Lines) -> None:
    own = world.certificate.signer

    def sign(message: bytes, algorithm: str) -> bytes:
        if algorithm.startswith("PS"):
            raise ConfigurationError("no PSS here")
        signature: bytes = own.sign(message, algorithm)
        return signature

    async def sign_later(message: bytes, algorithm: str) -> bytes:
        return sign(message, algorithm)

    leaf = world.certificate.leaf
    signer = CallbackSigner(leaf, sign) if world.kind == "sync" else AsyncCallbackSigner(leaf, sign_later)
    await world.driver(ClientCertificate(leaf, signer)).get_token(STORAGE)
    (line,) = lines.of("algorithm_replaced")
    assert (line["certvar.algorithm"], line["error.type"]) == ("RS256", "ConfigurationError")


async def test_a_shared_cache_that_failed(world: World, lines: Lines, cache: MemoryCache) -> None:
    cache.failure = ConnectionError("refused")
    await world.driver(token_cache=cache).get_token(STORAGE)
    line = lines.of("cache_failed")[0]
    assert (line["certvar.operation"], line["error.type"]) == ("get", "ConnectionError")
    assert line["certvar.retry_in"] > 0


async def test_no_field_holds_a_secret(world: World, lines: Lines, cache: MemoryCache) -> None:
    sent: list[str] = []

    def note(request: Any) -> bool:
        sent.append(dict(request.form())["client_assertion"])
        return False

    world.entra.inject(Fault.throttled(), when=note)
    turns: list[Any] = [world.certificate.to_pem(), "a secret that is no certificate " * 3]
    driver = world.driver(lambda: turns.pop(0), token_cache=cache, retry_total=0)
    tokens = [(await driver.get_token(STORAGE)).token]
    cache.failure = RuntimeError(f"could not store {tokens[0]}")
    world.clock.advance(3600 - 400)
    world.entra.inject(Fault.reset_after())
    await driver.get_token(STORAGE)
    await driver.settle()
    world.clock.advance(600)
    await driver.get_token(GRAPH)
    await driver.settle()
    text = lines.stream.getvalue()
    for name in ("refresh_failed", "cache_failed", "source_failed"):
        assert lines.of(name), name
    for secret in (*tokens, *sent, "a secret that is", world.certificate.to_pem().splitlines()[3]):
        assert secret not in text


def calls_of_the_logger(path: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "_LOGGER"
    ]


def test_every_line_about_a_running_credential_has_fields() -> None:
    """Those of the CLI and of the loading of certificates are for the person who calls it."""
    paths = [path for room in ("_runtime", "msal", "caches") for path in (PACKAGE / room).rglob("*.py")]
    calls = [(path, call) for path in paths for call in calls_of_the_logger(path)]
    assert len(calls) > 10
    for path, call in calls:
        assert any(keyword.arg == "extra" for keyword in call.keywords), f"{path}:{call.lineno}"
