"""Goal 12: memory, measured in a process of its own.

``python -m tests.benchmarks.memory ours|theirs credential|tenant N`` prints the bytes that each of N holds, of
Python's own memory: what OpenSSL holds for a key or a connection, neither can change.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, cast

from tests.benchmarks.contestants import SCOPE, Who, credential


def each(make: Callable[[int], object], count: int) -> float:
    """Return the bytes that each of many things holds once the first few are there."""
    kept = [make(number) for number in range(5)]
    gc.collect()
    tracemalloc.start()
    kept += [make(number) for number in range(5, 5 + count)]
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return held / count


def of_credentials(who: Who, count: int) -> float:
    """Return the bytes of a credential that was built."""
    return each(lambda _: credential(who), count)


def of_tenants(who: Who, count: int) -> float:
    """Return the bytes that a credential holds for each tenant it has a token of."""
    shared: Any = credential(who, additionally_allowed_tenants=["*"])
    return each(lambda number: shared.get_token(SCOPE, tenant_id=f"{number:08d}-1111-1111-1111-111111111111"), count)


if __name__ == "__main__":
    measure = of_credentials if sys.argv[2] == "credential" else of_tenants
    print(json.dumps(measure(cast("Who", sys.argv[1]), int(sys.argv[3]))))
