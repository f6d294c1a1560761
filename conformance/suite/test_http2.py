"""HTTP/2 with prior knowledge on the same port: the JavaScript SDK speaks nothing else."""

import json

import pytest
from botocore.eventstream import EventStreamBuffer

from support import contract
from support.ask import HAIKU, user
from support.http2 import Connection
from support.keys import guarded_server
from support.sigv4 import Signer

ASK = json.dumps({"messages": [user("Name three rivers.")], "inferenceConfig": {"maxTokens": 8, "temperature": 0}}).encode()
MODEL = HAIKU.replace(":", "%3A")


def events(body):
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    return list(buffer)


def test_converse(server):
    with Connection(server) as connection:
        answer = connection.request("POST", f"/model/{MODEL}/converse", ASK)
    assert answer.status == 200
    operation = contract.service_model("bedrock-runtime").operation_model("Converse")
    assert not contract.problems(operation.output_shape, json.loads(answer.body))


def test_a_stream_of_events_arrives_in_parts(server):
    with Connection(server) as connection:
        answer = connection.request("POST", f"/model/{MODEL}/converse-stream", ASK)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/vnd.amazon.eventstream")
    assert answer.parts > 3, "not streamed"
    operation = contract.service_model("bedrock-runtime").operation_model("ConverseStream")
    seen = events(answer.body)
    for event in seen:
        contract.judge_event(operation, event.headers, event.payload)
    kinds = [event.headers[":event-type"] for event in seen]
    assert kinds[0] == "messageStart" and kinds[-2:] == ["messageStop", "metadata"]


def test_several_streams_on_one_connection(server):
    with Connection(server) as connection:
        streams = [connection.send("POST", f"/model/{MODEL}/converse", ASK) for _ in range(3)]
        bodies = [json.loads(connection.read(stream).body) for stream in streams]
    assert len({body["output"]["message"]["content"][0]["text"] for body in bodies}) == 1


def test_errors_look_the_same(server):
    with Connection(server) as connection:
        for target, body in ((f"/model/{MODEL}/converse", b"{"), ("/nothing/here", b""), ("/agents//", b"")):
            answer = connection.request("POST", target, body)
            contract.judge_error(answer.status, answer.headers, answer.body, "bedrock-runtime")


def test_the_bidirectional_stream_is_refused_before_its_frames(server):
    """The request stays open: the refusal must not wait for its end."""
    target = "/model/amazon.nova-sonic-v1%3A0/invoke-with-bidirectional-stream"
    headers = {"content-type": "application/vnd.amazon.eventstream"}
    with Connection(server) as connection:
        answer = connection.read(connection.send("POST", target, headers=headers, end=False))
    code, message = contract.judge_error(answer.status, answer.headers, answer.body)
    assert (answer.status, code) == (501, "NotImplementedException")
    assert "InvokeModelWithBidirectionalStream" in message


class TestSigned:
    @pytest.fixture(scope="class")
    def guarded(self):
        with guarded_server() as server:
            yield server

    def test_authority_counts_as_a_header(self, guarded):
        with Connection(guarded) as connection:
            answer = connection.request("GET", "/foundation-models", signer=Signer(*guarded.key))
        assert answer.status == 200, answer.body

    def test_another_authority_does_not(self, guarded):
        with Connection(guarded) as connection:
            signed = Signer(*guarded.key).headers("GET", "/foundation-models", "elsewhere:80", authority=True)
            answer = connection.request("GET", "/foundation-models", headers=signed, signer=None)
        code, _ = contract.judge_error(answer.status, answer.headers, answer.body)
        assert code == "InvalidSignatureException"
