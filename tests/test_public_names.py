"""The public surface is what ``public_names.txt`` lists, so a change of it is a change of that file.

A line for each public name: functions, methods and constructors with their parameters, ``…`` for a default; exceptions
with their bases, from which they have the rest. ``python -m tests.test_public_names`` writes the file.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TypeGuard, get_origin

import pytest

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).with_name("public_names.txt")
PACKAGE = "azure_certvar_credential"
MODULES = (
    PACKAGE,
    f"{PACKAGE}.aio",
    f"{PACKAGE}.exceptions",
    f"{PACKAGE}.keyvault",
    f"{PACKAGE}.keyvault.aio",
    f"{PACKAGE}.msal",
    f"{PACKAGE}.telemetry",
    f"{PACKAGE}.testing",
)


class _Default:
    def __repr__(self) -> str:
        return "…"


def parameters(function: object, *, drop_first: bool = False) -> str:
    """``(name, *, option=…)``: what a caller may write, without types and the values of defaults."""
    assert callable(function)
    found = [
        one.replace(annotation=one.empty, default=one.empty if one.default is one.empty else _Default())
        for one in inspect.signature(function).parameters.values()
    ]
    return str(inspect.Signature(found[drop_first:]))


def attributes(kind: type) -> Iterator[str]:
    """The names that a class's source gives its instances: annotated fields, and what is assigned to ``self``."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    for node in (*definition.body, *ast.walk(definition)):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if node in definition.body:
                yield name
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name


def member(kind: type, owner: str, name: str) -> str:
    """The line of a method with its parameters, or of any other attribute."""
    found = inspect.getattr_static(kind, name, None)
    function = getattr(found, "__func__", found)
    if not inspect.isfunction(function):
        return f"{owner}.{name}"
    keyword = "async " if inspect.iscoroutinefunction(function) else ""
    bound = not isinstance(found, staticmethod)
    return f"{keyword}{owner}.{name}{parameters(function, drop_first=bound)}"


def is_class(value: object) -> TypeGuard[type]:
    """Whether it is a class; under Python 3.10 an alias such as ``Callable[[], str]`` says that it is one, too."""
    return inspect.isclass(value) and get_origin(value) is None


def describe_class(name: str, kind: type, listed: set[type]) -> Iterator[str]:
    """The lines of a class: the constructor, then its attributes without those of other libraries and listed bases."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith(PACKAGE) and base not in listed - {kind}]
    made = any("__init__" in vars(base) for base in ours) and not getattr(kind, "_is_protocol", False)
    constructor = parameters(kind.__init__, drop_first=True) if made else ""  # type: ignore[misc]
    bases = f": {', '.join(base.__name__ for base in kind.__bases__)}" if issubclass(kind, BaseException) else ""
    yield f"{name}{constructor}{bases}"
    names = {each for base in ours for each in (*vars(base), *attributes(base)) if not each.startswith("_")}
    for each in sorted(names):
        yield member(kind, name, each)


def public_names() -> list[str]:
    """Every line of the list."""
    public = [
        (f"{module}.{name}", getattr(import_module(module), name))
        for module in MODULES
        for name in sorted(import_module(module).__all__)
    ]
    classes = {value for _, value in public if is_class(value)}
    lines: list[str] = []
    for name, value in public:
        if is_class(value):
            lines.extend(describe_class(name, value, classes))
        else:
            lines.append(name + (parameters(value) if inspect.isfunction(value) else ""))
    return lines


def test_the_public_names_are_the_listed_ones() -> None:
    listed, found = LIST.read_text(encoding="utf-8").splitlines(), public_names()
    changes = [line for line in difflib.ndiff(listed, found) if line[0] in "+-"]
    if changes:
        pytest.fail(
            "the public surface changed (+ is new, - is gone):\n"
            + "\n".join(changes)
            + "\nIf users should see this, run `.test-env/venv/bin/python -m tests.test_public_names`, commit "
            "tests/public_names.txt, and say so in CHANGELOG.md. If not, begin the name with an underscore.",
            pytrace=False,
        )


def test_every_module_that_the_documentation_names_is_listed() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / ".docs").glob("*.md")), *sorted((ROOT / "samples").glob("*.py"))]
    named = {
        module
        for page in pages
        for module in re.findall(rf"\b(?:from|import) ({PACKAGE}[\w.]*)", page.read_text(encoding="utf-8"))
    }
    assert PACKAGE in named
    assert named <= set(MODULES)


if __name__ == "__main__":
    LIST.write_text("".join(f"{line}\n" for line in public_names()), encoding="utf-8")
