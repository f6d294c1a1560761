"""One port, four services: prefixes, collisions, ARNs in paths, paths that are nobody's."""

import json

import pytest

from support import raw
from support.ask import HAIKU, HAIKU_ARN, PROFILE, converse, user
from support.clients import client
from support.sigv4 import Signer

ASK = {"messages": [user("hi")], "inferenceConfig": {"maxTokens": 1}}
SERVICES = ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime")


def operation_of(answer):
    """The operation that a request reached, told by the 501 that names it."""
    code, message = answer.error()
    assert code == "NotImplementedException", (code, message)
    return message


def by_host(server, host, target, body=b""):
    """A POST that says it is for another host."""
    lines = [f"POST {target} HTTP/1.1", f"host: {host}", "connection: close", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in Signer().headers("POST", target, host, body).items()]
    return raw.exchange(server, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)


class TestPrefixes:
    def test_clients_may_use_one(self, server):
        assert converse(client(server.url + "/bedrock-runtime", "bedrock-runtime"), tokens=1)["usage"]
        assert client(server.url + "/bedrock", "bedrock").list_foundation_models()["modelSummaries"]

    def test_a_prefix_pins_the_service(self, server):
        code, _ = raw.request(server, "POST", f"/bedrock/model/{HAIKU}/converse", ASK).error("bedrock")
        assert code == "UnknownOperationException"
        code, _ = raw.request(server, "GET", "/bedrock-runtime/foundation-models").error("bedrock-runtime")
        assert code == "UnknownOperationException"

    @pytest.mark.parametrize("service", SERVICES)
    def test_a_prefix_alone_is_no_operation(self, server, service):
        code, _ = raw.request(server, "GET", f"/{service}").error(service)
        assert code == "UnknownOperationException"

    @pytest.mark.parametrize("host", ["bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime.localhost:7711"])
    def test_a_host_name_pins_the_service(self, server, host):
        assert by_host(server, host, f"/model/{HAIKU}/converse", json.dumps(ASK).encode()).status == 200
        code, _ = by_host(server, host, "/agents/ABCDEFGHIJ/").error("bedrock-runtime")
        assert code == "UnknownOperationException"

    @pytest.mark.parametrize(
        ("service", "operation"), [("bedrock-agent", "PrepareAgent"), ("bedrock-agent-runtime", "InvokeInlineAgent")]
    )
    def test_a_host_name_decides_where_two_could_answer(self, server, service, operation):
        assert operation in operation_of(by_host(server, f"{service}.us-east-1.amazonaws.com", "/agents/ABCDEFGHIJ/"))


class TestModelIdentifiers:
    @pytest.mark.parametrize(
        "segment",
        [
            HAIKU,
            HAIKU.replace(":", "%3A"),
            HAIKU.replace(":", "%3a"),
            HAIKU_ARN.replace(":", "%3A").replace("/", "%2F"),
            HAIKU_ARN.replace("/", "%2f"),
            HAIKU_ARN,
            PROFILE,
        ],
        ids=["raw", "encoded", "lower", "arn", "arn, half", "arn, raw", "profile"],
    )
    def test_raw_or_encoded(self, server, segment):
        answer = raw.request(server, "POST", f"/model/{segment}/converse", ASK)
        assert answer.status == 200, answer.body

    @pytest.mark.parametrize("segment", ["%", "%2", "%zz", "a%00b", "..%2f..%2fetc", "%C3%28"])
    def test_broken_encoding_is_the_callers_fault(self, server, segment):
        answer = raw.request(server, "POST", f"/model/{segment}/converse", ASK)
        code, _ = answer.error("bedrock-runtime")
        assert answer.status in (400, 404), code


class TestCollisions:
    AGENT_ARN = "arn:aws:bedrock:us-east-1:123456789012:agent/ABCDEFGHIJ".replace("/", "%2F")
    SESSION_ARN = "arn:aws:bedrock:us-east-1:123456789012:session/11111111-2222-3333-4444-555555555555".replace("/", "%2F")
    INLINE = {"foundationModel": HAIKU, "instruction": "Answer briefly and in plain words."}

    @pytest.mark.parametrize("arn", [AGENT_ARN, SESSION_ARN])
    @pytest.mark.parametrize(
        ("method", "query", "name"),
        [("GET", "", "ListTagsForResource"), ("POST", "", "TagResource"), ("DELETE", "?tagKeys=a", "UntagResource")],
    )
    def test_tags_of_agents_and_of_sessions(self, server, arn, method, query, name):
        answer = raw.request(server, method, f"/tags/{arn}{query}", {"tags": {}} if method == "POST" else b"")
        if arn == self.SESSION_ARN:
            assert name in operation_of(answer)
        else:
            # Built, over what can have tags yet: agents cannot.
            code, message = answer.error("bedrock-agent")
            assert code == "ResourceNotFoundException" and "agent/ABCDEFGHIJ" in message, (code, message)

    @pytest.mark.parametrize("slash", ["", "/"])
    def test_the_body_tells_prepare_agent_from_invoke_inline_agent(self, server, slash):
        path = "/agents/ABCDEFGHIJ" + slash
        assert "PrepareAgent" in operation_of(raw.request(server, "POST", path, b"", headers={}))
        assert "InvokeInlineAgent" in operation_of(raw.request(server, "POST", path, self.INLINE))

    @pytest.mark.parametrize("slash", ["", "/"])
    def test_a_literal_wins_over_a_label(self, server, slash):
        body = {"definition": {"nodes": []}}
        answer = raw.request(server, "POST", "/flows/validate-definition" + slash, body)
        code, message = answer.error()
        assert "ValidateFlowDefinition" in message or code == "ValidationException", message
        assert "PrepareFlow" in operation_of(raw.request(server, "POST", "/flows/ABCDEFGHIJ/", b"", headers={}))

    def test_a_method_of_another_service_under_one_path(self, server):
        assert "InvokeFlow" in operation_of(
            raw.request(server, "POST", "/flows/ABCDEFGHIJ/aliases/TSTALIASID", {"inputs": []})
        )
        assert "GetFlowAlias" in operation_of(raw.request(server, "GET", "/flows/ABCDEFGHIJ/aliases/TSTALIASID"))

    def test_doubled_slashes_are_never_merged(self, server):
        code, message = raw.request(server, "GET", "/agents//").error()
        assert "ListAgents" not in message, (code, message)
        code, message = raw.request(server, "POST", "/agents//", b"", headers={}).error()
        assert "ListAgents" not in message, (code, message)
        code, _ = raw.request(server, "GET", "//foundation-models").error()
        assert code == "UnknownOperationException"


class TestNobodysPaths:
    @pytest.mark.parametrize("path", ["/nothing/here", "/foundation-model", "/v2/chat", f"/model/{HAIKU}/converses"])
    def test_an_unknown_operation(self, server, path):
        code, _ = raw.request(server, "GET", path).error()
        assert code == "UnknownOperationException"

    @pytest.mark.parametrize(
        ("method", "path", "taken"),
        [
            ("DELETE", "/foundation-models", "GET"),
            ("PATCH", f"/model/{HAIKU}/converse", "POST"),
            ("OPTIONS", "/foundation-models", "GET"),
            ("PATCH", "/flows/ABCDEFGHIJ/aliases/TSTALIASID", "POST"),
        ],
    )
    def test_another_method_is_told_which_ones_the_path_takes(self, server, method, path, taken):
        answer = raw.request(server, method, path)
        code, message = answer.error()
        assert (answer.status, code) == (405, "UnknownOperationException") and taken in message, message

    @pytest.mark.parametrize(
        ("method", "path", "nearest"),
        [
            ("POST", f"/model/{HAIKU}/convers", "/model/{modelId}/converse"),
            ("GET", "/foundation-modells", "/foundation-models"),
            ("DELETE", "/foundation-models", "/foundation-models"),
        ],
    )
    def test_it_names_the_nearest(self, server, method, path, nearest):
        _, message = raw.request(server, method, path).error()
        assert nearest in message, message

    def test_health_needs_no_credentials(self, server):
        answer = raw.request(server, "GET", "/outcrop/health", signer=None)
        assert answer.status == 200
