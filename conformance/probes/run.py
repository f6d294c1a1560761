"""Sends an operation's probes and judges every answer. `python -m probes` in this folder's parent runs some by hand."""

import collections
import dataclasses
import types

from botocore.eventstream import ParserError

from probes import happy
from probes.generate import BROKEN, UNION, UNREADABLE, VALID, Generator
from probes.happy.common import events
from probes.oracle import Oracle
from probes.shapes import Rules
from support import contract, lists

# Built operations on what is not: nothing that they could succeed with can be made yet.
NEVER = set(lists.read("never-succeeds.txt"))
# What a wrong answer makes of its judge.
WRONG = (AssertionError, ValueError, LookupError, TypeError, AttributeError, ParserError, OSError, EOFError)
COUNTED = ("1 validation error detected: ", " validation errors detected: ")


@dataclasses.dataclass
class Report:
    service: str
    operation: str
    sent: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    answered: int = 0
    left_out: int = 0
    failures: list = dataclasses.field(default_factory=list)


def run(connection, service, operation, built, stop_at=None, record=None):
    """A report on one operation. `built`: whether it answers rightly, or says 501. `stop_at`: enough failures. `record`
    is told (service, operation, status, code) of every answer."""
    report = Report(service, operation.name)
    rules, oracle = Rules(service), Oracle(service)
    known = _happy(connection, service, operation, oracle, report, record) if built else {}
    if stop_at and len(report.failures) >= stop_at:
        return report
    generator = Generator(rules, operation, known)
    probes = []
    for probe in generator.probes():
        verdict = oracle.judge(operation, probe.made)
        if agrees(probe, verdict):
            probes.append((probe, verdict))
        else:
            report.failures.append(f"{probe.name}: the probe claims {probe.claim}, the model says {verdict}")
    answers = connection.send_all(connection.probe(service, operation, probe.made) for probe, _ in probes)
    for probe, verdict in probes:
        report.sent[probe.claim] += 1
        try:
            answer = next(answers)
            report.answered += answer.status < 300
            note(record, service, operation, answer)
            judge(service, operation, verdict, answer, built)
        except WRONG as error:
            report.failures.append(f"{probe.name}: {type(error).__name__} {str(error)[:600]}")
            if stop_at and len(report.failures) >= stop_at:
                break
    report.left_out = generator.left_out
    return report


def _happy(connection, service, operation, oracle, report, record):
    """Makes the call that must succeed, and returns the members that the probes shall keep."""
    try:
        if f"{service}:{operation.name}" in NEVER:
            return {}
        recipe = happy.make(connection, service, operation.name)
        assert recipe, "no call that must succeed: give it one in probes/happy/"
        members, check = recipe
        made, answer = connection.call(service, operation, members, pinned=False)
        report.sent[VALID] += 1
        report.answered += answer.status < 300
        note(record, service, operation, answer)
        verdict = oracle.judge(operation, made)
        assert verdict.fine, verdict
        assert answer.status < 300, f"{answer.status} {answer.body[:300]!r}"
        judge(service, operation, verdict, answer, True)
        if operation.has_event_stream_output:
            for headers, payload in events(answer):
                contract.judge_event(operation, headers, payload)
        check(answer)
    except WRONG as error:
        report.failures.append(f"the call that must succeed: {type(error).__name__} {str(error)[:600]}")
        return {}
    # Inference takes its time: the runtime's probes go to models that do not exist.
    return {} if service == "bedrock-runtime" else members


def note(record, service, operation, answer):
    if record:
        record(service, operation.name, answer.status, answer.headers.get("x-amzn-ErrorType"))


def agrees(probe, verdict):
    """Whether the model says of the request what the probe says of itself."""
    if probe.claim == VALID:
        return verdict.fine
    if probe.claim == UNREADABLE:
        return verdict.unreadable is not None and probe.path in ("", verdict.unreadable)
    if probe.claim == UNION:
        return verdict.union is not None and not verdict.lines
    assert probe.claim == BROKEN
    at = f" at '{probe.path}' failed"
    return any(at in line and probe.must in line for line in verdict.lines)


def judge(service, operation, verdict, answer, built):
    """Asserts that this is the answer to a request of which the model says `verdict`."""
    if not built:
        code, message = contract.judge_error(answer.status, answer.headers, answer.body, service)
        assert code == "NotImplementedException" and operation.name in message, f"{answer.status} {code}: {message}"
        return
    if answer.status < 300:
        assert verdict.fine, f"{answer.status} for what the model refuses: {verdict}"
        http = types.SimpleNamespace(status_code=answer.status, headers=answer.headers, content=answer.body)
        contract.judge_answer(operation, http)
        return
    code, message = contract.judge_error(answer.status, answer.headers, answer.body, service)
    if verdict.unreadable is not None:
        assert code == "SerializationException", f"{code}, not SerializationException: {message}"
        assert f"'{verdict.unreadable}'" in message or not verdict.unreadable, f"{verdict.unreadable} is not in: {message}"
    elif verdict.lines:
        assert code == "ValidationException", f"{code}, not ValidationException: {message}"
        judge_lines(verdict.lines, message)
    elif verdict.union:
        assert (code, message) == ("ValidationException", verdict.union), f"{code}: {message}, not {verdict.union}"
    else:
        declared = contract.declared_errors(operation)
        # A part of an operation that is not built says so by its own name.
        built = code != "NotImplementedException"
        assert code in declared or not built, f"{answer.status} {code} is not declared: {message}"
        refused = any(text in message[:40] for text in COUNTED) or "of the following keys" in message
        assert not refused, f"a valid input is refused: {message}"


def judge_lines(lines, message):
    """Asserts that the message counts and words exactly these, in any order."""
    count = "1 validation error detected: " if len(lines) == 1 else f"{len(lines)} validation errors detected: "
    assert message.startswith(count), f"not {count!r}: {message}, but {lines}"
    rest = message[len(count) :]
    for line in sorted(lines, key=len, reverse=True):
        assert line in rest, f"{line!r} is not in: {message}"
        rest = rest.replace(line, "", 1)
    assert rest == "; " * (len(lines) - 1), f"more than {lines}: {message}"
