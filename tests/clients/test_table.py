"""The README's table of clients is the one that the tests run, with versions that they ran with."""

from __future__ import annotations

import ast
from importlib.metadata import metadata, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.clients import table, versions
from tests.clients.row import Row

_ROWS = [pytest.param(row, id=row.client) for row in table.TABLE.values()]


def test_the_readme_has_the_table() -> None:
    assert table.between(table.README.read_text()) == table.render()


@pytest.mark.parametrize("row", _ROWS)
def test_the_test_of_a_row_exists_and_names_the_client(row: Row) -> None:
    path, _, function = row.test.partition("::")
    tree = ast.parse((table.TESTS / path).read_text())
    found = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert function in [node.name for node in found]
    beside = "".join(file.read_text() for file in (table.TESTS / path).parent.glob("*.py"))
    assert f'"{row.client}"' in beside, "nobody runs this row's line"


@pytest.mark.parametrize("row", _ROWS)
def test_a_rows_package_is_installed_in_no_older_version_than_noted(row: Row) -> None:
    # An older one would mean that the resolver went back, because another package holds this one.
    assert Version(version(row.package)) >= Version(versions.noted()[row.package]), versions.compare(row.package)


def test_every_client_is_in_the_table() -> None:
    wanted = {
        canonicalize_name(requirement.name): requirement
        for requirement in map(Requirement, metadata("azure-certvar-credential").get_all("Requires-Dist") or ())
        if requirement.marker and requirement.marker.evaluate({"extra": "clients"})
    }
    assert wanted
    assert set(wanted) <= {canonicalize_name(row.package) for row in table.TABLE.values()}
    assert not [requirement for requirement in wanted.values() if requirement.specifier], "the newest is wanted"
