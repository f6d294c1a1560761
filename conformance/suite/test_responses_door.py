"""OpenAI's own client on /v1/responses: answers, typed events, tools, kept conversations. Answers come from the models."""

import json
from typing import Literal

import jsonschema
import openai
import pytest
from pydantic import BaseModel

from support import raw
from support.ask import HAIKU, PROFILE, SCHEMA, UNKNOWN
from support.clients import client as client_of
from support.keys import access_key, api_key
from support.openai import PIXEL, of, refused
from support.server import Server
from support.sigv4 import Signer

TOOL = {"type": "function", "name": "thermometer", "description": "Reads it.", "parameters": SCHEMA, "strict": True}
FORCED = {"type": "function", "name": "thermometer"}


@pytest.fixture(scope="module")
def client(server):
    return of(server.url)


def ask(client, said="Name three rivers.", model=HAIKU, **rest):
    return client.responses.create(**{"model": model, "input": said, "max_output_tokens": 12, "temperature": 0, **rest})


class TestAnswers:
    @pytest.mark.parametrize("prefix", ["/v1", "/openai/v1"])
    def test_an_answer(self, server, prefix):
        answer = ask(of(server.url, prefix))
        assert answer.output_text.strip() and answer.object == "response" and answer.id.startswith("resp_")
        assert answer.status in ("completed", "incomplete") and answer.model == HAIKU and answer.error is None
        (item,) = answer.output
        assert (item.type, item.role, item.content[0].type) == ("message", "assistant", "output_text")
        usage = answer.usage
        assert 0 < usage.output_tokens <= 12 and usage.total_tokens == usage.input_tokens + usage.output_tokens
        assert usage.input_tokens_details.cached_tokens >= 0 and len(answer._request_id) == 36

    def test_it_says_what_converse_says(self, client, runtime):
        told = runtime.converse(
            modelId=HAIKU,
            messages=[{"role": "user", "content": [{"text": "Name three rivers."}]}],
            inferenceConfig={"maxTokens": 12, "temperature": 0},
        )
        assert ask(client).output_text == told["output"]["message"]["content"][0]["text"]

    def test_the_limit_ends_it_incomplete(self, client):
        answer = ask(client, "Write a long story.", max_output_tokens=3)
        assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
        assert answer.usage.output_tokens == 3

    def test_what_was_asked_is_repeated(self, client):
        answer = ask(client, instructions="Be brief.", metadata={"team": "a"}, tools=[TOOL], tool_choice="none", user="u",
                     service_tier="flex", reasoning={"effort": "low"}, text={"verbosity": "low"}, store=False)  # fmt: skip
        assert (answer.instructions, answer.metadata, answer.temperature) == ("Be brief.", {"team": "a"}, 0)
        assert (answer.tools[0].name, answer.tool_choice, answer.service_tier) == ("thermometer", "none", "flex")
        assert answer.to_dict()["store"] is False and answer.reasoning.effort == "low"

    def test_instructions_are_read(self, client):
        assert ask(client, instructions="Be brief.").usage.input_tokens > ask(client).usage.input_tokens

    def test_a_schema(self, client):
        form = {"format": {"type": "json_schema", "name": "reading", "schema": SCHEMA, "strict": True}}
        jsonschema.validate(json.loads(ask(client, text=form, max_output_tokens=100).output_text), SCHEMA)

    def test_a_class_of_the_caller_s(self, client):
        class Turn(BaseModel):
            urgent: bool
            side: Literal["left", "right"]

        answer = client.responses.parse(model=HAIKU, input="a", max_output_tokens=100, temperature=0, text_format=Turn)
        assert isinstance(answer.output_parsed, Turn)

    def test_a_profile_is_a_model_too(self, client):
        assert ask(client, model=PROFILE, max_output_tokens=1).model == PROFILE


class TestTools:
    def test_a_call_and_its_output(self, client):
        asked = [{"role": "user", "content": "How warm is it?"}]
        first = ask(client, asked, tools=[TOOL], tool_choice=FORCED, max_output_tokens=200)
        (call,) = [item for item in first.output if item.type == "function_call"]
        assert (call.name, call.status) == ("thermometer", "completed")
        jsonschema.validate(json.loads(call.arguments), SCHEMA)
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "21"}
        again = ask(client, asked + first.output + [output], tools=[TOOL])
        assert again.usage.input_tokens > first.usage.input_tokens

    def test_the_same_with_the_conversation_kept_here(self, client):
        first = ask(client, "How warm is it?", tools=[TOOL], tool_choice=FORCED, max_output_tokens=200)
        (call,) = [item for item in first.output if item.type == "function_call"]
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "21"}
        again = ask(client, [output], previous_response_id=first.id, tools=[TOOL])
        assert again.usage.input_tokens > first.usage.input_tokens and again.previous_response_id == first.id


class TestStream:
    def test_the_events_are_the_answer(self, client):
        whole = ask(client)
        events = list(ask(client, stream=True))
        assert [e.sequence_number for e in events] == list(range(len(events)))
        types = [e.type.removeprefix("response.") for e in events]
        assert types[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
        assert types[-4:-1] == ["output_text.done", "content_part.done", "output_item.done"]
        said = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        final = events[-1].response
        assert types[-1] == final.status and said == final.output_text == whole.output_text
        assert final.usage.output_tokens == whole.usage.output_tokens and events[0].response.id == final.id

    def test_the_client_s_own_sum(self, client):
        with client.responses.stream(
            model=HAIKU, input="How warm?", tools=[TOOL], tool_choice=FORCED, max_output_tokens=200, temperature=0
        ) as stream:
            events = [event.type for event in stream]
            answer = stream.get_final_response()
        jsonschema.validate(json.loads(answer.output[-1].arguments), SCHEMA)
        assert "response.function_call_arguments.delta" in events

    def test_on_the_wire(self, server):
        body = {"model": HAIKU, "input": "a", "max_output_tokens": 3, "stream": True}
        answer = raw.request(server, "POST", "/v1/responses", body)
        for event in answer.body.decode().strip().split("\n\n"):
            name, data = event.split("\n")
            assert name == "event: " + json.loads(data.removeprefix("data: "))["type"]
        assert b"amazon-bedrock" not in answer.body

    def test_it_is_kept_when_it_is_whole(self, client):
        *_, last = ask(client, stream=True)
        assert client.responses.retrieve(last.response.id).to_dict() == last.response.to_dict()

    def test_a_client_that_leaves_keeps_nothing(self, client):
        stream = ask(client, "Write a very long story.", max_output_tokens=2000, stream=True)
        begun = next(iter(stream)).response.id
        stream.close()
        refused(lambda: client.responses.retrieve(begun), openai.NotFoundError)


class TestKept:
    def test_a_conversation_goes_on(self, client):
        asked = [{"role": "user", "content": "Name three rivers."}]
        first = ask(client, asked)
        second = ask(client, "And three more.", previous_response_id=first.id)
        third = ask(client, "And again.", previous_response_id=second.id)
        said = [*asked, *first.output, {"role": "user", "content": "And three more."}]
        assert ask(client, said, store=False).output_text == second.output_text
        assert first.usage.input_tokens < second.usage.input_tokens < third.usage.input_tokens

    def test_instructions_are_not_kept(self, client):
        told, plain = ask(client, instructions="Be brief. " * 20), ask(client)
        assert told.usage.input_tokens > plain.usage.input_tokens + 30
        again = ask(client, "And?", previous_response_id=told.id, max_output_tokens=1)
        said = [{"role": "user", "content": "Name three rivers."}, *told.output, {"role": "user", "content": "And?"}]
        assert again.usage.input_tokens == ask(client, said, max_output_tokens=1).usage.input_tokens

    def test_it_can_be_read_and_deleted(self, client):
        made = ask(client)
        assert client.responses.retrieve(made.id).to_dict() == made.to_dict()
        client.responses.delete(made.id)
        every = (client.responses.retrieve, client.responses.delete, client.responses.cancel, client.responses.input_items.list)
        for call in every:
            refused(lambda call=call: call(made.id), openai.NotFoundError)
        member, code = "previous_response_id", "previous_response_not_found"
        message = refused(lambda: ask(client, previous_response_id=made.id), openai.BadRequestError, member, code)
        assert made.id in message

    def test_its_input_page_by_page(self, client):
        said = [{"role": "user", "content": text} for text in ("one", "two", "three")]
        made = ask(client, said, max_output_tokens=1)
        forth = list(client.responses.input_items.list(made.id, order="asc", limit=2))
        back = list(client.responses.input_items.list(made.id, limit=1))
        assert [item.content for item in forth] == ["one", "two", "three"] and len({item.id for item in forth}) == 3
        assert [item.id for item in back] == [item.id for item in reversed(forth)]
        page = client.responses.input_items.list(made.id, order="asc", limit=2)
        assert page.has_more and page.last_id == forth[1].id

    def test_what_is_not_to_be_kept_is_not(self, client):
        made = ask(client, store=False)
        refused(lambda: client.responses.retrieve(made.id), openai.NotFoundError)
        refused(lambda: ask(client, previous_response_id=made.id), openai.BadRequestError, "previous_response_id")

    def test_an_account_that_keeps_nothing(self, server):
        bedrock, mine = client_of(server.url, "bedrock", account="121212121212"), Signer("121212121212")
        body = {"model": HAIKU, "input": "a", "max_output_tokens": 1}
        bedrock.put_account_data_retention(mode="none")
        made = raw.request(server, "POST", "/v1/responses", body, signer=mine).json
        assert made["store"] is False and made["status"] in ("completed", "incomplete")
        assert raw.request(server, "GET", "/v1/responses/" + made["id"], signer=mine).status == 404
        answer = raw.request(server, "POST", "/v1/responses", {**body, "store": True}, signer=mine)
        assert (answer.status, answer.json["error"]["param"]) == (400, "store"), answer.body
        bedrock.put_account_data_retention(mode="default")
        made = raw.request(server, "POST", "/v1/responses", {**body, "store": True}, signer=mine).json
        assert raw.request(server, "GET", "/v1/responses/" + made["id"], signer=mine).json == made

    def test_what_is_made_cannot_be_cancelled(self, client):
        assert "synchronous" in refused(lambda: client.responses.cancel(ask(client).id), openai.BadRequestError)

    def test_it_outlives_the_server(self, fresh):
        server = fresh().start()
        made = ask(of(server.url), max_output_tokens=2)
        server.kill()
        server.start()
        client = of(server.url)
        assert client.responses.retrieve(made.id).to_dict() == made.to_dict()
        assert ask(client, "Go on.", previous_response_id=made.id, max_output_tokens=1).status

    def test_another_account_and_another_region_have_none_of_it(self, server):
        mine = Signer()
        body = {"model": HAIKU, "input": "a", "max_output_tokens": 1}
        made = raw.request(server, "POST", "/v1/responses", body, signer=mine).json["id"]
        for signer in (Signer("999988887777"), Signer(region="eu-west-1")):
            for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
                answer = raw.request(server, method, f"/v1/responses/{made}{path}", signer=signer)
                assert answer.status == 404, (signer, method, path, answer.body)
            answer = raw.request(server, "POST", "/v1/responses", {**body, "previous_response_id": made}, signer=signer)
            assert answer.json["error"]["code"] == "previous_response_not_found", answer.body
        assert raw.request(server, "GET", f"/v1/responses/{made}", signer=mine).json["id"] == made


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"background": True}, "background"),
            ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
            ({"truncation": "auto"}, "truncation"),
            ({"conversation": "conv_1"}, "conversation"),
            ({"said": []}, "input"),
            ({"said": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
            (
                {"said": [{"role": "user", "content": [{"type": "input_image", "image_url": "http://a/b.png"}]}]},
                "input[0].content[0].image_url",
            ),
            ({"top_logprobs": 2}, "top_logprobs"),
            ({"model": ""}, "model"),
        ],
        ids=str,
    )
    def test_what_is_not_spoken_names_its_member(self, client, change, param):
        refused(lambda: ask(client, **change), openai.BadRequestError, param)

    def test_an_image_reaches_the_model(self, client):
        image = {"type": "input_image", "image_url": "data:image/png;base64," + PIXEL, "detail": "auto"}
        message = refused(lambda: ask(client, [{"role": "user", "content": [image]}]), openai.BadRequestError)
        assert "can't be read by outcrop." in message

    def test_no_such_model(self, client):
        refused(lambda: ask(client, model=UNKNOWN), openai.NotFoundError, code="model_not_found")

    def test_a_guardrail_is_not_ignored(self, client):
        head = {"X-Amzn-Bedrock-GuardrailIdentifier": "gr1", "X-Amzn-Bedrock-GuardrailVersion": "1"}
        assert "guardrail" in refused(lambda: ask(client, extra_headers=head), openai.BadRequestError)

    def test_it_cannot_be_streamed_again(self, client):
        made = ask(client, max_output_tokens=1)
        refused(lambda: client.responses.retrieve(made.id, stream=True), openai.BadRequestError, "stream")


class TestKeys:
    @pytest.fixture(scope="class")
    def guarded(self):
        server = Server("serve", config='[[access.users]]\naccount = "111122223333"\nname = "nobody"\npolicies = []\n')
        try:
            server.key = api_key(server.data, "111122223333")
            server.nobody = Signer(*access_key(server.data, "111122223333", "nobody"))
            with server:
                yield server
        finally:
            server.remove()

    def test_who_may_not_invoke_the_model_may_not_read_its_answers(self, guarded):
        client = of(guarded.url, key=guarded.key)
        model = next(m.id for m in client.models.list() if m.id.startswith("outcrop.smol"))
        made = ask(client, model=model, max_output_tokens=1)
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
            answer = raw.request(guarded, method, f"/v1/responses/{made.id}{path}", signer=guarded.nobody)
            assert (answer.status, answer.json["error"]["code"]) == (403, "permission_denied"), (method, path)
        body = {"model": model, "input": "a", "previous_response_id": made.id}
        assert raw.request(guarded, "POST", "/v1/responses", body, signer=guarded.nobody).status == 403
        assert client.responses.retrieve(made.id).id == made.id
