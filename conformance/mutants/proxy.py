"""A loopback proxy that changes requests or answers on their way. The server behind it is the real one."""

import dataclasses
import http.client
import http.server
import re
import threading

from support import contract

KEPT = ("connection", "transfer-encoding", "content-length", "keep-alive", "date")


@dataclasses.dataclass
class Exchange:
    """One request, and its answer once there is one. A mutant changes either; one that answers itself forwards nothing."""

    service: str | None
    operation: object
    method: str
    target: str
    headers: dict
    body: bytes
    status: int = 0
    answer_headers: dict = dataclasses.field(default_factory=dict)
    answer: bytes = b""

    def state(self):
        return self.target, dict(self.headers), self.body, self.status, dict(self.answer_headers), self.answer


def templates():
    """(method, expression for the path, service, operation), the most literal first."""
    found = []
    for service, operation in contract.operations():
        uri = operation.http["requestUri"].split("?")[0]
        path = "".join("[^/]*" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", uri))
        found.append((operation.http["method"], re.compile(f"(/{service})?{path}"), service, operation, uri.count("{")))
    return sorted(found, key=lambda entry: entry[4])


class Proxy:
    """`before(exchange)` may change the request, `after(exchange)` the answer."""

    def __init__(self, address):
        self.address = address
        self.table = templates()
        self.before = self.after = None
        self.changed = 0
        self.seen, self.faults = {}, []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle(self):
                self.upstream = http.client.HTTPConnection(*proxy.address, timeout=120)
                try:
                    super().handle()
                except (ConnectionResetError, BrokenPipeError):
                    pass
                finally:
                    self.upstream.close()

            def any(self):
                proxy._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.own = self.server.server_address
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def mutate(self, before=None, after=None):
        """From now on this mutant; `changed` counts from nought."""
        self.before, self.after, self.changed, self.seen = before, after, 0, {}

    def _find(self, method, target):
        path = target.split("?")[0]
        for wanted, expression, service, operation, _ in self.table:
            if wanted == method and expression.fullmatch(path):
                return service, operation
        return None, None

    def _serve(self, handler):
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(int(headers.get("content-length", 0)))
        exchange = Exchange(*self._find(handler.command, handler.path), handler.command, handler.path, headers, body)
        self._change(self.before, exchange)
        if not exchange.status:
            self._forward(handler.upstream, exchange)
        self._change(self.after, exchange)
        handler.send_response_only(exchange.status)
        for name, value in exchange.answer_headers.items():
            handler.send_header(name, value)
        if exchange.status != 204:
            handler.send_header("content-length", str(len(exchange.answer)))
        handler.end_headers()
        if exchange.status != 204:
            handler.wfile.write(exchange.answer)

    def _forward(self, upstream, exchange):
        sent = {name: value for name, value in exchange.headers.items() if name not in KEPT}
        upstream.request(exchange.method, exchange.target, exchange.body or None, sent)
        answer = upstream.getresponse()
        exchange.status, exchange.answer = answer.status, answer.read()
        exchange.answer_headers = {k.lower(): v for k, v in answer.getheaders() if k.lower() not in KEPT}

    def _change(self, mutant, exchange):
        if mutant is None or exchange.operation is None:
            return
        state = exchange.state()
        try:
            mutant(exchange, self.seen)
        except Exception as error:  # the mutant's own fault must not pass for the server's
            self.faults.append(f"{mutant.__name__}: {error!r} at {exchange.method} {exchange.target}")
        self.changed += exchange.state() != state

    def close(self):
        self.server.shutdown()
        self.server.server_close()
