"""Frozen values that cost nothing to import.

A dataclass writes its methods as source text and compiles them when its module is imported, which takes a third of a
millisecond for each class; three dozen stand between a process and its first token. The methods here are written once,
so that a class costs no more than a class statement. What is imported on the way to a first token uses this, everything
else ``dataclasses``.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar

from typing_extensions import (
    dataclass_transform,  # of the standard library from Python 3.11 on; azure-core needs it too
)

_ABSENT: Any = object()

V = TypeVar("V", bound="Value")


class _Field:
    __slots__ = ("compare", "default", "repr")

    def __init__(self, default: Any, *, repr: bool = True, compare: bool = True) -> None:  # noqa: A002 - as for field()
        self.default, self.repr, self.compare = default, repr, compare


# What is declared without a default, as most are.
_REQUIRED = _Field(_ABSENT)


def field(*, default: Any = _ABSENT, repr: bool = True, compare: bool = True) -> Any:  # noqa: A002 - dataclasses' names
    """Declare a field, as :func:`dataclasses.field` does.

    :param default: its value if none is given.
    :param repr: whether the value's ``repr`` shows it.
    :param compare: whether values that differ in it alone are unequal.
    """
    return _Field(default, repr=repr, compare=compare)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class _ValueType(type):
    """Turns the annotations of a class into slots."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _ValueType:
        fields: dict[str, _Field] = {}
        for base in bases:
            fields.update(getattr(base, "_fields", {}))
        # Strings, because every module postpones the evaluation of its annotations.
        own = [one for one, kind in namespace.get("__annotations__", {}).items() if not kind.startswith("ClassVar")]
        slots = tuple(one for one in own if one not in fields)
        for one in own:
            default = namespace.pop(one, _REQUIRED)
            fields[one] = default if type(default) is _Field else _Field(default)
        # __match_args__ is what the positions of a class pattern mean.
        made_of = {"__slots__": slots, "__match_args__": tuple(fields), "_fields": fields}
        made = super().__new__(cls, name, bases, {**namespace, **made_of})
        # The slots' own methods, which go past __setattr__.
        made._setters = tuple(getattr(made, one).__set__ for one in fields)  # type: ignore[attr-defined]
        return made


class Value(metaclass=_ValueType):
    """A frozen value with the fields that its annotations name, in their order.

    Values are equal if they are of one class and their fields are.
    """

    _fields: ClassVar[dict[str, _Field]]
    _setters: ClassVar[tuple[Any, ...]]

    def __init__(self, *values: Any, **named: Any) -> None:
        setters = self._setters
        if named or len(values) != len(setters):
            values = self._completed(values, named)
        for assign, value in zip(setters, values, strict=True):
            assign(self, value)

    @classmethod
    def _completed(cls, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Return the value of every field.

        :raises TypeError: one is missing, unknown or given twice.
        """
        complete = list(values)
        for name, declared in tuple(cls._fields.items())[len(values) :]:
            value = named.pop(name, declared.default)
            if value is _ABSENT:
                raise TypeError(f"{cls.__name__} needs a value of {name!r}")
            complete.append(value)
        if named or len(complete) != len(cls._fields):
            given = ", ".join(map(repr, named)) or f"{len(complete)} values"
            raise TypeError(f"{cls.__name__} has other fields: {given} given")
        return tuple(complete)

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen; {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen; {name!r} cannot be deleted")

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name, declared in self._fields.items() if declared.repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        return _compared(self) == _compared(other) if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(_compared(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in self._fields)


def fields(kind: type[Value]) -> tuple[str, ...]:
    """Return the names of the fields of a class of values."""
    return tuple(kind._fields)


def replace(value: V, **changes: Any) -> V:
    """Return a copy of a value with other values of some fields."""
    return type(value)(**{**{name: getattr(value, name) for name in value._fields}, **changes})


def _compared(value: Value) -> tuple[Any, ...]:
    return type(value), *(getattr(value, name) for name, declared in value._fields.items() if declared.compare)
