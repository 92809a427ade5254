"""The extra ``cli``, and what is said where it is not installed."""

from __future__ import annotations

MODULES = frozenset({"aiohttp", "jwt", "rich", "trustme", "typer"})
MISSING = "certvar needs the extra 'cli': pip install 'azure-certvar-credential[cli]' ({name} is not installed)"


def missing_module(error: ImportError) -> str | None:
    """Return the module of the extra that could not be imported; None if it was another one."""
    name = (error.name or "").partition(".")[0]
    return name if name in MODULES else None
