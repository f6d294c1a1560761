"""Anthropic's own client on the door of its API: messages, their tokens, models. Answers come from the models."""

import json

import anthropic
import jsonschema
import pytest
from anthropic import Anthropic

from support import raw
from support.ask import HAIKU, HAIKU_ARN, LLAMA, PROFILE, SCHEMA, TITAN_EMBED, UNKNOWN
from support.keys import access_key, api_key
from support.server import Server
from support.sigv4 import Signer

TOOLS = [{"name": "thermometer", "description": "Reads it.", "input_schema": SCHEMA}]
ASKED = [{"role": "user", "content": "Name three rivers."}]


def of(url, **key):
    return Anthropic(base_url=url + "/anthropic", max_retries=0, timeout=120, **(key or {"api_key": "anything"}))


@pytest.fixture(scope="module")
def client(server):
    return of(server.url)


COLD = {"temperature": 0}  # A member of the body for which this client has no parameter any more.


def say(client, messages=ASKED, model=HAIKU, **rest):
    asked = {"model": model, "messages": messages, "max_tokens": 12, "extra_body": COLD}
    return client.messages.create(**{**asked, **rest})


def refused(call, kind, error_type):
    """The message with which a call is refused, its shape judged."""
    with pytest.raises(kind) as error:
        call()
    body = error.value.body
    assert (body["type"], set(body["error"])) == ("error", {"type", "message"}), body
    assert body["error"]["type"] == error_type and body["request_id"] == error.value.response.headers["request-id"]
    return body["error"]["message"]


class TestMessages:
    def test_an_answer(self, client):
        answer = say(client)
        assert answer.content[0].type == "text" and answer.content[0].text.strip()
        assert (answer.type, answer.role, answer.model) == ("message", "assistant", HAIKU)
        assert answer.stop_reason in ("end_turn", "max_tokens") and answer.id.startswith("msg_") and "bdrk" not in answer.id
        assert answer.usage.input_tokens > 0 and 0 < answer.usage.output_tokens <= 12
        assert len(answer._request_id) == 36

    def test_it_says_what_converse_says(self, client, runtime):
        told = runtime.converse(
            modelId=HAIKU,
            messages=[{"role": "user", "content": [{"text": "Name three rivers."}]}],
            inferenceConfig={"maxTokens": 12, "temperature": 0},
        )
        assert say(client).content[0].text == told["output"]["message"]["content"][0]["text"]

    @pytest.mark.parametrize("model", [HAIKU, HAIKU_ARN, PROFILE, LLAMA])
    def test_every_name_of_a_model(self, client, model):
        assert say(client, model=model, max_tokens=1).model == model

    def test_a_stop_sequence_is_told(self, client):
        text = say(client, max_tokens=20).content[0].text
        stop = text[len(text) // 2 :][:3]
        answer = say(client, max_tokens=20, stop_sequences=[stop])
        assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", stop)
        assert "".join(block.text for block in answer.content) == text[: text.index(stop)]

    def test_turns_of_one_role_are_one(self, client):
        twice = say(client, [*ASKED, {"role": "user", "content": "Two."}], max_tokens=1)
        assert twice.usage.input_tokens > say(client, max_tokens=1).usage.input_tokens

    def test_the_older_version(self, client):
        say(client, max_tokens=1, extra_headers={"anthropic-version": "2023-06-01"})

    def test_system_turns_and_blocks(self, client):
        turns = [*ASKED, {"role": "assistant", "content": [{"type": "text", "text": "No."}]}, {"role": "user", "content": "Do."}]
        more = say(client, turns, system=[{"type": "text", "text": "Be brief."}], max_tokens=1)
        assert more.usage.input_tokens > say(client, max_tokens=1).usage.input_tokens

    def test_the_beta_api(self, client):
        answer = client.beta.messages.create(
            model=HAIKU, messages=ASKED, max_tokens=2, betas=["context-1m-2025-08-07", "output-128k-2025-02-19"]
        )
        assert answer.usage.output_tokens == 2

    def test_what_only_travels(self, client):
        say(client, max_tokens=1, extra_body={"top_k": 5}, metadata={"user_id": "u"}, extra_headers={"anthropic-beta": "a, b"})

    def test_a_cache_point(self, client):
        system = [{"type": "text", "text": "You know every port of the coast. " * 160, "cache_control": {"type": "ephemeral"}}]
        first, second = (say(client, model=PROFILE, system=system, max_tokens=1).usage for _ in range(2))
        assert second.cache_read_input_tokens > 0, (first, second)
        total = lambda usage: usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens  # noqa: E731
        assert total(first) == total(second)

    def test_a_schema(self, client):
        answer = say(client, max_tokens=100, output_config={"format": {"type": "json_schema", "schema": SCHEMA}})
        jsonschema.validate(json.loads(answer.content[0].text), SCHEMA)


class TestTools:
    def test_a_forced_tool_and_its_result(self, client):
        forced = {"type": "tool", "name": "thermometer"}
        answer = say(client, max_tokens=200, tools=TOOLS, tool_choice=forced)
        (use,) = [block for block in answer.content if block.type == "tool_use"]
        assert (answer.stop_reason, use.name) == ("tool_use", "thermometer")
        jsonschema.validate(use.input, SCHEMA)
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "21"}
        history = [*ASKED, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
        assert say(client, history, tools=TOOLS).usage.input_tokens > answer.usage.input_tokens

    def test_no_tool(self, client):
        answer = say(client, tools=TOOLS, tool_choice={"type": "none"})
        assert answer.stop_reason != "tool_use"

    def test_a_streamed_call_adds_up(self, client):
        with client.messages.stream(
            model=HAIKU, messages=ASKED, max_tokens=200, extra_body=COLD, tools=TOOLS, tool_choice={"type": "any"}
        ) as stream:
            events = [event.type for event in stream]
            answer = stream.get_final_message()
        jsonschema.validate(answer.content[-1].input, SCHEMA)
        assert answer.stop_reason == "tool_use" and "input_json" in events


class TestStream:
    def test_the_pieces_are_the_answer(self, client):
        whole = say(client)
        with client.messages.stream(model=HAIKU, messages=ASKED, max_tokens=12, extra_body=COLD) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert text == final.content[0].text == whole.content[0].text
        assert (final.stop_reason, final.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)
        assert final.usage.input_tokens == whole.usage.input_tokens

    def test_the_order_of_events(self, server):
        body = {"model": HAIKU, "messages": ASKED, "max_tokens": 3, "stream": True}
        answer = raw.request(server, "POST", "/anthropic/v1/messages?beta=true", body)
        assert answer.headers["content-type"].startswith("text/event-stream")
        names = []
        for event in answer.body.decode().strip().split("\n\n"):
            name, data = event.split("\n")
            assert name == "event: " + json.loads(data.removeprefix("data: "))["type"]
            names.append(name.removeprefix("event: "))
        assert names[:2] == ["message_start", "content_block_start"]
        assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
        assert b"amazon-bedrock" not in answer.body

    def test_a_client_that_leaves(self, client):
        with client.messages.stream(model=HAIKU, messages=ASKED, max_tokens=2000) as stream:
            next(iter(stream))
        assert say(client, max_tokens=1).usage.output_tokens == 1


class TestTokens:
    def test_the_count_is_what_the_call_reads(self, client):
        ask = {"model": HAIKU, "messages": ASKED, "system": "Be brief.", "tools": TOOLS}
        counted = client.messages.count_tokens(**ask).input_tokens
        assert counted == client.messages.create(**ask, max_tokens=1).usage.input_tokens
        assert client.beta.messages.count_tokens(**ask).input_tokens == counted


class TestModels:
    def test_every_page_of_the_list(self, client):
        every = [model.id for model in client.models.list(limit=1000)]
        paged = [model.id for model in client.models.list(limit=7)]
        assert every == paged and {HAIKU, PROFILE} <= set(every) and TITAN_EMBED not in every
        back = client.models.list(limit=2, before_id=every[3])
        assert [model.id for model in back.data] == every[1:3] and back.has_more

    def test_one(self, client):
        model = client.models.retrieve(HAIKU)
        assert (model.id, model.type, model.display_name) == (HAIKU, "model", "Claude 3 Haiku")
        assert model.lifecycle in ("active", "deprecated") and model.max_input_tokens > 100_000
        refused(lambda: client.models.retrieve(UNKNOWN), anthropic.NotFoundError, "not_found_error")

    @pytest.mark.parametrize("query", ["limit=0", "limit=x", "after_id=nothing"])
    def test_a_wrong_page(self, server, query):
        answer = raw.request(server, "GET", "/anthropic/v1/models?" + query)
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")


class TestRefusals:
    INVALID = "invalid_request_error"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"extra_body": {"temperature": 2}}, "temperature: 2"),
            ({"messages": []}, "messages: "),
            ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content: "),
            ({"messages": [{"role": "assistant", "content": "a"}]}, "first message"),
            ({"model": ""}, "model: "),
            ({"extra_body": {"wings": 2}}, "wings"),
            ({"extra_headers": {"anthropic-version": "2020-01-01"}}, "anthropic-version: 2020-01-01"),
        ],
        ids=str,
    )
    def test_what_is_not_spoken_says_where(self, client, change, said):
        message = refused(lambda: say(client, **change), anthropic.BadRequestError, self.INVALID)
        assert said in message and "Malformed" not in message

    def test_no_limit(self, server):
        answer = raw.request(server, "POST", "/anthropic/v1/messages", {"model": HAIKU, "messages": ASKED})
        assert answer.status == 400 and "max_tokens" in answer.json["error"]["message"]

    def test_no_such_model(self, client):
        refused(lambda: say(client, model=UNKNOWN), anthropic.NotFoundError, "not_found_error")

    def test_a_guardrail_is_not_ignored(self, client):
        head = {"X-Amzn-Bedrock-GuardrailIdentifier": "gr1", "X-Amzn-Bedrock-GuardrailVersion": "1"}
        message = refused(lambda: say(client, extra_headers=head), anthropic.BadRequestError, self.INVALID)
        assert "guardrail identifier" in message

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
    def test_a_broken_body(self, server, body):
        answer = raw.request(server, "POST", "/anthropic/v1/messages", body)
        assert (answer.status, answer.json["type"]) == (400, "error"), answer.body

    def test_other_paths_say_what_there_is(self, server):
        answer = raw.request(server, "POST", "/anthropic/v1/complete")
        assert answer.status == 404 and "/anthropic/v1/messages" in answer.json["error"]["message"]
        assert raw.request(server, "GET", "/anthropic/v1/messages").status == 405


class TestKeys:
    @pytest.fixture(scope="class")
    def guarded(self):
        config = '[[access.users]]\naccount = "111122223333"\nname = "nobody"\npolicies = []\n'
        server = Server("serve", config=config)
        try:
            server.key = api_key(server.data, "111122223333")
            server.narrow = api_key(server.data, "111122223333", "--user", "nobody")
            server.signer = Signer(*access_key(server.data, "111122223333"))
            with server:
                yield server
        finally:
            server.remove()

    def test_both_ways_to_send_a_key(self, guarded):
        for key in ({"api_key": guarded.key}, {"auth_token": guarded.key}):
            client = of(guarded.url, **key)
            model = client.models.list().data[0].id
            assert model.startswith("outcrop.") and say(client, model=model, max_tokens=1).usage.output_tokens == 1
        # The header of older clients goes before a bearer token.
        for other in ({}, {"authorization": "Bearer x"}):
            headers = {"x-api-key": guarded.key, **other}
            assert raw.request(guarded, "GET", "/anthropic/v1/models", headers=headers, signer=None).status == 200
        assert guarded.key not in guarded.log_text

    def test_a_forged_key_and_none(self, guarded):
        refused(lambda: say(of(guarded.url, api_key="x")), anthropic.AuthenticationError, "authentication_error")
        for headers in ({}, {"x-api-key": ""}):
            answer = raw.request(guarded, "POST", "/anthropic/v1/messages", b"{}", headers=headers, signer=None)
            assert (answer.status, answer.json["error"]["type"]) == (401, "authentication_error"), answer.body

    def test_the_header_of_a_key_opens_no_other_door(self, guarded):
        for path in ("/v1/models", "/foundation-models"):
            answer = raw.request(guarded, "GET", path, headers={"x-api-key": guarded.key}, signer=None)
            assert answer.status in (401, 403), (path, answer.body)

    def test_a_principal_that_may_not(self, guarded):
        model, client = of(guarded.url, api_key=guarded.key).models.list().data[0].id, of(guarded.url, api_key=guarded.narrow)
        count = lambda: client.messages.count_tokens(model=model, messages=ASKED)  # noqa: E731
        for call in (lambda: say(client, model=model), count, client.models.list, lambda: client.models.retrieve(model)):
            refused(call, anthropic.PermissionDeniedError, "permission_error")

    def test_a_signature(self, guarded):
        model = of(guarded.url, api_key=guarded.key).models.list().data[0].id
        body = {"model": model, "messages": ASKED, "max_tokens": 1}
        answer = raw.request(guarded, "POST", "/anthropic/v1/messages", body, signer=guarded.signer)
        assert answer.status == 200, answer.body
