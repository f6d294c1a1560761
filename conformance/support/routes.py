"""Every route on the port, as the server itself lists them."""

import dataclasses
import functools
import json

import botocore.session

from probes import wire
from probes.shapes import Rules
from support import contract
from support.ask import HAIKU, TITAN_EMBED
from support.server import outcrop


EVENTS = "application/vnd.amazon.eventstream"
SAID = [{"role": "user", "content": "a"}]
# What the doors of other protocols that take a body are asked for.
BODIES = {
    "openai-chat-completions": {"model": HAIKU, "messages": SAID},
    "openai-embeddings": {"model": TITAN_EMBED, "input": "a"},
    "openai-responses": {"model": HAIKU, "input": "a"},
    "anthropic-messages": {"model": HAIKU, "messages": SAID, "max_tokens": 1},
    "outcomes": {"requestId": "a", "success": True},
    "anthropic-count-tokens": {"model": HAIKU, "messages": SAID},
}


# AWS services of which a part is spoken here.
SLICES = ("cloudwatch", "service-quotas", "cloudtrail")


@dataclasses.dataclass(frozen=True)
class Route:
    method: str
    path: str
    name: str
    built: bool

    @property
    def operation(self):
        """(service, operation model), or None for a door of its own."""
        service, _, name = self.name.partition(":")
        return (service, contract.service_model(service).operation_model(name)) if name else None


@functools.cache
def routes():
    done = outcrop("doctor", "--routes")
    assert done.returncode == 0, done.stderr
    found = [Route(*line.split()[:3], built=line.endswith(" built")) for line in done.stdout.splitlines()]
    assert len({route.name for route in found if route.operation}) == 240
    return found


@functools.cache
def sts_actions():
    """STS has one path for all of them."""
    return tuple(botocore.session.get_session().get_service_model("sts").operation_names)


def slices(route, service):
    """One request for every operation of a service of which a part is spoken here, in each protocol of its model. Their
    names begin with the service that their credential is scoped to."""
    model = contract.service_model(service)
    target, protocols = model.metadata["targetPrefix"], model.metadata["protocols"]
    for name in model.operation_names:
        label = f"{model.signing_name}:{name}"
        if route.name == "aws-cbor":
            if "smithy-rpc-v2-cbor" in protocols:
                headers = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")]
                path = route.path.replace("{id}", f"{target}/operation/{name}")
                yield f"{label} cbor", route.method, path, b"\xa0", headers
            continue
        if route.method == "POST":
            headers = [("x-amz-target", f"{target}.{name}"), ("content-type", "application/x-amz-json-1.0")]
            yield f"{label} json", route.method, route.path, b"{}", headers
        if "query" in protocols:
            form = f"Action={name}&Version={model.api_version}"
            if route.method == "GET":
                yield f"{label} query", route.method, f"{route.path}?{form}", b"", []
            else:
                headers = [("content-type", "application/x-www-form-urlencoded")]
                yield f"{label} query", route.method, route.path, form.encode(), headers


@functools.cache
def requests():
    """(name, method, target, body, headers) of one request for each route, STS and slices once for each action."""
    found = []
    for route in routes():
        if route.operation is not None:
            service, operation = route.operation
            members = Rules(service).smallest(operation.input_shape) if operation.input_shape else {}
            made = wire.request(operation, members)
            headers = [("content-type", EVENTS)] if operation.has_event_stream_input else made.headers
            found.append((route.name, route.method, wire.target(service, operation, made), made.body, headers))
        elif route.name == "aws":
            found += [sts(route.method, route.path, action) for action in sts_actions()]
            found += [sliced for service in SLICES for sliced in slices(route, service)]
        elif route.name == "aws-cbor":
            found += [sliced for service in SLICES for sliced in slices(route, service)]
        else:
            body = json.dumps(BODIES[route.name]).encode() if route.name in BODIES else b""
            found.append((route.name, route.method, route.path.replace("{id}", HAIKU), body, []))
    return found


def sts(method, path, action):
    form = f"Action={action}&Version=2011-06-15"
    if method == "GET":
        return f"sts:{action}", method, f"{path}?{form}", b"", []
    return f"sts:{action}", method, path, form.encode(), [("content-type", "application/x-www-form-urlencoded")]
