"""x."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

ROWS: Final[tuple[Row, ...]] = ()
