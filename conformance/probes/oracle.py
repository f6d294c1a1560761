"""What the models say of a request: fine, unreadable, or which constraints it breaks, in AWS's words.

Works on the request as sent and knows nothing of how it was made, so that a probe's own claim is checked by it.
"""

import base64
import dataclasses
import datetime
import json
import re

from probes.shapes import Rules, kind
from probes.strings import compiled
from probes.wire import Pairs

SHOWN = 256
MISSING = "Member must not be null"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclasses.dataclass
class Verdict:
    lines: list = dataclasses.field(default_factory=list)
    union: str | None = None
    # The path at which the body cannot be read; "" where it is no JSON object at all.
    unreadable: str | None = None

    @property
    def fine(self):
        return not self.lines and self.union is None and self.unreadable is None


class Unreadable(Exception):
    pass


class Oracle:
    def __init__(self, service):
        self.rules = Rules(service)

    def judge(self, operation, made):
        verdict = Verdict()
        shape = operation.input_shape
        if shape is None:
            return verdict
        try:
            self._parameters(shape, made, verdict)
            self._body(shape, made.body, verdict)
        except Unreadable as error:
            return Verdict(unreadable=str(error))
        return verdict

    def _parameters(self, shape, made, verdict):
        for name, member in shape.members.items():
            place, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
            if place == "uri":
                given = [made.labels.get(wire_name, "")]
                if given == [""]:  # whatever the model says: nothing can be called ""
                    verdict.lines.append(line("", name, "have length greater than or equal to 1"))
                    continue
            elif place == "querystring":
                given = [value for key, value in made.query if key == wire_name]
            elif place == "header":
                given = [value for key, value in made.headers if key == wire_name]
            else:
                continue
            if not given and name in shape.required_members:
                verdict.lines.append(null(name))
            if given and member.type_name == "list":
                for i, value in enumerate(given):
                    self._text(member.member, value, f"{name}.{i + 1}.member", verdict)
                self._count(member, len(given), name, verdict)
            elif given:
                self._text(member, given[-1], name, verdict)

    def _text(self, shape, value, path, verdict):
        """A scalar outside the body: what cannot be read as its type is a broken constraint, too."""
        form = kind(shape)
        if form == "boolean" and value not in ("true", "false"):
            verdict.lines.append(line(value, path, "be true or false"))
        elif form in ("integer", "long"):
            if re.fullmatch(r"[+-]?\d+", value):
                self._number(shape, int(value), value, path, verdict)
            else:
                verdict.lines.append(line(value, path, "be a number"))
        elif form == "timestamp" and not TIMESTAMP.fullmatch(value):
            verdict.lines.append(line(value, path, "be a timestamp in ISO 8601 format"))
        elif form in ("string", "enum"):
            self._string(shape, value, path, verdict)

    def _body(self, shape, body, verdict):
        payload = shape.serialization.get("payload")
        if payload and shape.members[payload].type_name == "blob":
            return
        members = {
            member.serialization.get("name", name): (name, member)
            for name, member in shape.members.items()
            if not member.serialization.get("location")
        }
        if payload and not body and payload not in shape.required_members:
            return
        if not body.strip():
            value = Pairs()
        else:
            try:
                value = json.loads(body, object_pairs_hook=Pairs)
            except ValueError:
                raise Unreadable("") from None
        if not isinstance(value, Pairs):
            raise Unreadable("")
        if payload:
            self._value(shape.members[payload], value, payload, verdict)
        else:
            self._members(shape, members, value, "", verdict)

    def _members(self, shape, members, value, path, verdict):
        set_members, seen = [], set()
        for key, item in value:
            if key not in members or item is None:
                continue
            name, member = members[key]
            here = f"{path}.{name}" if path else name
            if key in seen:
                raise Unreadable(here)
            seen.add(key)
            set_members.append(name)
            self._value(member, item, here, verdict)
        for name in shape.required_members:
            if name not in set_members and not shape.members[name].serialization.get("location"):
                verdict.lines.append(null(f"{path}.{name}" if path else name))
        if kind(shape) == "union" and len(set_members) != 1 and verdict.union is None:
            how = "only one" if set_members else "one"
            # Paths in this text count lists from 0 and leave `member` out.
            where = re.sub(r"\.(\d+)\.member\b", lambda m: f".{int(m[1]) - 1}", path)
            keys = ", ".join(shape.members)
            name = re.sub("(Union)+$", "", shape.name)
            verdict.union = f"The {name} object at {where} must set {how} of the following keys: {keys}."

    def _value(self, shape, value, path, verdict):
        form = kind(shape)
        if form == "document":
            return
        wanted = {"structure": Pairs, "union": Pairs, "map": Pairs, "list": list, "boolean": bool}
        wanted |= {"string": str, "enum": str, "blob": str}
        if form in wanted and (type(value) is not wanted[form]):
            raise Unreadable(path)
        if form in ("structure", "union"):
            members = {m.serialization.get("name", name): (name, m) for name, m in shape.members.items()}
            self._members(shape, members, value, path, verdict)
        elif form == "list":
            for i, item in enumerate(value):
                here = f"{path}.{i + 1}.member"
                if item is None:
                    verdict.lines.append(null(here))
                else:
                    self._value(shape.member, item, here, verdict)
            self._count(shape, len(value), path, verdict)
        elif form == "map":
            seen = set()
            for key, item in value:
                self._string(shape.key, key, path, verdict)
                here = f"{path}.{key[:64]}.member"
                if item is None:
                    continue
                self._value(shape.value, item, here, verdict)
                if key in seen:
                    raise Unreadable(here)
                seen.add(key)
            self._count(shape, len(seen), path, verdict)
        elif form in ("string", "enum"):
            self._string(shape, value, path, verdict)
        elif form in ("integer", "long"):
            if type(value) not in (int, float) or value != int(value) or abs(value) >= 2**63:
                raise Unreadable(path)
            self._number(shape, int(value), str(int(value)), path, verdict)
            if form == "integer" and abs(value) >= 2**31:
                verdict.lines.append(line(str(int(value)), path, "fit a 32-bit integer"))
        elif form in ("float", "double"):
            if type(value) not in (int, float):
                raise Unreadable(path)
            self._number(shape, float(value), repr(float(value)), path, verdict)
        elif form == "timestamp":
            if type(value) not in (int, float) and not (isinstance(value, str) and _is_time(value)):
                raise Unreadable(path)
        elif form == "blob":
            try:
                self._count(shape, len(base64.b64decode(value, validate=True)), path, verdict)
            except ValueError:
                raise Unreadable(path) from None

    def _string(self, shape, value, path, verdict):
        hidden = shape.metadata.get("sensitive")
        if shape.enum:
            if value not in shape.enum:
                verdict.lines.append(line(value, path, f"satisfy enum value set: [{', '.join(shape.enum)}]", hidden))
            return
        self._range(shape, len(value), value, path, "length", verdict)
        pattern = self.rules.of(shape, "pattern")
        if pattern is not None and not compiled(pattern).fullmatch(value):
            verdict.lines.append(line(value, path, f"satisfy regular expression pattern: {pattern}", hidden))

    def _number(self, shape, value, shown, path, verdict):
        self._range(shape, value, shown, path, "value", verdict)

    def _count(self, shape, count, path, verdict):
        self._range(shape, count, None, path, "length", verdict)

    def _range(self, shape, size, shown, path, what, verdict):
        least, most = self.rules.bounds(shape)
        hidden = shape.metadata.get("sensitive")
        if least is not None and size < least:
            verdict.lines.append(line(shown, path, f"have {what} greater than or equal to {plain(least)}", hidden))
        if most is not None and size > most:
            verdict.lines.append(line(shown, path, f"have {what} less than or equal to {plain(most)}", hidden))


def plain(number):
    return str(int(number)) if number == int(number) else repr(number)


def line(value, path, must, hidden=False):
    if value is None or hidden:
        return f"Value at '{path}' failed to satisfy constraint: Member must {must}"
    short = value[:SHOWN] + ("..." if len(value) > SHOWN else "")
    return f"Value '{short}' at '{path}' failed to satisfy constraint: Member must {must}"


def null(path):
    return f"Value null at '{path}' failed to satisfy constraint: {MISSING}"


def _is_time(text):
    if not TIMESTAMP.fullmatch(text):
        return False
    try:
        return bool(datetime.datetime.fromisoformat(text))
    except ValueError:
        return False

