"""Prints how many faults there are of each kind, and how many trials they make."""

from __future__ import annotations

from tests.faults.table import CREDENTIALS, KINDS, SHELLS, State, counts

if __name__ == "__main__":
    for kind, trials in counts().items():
        print(f"{kind:24} {len(KINDS[kind]):5} faults {trials:6} trials")
    print(f"{'together':24} {sum(map(len, KINDS.values())):5} faults {counts().total():6} trials")
    print(f"each in {len(State)} states ({', '.join(state.claim for state in State)})")
    print(f"with {len(CREDENTIALS)} credentials ({', '.join(CREDENTIALS)}): all meet {' and '.join(SHELLS)}, and one")
    print("shell of each other credential, in turns")
