"""Which operations the suite reached, and what they answered."""

import collections
import os

from support import contract


class Seen:
    def __init__(self):
        self.called = self.answered = self.not_implemented = 0
        self.errors = collections.Counter()


seen = collections.defaultdict(Seen)


def record(service, operation, status, code=None):
    entry = seen[service, operation]
    entry.called += 1
    if status == 501:
        entry.not_implemented += 1
    elif status < 300:
        entry.answered += 1
    else:
        entry.errors[code] += 1


def table():
    """One line for each operation that is built and that a test called, then one sum for each service."""
    rows = []
    for service in contract.SERVICES:
        models = [op for s, op in contract.operations() if s == service]
        answered = declared = reached = missing = 0
        for op in models:
            entry = seen.get((service, op.name))
            if entry is None:
                continue
            missing += bool(entry.not_implemented)
            if entry.not_implemented:
                continue
            own = contract.declared_errors(op)
            errors = [name for name in sorted(entry.errors) if name in own]
            answered += bool(entry.answered)
            declared += len(own)
            reached += len(errors)
            names = " ".join(f"{name}={entry.errors[name]}" for name in errors)
            rows.append(f"{service:22} {op.name:34} {entry.called:5} called {entry.answered:5} answered  {names}")
        rows.append(
            f"{service}: {len(models)} operations, {answered} answered, {missing} not implemented, "
            f"{reached} of {declared} declared errors of the reached ones seen"
        )
    return "\n".join(rows)


def write():
    """Writes the table to the file that OUTCROP_COVERAGE names, if any, and returns it."""
    text = table()
    if path := os.environ.get("OUTCROP_COVERAGE"):
        with open(path, "w") as out:
            out.write(text + "\n")
    return text
