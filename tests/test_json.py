"""Documents from others are parsed as json.loads parses them, unless their nesting would use up the stack."""

from __future__ import annotations

import gc
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._json import parse_json

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='[]{}",:\\a\u20ac'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[]{}"\\'), inner),
)


@given(DOCUMENTS)
def test_a_document_is_parsed_as_the_standard_library_parses_it(document: object) -> None:
    text = json.dumps(document)
    for form in (text, text.encode(), text.encode("utf-16"), text.encode("utf-8-sig")):
        assert parse_json(form) == document


@given(st.text(alphabet='[]{}",:\\1 ', max_size=400))
def test_what_is_no_document_is_refused_as_the_standard_library_refuses_it(text: str) -> None:
    try:
        expected = json.loads(text)
    except json.JSONDecodeError:
        with pytest.raises(json.JSONDecodeError):
            parse_json(text)
    else:
        assert parse_json(text) == expected


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("before", ["", '"]]]]\\"}}}}", ', '[], {"]": "}"}, '], ids=["plain", "strings", "siblings"])
def test_documents_are_nested_a_hundred_deep_and_no_deeper(opening: str, closing: str, before: str) -> None:
    def document(depth: int) -> str:
        return f"[{before}{opening * (depth - 1)}0{closing * (depth - 1)}]"

    assert parse_json(document(100)) == json.loads(document(100))
    with pytest.raises(json.JSONDecodeError, match="Nested more than 100 deep"):
        parse_json(document(101))


def test_brackets_that_are_not_nested_are_not_counted() -> None:
    document: list[object] = [[]] * 10_000 + ["[" * 10_000]
    assert parse_json(json.dumps(document)) == document


@pytest.mark.parametrize("text", ["[" * 100_000, b'{"a":' * 100_000, '["' + "[" * 100_000, "[" * 50_000 + "]" * 50_000])
def test_no_finalizer_runs_at_the_end_of_the_stack(text: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector may run at any bracket; a finalizer that it runs there needs room for its own calls."""
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    alive = [True]
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        _Garbage(alive)
        with pytest.raises(ValueError, match=r"Nested|Unterminated"):
            parse_json(text)
    finally:
        gc.set_threshold(*threshold)
        alive.clear()
    assert unraisable == []


class _Garbage:
    """What only the collector finds, and whose finalizer makes more of it as long as it may."""

    def __init__(self, alive: list[bool]) -> None:
        self.me = self
        self.alive = alive

    def __del__(self) -> None:
        if self.alive:
            _Garbage(self.alive)
