"""The sample dashboard and its alerts are what Grafana and Prometheus read."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from tests.docs.dashboard import DASHBOARD, FOLDER, alert_queries, dashboard_queries, promtool

__all__ = ["promtool"]


def run(promtool: str, *arguments: str | Path, cwd: Path = FOLDER) -> str:
    command = [promtool, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_alerts_are_rules_of_prometheus(promtool: str) -> None:
    assert "3 rules found" in run(promtool, "check", "rules", "alerts.yml")


def test_each_alert_fires_when_it_should_and_not_before(promtool: str) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", "alerts_test.yml")


def test_the_check_of_alerts_would_see_a_wrong_one(promtool: str, tmp_path: Path) -> None:
    for name in ("alerts.yml", "alerts_test.yml"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("< 14 * 86400", "< 13 * 86400"), encoding="utf-8")
    with pytest.raises(AssertionError, match="CertificateExpiresSoon"):
        run(promtool, "test", "rules", "alerts_test.yml", cwd=tmp_path)


def test_prometheus_reads_every_query_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    queries = dashboard_queries()
    assert len(queries) >= len(DASHBOARD["panels"]) > 5
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries)]
    # JSON is YAML.
    written = tmp_path / "rules.yml"
    written.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    assert f"{len(queries)} rules found" in run(promtool, "check", "rules", written)


def test_every_alert_has_a_query() -> None:
    assert len(alert_queries()) == 3


def test_the_panels_lie_side_by_side_and_ask_the_chosen_data_source() -> None:
    panels = DASHBOARD["panels"]
    places = [panel["gridPos"] for panel in panels]
    cells = [
        {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])} for at in places
    ]
    assert not any(one & other for one, other in itertools.combinations(cells, 2))
    assert all(x < 24 for cell in cells for x, _ in cell)
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert {"datasource", "application"} == {variable["name"] for variable in DASHBOARD["templating"]["list"]}
