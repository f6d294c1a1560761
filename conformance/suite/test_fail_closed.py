"""The walk over every route on the port of `outcrop serve`: nobody gets in who does not belong.

The routes come from the server (`outcrop doctor --routes`), so that a new one cannot be forgotten; exceptions are the
lists of expected/, which may only shrink.
"""

import dataclasses
import json
import re

import botocore.parsers
import pytest

from probes import happy, wire
from probes.happy.account import tags_of
from probes.happy.common import call
from probes.happy.models import new_profile
from probes.oracle import Oracle
from probes.shapes import Rules
from support import contract, lists, raw
from support.keys import access_key, api_key
from support.routes import requests, routes
from support.server import Server
from support.sigv4 import Signer

OWNER, STRANGER = "111122223333", "444455556666"
NOBODY = f"""
[s3]
enabled = true

[access]
# Those who made the keys fill buckets, too.
default_policies = ["AdministratorAccess"]

[[access.users]]
account = "{OWNER}"
name = "nobody"
policies = []

# What the owner's knowledge bases act with.
[[access.roles]]
account = "{OWNER}"
name = "AmazonBedrockProbe"
policies = ["AmazonBedrockFullAccess"]
trust = '''{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {{"Service": "bedrock.amazonaws.com"}}}}]}}'''
"""
# The action of an operation is its own name, but for these.
ACTIONS = {
    "Converse": "InvokeModel",
    "ConverseStream": "InvokeModelWithResponseStream",
    "RetrieveAndGenerateStream": "RetrieveAndGenerate",
}
# Services that a credential may be scoped to beside Bedrock.
SCOPES = ("sts", "monitoring", "servicequotas", "cloudtrail")
REFUSED = (403, "AccessDeniedException"), (404, "ResourceNotFoundException"), (400, "ValidationException")


@pytest.fixture(scope="module")
def guarded():
    server = Server("serve", config=NOBODY)
    try:
        server.owner = Signer(*access_key(server.data, OWNER))
        server.stranger = Signer(*access_key(server.data, STRANGER))
        server.nobody = Signer(*access_key(server.data, OWNER, "nobody"))
        server.api_key = api_key(server.data, OWNER)
        with server:
            yield server
    finally:
        server.remove()


def walk(server, signer, headers=(), presigned=False):
    """(name, answer) for one request of every route, sent without waiting for each other."""
    connection, names, sent = wire.Connection(server.address, signer), [], []
    for name, method, target, body, own in requests():
        scope = name.partition(":")[0]
        one = dataclasses.replace(signer, service=scope) if signer and scope in SCOPES else signer
        connection.signer = None if presigned else one
        if presigned:
            target = one.presigned(method, target, connection.host, body)
        names.append(name)
        sent.append(connection.bytes_of(method, target, body, [*own, *headers]))
    try:
        yield from zip(names, connection.send_all(sent), strict=True)
    finally:
        connection.close()


def cbor(body):
    parser = botocore.parsers.create_parser("smithy-rpc-v2-cbor")
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))


def either(code):
    return {(403, code), (401, code)}


def refusal(name, answer):
    """(status, code, message), after the form of the refusal was judged; STS speaks XML, other doors have words of
    their own for it and 401 for credentials that are none."""
    if name.endswith((" json", " cbor")):
        error = answer.json if name.endswith(" json") else cbor(answer.body)
        assert error["__type"] == answer.headers["x-amzn-errortype"], (name, answer.body)
        assert answer.headers["content-type"].startswith("application/"), answer.headers
        return answer.status, error["__type"], error["message"]
    if name.partition(":")[0] in SCOPES:
        text = answer.body.decode()
        code, message = re.search("<Code>([^<]*)</Code>", text), re.search("<Message>([^<]*)</Message>", text)
        assert code and message, (name, answer.status, text[:200])
        return answer.status, code[1], message[1]
    if name.startswith(("openai-", "anthropic-")):
        error = answer.json["error"]
        assert error["type"] and (name.startswith("openai-") or answer.json["type"] == "error"), (name, answer.body)
        return answer.status, answer.headers["x-amzn-errortype"], error["message"]
    code, message = contract.judge_error(answer.status, answer.headers, answer.body)
    return answer.status, code, message


def all_refused(answers, codes, but=()):
    """Asserts that every route refuses with one of these codes; the same name with or without `Exception`."""
    wrong, seen = {}, 0
    for name, answer in answers:
        if name in but:
            continue
        seen += 1
        if answer.status < 300:
            wrong[name] = (answer.status, answer.body[:100])
            continue
        status, code, message = refusal(name, answer)
        if (status, code) not in codes:
            wrong[name] = (status, code, message)
    assert not wrong, f"{len(wrong)} of {seen}: {dict(list(wrong.items())[:10])}"
    assert seen > 240


def open_routes():
    """The names of the routes that are open by the list."""
    listed = {tuple(line.split()) for line in lists.read("unauthenticated.txt")}
    found = {(route.method, route.path): route.name for route in routes()}
    assert listed <= set(found), f"not on the port: {listed - set(found)}"
    return {found[one] for one in listed}


class TestWithoutCredentials:
    def test_every_route_refuses_but_liveness(self, guarded):
        missing = {*either("MissingAuthenticationTokenException"), (403, "MissingAuthenticationToken")}
        proving = lists.read("self-proving.txt")
        all_refused(walk(guarded, None), missing, {*open_routes(), *proving})
        for name, answer in walk(guarded, None):
            assert name not in proving or answer.status >= 400, (name, answer.body)

    def test_only_liveness_is_open(self):
        assert open_routes() == {"health"}

    def test_no_path_beside_the_routes_answers(self, guarded):
        for path in ("/metrics/", "/outcrop", "/outcrop/", "/outcrop/metrics", "/outcrop/healthz", "/outcrop/config", "/v1/files", "/anthropic/v1/files",
                     "/console", "/service/GraniteServiceVersion20100801/operation/ListMetrics", "/bucket/key", "/favicon.ico"):  # fmt: skip
            for method in ("GET", "POST", "PUT"):
                answer = raw.request(guarded, method, path, signer=None)
                assert answer.status in (401, 403, 404), (method, path, answer.status, answer.body)

    def test_liveness_tells_nothing_but_that(self, guarded):
        answer = raw.request(guarded, "GET", "/outcrop/health", signer=None)
        assert answer.json == {"status": "ok"}


class TestForged:
    WRONG = {*either("InvalidSignatureException"), (403, "SignatureDoesNotMatch")}
    UNKNOWN = {*either("UnrecognizedClientException"), (403, "InvalidClientTokenId")}

    def test_a_signature_of_a_wrong_secret(self, guarded):
        all_refused(walk(guarded, dataclasses.replace(guarded.owner, secret="x" * 40)), self.WRONG, open_routes())

    def test_a_key_that_nobody_has(self, guarded):
        all_refused(walk(guarded, Signer("AKIAABCDEFGHIJKLMNOP", "x" * 40)), self.UNKNOWN, open_routes())

    def test_a_session_that_nobody_gave(self, guarded):
        token = dataclasses.replace(guarded.owner, token="FwoGZXIvYXdzEXAMPLE")
        all_refused(walk(guarded, token), self.UNKNOWN, open_routes())

    @pytest.mark.parametrize("forge", [lambda key: key[:-4] + "AAAA", lambda key: "ABSK" + "A" * 128, lambda _: "x"])
    def test_a_bearer_token(self, guarded, forge):
        headers = [("authorization", "Bearer " + forge(guarded.api_key))]
        all_refused(walk(guarded, None, headers), self.UNKNOWN, {*open_routes(), *lists.read("self-proving.txt")})

    def test_a_presigned_query(self, guarded):
        forged = dataclasses.replace(guarded.owner, secret="x" * 40)
        all_refused(walk(guarded, forged, presigned=True), self.WRONG, open_routes())


def built():
    return [route for route in routes() if route.built and route.operation]


def secret_profile(connection):
    """A profile of the owner's, with what nobody else may read."""
    members, _ = new_profile(connection)
    members |= {"description": "plans for Q3", "tags": [{"key": "team", "value": "ravens"}]}
    answer = call(connection, "bedrock", "CreateInferenceProfile", members)
    assert answer.status == 201, answer.body
    return answer.json["inferenceProfileArn"]


def snapshot(connection, arn):
    """Everything that is kept of a profile."""
    got = call(connection, "bedrock", "GetInferenceProfile", {"inferenceProfileIdentifier": arn})
    assert got.status == 200, got.body
    return got.json, tags_of(connection, arn)


def own(service, operation):
    """The smallest input, with ARNs of the owner's."""
    members = Rules(service).smallest(operation.input_shape) if operation.input_shape else {}
    return json.loads(re.sub(r":bedrock:[a-z0-9-]*:\d{12}:", f":bedrock:us-east-1:{OWNER}:", json.dumps(members)))


def aimed(service, operation, arn):
    """Inputs that name the resource wherever the operation takes an id or an ARN that may look like it."""
    rules, oracle = Rules(service), Oracle(service)
    shape = operation.input_shape
    for name, member in shape.members.items() if shape else ():
        if member.type_name != "string" or not re.search("(arn|id|identifier)$", name, re.IGNORECASE):
            continue
        for value in (arn, arn.rsplit("/", 1)[1]):
            members = rules.smallest(shape) | {name: value}
            if oracle.judge(operation, wire.request(operation, members)).fine:
                yield members


class TestAnotherAccount:
    def test_what_one_made_does_not_exist_for_another(self, guarded):
        owner, stranger = (wire.Connection(guarded.address, one) for one in (guarded.owner, guarded.stranger))
        arn = secret_profile(owner)
        before, sent = snapshot(owner, arn), []
        for route in routes():
            # A request that streams is signed frame by frame, and refused on its head.
            if route.operation is None or route.operation[1].has_event_stream_input:
                continue
            service, operation = route.operation
            inputs = list(aimed(service, operation, arn))
            if route.built and (recipe := happy.make(owner, service, operation.name)) and OWNER in json.dumps(recipe[0]):
                inputs.append(recipe[0])
            sent += [(route, stranger.probe(service, operation, wire.request(operation, members))) for members in inputs]
        assert len(sent) > 20
        wrong = {}
        for (route, _), answer in zip(sent, stranger.send_all(data for _, data in sent), strict=True):
            allowed = REFUSED if route.built else [(501, "NotImplementedException")]
            found = (answer.status, answer.headers.get("x-amzn-ErrorType"))
            if found not in allowed or b"plans for Q3" in answer.body or b"ravens" in answer.body:
                wrong[route.name] = (*found, answer.body[:200])
        assert not wrong, wrong
        assert snapshot(owner, arn) == before

    def test_nor_is_it_listed(self, guarded):
        owner, stranger = (wire.Connection(guarded.address, one) for one in (guarded.owner, guarded.stranger))
        arn = secret_profile(owner)
        for route in built():
            service, operation = route.operation
            if operation.name.startswith("List") and not operation.input_shape.required_members:
                _, answer = stranger.call(service, operation, {})
                assert answer.status == 200 and arn not in answer.body.decode(), route.name

    def test_nor_copied(self, guarded):
        owner, stranger = (wire.Connection(guarded.address, one) for one in (guarded.owner, guarded.stranger))
        arn = secret_profile(owner)
        members, _ = new_profile(stranger)
        answer = call(stranger, "bedrock", "CreateInferenceProfile", members | {"modelSource": {"copyFrom": arn}})
        code, message = contract.judge_error(answer.status, answer.headers, answer.body, "bedrock")
        assert (answer.status, code) in REFUSED, message


class TestAPrincipalThatMayDoNothing:
    def test_every_operation_says_so(self, guarded):
        owner, nobody = (wire.Connection(guarded.address, one) for one in (guarded.owner, guarded.nobody))
        arn = secret_profile(owner)
        before, sent = snapshot(owner, arn), []
        for route in routes():
            if route.operation is None or route.operation[1].has_event_stream_input:
                continue
            service, operation = route.operation
            recipe = happy.make(owner, service, operation.name) if route.built else None
            members = recipe[0] if recipe else own(service, operation)
            sent.append((route, nobody.probe(service, operation, wire.request(operation, members))))
        wrong = {}
        for (route, _), answer in zip(sent, nobody.send_all(data for _, data in sent), strict=True):
            if answer.status < 300:
                wrong[route.name] = answer.body[:200]
                continue
            service, operation = route.operation
            code, message = contract.judge_error(answer.status, answer.headers, answer.body, service)
            action = f"bedrock:{ACTIONS.get(operation.name, operation.name)}"
            said = re.fullmatch(
                rf"User: arn:aws:iam::{OWNER}:user/nobody is not authorized to perform: {action}"
                rf"( on resource: \S+)? because no identity-based policy allows the {action} action",
                message,
            )
            if not (code == "AccessDeniedException" and said) and not (code == "NotImplementedException" and not route.built):
                wrong[route.name] = (answer.status, code, message)
        assert not wrong, wrong
        assert snapshot(owner, arn) == before

    def test_every_door_of_another_protocol_says_so(self, guarded):
        answers = [(name, one) for name, one in walk(guarded, guarded.nobody) if name.startswith(("openai-", "anthropic-"))]
        assert len(answers) > 10
        for name, answer in answers:
            status, code, message = refusal(name, answer)
            if (status, code) == (404, "ResourceNotFoundException") and "response" in name:
                continue  # There is none of that id, for anybody.
            said = re.match(rf"User: arn:aws:iam::{OWNER}:user/nobody is not authorized to perform: bedrock:", message)
            assert (status, code) == (403, "AccessDeniedException") and said, (name, status, code, message)

    def test_every_operation_of_another_aws_service_says_so(self, guarded):
        answers = [(name, one) for name, one in walk(guarded, guarded.nobody) if name.partition(":")[0] in SCOPES[1:]]
        assert answers
        wrong = {}
        for name, answer in answers:
            status, code, message = refusal(name, answer)
            denied = code in ("AccessDeniedException", "AccessDenied") and "is not authorized to perform" in message
            # What is on a resource says first that none was named.
            nameless = status == 400 and code not in ("AccessDeniedException", "AccessDenied")
            if not denied and not nameless and status not in (404, 501):
                wrong[name] = (status, code, message)
        assert not wrong, wrong

    def test_every_action_of_sts_but_those_that_need_none(self, guarded):
        needs_none = {*lists.read("no-permission.txt"), *lists.read("self-proving.txt")}
        answers = [(name, answer) for name, answer in walk(guarded, guarded.nobody) if name.startswith("sts:")]
        wrong = {
            name: (answer.status, answer.body[:200])
            for name, answer in answers
            if name not in needs_none and (answer.status < 400 or answer.status >= 500 and answer.status != 501)
        }
        assert answers and not wrong, wrong
        assert {name for name, answer in answers if answer.status < 300} <= needs_none
