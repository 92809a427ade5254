"""Every claim about the way to the server holds for the sync and the async pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.transport.posting import QUIET, Poster, async_poster, sync_poster

MakePoster = Callable[..., Poster]


@pytest.fixture(params=[sync_poster, async_poster], ids=["sync", "async"])
def poster(request: pytest.FixtureRequest) -> Iterator[MakePoster]:
    """Make a poster with options beside :data:`.posting.QUIET`; it is closed after the test."""
    made: list[Poster] = []

    def make(**options: Any) -> Poster:
        made.append(request.param({**QUIET, **options}))
        return made[-1]

    yield make
    for one in made:
        one.close()
