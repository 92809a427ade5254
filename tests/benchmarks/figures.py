"""A figure: ours beside theirs, what was wanted, and whether it was reached."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be.

    :ivar of: the bound is for ours alone, or for the ratio of ours to theirs.
    :ivar least: the bound is a least value, not a greatest.
    """

    bound: float
    of: Literal["ratio", "ours"] = "ratio"
    least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.bound:g}" + (" ours" if self.of == "ours" else "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result.

    :ivar number: of the goal.
    :ivar ours: in the unit.
    :ivar theirs: in the unit; None where there is nothing to compare with.
    :ivar goal: None for a figure that only explains another.
    :ivar floor: what :mod:`.floor` takes, in the unit; None where it was not measured.
    :ivar spread: the middle half of ours, in shares of the median; None for what is the same every time.
    """

    number: int
    what: str
    ours: float
    theirs: float | None
    unit: str
    goal: Goal | None
    floor: float | None = None
    spread: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours for each of theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        value = self.ours if self.goal is None or self.goal.of == "ours" else self.ratio
        if self.goal is None or value is None:
            return None
        return value >= self.goal.bound if self.goal.least else value <= self.goal.bound

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes once, in seconds."""
    start = perf_counter()
    work()
    return perf_counter() - start


def rounds(*works: Callable[[], float], repeat: int) -> tuple[list[float], float]:
    """Measure in turns, so that what else the machine does meets all alike.

    :returns: the median of each, and the spread of the first: the middle half in shares of its median.
    """
    results = [[work() for work in works] for _ in range(repeat)]
    medians = [statistics.median(column) for column in zip(*results, strict=True)]
    low, _, high = statistics.quantiles((row[0] for row in results), n=4) if repeat > 1 else (0.0, 0.0, 0.0)
    return medians, (high - low) / medians[0]


def alternating(ours: Callable[[], float], theirs: Callable[[], float], repeat: int) -> tuple[float, float]:
    """Measure both in turns; return the medians."""
    (one, other), _ = rounds(ours, theirs, repeat=repeat)
    return one, other
