"""The pytest plugin gives its fixtures to anybody, costs nobody's test run anything, and says what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

import azure_certvar_credential.testing as room

pytest_plugins = ["pytester"]

PLUGIN = "azure_certvar_credential.testing.plugin"


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_fixtures_work_in_anybodys_test_suite(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        import requests

        seen = []

        @pytest.mark.parametrize("time", ["first", "second"])
        def test_entra_is_fresh_each_time(entra, time):
            assert len(entra.requests) == 0
            assert entra not in seen
            entra.add_application()
            seen.append(entra)

        def test_the_server_serves_the_same_entra(entra, entra_server):
            tenant = entra.tenant.tenant_id
            url = f"{entra_server.url}/{tenant}/v2.0/.well-known/openid-configuration"
            body = requests.get(url, verify=entra_server.ca_file, timeout=30).json()
            assert body["issuer"] == f"{entra_server.url}/{tenant}/v2.0"

        def test_the_vault_is_of_the_same_entra(entra, key_vault):
            from azure_certvar_credential.testing import Request
            challenge = key_vault.handle(Request("GET", key_vault.vault_url)).headers["WWW-Authenticate"]
            assert entra.tenant.tenant_id in challenge
        """
    )
    # Where the package is installed pytest has found the entry point already.
    installed = [point.value for point in entry_points(group="pytest11")]
    arguments = [] if PLUGIN in installed else ["-p", PLUGIN]
    pytester.runpytest("-p", "no:cacheprovider", "-p", "no:asyncio", *arguments).assert_outcomes(passed=4)


def test_the_plugin_imports_nothing_heavy() -> None:
    heavy = ["jwt", "trustme", "cryptography", "requests", "aiohttp", "msal", "azure.core", "http.server", "asyncio"]
    code = (
        "import json, sys, pytest; before = set(sys.modules); "
        f"import {PLUGIN}; print(json.dumps([m for m in {heavy!r} if m in set(sys.modules) - before]))"
    )
    assert json.loads(python(code)) == []


def test_the_room_imports_nothing_of_the_code_under_test() -> None:
    rooms = ["_core", "signers", "certificates", "_credential", "_transport", "caches"]
    code = (
        "import json, sys; import azure_certvar_credential; before = set(sys.modules); "
        "from azure_certvar_credential.testing import *; "
        f"names = ['azure_certvar_credential.' + r for r in {rooms!r}]; "
        "print(json.dumps([n for n in names if n in set(sys.modules) - before]))"
    )
    assert json.loads(python(code)) == []


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("jwt", "import azure_certvar_credential.testing as t; t.EntraEmulator"),
        ("jwt", "from azure_certvar_credential.testing import EntraEmulator"),
        ("trustme", "from azure_certvar_credential.testing import EntraEmulator"),
        ("trustme", "from azure_certvar_credential.testing import EntraServer"),
    ],
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(module: str, use: str) -> None:
    # None in sys.modules makes Python say that there is no such module.
    code = (
        f"import sys; sys.modules[{module!r}] = None\ntry:\n    exec({use!r})\nexcept ImportError as e:\n    print(e)"
    )
    assert python(code).strip() == f"the local Entra needs {module}: pip install 'azure-certvar-credential[testing]'"


def test_another_missing_module_is_not_mistaken_for_the_extra() -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "try:\n    from azure_certvar_credential.testing import EntraEmulator\n"
        "except ImportError as e:\n    print(e)"
    )
    assert "testing]" not in python(code)


def test_the_public_names_are_sorted_exist_and_are_all() -> None:
    assert room.__all__ == sorted(room.__all__, key=lambda name: (not name.isupper(), name))
    assert set(room.__all__) == set(room._HOMES)
    assert all(getattr(room, name) is not None for name in room.__all__)
    assert set(room.__all__) <= set(dir(room))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = room.Nothing
