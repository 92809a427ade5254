"""The guide to telemetry: its tables name what there is."""

from __future__ import annotations

import re

from azure_certvar_credential.telemetry import __all__ as functions
from tests.credential.test_telemetry_names import KINDS
from tests.docs.conftest import ROOT

GUIDE = ROOT / ".docs" / "telemetry.md"
TEXT = GUIDE.read_text(encoding="utf-8")


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
