"""The metrics have the names and units of OpenTelemetry's conventions, and no secret."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import Gauge, Histogram, Sum

from tests.credential.measured import Measured, everything, measuring
from tests.credential.shared_caches import MemoryCache
from tests.credential.test_telemetry import CACHE_CALL, EXPIRY, LOOKUPS, READINGS, REFRESHES, REQUEST, WAIT
from tests.credential.world import STORAGE, World


@pytest.fixture
def measured() -> Iterator[Measured]:
    with measuring() as made:
        yield made


KINDS: dict[str, tuple[type[Any], str]] = {
    REQUEST: (Histogram, "s"),
    WAIT: (Histogram, "s"),
    CACHE_CALL: (Histogram, "s"),
    REFRESHES: (Sum, "{refresh}"),
    READINGS: (Sum, "{reading}"),
    LOOKUPS: (Sum, "{lookup}"),
    EXPIRY: (Gauge, "s"),
}


async def test_names_and_units_are_those_of_the_conventions(
    world: World, measured: Measured, cache: MemoryCache
) -> None:
    await everything(world, measured, cache)
    metrics = measured.metrics()
    assert {name: (type(metric.data), metric.unit) for name, metric in metrics.items()} == KINDS
    for metric in metrics.values():
        # https://opentelemetry.io/docs/specs/semconv/general/naming/
        assert re.fullmatch(r"[a-z]+(\.[a-z]+(_[a-z]+)*)+", metric.name)
        assert not metric.name.endswith("total")
        assert metric.description.endswith(".")


async def test_no_attribute_holds_a_secret(world: World, measured: Measured, cache: MemoryCache) -> None:
    secrets = await everything(world, measured, cache)
    text = str(measured.collect().to_json())
    assert "AADSTS50076" in text
    for secret in secrets:
        assert secret not in text
        assert secret.rsplit(".", 1)[1] not in text
    assert STORAGE not in text, "scopes have no bound"


def outcome_of(program: str) -> str:
    """Return what a program prints in a new interpreter."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_no_credential_imports_opentelemetry() -> None:
    program = (
        "import sys; from azure_certvar_credential import CertVarCredential, ClientCertificate;"
        "from azure_certvar_credential.aio import CertVarCredential as Aio;"
        "from azure_certvar_credential.testing import EntraEmulator;"
        "certificate = ClientCertificate.self_signed('x'); entra = EntraEmulator();"
        "application = entra.add_application(certificate); names = application.tenant_id, application.client_id;"
        "CertVarCredential(*names, certificate, transport=entra.transport()).get_token('api://x/.default');"
        "print('opentelemetry.metrics' in sys.modules,"
        "'azure_certvar_credential.telemetry' in sys.modules)"
    )
    assert outcome_of(program) == "False False"


def test_the_global_provider_may_be_set_later() -> None:
    """And each credential is observed, whether it was instrumented before or after, and by which name."""
    program = (
        "from opentelemetry import metrics; from opentelemetry.sdk.metrics import MeterProvider;"
        "from opentelemetry.sdk.metrics.export import InMemoryMetricReader;"
        "from azure_certvar_credential import CertVarCredential, ClientCertificate;"
        "from azure_certvar_credential.telemetry import instrument;"
        "certificate = ClientCertificate.self_signed('x');"
        "made = [CertVarCredential('contoso.example', f'app-{n}', certificate) for n in range(3)];"
        "instrument(made[0]); reader = InMemoryMetricReader(); provider = MeterProvider([reader]);"
        "metrics.set_meter_provider(provider); instrument(made[1]); instrument(made[2], meter_provider=provider);"
        "(metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics;"
        "print(metric.name, len(metric.data.data_points))"
    )
    assert outcome_of(program) == f"{EXPIRY} 3"


def test_without_the_extra_the_import_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['opentelemetry.metrics'] = None\n"
        "try:\n    import azure_certvar_credential.telemetry\n"
        "except ImportError as error:\n    print(error)"
    )
    assert "pip install 'azure-certvar-credential[telemetry]'" in outcome_of(program)
