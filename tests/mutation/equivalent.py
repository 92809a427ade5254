"""Changes that alter nothing, by module: a piece of the changed line, and why."""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "_core/config.py": {
        "+    single_tenant: bool = True": "Settings that leave it out are for assertions alone, which have no tenant.",
    },
    "_sync/single_flight.py": {
        "again=True) or entry": "The token that was kept, or the new one: neither is good any more.",
    },
    "aio/_single_flight.py": {
        "again=True) or entry": "The token that was kept, or the new one: neither is good any more.",
    },
}
