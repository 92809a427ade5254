"""Measure this package beside azure-identity, in one run on one machine; nothing runs these but who asks for it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import azure_certvar_credential
from tests.benchmarks import building, cached, chart, counting, fleets, flights, holding, loops, refreshing, starting
from tests.benchmarks.bench import Bench, open_bench
from tests.benchmarks.figures import Figure

# Columns of a table in a file or a pipe, where it is not known how wide lines may be.
_WIDTH = 150
MEASUREMENTS: dict[int, Callable[[Bench], Iterator[Figure]]] = {
    1: starting.whole,
    2: starting.added,
    3: building.from_pem,
    4: building.from_pfx,
    5: building.one_assertion,
    6: cached.sizes,
    7: cached.threads,
    8: flights.threads,
    9: flights.tasks,
    10: flights.tenants,
    11: flights.many_tenants,
    12: holding.memory,
    13: refreshing.refreshing,
    14: loops.stalls,
    15: fleets.fleet,
    16: counting.growth,
    17: counting.counted_instructions,
    18: counting.touched,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--goal", type=int, nargs="+", choices=sorted(MEASUREMENTS), default=sorted(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, smaller numbers; under a minute")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="say what is worse than in a file of --json")
    parser.add_argument("--picture", action="store_true", help="keep the run, its picture and the README's table")
    chosen = parser.parse_args(arguments)
    console = Console(stderr=True)
    # Failures are part of what is measured; azure-identity logs each.
    logging.getLogger().addHandler(logging.NullHandler())
    before = os.getloadavg()[0]
    figures: list[Figure] = []
    with open_bench(quick=chosen.quick) as bench:
        for number in chosen.goal:
            with console.status(f"goal {number}"):
                figures.extend(MEASUREMENTS[number](bench))
    machine = _machine(before)
    worse = [] if chosen.compare is None else list(_worse(figures, json.loads(chosen.compare.read_text())["figures"]))
    run = {**machine, "figures": [figure.as_json() for figure in figures]}
    if chosen.picture:
        chart.keep(run)
    if chosen.json:
        print(json.dumps(run, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(
            _table(figures, ", ".join(f"{name} {value}" for name, value in machine.items()))
        )
    for line in worse:
        console.print(f"[red]worse:[/] {line}")
    return int(bool(worse) or any(figure.met is False for figure in figures))


def _worse(figures: list[Figure], before: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the figures whose ratio, or whose own value where there is none, is a tenth worse than before."""
    known = {(one["number"], one["what"]): one for one in before}
    for figure in figures:
        old = known.get((figure.number, figure.what))
        if old is None:
            continue
        now, then = (
            (figure.ours, old["ours"]) if figure.ratio is None or not old["ratio"] else (figure.ratio, old["ratio"])
        )
        least = figure.goal is not None and figure.goal.least
        if now < then * 0.9 if least else now > then * 1.1:
            yield f"{figure.what}: {now:.3g} after {then:.3g}"


def _machine(load_before: float) -> dict[str, Any]:
    packages = ("azure-identity", "msal", "azure-core", "cryptography", "requests", "urllib3", "aiohttp")
    return {
        "command": shlex.join(["python", "-m", "tests.benchmarks", *sys.argv[1:]]),
        "machine": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "azure-certvar-credential": azure_certvar_credential.__version__,
        **{name: version(name) for name in packages},
        "processors": os.cpu_count(),
        "load before": round(load_before, 2),
        "load after": round(os.getloadavg()[0], 2),
    }


def _table(figures: list[Figure], caption: str) -> Table:
    table = Table("goal", "what", caption=caption)
    for heading in ("ours", "spread", "theirs", "floor", "ratio", "wanted"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("met")
    words = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}
    for figure in figures:
        table.add_row(
            str(figure.number),
            figure.what,
            _number(figure.ours, figure.unit),
            "" if figure.spread is None else f"{figure.spread:.0%}",
            "" if figure.theirs is None else _number(figure.theirs, figure.unit),
            "" if figure.floor is None else _number(figure.floor, figure.unit),
            "" if figure.ratio is None else f"{figure.ratio:.3g}",
            "" if figure.goal is None else str(figure.goal),
            words[figure.met],
        )
    return table


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}".strip() if value >= 1000 or value == int(value) else f"{value:.3g} {unit}"


if __name__ == "__main__":
    sys.exit(main())
