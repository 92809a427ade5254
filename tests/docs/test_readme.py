"""Every snippet of the README runs as it stands there."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.docs.conftest import ROOT, Stage
from tests.real.servers.azurite import Azurite

README = ROOT / "README.md"


def test_every_python_snippet_of_the_readme_runs(stage: Stage, azurite: Azurite) -> None:
    staged = replace(stage, names={**stage.names, "account_url": azurite.account_url})

    output = staged.play(README).stdout

    fenced = [number for number, line in enumerate(README.read_text().splitlines(), 1) if line == "```python"]
    ran = [int(line) for line in re.findall(r"^ran README\.md, line (\d+)$", output, re.MULTILINE)]
    assert fenced
    # More may run than a reader sees: set-up in comments.
    assert set(fenced) <= set(ran)
    # What is Python to a reader and not to the parser would run nowhere, unseen.
    assert not re.search(r"^[ \t]*```[ \t]*(py|python3|pycon)\b|^[ \t]+```python", README.read_text(), re.MULTILINE)
