"""Judges answers by the service models: shapes, timestamps, enums; errors by their name, status and form.

The raw JSON is judged, not what botocore made of it: botocore is lenient where the Java, Go, Rust and
JavaScript SDKs are strict (a timestamp without offset, a number for a string, a null).
"""

import base64
import json
import re

import botocore.session

SERVICES = ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")

# Raised by the edge in front of every service; no service model lists them.
EDGE_ERRORS = {
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
    "IncompleteSignatureException": 400,
    "ExpiredTokenException": 403,
    "AccessDeniedException": 403,
    "SerializationException": 400,
    "ValidationException": 400,
    "UnknownOperationException": 404,
    "RequestEntityTooLargeException": 413,
    "NotImplementedException": 501,
}

# Members that answers have beyond the models, by shape: clients drop what they do not know.
EXTENSIONS = {("GuardrailAssessment", "outcropExplanation")}

_models = {}


def service_model(service):
    if service not in _models:
        _models[service] = botocore.session.get_session().get_service_model(service)
    return _models[service]


def operations():
    """Every (service, operation model) of the four services."""
    for service in SERVICES:
        model = service_model(service)
        for name in model.operation_names:
            yield service, model.operation_model(name)


def problems(shape, value, path=""):
    """What is wrong with a raw JSON value for a shape, as a list of sentences."""
    where = path or "the body"
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, value, path, where)
    if value is None:
        return [f"{where}: null"]
    if kind == "list":
        if not isinstance(value, list):
            return [f"{where}: {type(value).__name__} for a list"]
        return [p for i, item in enumerate(value) for p in problems(shape.member, item, f"{path}[{i}]")]
    if kind == "map":
        if not isinstance(value, dict):
            return [f"{where}: {type(value).__name__} for a map"]
        return [p for key, item in value.items() for p in problems(shape.value, item, f"{path}.{key}")]
    return [] if _scalar(shape, kind, value) else [f"{where}: {value!r:.80} for {kind} {shape.name}"]


def _structure(shape, value, path, where):
    if getattr(shape, "is_document_type", False):
        return []
    if not isinstance(value, dict):
        return [f"{where}: {type(value).__name__} for structure {shape.name}"]
    found = []
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        found.append(f"{where}: union {shape.name} with members {sorted(value)}")
    in_body = {name: m for name, m in shape.members.items() if not m.serialization.get("location")}
    for name in shape.required_members:
        if name in in_body and in_body[name].serialization.get("name", name) not in value:
            found.append(f"{where}: required {name} is missing")
    by_wire_name = {m.serialization.get("name", name): m for name, m in in_body.items()}
    for name, item in value.items():
        if (shape.name, name) in EXTENSIONS:
            continue
        if name not in by_wire_name:
            found.append(f"{where}: unknown member {name}")
        else:
            found += problems(by_wire_name[name], item, f"{path}.{name}")
    return found


def _scalar(shape, kind, value):
    if kind == "string":
        return isinstance(value, str) and (not shape.enum or value in shape.enum)
    if kind in ("integer", "long"):
        return type(value) is int
    if kind in ("float", "double"):
        return type(value) in (int, float)
    if kind == "boolean":
        return type(value) is bool
    if kind == "timestamp":
        if shape.serialization.get("timestampFormat") == "iso8601":
            return isinstance(value, str) and TIMESTAMP.fullmatch(value) is not None
        return type(value) in (int, float)
    if kind == "blob":
        try:
            base64.b64decode(value, validate=True)
            return True
        except (ValueError, TypeError):
            return False
    raise AssertionError("no rule for " + kind)


def judge_answer(operation, http):
    """Asserts that a success has the modelled status and, where its body is not a stream, a valid body."""
    shape = operation.output_shape
    expected = operation.http.get("responseCode", 200)
    assert http.status_code == expected, f"{operation.name}: {http.status_code}, the model says {expected}"
    assert http.headers.get("x-amzn-RequestId"), f"{operation.name}: no x-amzn-RequestId"
    if shape is None:
        return
    for name in shape.required_members:
        location = shape.members[name].serialization
        if location.get("location") == "header":
            assert location["name"] in http.headers, f"{operation.name}: header {location['name']} is missing"
    payload = shape.serialization.get("payload")
    if operation.has_streaming_output or operation.has_event_stream_output:
        return
    if payload and shape.members[payload].type_name == "blob":
        return
    body = json.loads(http.content or b"{}")
    found = problems(shape.members[payload] if payload else shape, body)
    assert not found, f"{operation.name}: {found[:5]}"


def judge_event(operation, headers, payload):
    """Asserts that one event of a stream is a modelled member (or exception) with a valid payload."""
    stream = operation.get_event_stream_output()
    kind = headers[":message-type"]
    name = headers[":event-type"] if kind == "event" else headers[":exception-type"]
    assert kind in ("event", "exception"), headers
    assert name in stream.members, f"{operation.name}: {kind} {name} is not in the stream's shape"
    assert headers[":content-type"] == "application/json", headers
    body = json.loads(payload)
    body.pop("p", None)  # Bedrock pads events with a member that no model lists.
    found = problems(stream.members[name], body)
    assert not found, f"{operation.name} {name}: {found[:5]}"


def declared_errors(operation):
    """Error name to status, as the operation's own service declares them."""
    return {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in operation.error_shapes}


def known_errors(service=None):
    """Error name to status: what the edge raises, and what the service declares anywhere."""
    own = service_model(service).error_shapes if service else []
    return EDGE_ERRORS | {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in own}


def judge_error(status, headers, body, service=None):
    """Asserts the form that every refusal has, from every layer, and returns (code, message)."""
    code = (headers.get("x-amzn-ErrorType") or "").split(":")[0]
    assert code, f"{status} without x-amzn-ErrorType: {body[:200]!r}"
    assert headers.get("x-amzn-RequestId"), f"{code}: no x-amzn-RequestId"
    assert (headers.get("content-type") or "").startswith("application/json"), f"{code}: {headers.get('content-type')}"
    message = json.loads(body).get("message")
    assert isinstance(message, str) and message, f"{code}: {body[:200]!r}"
    known = known_errors(service)
    assert code in known, f"{code} is declared nowhere: {message}"
    if code == "UnknownOperationException" and status == 405:  # the path exists, the method does not
        return code, message
    assert status == known[code], f"{code} with {status}, not {known[code]}: {message}"
    return code, message
