"""The versions of the clients: the tests install the newest, and ``versions.json`` notes the last that passed.

``python -m tests.clients.versions`` names the packages whose installed version is another than the noted one.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

FILE = Path(__file__).with_name("versions.json")


def noted() -> dict[str, str]:
    """The last good version of each package."""
    versions: dict[str, str] = json.loads(FILE.read_text())
    return versions


def compare(package: str) -> str:
    """Say which version of a package is installed, and which is the last that passed."""
    return f"{package} {version(package)} is installed; the last version that passed is {noted().get(package, 'none')}"


def news() -> list[str]:
    """A line for each package whose installed version is not the noted one."""
    return [compare(package) for package, noted_version in noted().items() if version(package) != noted_version]


def note(packages: list[str]) -> None:
    """Write down the installed versions as good ones."""
    versions = {package: version(package) for package in sorted(packages)}
    FILE.write_text(json.dumps(versions, indent=2) + "\n")


if __name__ == "__main__":
    for line in news():
        print(line)
