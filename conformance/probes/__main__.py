"""Probes some operations by hand: `python -m probes [service:]Operation ...` with OUTCROP_BIN, in `conformance/`.

`--url http://host:port` asks a server that runs already, `--list` prints the probes and sends none.
"""

import argparse
import sys
from urllib.parse import urlsplit

from probes import run, wire
from probes.generate import Generator
from probes.shapes import Rules
from support import contract, lists
from support.ask import LOGS
from support.server import Server
from support.sigv4 import Signer


def main():
    options = argparse.ArgumentParser(prog="python -m probes", description=__doc__)
    options.add_argument("operations", nargs="*", metavar="[service:]Operation", help="all, if none is named")
    options.add_argument("--url")
    options.add_argument("--list", action="store_true")
    options = options.parse_args()
    chosen = [(s, o) for s, o in contract.operations() if wanted(f"{s}:{o.name}", options.operations)]
    if not chosen:
        sys.exit(f"no operation is called {' or '.join(options.operations)}")
    if options.list:
        for service, operation in chosen:
            for probe in Generator(Rules(service), operation).probes():
                print(operation.name, probe.claim, probe.name, probe.made.body[:200].decode(errors="replace"), sep="\t")
        return
    if options.url:
        parts = urlsplit(options.url)
        sys.exit(ask((parts.hostname, parts.port), chosen))
    with Server() as server:
        (server.data / "buckets" / LOGS).mkdir(parents=True)
        sys.exit(ask(server.address, chosen))


def wanted(name, names):
    return not names or name in names or name.split(":")[1] in names


def ask(address, chosen):
    missing = set(lists.read("not-implemented.txt"))
    failed = 0
    for i, (service, operation) in enumerate(chosen):
        connection = wire.Connection(address, Signer(key=f"{700000000000 + i}"))
        report = run.run(connection, service, operation, f"{service}:{operation.name}" not in missing)
        connection.close()
        failed += bool(report.failures)
        print(f"{service}:{operation.name}: {dict(report.sent)}, {report.answered} answered, {len(report.failures)} failed")
        for failure in report.failures[:20]:
            print("   ", failure)
    return 1 if failed else 0


if __name__ == "__main__":
    main()
