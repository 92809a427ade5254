"""The guide to telemetry: its snippets run, and its tables name what there is."""

from __future__ import annotations

import re

from azure_certvar_credential.telemetry import __all__ as functions
from tests.credential.test_telemetry_names import KINDS
from tests.docs.conftest import ROOT, Stage

GUIDE = ROOT / ".docs" / "guides" / "telemetry.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def test_every_snippet_runs(stage: Stage) -> None:
    output = stage.play(GUIDE).stdout
    fenced = [number for number, line in enumerate(TEXT.splitlines(), 1) if line == "```python"]
    ran = {int(line) for line in re.findall(r"^ran telemetry\.md, line (\d+)$", output, re.MULTILINE)}
    assert len(fenced) == 2
    assert set(fenced) <= ran
    assert re.search(r"^\d+\.\d+ 20\d\d-\d\d-\d\d .+ None$", output, re.MULTILINE)


def test_the_table_of_metrics_is_complete() -> None:
    rows = dict(re.findall(r"^\| `(certvar\.[a-z_.]+)` \| (\S+) \|", TEXT, re.MULTILINE))
    assert rows == {name: unit for name, (_, unit) in KINDS.items()}
    assert functions == ["instrument"]


def test_the_events_and_fields_that_it_names_are_in_the_code() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "azure_certvar_credential" / "_runtime").glob("*.py")
    )
    (events,) = re.findall(r"^\| `certvar\.event` \| (.+) \|$", TEXT, re.MULTILINE)
    for event in re.findall(r"`(\w+)`", events):
        assert f'event("{event}"' in code or f'"{event}"' in code
    for field in ("retry_in", "valid_for", "thumbprint", "days_left"):
        assert f"`certvar.{field}`" in TEXT
        assert f"{field}=" in code


def test_it_is_short_and_its_links_lead_somewhere() -> None:
    assert len(TEXT.splitlines()) <= 60
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert (GUIDE.parent / target).exists()
