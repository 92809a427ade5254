"""What OpenTelemetry's own SDK collects of a credential."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, MetricsData, NumberDataPoint

from azure_certvar_credential.exceptions import AuthenticationError, CertificateError
from azure_certvar_credential.telemetry import instrument
from azure_certvar_credential.testing import Fault
from tests.credential.shared_caches import MemoryCache
from tests.credential.users import ORDERS, user_token
from tests.credential.world import GRAPH, STORAGE, Driver, World

# What tells the credential from others; the same at each point.
IDENTITY = {"certvar.client_id", "certvar.tenant_id"}


@dataclass
class Measured:
    """A provider with a reader.

    :ivar reader: keeps what it collects.
    """

    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.provider = MeterProvider([self.reader])
        self._collected: MetricsData | None = None

    def driver(self, world: World, *arguments: Any, **options: Any) -> Driver:
        """Return an instrumented credential."""
        driver = world.driver(*arguments, **options)
        instrument(driver.credential, meter_provider=self.provider)
        return driver

    def collect(self) -> MetricsData:
        """Return everything so far."""
        collected = self.reader.get_metrics_data()
        # The reader forgets nothing, but says nothing where nothing was measured.
        assert collected is not None
        return collected

    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name."""
        scopes = [scope for resource in self.collect().resource_metrics for scope in resource.scope_metrics]
        assert [scope.scope.name for scope in scopes] == ["azure_certvar_credential"]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name: str) -> list[tuple[dict[str, Any], float]]:
        """Return attributes and number of each point of a metric, those of a histogram with their count."""
        metric = self.metrics().get(name)
        found = []
        for point in [] if metric is None else metric.data.data_points:
            assert isinstance(point, (NumberDataPoint, HistogramDataPoint))
            attributes = dict(point.attributes or {})
            assert attributes.keys() >= IDENTITY
            own = {key: value for key, value in attributes.items() if key not in IDENTITY}
            found.append((own, point.count if isinstance(point, HistogramDataPoint) else point.value))
        return found


@contextmanager
def measuring() -> Iterator[Measured]:
    """Measure, and end the provider."""
    measured = Measured()
    yield measured
    measured.provider.shutdown()


async def everything(world: World, measured: Measured, cache: MemoryCache) -> list[str]:
    """Make a credential do all that is measured, well and badly, and return its secrets."""
    sent: list[str] = []

    def note(request: Any) -> bool:
        form = dict(request.form()) if request.method == "POST" else {}
        sent.extend(form[name] for name in ("client_assertion", "assertion", "refresh_token") if name in form)
        return False

    world.entra.inject(Fault.throttled(), when=note)
    current: list[Any] = ["no certificate"]
    driver = measured.driver(world, lambda: current[0], token_cache=cache, retry_total=0)
    with pytest.raises(CertificateError):
        await driver.get_token(STORAGE)
    current[0] = world.certificate
    tokens = [(await driver.get_token(STORAGE)).token]
    for fault in (Fault.aadsts(7000112), None):
        if fault is not None:
            world.entra.inject(fault)
        world.clock.advance(3600 - 400 if fault else 31)
        await driver.get_token(STORAGE)
        await driver.settle()
    user = user_token(world)
    tokens += [user, (await driver.for_user(user).get_token(ORDERS)).token]
    world.entra.inject(Fault.aadsts(50076))
    with pytest.raises(AuthenticationError):
        await driver.for_user(user).get_token(GRAPH)
    cache.failure = ConnectionError("refused")
    tokens.append((await driver.get_token(GRAPH)).token)
    return tokens + sent
