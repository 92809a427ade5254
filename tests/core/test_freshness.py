"""A token of any length is refreshed about once in its life, and never in a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.freshness import Freshness, freshness, refresh_on, required_on, spread

YEAR = 366 * 86400.0
NOW = 1_800_000_000.0

LIVES = st.floats(0.5, 10 * YEAR) | st.floats(0.5, 20) | st.floats(7190, 7210) | st.integers(1, 86400).map(float)
JITTERS = st.floats(0, 1, exclude_max=True)


@given(life=LIVES, advice=st.none() | st.floats(-10, 20 * YEAR) | st.floats(0, 100), jitter=JITTERS)
def test_the_moments_of_a_life_are_in_order(life: float, advice: float | None, jitter: float) -> None:
    refresh = refresh_on(NOW, life, advice, jitter)
    required = required_on(NOW, life)
    assert NOW <= refresh <= required < NOW + life


@given(life=LIVES, jitter=JITTERS)
def test_without_advice_a_token_is_never_refreshed_before_half_its_life(life: float, jitter: float) -> None:
    assert refresh_on(NOW, life, None, jitter) >= NOW + life / 2


@given(life=LIVES, jitter=JITTERS)
def test_a_child_process_refreshes_up_to_a_minute_earlier_and_not_at_once(life: float, jitter: float) -> None:
    parent = refresh_on(NOW, life, None, 0.0)
    assert max(parent - 60, NOW + (parent - NOW) / 2) - 1e-3 <= spread(parent, NOW, jitter) <= parent


@given(life=st.floats(7200, 10 * YEAR), jitter=JITTERS)
def test_a_token_of_two_hours_or_more_is_refreshed_at_half_its_life_within_a_minute(life: float, jitter: float) -> None:
    assert 0 <= refresh_on(NOW, life, None, jitter) - (NOW + life / 2) <= 60


@given(life=st.floats(600, 7199.9), jitter=JITTERS)
def test_a_shorter_token_is_refreshed_ten_minutes_before_its_end_within_a_minute(life: float, jitter: float) -> None:
    assert 0 <= refresh_on(NOW, life, None, jitter) - (NOW + max(life / 2, life - 600)) <= 60


@given(life=st.floats(600, 10 * YEAR), advice=st.none() | st.floats(0, 10 * YEAR))
def test_nobody_gets_a_token_of_ten_minutes_or_more_in_its_last_five_without_waiting(
    life: float, advice: float | None
) -> None:
    assert required_on(NOW, life) == pytest.approx(NOW + life - 300, abs=1e-6)
    assert refresh_on(NOW, life, advice, 0.999) <= required_on(NOW, life)


@given(life=st.floats(1200, 10 * YEAR), jitter=JITTERS)
def test_the_time_to_refresh_before_anybody_waits_is_minutes_long(life: float, jitter: float) -> None:
    assert required_on(NOW, life) - refresh_on(NOW, life, None, jitter) >= 240 - 1e-3


@pytest.mark.parametrize(
    ("life", "advice", "refresh", "required"),
    [
        (86399, None, 43199.5, 86099),
        (7200, None, 3600, 6900),
        (7199, None, 6599, 6899),
        (3599, None, 2999, 3299),
        (1200, None, 600, 900),
        (1199, None, 599.5, 899),  # ten minutes before the end would be before half the life
        (600, None, 300, 300),
        (599, None, 299.5, 569),  # five minutes would be more than half the life
        (400, None, 200, 370),
        (299, None, 149.5, 269.1),
        (10, None, 5, 9),
        (0.5, None, 0.25, 0.45),
        (86399, 43199, 43199, 86099),  # the server's advice stands,
        (3600, 60, 60, 3300),
        (3600, 3590, 3300, 3300),  # unless callers would have to wait by then,
        (3600, 3600, 3000, 3300),  # and not if it lies outside the life
        (3600, 0, 3000, 3300),
        (3600, -1, 3000, 3300),
    ],
)
def test_the_boundaries_of_a_life(life: float, advice: float | None, refresh: float, required: float) -> None:
    assert refresh_on(NOW, life, advice, 0.0) == pytest.approx(NOW + refresh, abs=1e-6)
    assert required_on(NOW, life) == pytest.approx(NOW + required, abs=1e-6)


def test_jitter_spreads_over_a_minute_and_never_over_more_than_half_of_what_is_left() -> None:
    assert refresh_on(NOW, 86400, None, 0.5) == NOW + 43230
    assert refresh_on(NOW, 86400, None, 1.0) == NOW + 43260
    assert refresh_on(NOW, 20, None, 1.0) == NOW + 14  # between 10 (half the life) and 18 (required)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (0, "fresh"),
        (9.9, "fresh"),
        (10, "refresh"),
        (19.9, "refresh"),
        (20, "required"),
        (1e9, "required"),
    ],
)
def test_each_boundary_belongs_to_the_later_part(now: float, state: Freshness) -> None:
    assert freshness(now, requested_on=0, refresh_on=10, required_on=20) == state


@pytest.mark.parametrize(("set_back", "state"), [(300, "fresh"), (300.1, "required"), (1e9, "required")])
def test_a_token_from_the_future_is_not_believed(set_back: float, state: Freshness) -> None:
    """Its clock was ahead when it was dated; corrections by seconds are everyday's."""
    assert freshness(NOW - set_back, requested_on=NOW, refresh_on=NOW + 10, required_on=NOW + 20) == state


def _refreshes(life: float, advice: float | None, jitters: list[float], lives: float) -> tuple[int, float]:
    """Count the refreshes of a caller who asks all the time, over so many lives; and the time that they took."""
    now, count = NOW, 0
    end = NOW + lives * life
    refresh, required = refresh_on(now, life, advice, jitters[0]), required_on(now, life)
    step = life / 400
    while now < end:
        now += step
        if freshness(now, requested_on=now - step, refresh_on=refresh, required_on=required) != "fresh":
            count += 1
            jitter = jitters[count % len(jitters)]
            refresh, required = refresh_on(now, life, advice, jitter), required_on(now, life)
    return count, now - NOW


@given(life=LIVES, jitters=st.lists(JITTERS, min_size=1, max_size=5))
def test_a_caller_who_asks_all_the_time_causes_at_most_two_refreshes_in_a_life(
    life: float, jitters: list[float]
) -> None:
    count, elapsed = _refreshes(life, None, jitters, lives=5)
    assert 1 <= count <= 2 * elapsed / life


@given(life=LIVES, share=st.floats(0.05, 0.99), jitters=st.lists(JITTERS, min_size=1, max_size=5))
def test_a_servers_advice_is_the_shortest_time_between_refreshes(
    life: float, share: float, jitters: list[float]
) -> None:
    advice = share * life
    count, elapsed = _refreshes(life, advice, jitters, lives=3)
    shortest = min(advice, required_on(NOW, life) - NOW)
    assert 1 <= count <= elapsed / shortest + 1
