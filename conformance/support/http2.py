"""HTTP/2: with prior knowledge on a plain socket, as the JavaScript SDK speaks it, or on a socket that is ready."""

import dataclasses
import socket

import h2.config
import h2.connection
import h2.events

from support.sigv4 import Signer


@dataclasses.dataclass
class Answer:
    status: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    parts: int = 0
    ended: bool = False

    def __post_init__(self):
        self.headers = _Caseless()


class _Caseless(dict):
    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Connection:
    def __init__(self, server=None, *, connected=None, authority="localhost"):
        self.authority = ":".join(map(str, server.address)) if server else authority
        self.socket = connected or socket.create_connection(server.address, timeout=120)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.http.initiate_connection()
        self.answers = {}
        self._flush()

    def _flush(self):
        self.socket.sendall(self.http.data_to_send())

    def send(self, method, target, body=b"", headers=None, signer=Signer(), end=True):
        """Opens a stream and returns its number; `end=False` leaves the request open."""
        stream = self.http.get_next_available_stream_id()
        sent = dict(headers or {"content-type": "application/json"})
        if signer:
            sent = signer.headers(method, target, self.authority, body, sent, authority=True, send_hash=True)
        pseudo = [(":method", method), (":path", target), (":scheme", "http"), (":authority", self.authority)]
        self.answers[stream] = Answer()
        self.http.send_headers(stream, pseudo + list(sent.items()), end_stream=end and not body)
        if body:
            self.http.send_data(stream, body, end_stream=end)
        self._flush()
        return stream

    def read(self, stream):
        """The whole answer of a stream."""
        answer = self.answers[stream]
        while not answer.ended:
            data = self.socket.recv(65536)
            assert data, "the server closed the connection"
            for event in self.http.receive_data(data):
                self._take(event)
            self._flush()
        return answer

    def _take(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ResponseReceived):
            answer.headers.update(event.headers)
            answer.status = int(answer.headers[":status"])
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            answer.parts += 1
            self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
            answer.ended = True
        elif isinstance(event, h2.events.ConnectionTerminated):
            raise AssertionError(f"the server ended the connection: {event.error_code}")

    def request(self, *args, **kwargs):
        return self.read(self.send(*args, **kwargs))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
