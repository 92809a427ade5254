"""What is wrong with a journey, in sentences; nothing if all went as the table says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.faults.fault import GOOD, TOKEN, Fault
from tests.faults.table import State
from tests.faults.trial import Journey, Outcome
from tests.reporters import reported

# A call that has a token returns it at once, but for the second that it waits for a better one at its end. Twice that,
# because the machine may be busy.
_AT_ONCE = {State.VALID: 1.0, State.REFRESH_WINDOW: 1.0, State.LAST_MINUTES: 2.0, State.LAST_SECONDS: 2.0}


def wrongs(fault: Fault, journey: Journey) -> list[str]:
    """Say what is not as the fault's row wants it."""
    found = [f"{state.claim}: {wrong}" for state in State for wrong in _of_state(fault, state, journey.outcomes[state])]
    if len(set(journey.jtis)) != len(journey.jtis):
        found.append("an assertion was sent twice")
    if journey.elsewhere:
        found.append("a redirect was followed")
    return found


def _of_state(fault: Fault, state: State, outcome: Outcome) -> Iterator[str]:
    now, later = _tokens(fault, state)
    error = outcome.error
    if error is not None and (type(error) not in fault.errors or None not in now):
        yield f"{type(error).__name__}: {error}"
    if error is None and outcome.token not in now:
        yield f"the token was {outcome.token}"
    if error is None and outcome.later not in later:
        yield f"the token of the next call was {outcome.later}"
    if outcome.seconds > _AT_ONCE.get(state, fault.seconds):
        yield f"it took {outcome.seconds:.1f} s"
    if outcome.settled > fault.seconds:
        yield f"it went on for {outcome.settled:.1f} s"
    if outcome.requests not in _requests(fault, state):
        yield f"there were {outcome.requests} requests"
    if outcome.connections > (0 if state is State.VALID else 2):
        yield f"there were {outcome.connections} connections"
    if outcome.again and fault.lasts:
        yield f"the next call sent {outcome.again} requests"


def _tokens(fault: Fault, state: State) -> tuple[set[str | None], set[str | None]]:
    """Return what a call may bring, and what the next one may; None is one of the fault's errors."""
    older = None if state is State.NO_TOKEN else GOOD
    if state is State.VALID:
        return {GOOD}, {GOOD}
    after: set[str | None] = {older} if fault.errors else {TOKEN}
    if fault.either and (fault.lasts or older is None):
        after.add(TOKEN)
    return ({GOOD} if state is State.REFRESH_WINDOW else after), after


def _requests(fault: Fault, state: State) -> set[int]:
    if state is State.VALID:
        return {0}
    return {1, 2} if fault.either else {fault.requests}


def leaks(journey: Journey, secrets: Iterable[str], told: str) -> list[str]:
    """Name the texts that hold a secret: errors with all that belongs to them, and what was logged and traced."""
    texts = {state.claim: reported(one.error) for state, one in journey.outcomes.items() if one.error is not None}
    texts["log records and spans"] = told
    return [
        f"{secret[:12]}… in: {place}: …{text[max(0, text.find(secret) - 80) :][:160]!r}"
        for secret in secrets
        for place, text in texts.items()
        if secret in text
    ]
