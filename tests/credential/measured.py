"""What OpenTelemetry's own SDK collects of a credential."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, MetricsData, NumberDataPoint

from azure_certvar_credential.telemetry import instrument
from tests.credential.world import Driver, World

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
