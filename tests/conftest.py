"""What every test shares: the real servers, and Hypothesis that draws the same examples each time."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

import azure_certvar_credential
from tests import loops

loops.install()

# Pytest parses a plugin's whole package as it is imported. CPython 3.11 mixes up the depths of two parsers that run at
# the same time (python/cpython#106905), and a traceback in another thread is a second one: so all is imported here.
for module in pkgutil.walk_packages(azure_certvar_credential.__path__, "azure_certvar_credential."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

pytest_plugins = [
    "tests.real.fixtures",
    "tests.real.softhsm",
    "tests.caches.fixtures",
    "tests.caches.redis_kinds",
    "tests.uncovered",
]

# Examples, and what Hypothesis remembers of the sources; by default it makes .hypothesis/ where pytest was started.
set_hypothesis_home_dir(Path(__file__).parent.parent / ".test-env" / "cache" / "hypothesis")

# No deadline: the first example pays for imports and RSA keys. No database: a run depends on no earlier run.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
# HYPOTHESIS_PROFILE=explore looks for new examples, many more of them, and prints how to repeat a failure.
settings.register_profile(
    "explore", deadline=None, max_examples=2000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


# A shell ignores SIGINT for what it runs in the background, and nohup SIGHUP; the programs of tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    if sys.version_info < (3, 11):
        # Its asyncio does not close a TLS transport whose peer has broken the connection.
        line = "ignore:Exception ignored in.*_SSLProtocolTransport:pytest.PytestUnraisableExceptionWarning"
        config.addinivalue_line("filterwarnings", line)
