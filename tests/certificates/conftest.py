"""One kit of certificates for the whole run."""

from __future__ import annotations

import pytest

from tests.certificates.kit import Kit


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(tmp_path_factory.mktemp("certificates"))
