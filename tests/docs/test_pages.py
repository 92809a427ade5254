"""Every snippet and every command of the README and the guides runs as it stands there."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cli.commands.kit import foreign
from tests.docs.conftest import Stage
from tests.docs.tables import PAGES, README, ROOT, fenced, rows
from tests.real.servers.azurite import Azurite
from tests.real.softhsm import PIN, SoftHsm, certificate_for, signer_of

# What the CI runs, what needs other programs, and this project's own commands, which need a clone.
_NOT_HERE = ("python3 -m venv", "pip install")
COMMANDS = [
    pytest.param(block, id=f"{page.name}, line {line}")
    for page in PAGES
    for line, block in fenced(page, "console")
    if not block.startswith(_NOT_HERE)
]


def test_every_python_snippet_runs(stage: Stage, azurite: Azurite, softhsm: SoftHsm) -> None:
    with signer_of(softhsm, key_label="app") as signer:
        leaf = certificate_for(signer.public_key)
    more = {
        "account_url": azurite.account_url,
        "module": softhsm.module,
        "pin": PIN,
        "leaf_pem": {"base64": base64.b64encode(leaf.public_bytes(Encoding.PEM)).decode()},
        "hsm_client_id": stage.entra.add_application(leaf).client_id,
    }
    staged = replace(stage, names={**stage.names, **more})

    output = staged.play(*PAGES, **softhsm.environment).stdout

    written = {(page.name, line) for page in PAGES for line, _ in fenced(page, "python")}
    ran = {(name, int(line)) for name, line in re.findall(r"^ran (\S+\.md), line (\d+)$", output, re.MULTILINE)}
    assert len({name for name, _ in written}) > 10
    # More may run than a reader sees: set-up in comments.
    assert written <= ran
    # What the comments in the snippets say of their output.
    assert "the certificate looks like a file path" in output
    assert "\n(700027,) The certificate is not on the app registration" in output
    assert "certificate_path is not an option here: read the file yourself" in output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_snippet_is_python_to_a_reader_alone(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"^[ \t]*```[ \t]*(py|python3|pycon)\b|^[ \t]+```python", text, re.MULTILINE)


@pytest.mark.parametrize("block", COMMANDS)
def test_every_command_runs(block: str, tmp_path: Path) -> None:
    # Beside this Python is the command.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if name not in foreign()}
    script = f"set -eu\n{block}"

    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**kept, "PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "PRIVATE KEY" not in ran.stdout + ran.stderr


def test_the_powershell_recipe_leads_to_a_token(stage: Stage, tmp_path: Path) -> None:
    steps = [re.findall(r"`(\w+ = .+?)`", row[1]) for row in rows("## Coming from", README)]
    program = [
        "from azure.keyvault.secrets import SecretClient",
        "from azure_certvar_credential import CertVarCredential, ClientCertificate",
        "from azure_certvar_credential.keyvault import KeyVaultCertificate",
        "vault_credential = CertVarCredential(tenant_id, client_id, pem)",
    ]
    for step in steps:
        program += step
        if step and step[0].startswith("credential"):
            program.append('print(credential.get_token("https://graph.microsoft.com/.default").expires_on)')
    page = tmp_path / "recipe.md"
    page.write_text("\n".join(["```python", *program, "```", ""]), encoding="utf-8")

    output = stage.play(page).stdout

    assert [len(step) for step in steps] == [1, 0, 1, 1, 1]
    assert len(re.findall(r"^\d{10}$", output, re.MULTILINE)) == 2


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 350


@pytest.mark.parametrize("page", [README, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_every_link_of_a_page_beside_the_guides_leads_somewhere(page: Path) -> None:
    # test_site.py checks those of the guides.
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", page.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
            assert anchor in anchors, target
