"""How often a failure is repeated, and after which pause: every kind of failure has its own number of retries."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential._core.retries import LONGEST_PAUSE, Retries, Retry
from azure_certvar_credential.exceptions import AuthenticationError, TemporarilyUnavailableError

BUSY = TemporarilyUnavailableError("busy", status_code=503)
BROKEN = ServiceResponseError("broken")
UNREACHED = ServiceRequestError("no route")
# Of each kind: a failure, whether the request may have left, and the setting that counts it.
KINDS = [(BUSY, True, "status"), (BROKEN, True, "read"), (UNREACHED, False, "connect")]


def count(retries: Retries, failure: Exception, *, sent: bool) -> int:
    """Return how often the failure is repeated."""
    for number in range(50):
        if retries.pause(failure, sent=sent) is None:
            return number
    raise AssertionError("it is repeated for ever")


@pytest.mark.parametrize(("failure", "sent", "_name"), KINDS)
def test_by_default_each_kind_of_failure_is_repeated_three_times(failure: Exception, sent: bool, _name: str) -> None:
    assert count(Retries(Retry(total=40)), failure, sent=sent) == 3
    assert count(Retries(Retry()), failure, sent=sent) == 3


@pytest.mark.parametrize(("failure", "sent", "_name"), KINDS)
def test_the_first_repetition_of_any_kind_comes_at_once(failure: Exception, sent: bool, _name: str) -> None:
    assert Retries(Retry()).pause(failure, sent=sent) == 0


@pytest.mark.parametrize("number", [0, 1, 7])
@pytest.mark.parametrize(("failure", "sent", "name"), KINDS)
def test_each_kind_has_its_own_number(failure: Exception, sent: bool, name: str, number: int) -> None:
    numbers: dict[str, Any] = {"total": 40, "status": 20, "read": 20, "connect": 20, name: number}
    assert count(Retries(Retry(**numbers)), failure, sent=sent) == number


def test_by_default_an_acquisition_is_given_up_after_half_a_minute_and_pauses_as_azure_core_does() -> None:
    assert Retry() == Retry(3, 3, 3, 3, backoff_factor=0.8, backoff_max=120.0, exponential=True, timeout=30.0)


def test_all_kinds_together_have_the_total() -> None:
    retries = Retries(Retry(total=4, status=9, read=9, connect=9))
    given = [retries.pause(failure, sent=sent) for failure, sent, _ in KINDS * 2]
    assert [pause is None for pause in given] == [False] * 4 + [True] * 2


def test_what_the_server_has_refused_is_not_repeated() -> None:
    assert Retries(Retry()).pause(AuthenticationError("no"), sent=True) is None


@pytest.mark.parametrize(
    ("retry", "pauses"),
    [
        (Retry(total=6, status=6), [0.0, 1.6, 3.2, 6.4, 12.8, 25.6]),
        (Retry(total=6, status=6, backoff_max=4.0), [0.0, 1.6, 3.2, 4.0, 4.0, 4.0]),
        (Retry(total=4, status=4, exponential=False), [0.0, 0.8, 0.8, 0.8]),
        (Retry(total=20, status=20, backoff_max=1e9), [0.0, *(0.8 * 2 ** min(n, 16) for n in range(1, 20))]),
    ],
)
def test_the_first_retry_is_immediate_and_the_pauses_grow_to_the_longest(retry: Retry, pauses: list[float]) -> None:
    retries = Retries(retry)
    assert [retries.pause(BUSY, sent=True) for _ in pauses] == pauses
    assert retries.pause(BUSY, sent=True) is None


@pytest.mark.parametrize(
    ("asked", "pause"), [(0.0, 0.0), (0.5, 0.5), (LONGEST_PAUSE, 5.0), (LONGEST_PAUSE + 0.001, None), (1e9, None)]
)
def test_a_pause_that_the_server_asks_for_is_kept_up_to_five_seconds(asked: float, pause: float | None) -> None:
    assert Retries(Retry()).pause(TemporarilyUnavailableError("busy", retry_after=asked), sent=True) == pause


def test_a_pause_that_the_server_asks_for_does_not_shorten_the_own() -> None:
    retries = Retries(Retry(backoff_factor=3))
    asked = TemporarilyUnavailableError("busy", retry_after=1.0)
    assert [retries.pause(asked, sent=True), retries.pause(asked, sent=True)] == [1.0, 6.0]
