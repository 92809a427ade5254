"""Values behave as frozen dataclasses do."""

from __future__ import annotations

import copy
import pickle
from typing import Any, ClassVar

import pytest

from azure_certvar_credential._values import Value, field, fields, replace


class Point(Value):
    kind: ClassVar[str] = "point"

    x: int
    y: int = 0
    secret: str = field(default="s", repr=False)
    note: str = field(default="", compare=False)


class Solid(Point):
    z: int = 7


def test_fields_are_given_by_position_or_name_and_have_defaults() -> None:
    assert (Point(1).x, Point(1).y, Point(1).secret) == (1, 0, "s")
    assert Point(1, 2) == Point(y=2, x=1)
    assert (Solid(1, z=3).x, Solid(1, z=3).z, Solid(1).z) == (1, 3, 7)
    assert fields(Solid) == ("x", "y", "secret", "note", "z")
    assert Point.kind == "point"


@pytest.mark.parametrize(
    ("given", "named", "message"),
    [
        ((), {}, "needs a value of 'x'"),
        ((1,), {"w": 2}, "has other fields: 'w' given"),
        ((1,), {"x": 2}, "has other fields: 'x' given"),
        ((1, 2, "", "", 5), {}, "has other fields: 5 values given"),
    ],
)
def test_what_is_missing_unknown_or_given_twice_is_refused(given: Any, named: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Point(*given, **named)


def test_a_value_is_frozen_and_has_slots_only() -> None:
    point: Any = Solid(1)
    for name in ("x", "z", "w"):
        with pytest.raises(AttributeError, match="frozen"):
            setattr(point, name, 2)
    with pytest.raises(AttributeError, match="frozen"):
        del point.x
    assert not hasattr(point, "__dict__")


def test_equality_and_hash_leave_out_what_is_not_compared() -> None:
    assert Point(1, note="a") == Point(1, note="b")
    assert hash(Point(1, note="a")) == hash(Point(1, note="b"))
    assert Point(1) != Point(1, secret="t")
    assert Point(1) != Solid(1)
    assert Point(1) != 1


def test_repr_hides_what_is_to_be_hidden() -> None:
    assert repr(Point(1, secret="hush")) == "Point(x=1, y=0, note='')"


def test_a_class_pattern_takes_the_fields_by_position() -> None:
    match Solid(1, 2):
        case Solid(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("no match")


def test_replace_copy_and_pickle_keep_every_field() -> None:
    solid = Solid(1, 2, "t", "n", 9)
    assert replace(solid, x=5) == Solid(5, 2, "t", "n", 9)
    for made in (copy.copy(solid), copy.deepcopy(solid), pickle.loads(pickle.dumps(solid))):  # noqa: S301 - our own
        assert made == solid
        assert made.note == "n"
    with pytest.raises(TypeError, match="other fields"):
        replace(solid, w=1)
