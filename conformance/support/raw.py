"""Requests below every client library: raw targets, broken bodies, half-sent requests."""

import dataclasses
import http.client
import io
import json
import socket

from support import contract
from support.sigv4 import Signer

JSON = {"content-type": "application/json"}


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    def error(self, service=None):
        """(code, message), after the form of the refusal was judged."""
        assert self.status >= 300, (self.status, self.body[:200])
        return contract.judge_error(self.status, self.headers, self.body, service)


def request(server, method, target, body=b"", headers=None, signer=Signer(), service=None):
    """Sends one HTTP/1.1 request with exactly this target, signed unless `signer` is None."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    host, port = server.address
    sent = dict(headers if headers is not None else JSON)
    if signer:
        sent = signer.headers(method, target, f"{host}:{port}", body, sent)
    sent.setdefault("content-length", str(len(body)))
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}:{port}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in sent.items()]
    return exchange(server, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def exchange(server, data):
    """Sends these bytes and reads the answer, even when the server answers before it has read them all."""
    with socket.create_connection(server.address, timeout=120) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_answer(connection)


class _Readable:
    """http.client wants a socket; the bytes come from one that may have been reset after its answer."""

    def __init__(self, data):
        self.data = data

    def makefile(self, *_):
        return io.BytesIO(self.data)


def read_answer(connection):
    received = b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            break
        if not part:
            break
        received += part
    assert received, "the server closed the connection without an answer"
    answer = http.client.HTTPResponse(_Readable(received))
    answer.begin()
    return Answer(answer.status, answer.headers, answer.read())
