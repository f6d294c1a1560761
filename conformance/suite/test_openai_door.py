"""OpenAI's own client on the door of its API: chat completions, embeddings, models. Answers come from the models."""

import base64
import json
import struct

import httpx2
import jsonschema
import openai
import pytest
from pydantic import BaseModel

from support import raw
from support.ask import COHERE_EMBED, HAIKU, HAIKU_ARN, LLAMA, PROFILE, SCHEMA, TITAN_EMBED, UNKNOWN
from support.keys import access_key, api_key
from support.openai import PIXEL, of, refused
from support.server import Server
from support.sigv4 import Signer

TOOLS = [
    {"type": "function", "function": {"name": "thermometer", "description": "Reads it.", "parameters": SCHEMA}},
    {
        "type": "function",
        "function": {
            "name": "turn",
            "parameters": {
                "type": "object",
                "properties": {"side": {"type": "string", "enum": ["left", "right"]}},
                "required": ["side"],
                "additionalProperties": False,
            },
        },
    },
]
ASKED = [{"role": "user", "content": "Name three rivers."}]


@pytest.fixture(scope="module")
def client(server):
    return of(server.url)


def chat(client, messages=ASKED, model=HAIKU, **rest):
    return client.chat.completions.create(**{"model": model, "messages": messages, "max_tokens": 12, "temperature": 0, **rest})


class TestChat:
    @pytest.mark.parametrize("prefix", ["/v1", "/openai/v1"])
    def test_an_answer(self, server, prefix):
        answer = chat(of(server.url, prefix))
        (choice,) = answer.choices
        assert choice.message.role == "assistant" and choice.message.content.strip()
        assert choice.finish_reason in ("stop", "length") and choice.index == 0
        assert (answer.object, answer.model) == ("chat.completion", HAIKU)
        assert answer.id.startswith("chatcmpl-") and answer.created > 1_700_000_000
        usage = answer.usage
        assert 0 < usage.completion_tokens <= 12 and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        assert len(answer._request_id) == 36

    def test_it_says_what_converse_says(self, client, runtime):
        told = runtime.converse(
            modelId=HAIKU,
            messages=[{"role": "user", "content": [{"text": "Name three rivers."}]}],
            inferenceConfig={"maxTokens": 12, "temperature": 0},
        )
        answer = chat(client)
        assert answer.choices[0].message.content == told["output"]["message"]["content"][0]["text"]
        assert answer.usage.completion_tokens == told["usage"]["outputTokens"]

    @pytest.mark.parametrize("model", [HAIKU, HAIKU_ARN, PROFILE, LLAMA])
    def test_every_name_of_a_model(self, client, model):
        assert chat(client, model=model, max_tokens=1).model == model

    def test_a_stand_in_says_who_answered(self, client):
        head = client.chat.completions.with_raw_response.create(model=HAIKU, messages=ASKED, max_tokens=1).headers
        assert head["x-outcrop-served-by"].startswith("outcrop.")

    @pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
    def test_the_limit_is_exact(self, client, limit):
        given = {"max_tokens": openai.omit, limit: 3}
        answer = chat(client, [{"role": "user", "content": "Write a long story."}], **given)
        assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 3)

    def test_a_stop_sequence(self, client):
        text = chat(client, max_tokens=20).choices[0].message.content
        stop = text[len(text) // 2 :][:3]
        answer = chat(client, max_tokens=20, stop=[stop])
        assert answer.choices[0].finish_reason == "stop"
        assert answer.choices[0].message.content == text[: text.index(stop)]

    def test_turns_of_one_role_follow_each_other(self, client):
        turns = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One."},
            {"role": "user", "content": [{"type": "text", "text": "Two."}]},
            {"role": "assistant", "content": "Three."},
            {"role": "user", "content": "Go on."},
        ]
        assert chat(client, turns).usage.prompt_tokens > chat(client, turns[:2]).usage.prompt_tokens

    def test_a_schema(self, client):
        asked = {"type": "json_schema", "json_schema": {"name": "reading", "schema": SCHEMA, "strict": True}}
        answer = chat(client, max_tokens=100, response_format=asked)
        jsonschema.validate(json.loads(answer.choices[0].message.content), SCHEMA)

    def test_any_json(self, client):
        answer = chat(client, max_tokens=300, response_format={"type": "json_object"})
        if answer.choices[0].finish_reason == "stop":
            assert isinstance(json.loads(answer.choices[0].message.content), dict)

    def test_a_class_of_the_caller_s(self, client):
        class Turn(BaseModel):
            urgent: bool
            count: int

        answer = client.chat.completions.parse(model=HAIKU, messages=ASKED, max_tokens=100, temperature=0, response_format=Turn)
        assert isinstance(answer.choices[0].message.parsed, Turn)

    def test_the_tier_is_echoed(self, client):
        assert chat(client, max_tokens=1, service_tier="flex").service_tier == "flex"
        assert chat(client, max_tokens=1, service_tier="auto").service_tier is None

    def test_what_only_travels(self, client):
        chat(client, max_tokens=1, seed=7, user="u", reasoning_effort="low", parallel_tool_calls=True, metadata={"team": "a"},
             presence_penalty=0.5, logit_bias={"1": 1}, n=1, store=False)  # fmt: skip

    def test_the_same_seed_says_the_same(self, client):
        one, two = (chat(client, temperature=1, seed=5, max_tokens=8).choices[0].message.content for _ in range(2))
        assert one == two


class TestTools:
    def called(self, client, **rest):
        answer = chat(client, max_tokens=200, tools=TOOLS, **rest)
        return answer, answer.choices[0].message.tool_calls or []

    @pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool["function"]["name"])
    def test_a_forced_tool(self, client, tool):
        name = tool["function"]["name"]
        answer, (call,) = self.called(client, tool_choice={"type": "function", "function": {"name": name}})
        assert (answer.choices[0].finish_reason, call.type, call.function.name) == ("tool_calls", "function", name)
        jsonschema.validate(json.loads(call.function.arguments), tool["function"]["parameters"])

    def test_some_tool(self, client):
        answer, calls = self.called(client, tool_choice="required")
        assert answer.choices[0].finish_reason == "tool_calls" and calls

    def test_no_tool(self, client):
        answer, calls = self.called(client, tool_choice="none")
        assert not calls and answer.choices[0].finish_reason in ("stop", "length")

    def test_results_go_back(self, client):
        first, calls = self.called(client, tool_choice="required")
        history = [*ASKED, first.choices[0].message]
        history += [{"role": "tool", "tool_call_id": call.id, "content": "21"} for call in calls]
        answer = chat(client, history, tools=TOOLS)
        assert answer.usage.prompt_tokens > first.usage.prompt_tokens

    def test_parallel_calls_in_the_history(self, client):
        calls = [{"id": f"call_{i}", "type": "function", "function": {"name": "turn", "arguments": '{"side":"left"}'}} for i in (1, 2)]
        history = [*ASKED, {"role": "assistant", "tool_calls": calls}]
        history += [{"role": "tool", "tool_call_id": f"call_{i}", "content": "done"} for i in (1, 2)]
        assert chat(client, history, tools=TOOLS).choices[0].message.role == "assistant"

    def test_a_streamed_call_adds_up(self, client):
        forced = {"type": "function", "function": {"name": "thermometer"}}
        with client.chat.completions.stream(
            model=HAIKU, messages=ASKED, max_tokens=200, temperature=0, tools=TOOLS, tool_choice=forced
        ) as stream:
            events = [event.type for event in stream]
            answer = stream.get_final_completion()
        (call,) = answer.choices[0].message.tool_calls
        jsonschema.validate(json.loads(call.function.arguments), SCHEMA)
        assert "tool_calls.function.arguments.delta" in events and answer.choices[0].finish_reason == "tool_calls"


class TestStream:
    def test_the_pieces_are_the_answer(self, client):
        whole = chat(client)
        chunks = list(chat(client, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole.choices[0].message.content
        assert [c.choices[0].finish_reason for c in chunks][-1] == whole.choices[0].finish_reason
        assert len({c.id for c in chunks}) == 1 and all(c.object == "chat.completion.chunk" for c in chunks)
        assert chunks[0].choices[0].delta.role == "assistant" and all(c.usage is None for c in chunks)

    def test_counts_come_last_where_they_are_asked_for(self, client):
        *chunks, last = chat(client, stream=True, stream_options={"include_usage": True})
        assert last.choices == [] and last.usage.model_dump()["total_tokens"] == chat(client).usage.total_tokens
        assert all(c.usage is None for c in chunks)

    def test_it_ends_with_done_and_is_told_as_an_event_stream(self, server):
        body = {"model": HAIKU, "messages": ASKED, "max_tokens": 3, "stream": True}
        answer = raw.request(server, "POST", "/v1/chat/completions", body)
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = answer.body.decode().split("\n\n")
        assert events[-2:] == ["data: [DONE]", ""] and all(e.startswith("data: {") for e in events[:-2])
        assert b"amazon-bedrock" not in answer.body

    def test_async(self, server):
        import asyncio

        async def say():
            client = openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="x", max_retries=0)
            stream = await client.chat.completions.create(model=HAIKU, messages=ASKED, max_tokens=6, stream=True)
            return [chunk async for chunk in stream]

        assert asyncio.run(say())[-1].choices[0].finish_reason

    def test_a_client_that_leaves(self, server, client):
        stream = chat(client, [{"role": "user", "content": "Write a very long story."}], max_tokens=2000, stream=True)
        next(iter(stream))
        stream.close()
        # The model's only sequences are free again long before 2,000 tokens are written.
        assert chat(client, max_tokens=1).usage.completion_tokens == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"n": 2}, "n"),
            ({"logprobs": True}, "logprobs"),
            ({"temperature": 3}, "temperature"),
            ({"messages": []}, "messages"),
            ({"messages": [{"role": "robot", "content": "a"}]}, "messages[0].role"),
            ({"store": True}, "store"),
            ({"modalities": ["audio"]}, "modalities[0]"),
            ({"model": ""}, "model"),
            ({"tools": [{"type": "custom", "custom": {"name": "a"}}]}, "tools[0].type"),
        ],
        ids=str,
    )
    def test_what_is_not_spoken_names_its_member(self, client, change, param):
        message = refused(lambda: chat(client, **change), openai.BadRequestError, param)
        assert "Malformed input request" not in message

    def test_an_image_of_the_web(self, client):
        image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
        asked = [{"role": "user", "content": [image]}]
        message = refused(lambda: chat(client, asked), openai.BadRequestError, "messages[0].content[0].image_url.url")
        assert "data:image/png;base64" in message

    def test_an_image_reaches_the_model(self, client):
        asked = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}}]}]
        # The stand-in has no eyes, and says so rather than answering without.
        message = refused(lambda: chat(client, asked), openai.BadRequestError)
        assert "image" in message and "can't be read by outcrop." in message

    def test_no_such_model(self, client):
        refused(lambda: chat(client, model=UNKNOWN), openai.NotFoundError, code="model_not_found")

    def test_a_guardrail_is_not_ignored(self, client):
        head = {"X-Amzn-Bedrock-GuardrailIdentifier": "gr1", "X-Amzn-Bedrock-GuardrailVersion": "1"}
        for call in (lambda: chat(client, extra_headers=head),
                     lambda: client.embeddings.create(model=TITAN_EMBED, input="a", extra_headers=head)):  # fmt: skip
            assert "uardrail" in refused(call, openai.BadRequestError)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model": 7}'])
    def test_a_broken_body(self, server, body):
        answer = raw.request(server, "POST", "/v1/chat/completions", body)
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error"), answer.body

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("POST", "/v1/completions", 404), ("GET", "/v1/files", 404), ("GET", "/v1/chat/completions", 405), ("DELETE", "/v1/models/a", 405)],
    )  # fmt: skip
    def test_other_paths_say_what_there_is(self, server, method, path, status):
        answer = raw.request(server, method, path)
        assert answer.status == status and answer.json["error"]["message"]
        assert status != 404 or "/v1/chat/completions" in answer.json["error"]["message"]


class TestEmbeddings:
    @pytest.mark.parametrize("model", [TITAN_EMBED, COHERE_EMBED])
    def test_one_vector_for_each_text(self, client, model):
        answer = client.embeddings.create(model=model, input=["a ship", "a river", "a ship"])
        one, two, three = (item.embedding for item in answer.data)
        assert [item.index for item in answer.data] == [0, 1, 2] and answer.model == model
        assert one == three != two and len(one) == 1024
        assert abs(sum(x * x for x in one) - 1) < 1e-3
        assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0

    def test_bytes_and_decimals_are_the_same_numbers(self, client):
        ask = lambda form: client.embeddings.create(model=TITAN_EMBED, input="a ship", encoding_format=form).data[0].embedding  # noqa: E731
        coded = ask("base64")
        assert list(struct.unpack(f"<{1024}f", base64.b64decode(coded))) == pytest.approx(ask("float"), abs=1e-7)

    def test_fewer_numbers(self, client):
        assert len(client.embeddings.create(model=TITAN_EMBED, input="a", dimensions=256).data[0].embedding) == 256
        assert "Use one of" in refused(
            lambda: client.embeddings.create(model=TITAN_EMBED, input="a", dimensions=255), openai.BadRequestError
        )

    @pytest.mark.parametrize("tokens", [[1, 2], [[1, 2], [3]]])
    def test_tokens_are_refused(self, client, tokens):
        message = refused(lambda: client.embeddings.create(model=TITAN_EMBED, input=tokens), openai.BadRequestError, "input")
        assert "list of strings" in message

    def test_a_model_that_makes_none(self, client):
        assert HAIKU in refused(lambda: client.embeddings.create(model=HAIKU, input="a"), openai.BadRequestError)


class TestModels:
    def test_the_list_is_of_what_can_be_used(self, client):
        listed = list(client.models.list())
        ids = [model.id for model in listed]
        assert {HAIKU, TITAN_EMBED, PROFILE} <= set(ids) and len(ids) == len(set(ids))
        assert all(model.object == "model" and model.owned_by for model in listed)
        assert not any(id.startswith("stability.") for id in ids)

    @pytest.mark.parametrize("name", [HAIKU, HAIKU_ARN, PROFILE])
    def test_one(self, client, name):
        model = client.models.retrieve(name)
        assert (model.id, model.owned_by) == (name, "Anthropic")

    def test_none(self, client):
        refused(lambda: client.models.retrieve(UNKNOWN), openai.NotFoundError)


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

    def local(self, server):
        return next(m.id for m in of(server.url, key=server.key).models.list() if "embed" not in m.id.lower() and "minilm" not in m.id.lower())

    def test_a_key_of_the_product(self, guarded):
        client = of(guarded.url, key=guarded.key)
        model = self.local(guarded)
        assert model.startswith("outcrop.") and chat(client, model=model, max_tokens=1).usage.completion_tokens == 1

    def test_a_forged_key_and_none(self, guarded):
        refused(lambda: chat(of(guarded.url, key="x")), openai.AuthenticationError, code="invalid_api_key")
        answer = raw.request(guarded, "POST", "/v1/chat/completions", b"{}", signer=None)
        assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")

    def test_a_principal_that_may_not(self, guarded):
        model, client = self.local(guarded), of(guarded.url, key=guarded.narrow)
        calls = {
            "bedrock:CallWithBearerToken": [lambda: chat(client, model=model), lambda: client.models.list(), lambda: client.models.retrieve(model)]
        }
        for action, tried in calls.items():
            for call in tried:
                assert action in refused(call, openai.PermissionDeniedError, code="permission_denied")

    def test_a_model_that_nobody_serves(self, guarded):
        refused(lambda: chat(of(guarded.url, key=guarded.key)), openai.PermissionDeniedError)

    def test_a_signature(self, guarded):
        body = {"model": self.local(guarded), "messages": ASKED, "max_tokens": 1}
        answer = raw.request(guarded, "POST", "/openai/v1/chat/completions", body, signer=guarded.signer)
        assert answer.status == 200, answer.body

    def test_the_key_is_never_logged(self, guarded):
        chat(of(guarded.url, key=guarded.key), model=self.local(guarded), max_tokens=1)
        assert guarded.key not in guarded.log_text


def test_kept_connections_and_http_errors_of_the_transport(server):
    """Two calls over one connection: the first one's body must not spoil the second."""
    with httpx2.Client(headers={"authorization": "Bearer x"}) as http:
        for _ in range(2):
            answer = http.post(server.url + "/v1/chat/completions", json={"model": HAIKU, "messages": ASKED, "max_tokens": 1})
            assert answer.status_code == 200
