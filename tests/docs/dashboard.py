"""The queries of the sample dashboard and of its alerts, and the program that reads them as Prometheus does."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "samples" / "dashboard"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
# What Grafana puts in the place of its variables.
_VARIABLES = {"$__rate_interval": "5m", "$application": ".*"}
_IN_TEST_ENVIRONMENT = ROOT / ".test-env" / "prometheus" / "usr" / "bin" / "promtool"


def dashboard_queries() -> list[str]:
    """Return the query of each target, as Grafana sends it."""
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for name, value in _VARIABLES.items():
        queries = [query.replace(name, value) for query in queries]
    return queries


def alert_queries() -> list[str]:
    """Return the expression of each alert; PromQL stands in a block of its own."""
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    return [block.strip() for block in re.findall(r"expr: \|\n((?: {10}.+\n)+)", text)]


def names_and_labels(query: str) -> tuple[set[str], set[str]]:
    """Return the time series that a query names, and their labels."""
    names = set(re.findall(r"\bcertvar_\w+", re.sub(r"by \([^)]+\)|\{[^}]*\}", "", query)))
    matchers = re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", query)
    grouped = [label for labels in re.findall(r"by \(([^)]+)\)", query) for label in re.split(r",\s*", labels)]
    return names, {*matchers, *grouped}


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of Prometheus's own checker."""
    path = shutil.which("promtool") or (str(_IN_TEST_ENVIRONMENT) if _IN_TEST_ENVIRONMENT.exists() else None)
    if path is None:
        reason = "promtool is missing (Debian: prometheus): run tests/run, or install it"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
        pytest.skip(reason)
    return path
