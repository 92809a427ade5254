"""Changes that alter nothing, by module: a piece of the changed line, and why."""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {}
