"""The reader of tag-length-value structures finds what is there and stops at everything else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.certificates import ber
from tests.certificates import raw

LEAVES = st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6, 0x80]), st.binary(max_size=200))
TREES: st.SearchStrategy[bytes] = st.recursive(
    LEAVES.map(lambda leaf: raw.tlv(*leaf)),
    lambda inner: st.tuples(st.sampled_from([0x30, 0x31, 0xA0]), st.lists(inner, max_size=4)).map(
        lambda node: raw.tlv(node[0], b"".join(node[1]))
    ),
    max_leaves=20,
)


@given(TREES, st.binary(max_size=10))
def test_an_element_is_as_long_as_it_says_whatever_follows(encoded: bytes, rest: bytes) -> None:
    element = ber.parse_first(encoded + rest)

    assert element.encoded == encoded
    assert element.to_der() == encoded
    assert element.tag == encoded[0]


@given(TREES, st.integers(min_value=1, max_value=6))
def test_ber_reads_as_the_der_it_was_made_from(encoded: bytes, depth: int) -> None:
    element = ber.parse_first(raw.indefinite(encoded, depth))

    assert element.to_der() == encoded


@given(TREES, st.data())
def test_a_cut_off_element_is_called_so(encoded: bytes, data: st.DataObject) -> None:
    end = data.draw(st.integers(min_value=0, max_value=len(encoded) - 1))

    with pytest.raises(ber.TruncatedError):
        ber.parse_first(encoded[:end])


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused_and_read_octets_add_up(data: bytes) -> None:
    try:
        elements = ber.parse(data)
    except ber.MalformedError:
        return
    assert b"".join(element.encoded for element in elements) == data


@given(st.integers(min_value=-(2**200), max_value=2**200))
def test_integers_are_read(number: int) -> None:
    assert ber.parse_first(raw.integer(number)).integer() == number


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**40), max_size=6))
def test_object_identifiers_are_read(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, [first, second, *rest]))

    assert ber.parse_first(raw.oid(dotted)).object_identifier() == dotted


def test_a_large_second_arc_belongs_to_2() -> None:
    # X.690 clause 8.19.4, with its own example.
    assert ber.parse_first(bytes.fromhex("0603883703")).object_identifier() == "2.999.3"


@pytest.mark.parametrize(
    ("encoded", "method"),
    [
        (b"\x02\x00", "integer"),
        (b"\x04\x01\x05", "integer"),
        (b"\x06\x00", "object_identifier"),
        (b"\x06\x01\x80", "object_identifier"),
        (b"\x06\x41" + b"\x01" * 65, "object_identifier"),
        (b"\x02\x01\x05", "object_identifier"),
        (b"\x04\x02\x05\x00", "children"),
        (b"\x30\x01\x05", "children"),
        (b"\x24\x03\x02\x01\x05", "octets"),
        (b"\x30\x01\x05", "to_der"),
    ],
)
def test_something_else_than_expected_is_malformed(encoded: bytes, method: str) -> None:
    element = ber.parse_first(encoded)

    with pytest.raises(ber.MalformedError):
        getattr(element, method)()


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"\x1f\x81\x00\x00", id="tag number above 30"),
        pytest.param(b"\x04\x80\x00\x00", id="primitive of indefinite length"),
        pytest.param(b"\x04\x89" + b"\x01" * 9 + b"\x00", id="length of nine octets"),
        pytest.param(b"\x30\x80" * 30 + b"\x00\x00" * 30, id="too deep"),
        pytest.param(b"\x05\x00" * 20_001, id="too many"),
        pytest.param(b"\x30\x80" + b"\x05\x00" * 20_001 + b"\x00\x00", id="too many inside"),
    ],
)
def test_what_has_no_end_in_sight_is_malformed(encoded: bytes) -> None:
    with pytest.raises(ber.MalformedError):
        ber.parse(encoded)


def nested(tag: int, depth: int) -> bytes:
    encoded = raw.tlv(4, b"octets")
    for _ in range(depth):
        encoded = raw.tlv(tag, encoded)
    return encoded


@pytest.mark.parametrize(("tag", "method"), [(0x24, "octets"), (0x30, "to_der")])
def test_depth_is_bounded(tag: int, method: str) -> None:
    assert getattr(ber.parse_first(nested(tag, 20)), method)()
    with pytest.raises(ber.MalformedError, match="too deeply"):
        getattr(ber.parse_first(nested(tag, 200)), method)()


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"\x30\x80" * (1 << 19), id="openings"),
        pytest.param(b"\x30\x80" + b"\x30\x80\x00\x00" * (1 << 18), id="pairs"),
        pytest.param(b"\x05\x00" * (1 << 19), id="nothings"),
        pytest.param(b"\x30\x84\x7f\xff\xff\xff" * (1 << 17), id="long announcements"),
    ],
)
def test_a_hostile_megabyte_takes_no_time(encoded: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(ber.MalformedError):
        ber.parse(encoded)

    assert time.perf_counter() - began < 10  # hours, if it took quadratic time


def test_an_element_does_not_show_what_is_in_it_for_it_may_be_a_private_key() -> None:
    assert "secret" not in repr(ber.parse_first(raw.tlv(0x30, raw.tlv(0x04, b"secret"))))
