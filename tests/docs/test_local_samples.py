"""Every sample runs with ``--local`` and nothing set, and prints what it promises."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT, SAMPLES
from tests.docs.local_runs import nothing_set, promised, run_locally

# What pip cannot install; the test is skipped, or fails in CI, where it is missing.
PROGRAMS = {"fleet_with_redis": "redis-server", "hsm_key": "softhsm2-util", "redis_cache": "redis-server"}
ENTRA = "login.microsoftonline.com is the local Entra"
BLOB = "contoso.blob.core.windows.net is a stand-in; it verified the token"
VISIT = "a signed-in user, Adele Vance, asks for /orders"
# What each sample is led to, in the order in which --local says so.
SAID = {
    "azure_openai": [ENTRA, "contoso.openai.azure.com is a stand-in; it verified the token"],
    "azure_sql": [ENTRA, "SQL Server is SQLite; the token in attribute 1256, … octets, was verified"],
    "cron_job": [ENTRA],
    "dask_workers": [ENTRA],
    "databricks_clusters": [
        "adb-1234567890123456.7.azuredatabricks.net is a stand-in",
        ENTRA,
        "adb-1234567890123456.7.azuredatabricks.net is a stand-in; it verified the token",
    ],
    "fastapi_middle_tier": [VISIT, ENTRA],
    "fleet_with_redis": ["Redis is a redis-server on this computer", ENTRA],
    "functions_app": [ENTRA, BLOB],
    "graph_users": [ENTRA, "graph.microsoft.com is a stand-in; it verified the token"],
    "hsm_key": ["the HSM is SoftHSM; the key was made in it, and stays there", ENTRA, BLOB],
    "key_vault_certificate": ["contoso.vault.azure.net is the local Key Vault", ENTRA],
    "kubernetes_secret": ["the secret is a folder on this computer, written as the kubelet does it", ENTRA],
    "kusto": [
        "contoso.kusto.windows.net is a stand-in",
        ENTRA,
        "contoso.kusto.windows.net is a stand-in; it verified the token",
    ],
    "mcp_client": ["idp.contoso.example is a stand-in", "the MCP server runs in this process; it verified the token"],
    "on_behalf_of": [VISIT, ENTRA],
    "openid_provider": ["idp.contoso.example is a stand-in", "orders.contoso.example is a stand-in"],
    "own_token_cache": ["contoso.blob.core.windows.net is a stand-in"],
    "postgres_password": [ENTRA, "PostgreSQL is a stand-in; it verified the token in the password"],
    "redis_cache": ["Redis is a redis-server on this computer", ENTRA, "a gate before Redis verified the token"],
    "rotate_without_restart": [ENTRA],
    "service_bus": [ENTRA, "Service Bus is a broker with its queues in memory; it verified the token"],
    "sharepoint": [ENTRA, "contoso.sharepoint.com is a stand-in; it verified the token"],
    "upload_blob": [ENTRA, BLOB],
}


def cases() -> list[object]:
    real = [pytest.mark.real]
    return [pytest.param(path, id=path.stem, marks=real if path.stem in PROGRAMS else []) for path in SAMPLES]


@pytest.mark.parametrize("sample", cases())
def test_a_sample_prints_what_it_promises(sample: Path) -> None:
    program = PROGRAMS.get(sample.stem)
    if program and not shutil.which(program):
        reason = f"{program} is missing: run tests/run as root, or install it"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
        pytest.skip(reason)

    said, output = run_locally(sample)

    assert re.fullmatch(promised(sample.name), output)
    assert [re.sub(r"\d+ octets", "… octets", line) for line in said] == SAID[sample.stem]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_sample_says_which_program_it_lacks(name: str, tmp_path: Path) -> None:
    sample = ROOT / "samples" / f"{name}.py"
    environment = {**nothing_set(), "PATH": str(tmp_path)}

    result = subprocess.run(
        [sys.executable, str(sample), "--local"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert result.returncode == 1
    assert not result.stdout
    assert re.fullmatch(r"--local needs .+; pip has none\n", result.stderr)
