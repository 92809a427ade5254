"""Members of a fleet: processes with one credential at a time, which do what they are told.

``python -m tests.fleet.member ADDRESS COUNT`` imports what they need once and forks so many. Each connects to the
address, is sent the name of a method of :class:`Member` with its arguments, answers, and ends with its connection.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Client
from time import perf_counter
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel

from azure_certvar_credential import CertVarCredential, RedisTokenCache, SQLiteTokenCache, aio
from tests.caches.servers import SENTINEL_NAME

# Of a client that the user makes: longer than the Sentinel takes on a busy machine, and less than a call may.
_BOUNDED: dict[str, Any] = {"socket_timeout": 1.5, "socket_connect_timeout": 1.5}


def _by_sentinel(port: int) -> RedisTokenCache:
    sentinel = redis.sentinel.Sentinel([("127.0.0.1", port)], sentinel_kwargs=_BOUNDED, **_BOUNDED)
    return RedisTokenCache(sentinel.master_for(SENTINEL_NAME))


def _by_sentinel_aio(port: int) -> aio.RedisTokenCache:
    sentinel = redis.asyncio.sentinel.Sentinel([("127.0.0.1", port)], sentinel_kwargs=_BOUNDED, **_BOUNDED)
    return aio.RedisTokenCache(sentinel.master_for(SENTINEL_NAME))


CACHES: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("sqlite", "sync"): SQLiteTokenCache,
    ("sqlite", "aio"): SQLiteTokenCache,
    ("redis", "sync"): RedisTokenCache,
    ("redis", "aio"): aio.RedisTokenCache,
    # Waits for a busy machine, so that a healthy Redis never counts as gone.
    ("patient redis", "sync"): partial(RedisTokenCache, timeout=1.5),
    ("patient redis", "aio"): partial(aio.RedisTokenCache, timeout=1.5),
    ("sentinel", "sync"): _by_sentinel,
    ("sentinel", "aio"): _by_sentinel_aio,
}


class _Log(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Member:
    """What the process holds from one line to the next."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._credential: Any = None
        self._log = _Log()
        logging.getLogger("azure_certvar_credential").addHandler(self._log)

    def make(self, kind: str, store: str, where: object, arguments: list[str], options: dict[str, Any]) -> str:
        """Make the credential in place of the previous one.

        :param kind: ``sync`` or ``aio``.
        :param store: ``sqlite``, ``redis``, ``patient redis`` or ``sentinel``.
        :param where: the cache's path, URL or port.
        """
        self.close()
        classes: dict[str, Any] = {"sync": CertVarCredential, "aio": aio.CertVarCredential}
        self._credential = classes[kind](*arguments, token_cache=CACHES[store, kind](where), **options)
        return kind

    def get(self, callers: int, scope: str, options: dict[str, Any]) -> dict[str, Any]:
        """Have so many threads, or tasks, ask for a token in the same moment."""
        self._log.lines.clear()
        began = perf_counter()
        outcomes: list[Any]
        if isinstance(self._credential, CertVarCredential):
            outcomes = self._threads(callers, scope, options)
        else:
            outcomes = self._loop.run_until_complete(self._tasks(callers, scope, options))
        failures = [repr(one) for one in outcomes if isinstance(one, BaseException)]
        tokens = {hashlib.sha256(one.encode()).hexdigest() for one in outcomes if isinstance(one, str)}
        lines = list(self._log.lines)
        return {"tokens": sorted(tokens), "failures": failures, "log": lines, "seconds": perf_counter() - began}

    def close(self) -> None:
        """Close the credential."""
        credential, self._credential = self._credential, None
        if isinstance(credential, CertVarCredential):
            credential.close()
        elif credential is not None:
            self._loop.run_until_complete(credential.close())

    def _threads(self, callers: int, scope: str, options: dict[str, Any]) -> list[str | Exception]:
        gate = threading.Barrier(callers)
        outcomes: list[str | Exception] = []

        def call() -> None:
            gate.wait()
            try:
                outcomes.append(self._credential.get_token(scope, **options).token)
            except Exception as error:  # noqa: BLE001 - the test decides about it
                outcomes.append(error)

        threads = [threading.Thread(target=call) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    async def _tasks(self, callers: int, scope: str, options: dict[str, Any]) -> list[str | BaseException]:
        calls = (self._credential.get_token(scope, **options) for _ in range(callers))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        return [one if isinstance(one, BaseException) else one.token for one in outcomes]


def serve(address: str) -> None:
    """Do what comes over the connection until it ends."""
    member = Member()
    with Client(address) as connection:
        while True:
            try:
                method, arguments = connection.recv()
            except EOFError:
                break
            connection.send(getattr(member, method)(**arguments))
    member.close()


def main(address: str, count: int) -> None:
    """Fork the members, and wait for their ends."""
    for _ in range(count):
        if os.fork() == 0:
            serve(address)
            os._exit(0)  # without a second for each member's modules to be taken down
    for _ in range(count):
        os.wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
