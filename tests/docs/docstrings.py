"""Walks the docstrings of the public names, and runs their examples in the process of ``play.py``.

Each docstring has a namespace of its own: what ``docstring_names.py`` gives it, and its module's public names.
``await`` works at the top level, as in ``python -m asyncio``; ``...`` in an expected output stands for any text.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from tests.test_public_names import MODULES, PACKAGE, is_class


class Documented(NamedTuple):
    """A public name that has a docstring.

    :ivar module: the public module.
    :ivar name: its name there, such as ``CertVarCredential.get_token``; empty for the module itself.
    :ivar value: the module, class or function.
    """

    module: str
    name: str
    value: Any

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module

    @property
    def docstring(self) -> str:
        return inspect.cleandoc(self.value.__doc__ or "")

    @property
    def examples(self) -> list[doctest.Example]:
        return doctest.DocTestParser().get_examples(self.docstring)


def documented() -> Iterator[Documented]:
    """Yield the public modules, and the classes, functions, methods and properties that they export."""
    for module in MODULES:
        yield Documented(module, "", import_module(module))
        for name in sorted(import_module(module).__all__):
            value = getattr(import_module(module), name)
            if is_class(value):
                yield Documented(module, name, value)
                for method, found in sorted(members(value).items()):
                    yield Documented(module, f"{name}.{method}", found)
            elif inspect.isfunction(value):
                yield Documented(module, name, value)


def members(kind: type) -> dict[str, Any]:
    """Return the public methods and properties of a class that this package defines."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith(PACKAGE)]
    found = {name: inspect.getattr_static(kind, name) for base in ours for name in vars(base) if name[0] != "_"}
    found = {name: getattr(value, "__func__", value) for name, value in found.items()}
    return {name: value for name, value in found.items() if inspect.isfunction(value) or isinstance(value, property)}


def needs_example(documented: Documented) -> bool:
    """Whether users call it by itself.

    Not so a property, which is a value; nor a method that implements azure-core's, or that of a public protocol, where
    the example stands.
    """
    name, _, method = documented.name.partition(".")
    if not method:
        return bool(name)
    if isinstance(documented.value, property):
        return False
    kind = getattr(import_module(documented.module), name)
    if any(method in vars(base) for base in kind.__mro__ if not base.__module__.startswith(PACKAGE)):
        return False
    return not any(method in wanted and wanted <= set(dir(kind)) for wanted in _protocols() if not _is_protocol(kind))


def _protocols() -> list[set[str]]:
    """Return the methods of each public protocol."""
    package = import_module(PACKAGE)
    public = (getattr(package, name) for name in package.__all__)
    return [set(members(value)) for value in public if _is_protocol(value)]


def _is_protocol(value: object) -> bool:
    return bool(getattr(value, "_is_protocol", False))


def run(namespace: Callable[[Documented], dict[str, Any]]) -> None:
    """Run every example, and name each docstring that was run.

    :param namespace: returns the names that a docstring may use without defining them.
    :raises AssertionError: an example raised, or printed something else than its docstring says; each is printed.
    """
    loop = asyncio.new_event_loop()
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    ran: set[tuple[str, str]] = set()
    for one in documented():
        if one.examples and (one.module, one.docstring) not in ran:  # what classes inherit runs once
            ran.add((one.module, one.docstring))
            names, examples = {**namespace(one), **_public(one.module)}, [_awaited(example) for example in one.examples]
            test = doctest.DocTest(examples, names, one.path, None, None, one.docstring)
            test.globs["_run"] = _running(test.globs, loop)
            runner.run(test)
        if one.examples:
            print(f"ran docstring {one.path}", flush=True)
    loop.close()
    assert not runner.failures


def _public(module: str) -> dict[str, Any]:
    return {name: getattr(import_module(module), name) for name in import_module(module).__all__}


def _compiled(source: str) -> Any:
    return compile(source, "<docstring>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def _awaited(example: doctest.Example) -> doctest.Example:
    if _compiled(example.source).co_flags & inspect.CO_COROUTINE:
        example.source = f"_run({example.source!r})\n"
    return example


def _running(names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
    def run(source: str) -> None:
        loop.run_until_complete(eval(_compiled(source), names))  # noqa: S307 - the text is the docstring's

    return run
