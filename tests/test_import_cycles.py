"""The modules of the package import each other without cycles; imports for type checkers count."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping

import grimp
import pytest

PACKAGE = "azure_certvar_credential"


def find_cycle(imports: Mapping[str, Iterable[str]]) -> str:
    """The first cycle, each module before the one that it imports; empty if there is none.

    :param imports: the modules that each module imports.
    """
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        # graphlib lists what is imported first.
        return " -> ".join(reversed(error.args[1]))
    return ""


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Every import between the package's modules, those inside functions and under TYPE_CHECKING among them."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_no_module_imports_itself_through_others(imports: dict[str, set[str]]) -> None:
    assert find_cycle(imports) == ""


def test_imports_for_type_checkers_and_inside_functions_count(imports: dict[str, set[str]]) -> None:
    assert f"{PACKAGE}.testing.entra.emulator" in imports[f"{PACKAGE}.testing"]
    assert f"{PACKAGE}.testing" in imports[f"{PACKAGE}.testing.plugin"]


@pytest.mark.parametrize(
    ("imports", "cycle"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, {"a -> b -> c -> a", "b -> c -> a -> b", "c -> a -> b -> c"}),
        ({"a": {"a"}}, {"a -> a"}),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, {""}),
    ],
)
def test_a_cycle_is_reported_in_the_order_of_its_imports(imports: dict[str, set[str]], cycle: set[str]) -> None:
    assert find_cycle(imports) in cycle
