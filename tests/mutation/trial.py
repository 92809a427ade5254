"""Runs chosen tests on the copy of the package, in a forked process that has already imported what takes time."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import pytest

PYTEST = ["-q", "-pno:cacheprovider", "-pno:randomly", "-mnot real and not clients"]
_OURS = ("azure_certvar_credential", "tests")
# What takes the package and its tests longest to import.
_SLOW = [
    "aiohttp.web", "anyio.from_thread", "azure.core.pipeline.transport", "azure.identity.aio",
    "azure.keyvault.certificates.aio", "azure.keyvault.keys.aio", "azure.keyvault.secrets.aio",
    "cryptography.hazmat.primitives.serialization.pkcs12", "hypothesis.strategies", "jwt", "msal",
    "opentelemetry.sdk.metrics", "pkcs11", "pytest_asyncio.plugin", "redis.asyncio", "rich.console", "trio.testing",
    "trustme", "typer",
]  # fmt: skip
_FORK = multiprocessing.get_context("fork")


class Outcome(NamedTuple):
    """The first test that failed, if any, and its seconds; ``finished`` is false for a process that had to be ended."""

    failed: str | None
    seconds: float
    finished: bool = True


class _Chosen:
    """A plugin that keeps the chosen tests alone, and sends the first failure."""

    def __init__(self, tests: Sequence[str], pipe: Connection) -> None:
        self._rank = {name: rank for rank, name in enumerate(tests)}
        self._pipe = pipe

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # A change may rename a case of a table: that the case is missing does not count as noticed. Tests of one file
        # stay together, for their fixtures.
        chosen = sorted((item for item in items if item.nodeid in self._rank), key=lambda item: self._rank[item.nodeid])
        files = list(dict.fromkeys(item.path for item in chosen))
        items[:] = sorted(chosen, key=lambda item: files.index(item.path))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._pipe.send((f"{report.nodeid} (collecting)", 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._pipe.send((report.nodeid, report.duration))


def prepare() -> None:
    """Import what every forked process would import by itself."""
    for name in _SLOW:
        importlib.import_module(name)


def run(copied: Path, tests: Sequence[str], *, limit: float, each: float) -> Outcome:
    """Run tests in their order until one fails.

    Parameters:
        copied: The root of the copy.
        tests: pytest's names of the tests.
        limit: Seconds until the process is ended.
        each: Seconds until a test fails that has no limit of its own.
    """
    ours, theirs = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_child, args=(copied, tests, each, theirs))
    child.start()
    theirs.close()
    child.join(limit)
    code = child.exitcode
    # The programs that the tests started are of the same group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid or 0, signal.SIGKILL)
    child.join()
    with contextlib.suppress(EOFError):
        return Outcome(*ours.recv())
    # Without a report: a conftest that cannot be imported is an error of usage in pytest's eyes, a plugin an exception.
    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.TESTS_FAILED}:
        return Outcome("(importing)", 0.0)
    return Outcome(None, limit, code in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED})


def _child(copied: Path, tests: Sequence[str], each: float, pipe: Connection) -> None:
    os.setsid()
    os.chdir(copied)
    os.environ["PYTHONPATH"] = str(copied)
    sys.path[0] = str(copied)
    sys.dont_write_bytecode, sys.pycache_prefix = False, None  # where the runner deletes what is of an older change
    for name in [name for name in sys.modules if name.split(".")[0] in _OURS]:
        del sys.modules[name]
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    files = list(dict.fromkeys(name.split("::")[0] for name in tests))
    code = pytest.main(
        [*PYTEST, "-x", "-pno:xdist", "--assert=plain", f"--timeout={each}", *files], plugins=[_Chosen(tests, pipe)]
    )
    # Not the ordinary end: a thread that a change keeps alive would be waited for.
    os._exit(code)
