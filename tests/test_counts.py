"""What can be counted does not grow by itself: requests, imports, and the functions on the way to a token.

Times are measured by ``python -m tests.benchmarks`` alone. Who makes a count larger on purpose writes the new one into
``tests/benchmarks/counts.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import EntraEmulator
from tests.benchmarks.counting import kept

ROOT = Path(__file__).parent.parent
SCOPE = "https://storage.azure.com/.default"


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, check=False, capture_output=True, text=True, timeout=110
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """What the runner says: each figure by its name."""
    said = json.loads(run("-m", "tests.benchmarks", "--quick", "--json", "--goal", "10", "18"))
    assert said["command"].startswith("python -m tests.benchmarks")
    return {figure["what"]: figure for figure in said["figures"]}


def test_one_request_is_sent_for_each_tenant(figures: dict[str, Any]) -> None:
    assert figures["50 tenants one after another: requests each"]["ours"] == 1


@pytest.mark.parametrize("what", ["construction", "first token"])
def test_no_more_files_and_functions_are_touched(figures: dict[str, Any], what: str) -> None:
    assert [figures[f"{unit} of a {what}"]["ours"] for unit in ("files", "functions")] == kept()["touched"][what]


def test_no_more_modules_are_imported_for_a_credential() -> None:
    text = "from azure_certvar_credential import CertVarCredential; import sys; print(*sys.modules)"
    loaded = run("-c", text).split()
    ours = [name for name in loaded if name.startswith("azure_certvar_credential")]
    assert len(ours) <= kept()["modules"]
    assert not {"azure_certvar_credential.certificates.renderings", "msal", "requests"} & set(loaded)


def test_a_cached_call_makes_no_more_calls() -> None:
    certificate, entra = ClientCertificate.self_signed("counted"), EntraEmulator()
    application = entra.add_application(certificate.leaf)
    calls = []
    with CertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.transport()
    ) as credential:
        credential.get_token(SCOPE)
        sys.setprofile(lambda _frame, event, _argument: calls.append(event) if event in ("call", "c_call") else None)
        try:
            credential.get_token(SCOPE)
        finally:
            sys.setprofile(None)
    # The last is setprofile itself.
    assert len(calls) - 1 <= kept()["calls"]["cached get_token"]
