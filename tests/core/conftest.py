"""Each scenario of the flow is written once and driven by both loops."""

from __future__ import annotations

import pytest

from tests.core.script import Driver, drive_async, drive_sync


@pytest.fixture(params=[drive_sync, drive_async], ids=["run", "arun"])
def drive(request: pytest.FixtureRequest) -> Driver:
    driver: Driver = request.param
    return driver
