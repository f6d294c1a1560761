"""Runs every mutant against the probes and prints the table of docs/conformance.md: `python -m mutants [name ...]`.

Run it in `conformance/` with OUTCROP_BIN. A mutant that nothing noticed, or that changed nothing, fails the run.
"""

import sys

from mutants import hunt
from support.server import Server


def main():
    print("| mutant | noticed first by |\n|---|---|")
    results = []
    with Server() as server:
        for result in hunt.hunt(server.address, sys.argv[1:]):
            results.append(result)
            print(result.row(), flush=True)
    alive = [result.name for result in results if not result.killed]
    print(f"\n{len(results) - len(alive)} of {len(results)} killed" + (f"; alive: {', '.join(alive)}" if alive else ""))
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    main()
