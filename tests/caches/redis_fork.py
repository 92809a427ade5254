"""A process uses a cache in Redis, forks, and both go on at once: ``python -m tests.caches.redis_fork URL``."""

from __future__ import annotations

import json
import os
import sys
import time

from azure_certvar_credential import RedisTokenCache

TURNS = 200


def right_answers(cache: RedisTokenCache, name: str) -> int:
    """Count the values that come back as they were stored: two processes on one connection would get each other's."""
    right = 0
    for number in range(TURNS):
        value = f"{name} {number}".encode()
        cache.set(name, value, time.time() + 60)
        right += cache.get(name) == value
    return right


def main() -> None:
    """Print how many answers were right in each process."""
    cache = RedisTokenCache(sys.argv[1], timeout=20.0)
    cache.set("before", b"value", time.time() + 60)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(right_answers(cache, "child")).encode())
        os._exit(0)
    parent = right_answers(cache, "parent")
    _, status = os.waitpid(child, 0)
    print(json.dumps({"child": int(os.read(reading, 100)), "parent": parent, "status": status}))


if __name__ == "__main__":
    main()
