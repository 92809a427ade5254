"""All rows: faults, and the states of a token that each of them meets."""

from __future__ import annotations

from collections import Counter
from enum import Enum

from tests.faults import bodies, framing, hops, redirects, slow, statuses, times
from tests.faults.fault import Fault

KINDS: dict[str, tuple[Fault, ...]] = {
    "statuses": tuple(statuses.faults()),
    "redirects": tuple(redirects.faults()),
    "framing": tuple(framing.faults()),
    "bodies and encodings": tuple(bodies.faults()),
    "times": tuple(times.faults()),
    "names, proxies and TLS": tuple(hops.faults()),
    "slow servers": tuple(slow.faults()),
}

_FAULTS = {fault.claim: fault for faults in KINDS.values() for fault in faults}


def fault(claim: str) -> Fault:
    """Return the row of a claim."""
    return _FAULTS[claim]


def claims(*kinds: str) -> list[str]:
    """Return the claims of some kinds of faults."""
    return [fault.claim for kind in kinds for fault in KINDS[kind]]


# The credential with a certificate meets every fault in both.
SHELLS = ("sync", "aio")


class State(Enum):
    """How old the credential's token is when it is asked for, in seconds; its life is two hours."""

    NO_TOKEN = None
    VALID = 60.0
    REFRESH_WINDOW = 3700.0
    LAST_MINUTES = 7000.0
    LAST_SECONDS = 7180.0

    @property
    def claim(self) -> str:
        """The state in words."""
        return self.name.lower().replace("_", " ")


# Other credentials than the one with a certificate. They have its transports and its single flight, sync and aio, so
# one of these shells is enough for each fault: they take turns along the table.
_OTHERS = ("MSAL", "on behalf of", "federated")
CREDENTIALS = (*SHELLS, *(name for other in _OTHERS for name in (other, f"aio {other}")))


def journeys(*kinds: str) -> list[tuple[str, str]]:
    """Return which fault, by its claim, meets which credential, for some kinds of faults; each pair in every state."""
    wanted = set(claims(*kinds))
    return [
        (claim, credential)
        for place, claim in enumerate(_FAULTS)
        if claim in wanted
        for credential in (*SHELLS, *_turns(place))
    ]


def _turns(place: int) -> list[str]:
    return [f"aio {other}" if (place + turn) % 2 else other for turn, other in enumerate(_OTHERS)]


def counts() -> Counter[str]:
    """Return how many trials there are of each kind of fault."""
    return Counter({kind: len(journeys(kind)) * len(State) for kind in KINDS})
