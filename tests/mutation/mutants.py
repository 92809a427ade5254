"""The small changes that a test should notice, one at a time, made of a module's syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitOr: ast.BitAnd,
}  # fmt: skip


def mutants(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line of each change, and the whole module with it."""
    tree = ast.parse(source)
    inert = _inert(tree)
    for place, node in enumerate(ast.walk(tree)):
        for changed in [] if id(node) in inert else _changes(node, _is_docstring(tree, node)):
            other = copy.deepcopy(tree)
            target = list(ast.walk(other))[place]
            _replace(other, target, changed)
            yield getattr(node, "lineno", 0), ast.unparse(ast.fix_missing_locations(other))


def _is_docstring(tree: ast.AST, node: ast.AST) -> bool:
    return any(isinstance(one, ast.Expr) and one.value is node for one in ast.walk(tree))


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
        case ast.Return(value=ast.expr()):
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
