"""Picklers that send functions and classes of a script or notebook by value do not send the key with them."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any

import cloudpickle
import dill
import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from tests.credential.pickling_program import REFERRING, REFUSED
from tests.credential.test_pickle import PEM, importable_source

PROGRAM = Path(__file__).with_name("pickling_program.py")
PICKLERS = pytest.mark.parametrize("pickler", ["cloudpickle", "dill", "pickle"])


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program whose ``__main__`` has the key."""
    root = str(PROGRAM.parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@cache
def pickles(pickler: str) -> dict[str, str]:
    """Return what the program writes of each object."""
    done = run("dump", pickler)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@PICKLERS
@pytest.mark.parametrize("what", REFERRING)
def test_what_refers_to_the_script_is_pickled_by_name(pickler: str, what: str) -> None:
    data = b64decode(pickles(pickler)[what])

    assert b"PRIVATE KEY" not in data
    assert b"__main__" in data
    with pytest.raises(
        pickle.UnpicklingError, match=r"__main__\.\w+, which cannot be imported here .* define \w+ in a"
    ):
        pickle.loads(data)  # noqa: S301 - of the program above


@PICKLERS
@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_name_is_not_pickled(pickler: str, what: str) -> None:
    error = pickles(pickler)[what]

    assert error.startswith("TypeError: a ")
    assert "is not pickled" in error
    assert "PRIVATE KEY" not in error


@pytest.mark.parametrize("pickler", [cloudpickle, dill])
def test_a_source_of_a_module_is_imported_when_unpickled(pickler: Any, certificate: ClientCertificate) -> None:
    PEM["certificate"] = certificate.to_pem()

    data = pickler.dumps(CertVarCredential("contoso.example", "client", importable_source))

    assert pickler.loads(data)._parts.certificates.source is importable_source
    assert b"PRIVATE KEY" not in data


@pytest.mark.parametrize("runner", ["spawn", "dask"])
def test_processes_that_import_the_script_read_its_source(runner: str) -> None:
    """multiprocessing's spawn imports the script anew; dask's processes are spawned."""
    done = run("run", runner)

    assert done.stdout.strip().endswith("in-a-script"), done.stderr


def test_a_worker_of_joblib_which_does_not_import_the_script_says_what_to_do() -> None:
    done = run("run", "joblib")

    assert done.returncode != 0
    assert "define current_certificate in a module that both processes can import" in done.stderr
    assert "PRIVATE KEY" not in done.stderr
