"""A request as the wire has it: built from an input, sent over one connection that is kept."""

import base64
import dataclasses
import json
import socket
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


class Headers(dict):
    """Names in lower case; asked for in any."""

    def get(self, name, default=None):
        return super().get(name.lower(), default)

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(name.lower())


class Connection:
    """One kept connection to a server, signing as one key. Several requests may travel before the first answer."""

    # What surely fits the sockets' buffers: else both sides could wait for the other to read.
    TOGETHER = 48_000

    def __init__(self, address, signer=Signer()):
        self.address, self.signer = address, signer
        self.host = ":".join(map(str, address))
        self.socket = self.reader = None

    def bytes_of(self, method, target, body=b"", headers=()):
        sent = {name.lower(): value for name, value in headers}
        if body:
            sent.setdefault("content-type", JSON)
        if self.signer:
            sent = self.signer.headers(method, target, self.host, body, sent)
        if body or method not in ("GET", "HEAD", "DELETE"):
            sent["content-length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", f"host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def send(self, method, target, body=b"", headers=()):
        return next(self.send_all([self.bytes_of(method, target, body, headers)]))

    def call(self, service, operation, members, pinned=True):
        """Sends an input and returns (request, answer)."""
        made = request(operation, members)
        method, path = operation.http["method"], target(service, operation, made, pinned)
        return made, self.send(method, path, made.body, made.headers)

    def probe(self, service, operation, made):
        """One probe's request as bytes."""
        return self.bytes_of(operation.http["method"], target(service, operation, made), made.body, made.headers)

    def send_all(self, requests):
        """Sends requests as bytes and yields their answers, in order."""
        waiting, size = [], 0
        for data in requests:
            if waiting and size + len(data) > self.TOGETHER:
                yield from self._exchange(waiting)
                waiting, size = [], 0
            waiting.append(data)
            size += len(data)
        if waiting:
            yield from self._exchange(waiting)

    def _exchange(self, waiting):
        while waiting:
            if self.socket is None:
                self.socket = socket.create_connection(self.address, timeout=120)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.reader = self.socket.makefile("rb")
                answered = 0
            else:
                answered = 1  # a kept connection may have been ended by now; a new one answers at least once
            try:
                self.socket.sendall(b"".join(waiting))
                while waiting:
                    answer = self._read(empty=waiting[0].startswith(b"HEAD "))
                    waiting = waiting[1:]
                    answered += 1
                    yield answer
                    if (answer.headers.get("connection") or "").lower() == "close":
                        break
            except (ConnectionError, EOFError):
                if not answered:
                    raise
            if waiting:
                self.close()

    def _read(self, empty):
        head = self.reader.readline()
        if not head:
            raise EOFError("the server closed the connection without an answer")
        status, headers = int(head.split()[1]), Headers()
        while (line := self.reader.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if empty or status == 204:
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, b"".join(self._chunks()))
        return Answer(status, headers, self.reader.read(int(headers["content-length"])))

    def _chunks(self):
        while size := int(self.reader.readline().split(b";")[0], 16):
            yield self.reader.read(size)
            self.reader.readline()
        self.reader.readline()

    def close(self):
        if self.socket is not None:
            self.reader.close()
            self.socket.close()
            self.socket = None
