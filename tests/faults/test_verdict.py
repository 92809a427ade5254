"""The judgement finds what it looks for: the matrix rests on it."""

from __future__ import annotations

from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from tests.faults.fault import BROKEN, GOOD, TOKEN, Fault
from tests.faults.table import State
from tests.faults.trial import Journey, Outcome
from tests.faults.verdict import leaks, wrongs

_FAULT = Fault(claim="broken", errors=BROKEN, requests=2)


def _journey(no_token: Exception, *, seconds: float = 0.1, requests: int = 2, jtis: str = "abc") -> Journey:
    outcomes = {}
    for state in State:
        error = no_token if state is State.NO_TOKEN else None
        token = None if error else GOOD
        sent = 0 if state is State.VALID else requests
        outcomes[state] = Outcome(token, error, seconds, seconds, token, sent, again=0, connections=min(sent, 2))
    return Journey(outcomes, list(jtis), [], elsewhere=False)


def test_a_journey_as_the_row_wants_it_has_nothing_wrong() -> None:
    assert wrongs(_FAULT, _journey(ServiceResponseError("broken"))) == []


def test_another_error_too_many_requests_too_much_time_and_a_second_use_are_wrong() -> None:
    journey = _journey(ServiceRequestError("not sent"), seconds=6.0, requests=3, jtis="aba")

    found = "\n".join(wrongs(_FAULT, journey))

    for wrong in ("no token: ServiceRequestError", "3 requests", "it took 6.0 s", "sent twice"):
        assert wrong in found


def test_a_token_in_a_cause_and_in_a_log_is_found() -> None:
    error = ServiceResponseError("broken")
    error.__cause__ = ValueError(f"malformed: {TOKEN}")

    found = leaks(_journey(error), [TOKEN.split(".")[2]], f"could not read {TOKEN}")

    assert len(found) == 2
