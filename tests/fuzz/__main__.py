"""Runs a harness with atheris, the coverage-guided fuzzer of the extra ``fuzz``.

``python -m tests.fuzz HARNESS --seconds 3600 [--corpus DIRECTORY]`` for a long run: the directory keeps the inputs that
reached new code, and the input of a failure is in ``crash-…`` of the working directory. ``--runs N`` for a bounded run,
the same each time; ``--help`` names the harnesses.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["azure_certvar_credential"]):
    from tests.fuzz.harnesses import HARNESSES

# What an upload may have; the bounds of the package are far above.
_LONGEST = 4096
_SEED = 20_261_128


def main() -> None:
    """Fuzz until the runs or the seconds are over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("harness", choices=HARNESSES)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--corpus", type=Path)
    given = parser.parse_args()
    harness, seeds = HARNESSES[given.harness]
    # What is logged of odd certificates would be all that can be seen.
    logging.disable()
    with tempfile.TemporaryDirectory() as scratch:
        corpus = given.corpus or Path(scratch)
        for number, seed in enumerate(seeds()):
            (corpus / f"seed-{number}").write_bytes(seed)
        limits = [f"-runs={given.runs}", f"-max_total_time={given.seconds}", f"-max_len={_LONGEST}"]
        atheris.Setup([sys.argv[0], *limits, f"-seed={_SEED}", "-verbosity=0", str(corpus)], harness)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
