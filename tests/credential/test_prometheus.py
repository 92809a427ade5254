"""OpenTelemetry's Prometheus exporter prints the time series that the sample dashboard and its alerts name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.credential.measured import Measured, everything
from tests.credential.shared_caches import MemoryCache
from tests.credential.world import World
from tests.docs.dashboard import DASHBOARD, alert_queries, dashboard_queries, names_and_labels


@pytest.fixture
def measured() -> Iterator[Measured]:
    made = Measured()
    made.provider.shutdown()
    made.provider = MeterProvider([PrometheusMetricReader()])
    yield made
    made.provider.shutdown()


async def test_every_name_and_label_in_a_query_is_printed(world: World, measured: Measured, cache: MemoryCache) -> None:
    secrets = await everything(world, measured, cache)
    text = generate_latest(REGISTRY).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    printed: dict[str, set[str]] = {}
    for sample in samples:
        printed.setdefault(sample.name, set()).update(sample.labels)

    variables = [variable.get("definition", "") for variable in DASHBOARD["templating"]["list"]]
    assert any("certvar_token_request_duration_seconds_count, certvar_client_id" in text for text in variables)
    queries = [*dashboard_queries(), *alert_queries()]
    for query in queries:
        names, labels = names_and_labels(query)
        assert names, query
        assert names <= printed.keys(), query
        for name in names:
            assert labels <= printed[name], query
    # Every metric has its place there.
    shown = {name for query in queries for name in names_and_labels(query)[0]}
    ours = {name for name in printed if name.startswith("certvar_")}
    families = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in ours}
    assert families == {name.removesuffix("_bucket").removesuffix("_count") for name in shown}
    for secret in secrets:
        assert secret not in text
