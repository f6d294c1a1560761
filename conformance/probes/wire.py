"""A request as the wire has it: built from an input, sent over one connection that is kept."""

import base64
import dataclasses
import http.client
import json
from urllib.parse import quote

from support.raw import Answer
from support.sigv4 import Signer

JSON = "application/json"


class Pairs(list):
    """A JSON object as a list of (key, value), so that a key may come twice."""


def dump(value):
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(key)}:{dump(item)}" for key, item in value) + "}"
    if isinstance(value, dict):
        return dump(Pairs(value.items()))
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


@dataclasses.dataclass
class Request:
    """What one probe sends, before it is signed."""

    labels: dict
    query: list
    headers: list
    body: bytes


def text(value):
    """A scalar outside a body."""
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def request(operation, members):
    """`members` by their place: labels, query, headers, and the rest as the body."""
    shape = operation.input_shape
    made = Request({}, [], [], b"")
    payload = shape.serialization.get("payload") if shape else None
    body, whole = Pairs(), None
    for name, value in members.items() if isinstance(members, dict) else members:
        member = shape.members.get(name) if shape else None
        place = member.serialization.get("location") if member is not None else None
        wire_name = member.serialization.get("name", name) if member is not None else name
        if place == "uri":
            made.labels[wire_name] = text(value)
        elif place == "querystring":
            made.query += [(wire_name, text(item)) for item in (value if isinstance(value, list) else [value])]
        elif place == "header":
            made.headers.append((wire_name, text(value)))
        elif name == payload:
            whole = base64.b64decode(value) if member.type_name == "blob" else dump(value).encode()
        else:
            body.append((wire_name, value))
    if payload:
        made.body = whole or b""
    elif body or has_body(operation):
        made.body = dump(body).encode()
    return made


def has_body(operation):
    """Whether any member travels in the body, alone or with others."""
    shape = operation.input_shape
    return bool(shape) and any(not m.serialization.get("location") for m in shape.members.values())


def target(service, operation, made, pinned=True):
    """The raw path, with the service's own prefix in front: no other operation can claim it."""
    path = operation.http["requestUri"].split("?")[0]
    for name, value in made.labels.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in made.query)
    return (f"/{service}" if pinned else "") + path + ("?" + query if query else "")


class Connection:
    """One kept connection to a server, signing as one key."""

    def __init__(self, address, signer=Signer()):
        self.address, self.signer = address, signer
        self.host = ":".join(map(str, address))
        self.http = http.client.HTTPConnection(*address, timeout=120)

    def send(self, method, target, body=b"", headers=()):
        sent = {name.lower(): value for name, value in headers}
        if body:
            sent.setdefault("content-type", JSON)
        if self.signer:
            sent = self.signer.headers(method, target, self.host, body, sent)
        return self.exchange(method, target, body, sent)

    def exchange(self, method, target, body, headers):
        for again in (True, False):
            try:
                self.http.request(method, target, body or None, headers)
                answer = self.http.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # The server may end a kept connection between two requests; once is no fault.
                self.http.close()
                if not again:
                    raise

    def call(self, service, operation, members, pinned=True):
        """Sends an input and returns (request, answer)."""
        made = request(operation, members)
        return made, self.probe(service, operation, made, pinned)

    def probe(self, service, operation, made, pinned=True):
        return self.send(operation.http["method"], target(service, operation, made, pinned), made.body, made.headers)

    def close(self):
        self.http.close()
