"""Programs around one token cache that several processes use: ``python -m tests.caches.sqlite_programs NAME PATH``.

Each runs by itself, without pytest's threads, because it forks. It prints what it saw as JSON.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import multiprocessing
import os
import platform
import random
import secrets
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from azure_certvar_credential import SQLiteTokenCache

PROCESSES = 16
KILLS = 200
_WORKERS = 3
KEYS = [f"{number:064x}" for number in range(8)]
_LONG = 3600.0


def cold(path: str) -> object:
    """Sixteen processes make the file, take one lock, store and read, all at the same moment."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(PROCESSES)

    def work(number: int, answers: multiprocessing.SimpleQueue[object]) -> None:
        cache = SQLiteTokenCache(path, timeout=30.0)
        barrier.wait()
        holder = cache.lock("cold", 60.0)
        for turn in range(50):
            cache.set(f"{number}-{turn}", _value(3000), time.time() + _LONG)
        barrier.wait()
        read = sum(_is_whole(cache.get(f"{other}-{turn}")) for other in range(PROCESSES) for turn in range(50))
        answers.put((holder is not None, read))

    answers: multiprocessing.SimpleQueue[object] = context.SimpleQueue()
    processes = [context.Process(target=work, args=(number, answers)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    seen = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return {"seen": seen, "exits": [process.exitcode for process in processes]}


def killing(path: str) -> object:
    """Two hundred processes are killed while they write; after each, the cache is read and written."""
    draw = random.Random(20261128)
    read = failures = 0
    living: list[int] = []
    for number in range(KILLS):
        # Every tenth has a file that does not exist yet, or is damaged, and is perhaps killed while it makes another.
        file = f"{path}.{number // 10}"
        if number % 20 == 0:
            Path(file).write_bytes(b"this was a token cache" * 500)
        while len(living) < _WORKERS:
            living.append(_forked(_write_for_ever, file))
        time.sleep(draw.uniform(0.0, 0.03))
        victim = living.pop(draw.randrange(len(living)))
        failures += not _killed(victim)
        cache = SQLiteTokenCache(file, timeout=30.0)
        for key in KEYS:
            value = cache.get(key)
            read += value is not None
            failures += value is not None and not _is_whole(value)
        failures += not any(_keeps(cache) for _ in range(20))
        cache.close()
        while living and number % 10 == 9:
            failures += not _killed(living.pop())
    return {"read": read, "failures": failures}


def setting_aside(path: str) -> object:
    """Sixteen processes find one damaged file at the same moment; one sets it aside, and all share the new one."""
    Path(path).write_bytes(b"this was a token cache" * 500)
    return cold(path)


def fork(path: str) -> object:
    """A process uses the cache, forks, and both go on; the child has no connection of its parent."""
    cache = SQLiteTokenCache(path)
    cache.set("before", b"parent", time.time() + _LONG)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        inherited = cache._connection is not None
        cache.set("after", b"child", time.time() + _LONG)
        os.write(writing, json.dumps([inherited, (cache.get("before") or b"").decode()]).encode())
        os._exit(0)
    cache.set("meanwhile", b"parent", time.time() + _LONG)
    _, status = os.waitpid(child, 0)
    seen = json.loads(os.read(reading, 1000))
    return {"child": seen, "status": status, "after": (cache.get("after") or b"").decode()}


def without_locks(path: str) -> object:
    """A kernel that refuses file locks, as some network file systems do, for a new file and for one that is there."""
    SQLiteTokenCache(path).set("key", b"value", time.time() + _LONG)
    _refuse_locks()
    return [_failure(path), _failure(f"{path}.new")]


def _failure(path: str) -> object:
    begun = time.monotonic()
    try:
        SQLiteTokenCache(path, timeout=0.2).set("key", b"value", time.time() + _LONG)
    except OSError as error:
        return [str(error), time.monotonic() - begun]
    return None


def _keeps(cache: SQLiteTokenCache) -> bool:
    """Store and read; a worker may clear the cache between the two."""
    cache.set("mine", b"mine", time.time() + _LONG)
    return cache.get("mine") == b"mine"


def _value(size: int) -> bytes:
    content = secrets.token_bytes(size)
    return hashlib.sha256(content).digest() + content


def _is_whole(value: bytes | None) -> bool:
    return value is not None and hashlib.sha256(value[32:]).digest() == value[:32]


def _write_for_ever(path: str) -> NoReturn:
    draw = random.Random(os.getpid())
    while True:
        # Now and then it closes the file, or empties it, and is perhaps killed in the middle of that.
        cache = SQLiteTokenCache(path, timeout=30.0)
        for _ in range(20):
            key = draw.choice(KEYS)
            cache.set(key, _value(draw.randrange(20_000)), time.time() + _LONG)
            holder = cache.lock(key, 0.01)
            cache.delete(draw.choice(KEYS))
            if holder is not None:
                cache.unlock(key, holder)
        if draw.random() < 0.1:
            cache.clear()
        cache.close()


def _forked(work: Callable[[str], NoReturn], path: str) -> int:
    child = os.fork()
    if child == 0:
        try:
            # A killed or failed parent takes it along (prctl(2), PR_SET_PDEATHSIG).
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            work(path)
        except BaseException:  # noqa: BLE001 - shown, and seen by the parent as an exit that was no kill
            traceback.print_exc()
        finally:
            os._exit(1)
    return child


def _killed(process: int) -> bool:
    """Kill a process; return whether it was still at work, and had not failed."""
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status)


def _refuse_locks() -> None:
    """Have the kernel answer ENOLCK to fcntl(F_SETLK) and flock(), for this process (seccomp(2))."""
    fcntl_number, flock_number, architecture = {
        "x86_64": (72, 73, 0xC000003E),
        "aarch64": (25, 32, 0xC00000B7),
    }[platform.machine()]
    load, equal, answer = 0x20, 0x15, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.ENOLCK
    program = [
        (load, 0, 0, 4),  # the architecture
        (equal, 0, 5, architecture),
        (load, 0, 0, 0),  # the system call
        (equal, 4, 0, flock_number),
        (equal, 0, 2, fcntl_number),
        (load, 0, 0, 24),  # its second argument
        (equal, 1, 0, 6),  # F_SETLK
        (answer, 0, 0, allow),
        (answer, 0, 0, refuse),
    ]
    instructions = b"".join(struct.pack("HBBI", *one) for one in program)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    filters = struct.pack("HP", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    for arguments in ((no_new_privileges, 1, 0, 0, 0), (set_seccomp, mode_filter, filters, 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    # A write into a pipe that the test has closed ends it.
    with suppress(BrokenPipeError):
        print(json.dumps(globals()[sys.argv[1]](sys.argv[2])))
