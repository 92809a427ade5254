"""What the tests of the SQLite cache's file share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from azure_certvar_credential import SQLiteTokenCache

LATER = 4e9


def set_aside(cache: SQLiteTokenCache) -> list[Path]:
    """What was renamed, without SQLite's own files beside it."""
    found = cache.path.parent.glob(f"{cache.path.name}.set-aside-*")
    return sorted(file for file in found if not file.name.endswith(("-wal", "-shm")))


def refusal(cache: SQLiteTokenCache) -> str:
    """The one line of an error that two uses raise alike."""
    texts = []
    uses: list[Callable[[], object]] = [lambda: cache.set("key", b"value", LATER), lambda: cache.lock("key", 10)]
    for use in uses:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the caller compares the text
            use()
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    assert "\n" not in texts[0]
    return texts[0]
