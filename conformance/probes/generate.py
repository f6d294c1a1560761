"""Every probe of one operation: what to send, and what the probe claims of it.

A site is one place in the input: a member, a list's element, a map's value, however deep. At each site the input around
it is the smallest valid one, and one thing is changed. Sites are walked breadth first, a shape that contains itself is
entered once, and an operation has at most `CAP` probes: what lies beyond is counted, not forgotten.
"""

import collections
import copy
import dataclasses
import re

from probes import strings, wire
from probes.shapes import blob, kind
from probes.wire import Pairs

CAP = 3000
# Values longer than this are not sent: the limit on bodies has tests of its own.
HEAVY = 110_000
DEEPEST = 10

VALID, BROKEN, UNREADABLE, UNION = "valid", "broken", "unreadable", "union"


@dataclasses.dataclass
class Probe:
    name: str
    made: wire.Request
    # VALID; BROKEN with what `must` end one line, UNREADABLE and UNION at `path`.
    claim: str
    path: str = ""
    must: str = ""
    # What stands at `path`.
    value: object = None


@dataclasses.dataclass
class Site:
    shape: object
    # How to get there: ("member", name), ("item",), ("value", key).
    steps: tuple
    path: str
    required: bool
    # None in the body, else the place and no JSON.
    place: str | None
    chain: tuple


class Generator:
    def __init__(self, rules, operation, known=None):
        """`known`: members whose values are given, such as the id of something that exists."""
        self.rules, self.operation = rules, operation
        self.root = operation.input_shape
        self.base = rules.smallest(self.root) if self.root else {}
        for name, member in self.root.members.items() if self.root else ():
            # A list in the query that has nothing in it is not there at all.
            if self.base.get(name) == [] and member.serialization.get("location") == "querystring":
                self.base[name] = [rules.smallest(member.member)]
        self.base |= known or {}
        self.left_out = 0

    def probes(self):
        """At most `CAP` probes; `left_out` tells afterwards how many there would have been beyond."""
        for i, probe in enumerate(self._all()):
            if i < CAP:
                yield probe
            else:
                self.left_out += 1

    def _all(self):
        yield self._probe("smallest", self.base, VALID)
        if self.root is None or self.operation.has_event_stream_input:
            return
        in_json = wire.has_body(self.operation) and not self._blob_payload()
        if in_json:
            yield from self._bodies()
        for site in self._sites():
            yield from self._presence(site)
            if site.place is None:
                yield from self._json_types(site)
            else:
                yield from self._text_types(site)
            yield from self._constraints(site)
        yield from self._together()

    def _together(self):
        """Every member of the input broken in one request: all of it is told, not the first alone."""
        broken = {}
        for site in self._sites():
            if len(site.steps) == 1 and site.place != "uri":
                wrong = next((probe for probe in self._constraints(site) if probe.claim == BROKEN), None)
                if wrong is not None:
                    broken[site.steps[0][1]] = wrong
        if len(broken) > 1:
            members = copy.deepcopy(self.base) | {name: wrong.value for name, wrong in broken.items()}
            one = next(iter(broken.values()))
            yield self._probe(f"{len(broken)} members broken", members, BROKEN, one.path, one.must)

    def _blob_payload(self):
        payload = self.root.serialization.get("payload")
        return payload and self.root.members[payload].type_name == "blob"

    # Sites.

    def _sites(self):
        queue = collections.deque()
        root = Site(self.root, (), "", True, None, (self.root.name,))
        self._enter(root, queue)
        while queue:
            site = queue.popleft()
            yield site
            self._enter(site, queue)

    def _enter(self, site, queue):
        shape = site.shape
        form = kind(shape)
        if len(site.steps) >= DEEPEST:
            return
        if form in ("structure", "union"):
            if site.steps and shape.name in site.chain:
                return
            chain = (*site.chain, shape.name)
            payload = self.root.serialization.get("payload") if not site.steps else None
            for name, member in shape.members.items():
                place = member.serialization.get("location")
                if name == payload:
                    place = "payload"
                required = name in shape.required_members
                if place == "payload" and member.type_name != "blob":
                    # The body is this member: its own form is the body's.
                    self._enter(Site(member, (*site.steps, ("member", name)), name, True, None, chain), queue)
                    continue
                path = f"{site.path}.{name}" if site.path else name
                queue.append(Site(member, (*site.steps, ("member", name)), path, required, place, chain))
        elif form == "list" and site.place is None:
            path = site.path + ".1.member"
            queue.append(Site(shape.member, (*site.steps, ("item",)), path, True, None, site.chain))
        elif form == "map" and site.place is None:
            key = self.rules.keys(shape, 1)[0]
            path = f"{site.path}.{key[:64]}.member"
            queue.append(Site(shape.value, (*site.steps, ("value", key)), path, True, None, site.chain))

    def _put(self, steps, change):
        """The smallest input with `change(value)` at the end of `steps`, where a value stands that is `value`."""
        return self._build(self.root, steps, change, copy.deepcopy(self.base))

    def _build(self, shape, steps, change, value):
        if not steps:
            return change(value)
        step, rest = steps[0], steps[1:]
        if step[0] == "member":
            name = step[1]
            member = shape.members[name]
            if kind(shape) == "union" and name not in value:
                value = {}
            inner = value.get(name) if name in value else self.rules.smallest(member)
            value[name] = self._build(member, rest, change, inner)
        elif step[0] == "item":
            value = value or [self.rules.smallest(shape.member)]
            value[0] = self._build(shape.member, rest, change, value[0])
        else:
            key = next(iter(value), step[1])
            value[key] = self._build(shape.value, rest, change, value.get(key, self.rules.smallest(shape.value)))
        return value

    def _drop(self, steps):
        """The smallest input without the member at the end of `steps`."""
        def without(parent):
            parent = dict(parent)
            parent.pop(steps[-1][1], None)
            return parent

        return self._put(steps[:-1], without)

    def _probe(self, name, members, claim, path="", must=""):
        return Probe(name, wire.request(self.operation, members), claim, path, must)

    def _at(self, site, what, value, claim, must=""):
        members = self._put(site.steps, lambda _: value)
        return dataclasses.replace(self._probe(f"{site.path}: {what}", members, claim, site.path, must), value=value)

    # What is probed.

    def _bodies(self):
        """Bodies that are no JSON object."""
        made = wire.request(self.operation, self.base)
        for name, body in (
            ("cut off", made.body[:-1] or b"{"),
            ("a list", b"[]"),
            ("text", b'"x"'),
            ("null", b"null"),
            ("two objects", made.body + b"{}"),
            ("not UTF-8", b'{"\xff": 1}'),
        ):
            yield Probe(f"body: {name}", dataclasses.replace(made, body=body), UNREADABLE)

    def _presence(self, site):
        last = site.steps[-1]
        if last[0] == "member" and site.place is None and kind(self._parent(site)) == "union":
            yield self._at(site, "alone", self._value(site), VALID)
            yield from self._union_members(site)
        elif last[0] == "member" and not site.required:
            yield self._at(site, "alone", self._value(site), VALID)
            if site.place is None:
                yield self._at(site, "null", None, VALID)
        elif last[0] == "member":
            if site.place == "uri":
                yield from self._empty_label(site)
            elif site.place != "payload":
                yield self._probe(f"{site.path}: missing", self._drop(site.steps), BROKEN, site.path, "Member must not be null")
                if site.place is None:
                    yield self._at(site, "null", None, BROKEN, "Member must not be null")
        elif last[0] == "item":
            yield self._at(site, "null", None, BROKEN, "Member must not be null")
        if site.place is None and kind(site.shape) in ("structure", "union"):
            yield from self._odd_keys(site)
        if kind(site.shape) == "union":
            yield self._at(site, "no member", {}, UNION)

    def _parent(self, site):
        shape = self.root
        for step in site.steps[:-1]:
            shape = shape.members[step[1]] if step[0] == "member" else shape.member if step[0] == "item" else shape.value
        return shape

    def _value(self, site):
        """The smallest value, but no list or map without anything in it."""
        if len(site.steps) == 1 and (known := self.base.get(site.steps[0][1])) is not None:
            return known
        value = self.rules.smallest(site.shape)
        if value == [] and self.rules.of(site.shape, "max") != 0:
            return [self.rules.smallest(site.shape.member)]
        if value == {} and kind(site.shape) == "map" and self.rules.of(site.shape, "max") != 0:
            return {self.rules.keys(site.shape, 1)[0]: self.rules.smallest(site.shape.value)}
        return value

    def _union_members(self, site):
        """This member of a union together with another."""
        parent, name = self._parent(site), site.steps[-1][1]
        other = next((m for m in parent.members if m != name), None)
        if other is not None:
            both = {name: self.rules.smallest(site.shape), other: self.rules.smallest(parent.members[other])}
            path = site.path.rsplit(".", 1)[0]
            yield self._probe(f"{site.path}: with {other}", self._put(site.steps[:-1], lambda _: both), UNION, path)

    def _empty_label(self, site):
        made = wire.request(self.operation, self._put(site.steps, lambda _: ""))
        label = self._parent(site).members[site.steps[-1][1]].serialization["name"]
        emptied = _form(self.operation.http["requestUri"].replace("{" + label + "}", ""))
        taken = {
            _form(other.http["requestUri"])
            for other in _operations(self.operation.service_model)
            if other.http["method"] == self.operation.http["method"] and other.name != self.operation.name
        }
        # `GET /flows/` is ListFlows, and no GetFlow with nothing in it.
        if emptied not in taken:
            yield Probe(f"{site.path}: empty", made, BROKEN, site.path, "have length greater than or equal to 1")

    def _odd_keys(self, site):
        unknown = self._put(site.steps, lambda value: {**value, "outcropNoSuchMember": [{"a": None}]})
        if kind(site.shape) == "union":
            if not self._value(site):
                return
        yield self._probe(f"{site.path}: an unknown member", unknown, VALID)
        value = self._put(site.steps, lambda value: Pairs([*value.items(), *value.items()]))
        first = next(iter(self._inner(site)), None)
        if first is not None:
            yield self._probe(f"{site.path}: keys given twice", value, UNREADABLE, f"{site.path}.{first}")

    def _inner(self, site):
        found = []
        self._put(site.steps, lambda value: found.append(value) or value)
        return found[0]

    def _json_types(self, site):
        wrong = {
            "structure": ("x", []),
            "union": (7, []),
            "list": ({}, "x"),
            "map": ([], True),
            "string": (7, {}),
            "enum": (True, ["x"]),
            "integer": ("1", 1.5, 1 << 70),
            "long": ("1", 1.5, 1 << 70),
            "float": ("0.5", []),
            "double": ("0.5", []),
            "boolean": ("true", 1),
            "timestamp": ([], "yesterday", "2026-01-02T03:04:05", "2026-13-01T00:00:00Z"),
            "blob": (7, "***"),
            "document": (),
        }
        for value in wrong[kind(site.shape)]:
            yield self._at(site, f"{value!r:.20} for {kind(site.shape)}", value, UNREADABLE)
        if kind(site.shape) == "timestamp":
            for value in (1767323045, 1767323045.5, "2026-01-02T03:04:05.120+01:00"):
                yield self._at(site, str(value), value, VALID)
        if kind(site.shape) == "document":
            for value in ({"a": [None, 1.5, True]}, [], "x", 7):
                yield self._at(site, str(value), value, VALID)

    def _text_types(self, site):
        """Labels, query and headers: what is not of the type is a broken constraint, not a broken protocol."""
        wrong = {
            "integer": ("many", "be a number"),
            "long": ("many", "be a number"),
            "boolean": ("TRUE", "be true or false"),
            "timestamp": ("yesterday", "be a timestamp in ISO 8601 format"),
        }
        if kind(site.shape) in wrong:
            value, must = wrong[kind(site.shape)]
            yield self._at(site, value, value, BROKEN, must)

    def _constraints(self, site):
        form = kind(site.shape)
        if form == "enum":
            for value in site.shape.enum:
                yield self._at(site, value, value, VALID)
            yield self._at(site, "unknown", "outcropNoSuchValue", BROKEN, "satisfy enum value set: [")
        elif form == "boolean":
            yield self._at(site, "true", True, VALID)
            yield self._at(site, "false", False, VALID)
        elif form in ("integer", "long", "float", "double"):
            yield from self._numbers(site, form)
        elif form == "string":
            yield from self._strings(site)
        elif form in ("list", "map", "blob"):
            yield from self._sizes(site, form)

    def _numbers(self, site, form):
        step = 1 if form in ("integer", "long") else 0.5
        least, most = self.rules.bounds(site.shape)
        if least is not None:
            yield self._at(site, "least", least, VALID)
            yield self._at(site, "below", least - step, BROKEN, "have value greater than or equal to ")
        if most is not None:
            yield self._at(site, "most", most, VALID)
            yield self._at(site, "above", most + step, BROKEN, "have value less than or equal to ")
        if form == "integer" and site.place is None:
            yield self._at(site, "33 bits", 1 << 32, BROKEN, "fit a 32-bit integer")

    def _strings(self, site):
        shape = site.shape
        least, most = self.rules.bounds(shape)
        pattern = self.rules.of(shape, "pattern")

        def of_length(length):
            found = None if pattern is None else strings.matching(pattern, length)
            # Characters are counted, not bytes; HTTP carries ASCII alone outside bodies.
            return found if found is not None else ("x" if pattern or site.place else "é") * length

        def fits(text):
            return pattern is None or strings.compiled(pattern).fullmatch(text)

        # A label that is empty has a probe of its own, and `.` and `..` are none: they are parts of a path.
        if least is not None and least > (site.place == "uri"):
            if fits(text := of_length(least)):
                yield self._at(site, "shortest", text, VALID)
            if least > 1 or site.place != "uri":
                yield self._at(site, "too short", of_length(least - 1), BROKEN, "have length greater than or equal to ")
        if most is not None and most < self._longest(site):
            if most and fits(text := of_length(most)):
                yield self._at(site, "longest", text, VALID)
            yield self._at(site, "too long", of_length(most + 1), BROKEN, "have length less than or equal to ")
        if pattern is not None:
            yield self._at(site, "a match", self.rules.string(shape), VALID)
            text = strings.refused(pattern, least or 0, most or 64)
            if text and not (site.place == "header" and not text.isprintable()):
                yield self._at(site, "no match", text, BROKEN, "satisfy regular expression pattern: ")

    def _longest(self, site):
        """What a request's head may hold is far less than what a body may."""
        return HEAVY if site.place is None else 30_000

    def _sizes(self, site, form):
        least, most = self.rules.bounds(site.shape)
        if least is not None and least <= self._longest(site):
            if (value := self._of_size(site, form, least)) is not None and (least or site.place is None):
                yield self._at(site, "fewest", value, VALID)
            if least > (site.place is not None):
                value = self._of_size(site, form, least - 1)
                yield self._at(site, "too few", value, BROKEN, "have length greater than or equal to ")
        if most is None:
            return
        for size, name, claim in ((most, "most", VALID), (most + 1, "too many", BROKEN)):
            value = self._of_size(site, form, size)
            if value is not None:
                yield self._at(site, name, value, claim, "have length less than or equal to " if claim == BROKEN else "")

    def _of_size(self, site, form, size):
        """A list, map or blob of `size`, or None where that is too heavy or there are not so many keys."""
        if form == "blob":
            return blob(size) if size <= self._longest(site) else None
        inner = site.shape.member if form == "list" else site.shape.value
        item = self.rules.smallest(inner)
        if size * len(wire.dump(item)) > self._longest(site):
            return None
        if form == "list":
            return [copy.deepcopy(item) for _ in range(size)]
        try:
            return {key: copy.deepcopy(item) for key in self.rules.keys(site.shape, size)}
        except AssertionError:
            return None


def _form(uri):
    """A template without the names of its labels."""
    return re.sub(r"\{\w+\}", "{}", uri.split("?")[0])


def _operations(model):
    for name in model.operation_names:
        yield model.operation_model(name)
