"""Standard output as it may be: in an encoding that lacks a character, closed by its reader, or on a full disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from azure_certvar_credential import ClientCertificate
from tests.cli.commands.kit import PROGRAM, SECONDS, certvar, variables

NAME = "Bjørn € \U0001f511"


@pytest.fixture(scope="module")
def pem() -> str:
    return ClientCertificate.self_signed(NAME).to_pem()


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252", "latin-1", "utf-8"])
def test_a_subject_that_the_encoding_lacks_is_shown_by_its_code_points(pem: str, encoding: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "inspect"],
        env=variables({"AZURE_CLIENT_CERTIFICATE": pem, "PYTHONIOENCODING": encoding}),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(f"CN={NAME}".encode(encoding, "backslashreplace"))


def test_json_is_ascii(pem: str) -> None:
    ran = certvar("inspect", "--json", AZURE_CLIENT_CERTIFICATE=pem)

    assert ran.out.isascii()
    assert ran.json["subject"] == f"CN={NAME}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no EPIPE")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("option", ["--public", "--json"])
def test_a_reader_that_has_seen_enough_hears_no_complaint(pem: str, option: str, unbuffered: str) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "inspect", option],
        env=variables({"AZURE_CLIENT_CERTIFICATE": pem, "PYTHONUNBUFFERED": unbuffered}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(timeout=SECONDS)

    assert (process.returncode, said) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize("option", [[], ["--json"]], ids=" ".join)
def test_a_full_disk_is_a_line(option: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*PROGRAM, "explain", "700027", *option],
            env=variables({"PYTHONUNBUFFERED": "1"}),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, "error: [Errno 28] No space left on device\n")
