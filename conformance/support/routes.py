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
    "anthropic-count-tokens": {"model": HAIKU, "messages": SAID},
}


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


@functools.cache
def requests():
    """(name, method, target, body, headers) of one request for each route, STS once for each action."""
    found = []
    for route in routes():
        if route.operation is not None:
            service, operation = route.operation
            members = Rules(service).smallest(operation.input_shape) if operation.input_shape else {}
            made = wire.request(operation, members)
            headers = [("content-type", EVENTS)] if operation.has_event_stream_input else made.headers
            found.append((route.name, route.method, wire.target(service, operation, made), made.body, headers))
        elif route.name == "sts":
            found += [sts(route.method, route.path, action) for action in sts_actions()]
        else:
            body = json.dumps(BODIES[route.name]).encode() if route.name in BODIES else b""
            found.append((route.name, route.method, route.path.replace("{id}", HAIKU), body, []))
    return found


def sts(method, path, action):
    form = f"Action={action}&Version=2011-06-15"
    if method == "GET":
        return f"sts:{action}", method, f"{path}?{form}", b"", []
    return f"sts:{action}", method, path, form.encode(), [("content-type", "application/x-www-form-urlencoded")]
