"""The small changes that a test should notice, one at a time, made of a module's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitOr: ast.BitAnd,
}  # fmt: skip


class Mutant(NamedTuple):
    """A change of a module: its place in the order of ``ast.walk``, the lines of its statement, and the new node."""

    source: str
    place: int
    line: int
    statement: range
    changed: ast.AST

    @property
    def text(self) -> str:
        """The whole module with the change."""
        tree = ast.parse(self.source)
        _replace(tree, list(ast.walk(tree))[self.place], self.changed)
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants(source: str) -> Iterator[Mutant]:
    """Yield each change of a module."""
    tree = ast.parse(source)
    inert = _inert(tree)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for place, node in enumerate(ast.walk(tree)):
        if id(node) not in inert:
            for changed in _changes(node, isinstance(parents.get(node), ast.Expr)):
                yield Mutant(source, place, getattr(node, "lineno", 0), _statement(node, parents), changed)


def _statement(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> range:
    """Return the lines of a node's statement; of ``if`` and the like, those of its head."""
    around = node
    while not isinstance(around, ast.stmt | ast.excepthandler):
        around = parents[around]
    body = getattr(around, "body", getattr(around, "cases", []))
    last = body[0].lineno - 1 if body and isinstance(body[0], ast.stmt) else around.end_lineno or around.lineno
    line = getattr(node, "lineno", around.lineno)
    return range(min(line, around.lineno), max(line, last) + 1)


def _inert(tree: ast.AST) -> set[int]:
    """Return the ids of nodes without which everything behaves alike: annotations, and ``slots=True``."""
    found: set[int] = set()
    for one in ast.walk(tree):
        parts = [getattr(one, "annotation", None), getattr(one, "returns", None)]
        if isinstance(one, ast.keyword) and one.arg == "slots":
            parts.append(one.value)
        found.update(id(node) for part in parts if isinstance(part, ast.AST) for node in ast.walk(part))
    return found


def _changes(node: ast.AST, docstring: bool) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[kind]) if type(kind) in _COMPARISONS:
            yield ast.Compare(node.left, [_COMPARISONS[type(kind)]()], node.comparators)
        case ast.BinOp(op=kind) if type(kind) in _OPERATORS:
            yield ast.BinOp(node.left, _OPERATORS[type(kind)](), node.right)
        case ast.BoolOp(op=ast.And()):
            yield ast.BoolOp(ast.Or(), node.values)
        case ast.BoolOp(op=ast.Or()):
            yield ast.BoolOp(ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float() as number):
            yield ast.Constant(number + 1)
        case ast.Constant(value=str() as text) if text and not docstring:
            yield ast.Constant("")
        # A caller seldom tells None from False.
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant) or value.value:
            yield ast.Return(ast.Constant(None))
        case ast.Break() | ast.Continue() | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom() | ast.Await()):
            yield ast.Pass()


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list):
                for place, item in enumerate(value):
                    if item is old:
                        value[place] = new
                        return
