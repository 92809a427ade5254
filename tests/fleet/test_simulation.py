"""A thousand members send as many requests as one, whatever their clocks; ``simulation.py`` has the whole day."""

from __future__ import annotations

import pytest

from tests.fleet.simulation import Day

pytestmark = pytest.mark.usefixtures("uncovered")

MEMBERS, HOURS = 1000, 2


def test_a_thousand_members_send_as_many_requests_as_one() -> None:
    result = Day(MEMBERS, shared=True, seed=2, hours=HOURS).run()

    # A token lives an hour. Clocks that may differ by five minutes bring its refresh forward by as much.
    assert HOURS <= result.requests <= HOURS + 2
    assert result.busiest_minute == 1
    assert result.calls > MEMBERS * 6 * (HOURS - 1)
    assert result.least_left >= 300
    assert result.longest_wait < 2


def test_without_the_cache_each_member_sends_its_own() -> None:
    alone = Day(100, shared=False, seed=2, hours=HOURS).run()

    assert alone.requests >= 100 * (HOURS - 1)
    assert alone.looks == 0
