"""A collector of OpenTelemetry: takes OTLP over HTTP and decodes it with the protocol's own published messages."""

import http.server
import threading

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {2: "server", 3: "client"}


def plain(value):
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    return [plain(one) for one in found.values] if kind == "array_value" else found


def attributes(of):
    found = {one.key: plain(one.value) for one in of}
    assert len(found) == len(of), "an attribute is there twice"
    return found


class Span:
    def __init__(self, resource, span):
        self.resource, self.name, self.kind = resource, span.name, KINDS[span.kind]
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.attributes, self.failed = attributes(span.attributes), span.status.code == 2
        self.began, self.ended = span.start_time_unix_nano, span.end_time_unix_nano
        assert len(span.trace_id) == 16 and len(span.span_id) == 8 and len(span.parent_span_id) in (0, 8)
        assert 0 < self.began <= self.ended

    def __getitem__(self, name):
        return self.attributes.get(name)


class Collector:
    """Listens on a port of its own. `answers` are the statuses of the first requests; the rest get 200."""

    def __init__(self, answers=()):
        self.answers, self.lock = list(answers), threading.Lock()
        self.requests, self.raw, self.spans, self.exports = [], b"", [], []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = collector.take(self.path, dict(self.headers), body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        with self.lock:
            self.requests.append((path, headers))
            status = self.answers.pop(0) if self.answers else 200
            if status != 200:
                return status
            self.raw += body
            assert headers["content-type"] == "application/x-protobuf"
            if path.endswith("/v1/traces"):
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    of = attributes(resource.resource.attributes)
                    self.spans += [Span(of, span) for scope in resource.scope_spans for span in scope.spans]
            elif path.endswith("/v1/metrics"):
                self.exports.append(self.decoded(ExportMetricsServiceRequest.FromString(body)))
            else:
                return 404
            return 200

    def decoded(self, request):
        """{name: (kind, unit, [(attributes, point)])}"""
        found = {}
        for metric in (m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics):
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            if kind != "gauge":
                assert data.aggregation_temporality == 2 and (kind != "sum" or data.is_monotonic)
            assert metric.name not in found
            found[metric.name] = (kind, metric.unit, [(attributes(p.attributes), p) for p in data.data_points])
        return found

    def named(self, name):
        with self.lock:
            return [span for span in self.spans if span.name == name]

    def calls(self):
        with self.lock:
            return [span for span in self.spans if span.kind == "server"]

    def below(self, call):
        with self.lock:
            found = [span for span in self.spans if span.parent == call.id]
        return sorted(found, key=lambda span: span.began)

    def points(self, name):
        with self.lock:
            return self.exports[-1].get(name, ("", "", []))[2] if self.exports else []

    def close(self):
        self.server.shutdown()
        self.server.server_close()
