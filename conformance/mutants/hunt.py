"""Sets the probes on the mutants."""

import dataclasses
import zlib

from mutants import catalogue
from mutants.proxy import Proxy
from probes import happy, run, wire
from support import contract
from support.sigv4 import Signer

# One that is not built, beside all that are. The quick ones come first: to kill, one is enough.
NOT_BUILT = "bedrock:GetImportedModel"
SLOW = ("bedrock-runtime:Converse", "bedrock-runtime:ConverseStream", "bedrock-runtime:CountTokens")


@dataclasses.dataclass
class Result:
    name: str
    what: str
    changed: int = 0
    # By which probe, and what it said.
    noticed: str = ""

    @property
    def killed(self):
        return bool(self.changed and self.noticed)

    def row(self):
        by = ": ".join(self.noticed.split(": ")[:3]).split(": AssertionError")[0].replace("|", "\\|")
        return f"| {self.what} | {by if self.killed else '**nothing**'} |"


def operations():
    built = sorted(happy.RECIPES, key=lambda name: (name in SLOW, name))
    return [*built[: -len(SLOW)], NOT_BUILT, *built[-len(SLOW) :]]


def mutants(names=()):
    """(name, before, after) of those named, or of all."""
    every = [(f, f, None) for f in catalogue.BEFORE] + [(f, None, f) for f in catalogue.AFTER]
    return [(f, b, a) for f, b, a in every if not names or f.__name__ in names]


def hunt(address, names=()):
    """Yields each mutant's result: operations are asked until one notices."""
    proxy = Proxy(address)
    try:
        for function, before, after in mutants(names):
            proxy.mutate(before, after)
            # An account of its own: what one mutant left behind is nothing to another.
            account = 600_000_000_000 + zlib.crc32(function.__name__.encode())
            result = ask(proxy, account, Result(function.__name__, function.__doc__.strip()))
            assert not proxy.faults, proxy.faults[:5]
            yield result
    finally:
        proxy.close()


def ask(proxy, account, result):
    for name in operations():
        service, operation = name.split(":")
        model = contract.service_model(service).operation_model(operation)
        connection = wire.Connection(proxy.own, Signer(key=str(account)))
        try:
            report = run.run(connection, service, model, name != NOT_BUILT, stop_at=1)
        finally:
            connection.close()
        if report.failures:
            result.noticed = f"{operation}: {report.failures[0]}"
            break
    result.changed = proxy.changed
    return result


def unchanged(address):
    """The result of a proxy that changes nothing: what it finds is its own doing."""
    proxy = Proxy(address)
    try:
        return ask(proxy, 599999999999, Result("none", "the server itself"))
    finally:
        proxy.close()
