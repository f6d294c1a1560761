"""The generated probes of every operation: see docs/conformance.md. One test for each operation, not for each probe."""

import collections

import pytest

from probes import run, wire
from support import contract, coverage, lists
from support.sigv4 import Signer

OPERATIONS = [(service, operation.name) for service, operation in contract.operations()]


@pytest.fixture(scope="module")
def missing():
    return set(lists.read("not-implemented.txt"))


@pytest.fixture(scope="module")
def totals(record_probes):
    counts = collections.defaultdict(collections.Counter)
    yield counts
    for service, count in counts.items():
        sent = ", ".join(f"{count[claim]} {claim}" for claim in ("valid", "broken", "unreadable", "union"))
        record_probes.append(
            f"{service}: {count['sent']} probes of {count['operations']} operations ({sent}); "
            f"{count['answered']} answered; {count['left out']} left out by the cap"
        )


@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=[f"{service}-{name}" for service, name in OPERATIONS])
def test_every_probe_is_answered_as_the_model_says(server, missing, totals, service, name):
    operation = contract.service_model(service).operation_model(name)
    # An account of its own: what one operation's probes leave behind is nothing to another's.
    connection = wire.Connection(server.address, Signer(key=f"{700000000000 + OPERATIONS.index((service, name))}"))
    built = f"{service}:{name}" not in missing
    try:
        report = run.run(connection, service, operation, built, record=coverage.record)
    finally:
        connection.close()
    totals[service].update(report.sent)
    totals[service].update(
        {"sent": report.sent.total(), "operations": 1, "answered": report.answered, "left out": report.left_out}
    )
    assert not report.failures, f"{len(report.failures)} of {report.sent.total()} failed:\n" + "\n".join(report.failures[:20])
    assert report.sent.total() > 0
