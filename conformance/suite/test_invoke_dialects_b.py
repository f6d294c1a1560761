"""InvokeModel with chat completions and what other makers made of them: OpenAI, Qwen, Mistral, Jamba, Cohere."""

import json

import jsonschema
import pytest

from support.ask import SCHEMA, converse, invoke, invoke_stream, text
from support.clients import raises

METRICS = "amazon-bedrock-invocationMetrics"
PROMPT = "Name three rivers."
FUNCTION = {"name": "thermometer", "description": "Reads the temperature.", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}


def messages(prompt=PROMPT, **rest):
    return {"messages": [{"role": "user", "content": prompt}], "max_tokens": 12, "temperature": 0, **rest}


class Dialect:
    """How one model is asked, and where its answers have their text and their end."""

    def __init__(self, model, body, whole, piece, end, ends=("stop", "length")):
        self.model, self.body, self.whole, self.piece, self.end, self.ends = model, body, whole, piece, end, ends

    def __repr__(self):
        return self.model


def completions(model, end="finish_reason", piece="delta"):
    return Dialect(
        model,
        messages(),
        lambda out: out["choices"][0]["message"]["content"],
        lambda chunk: chunk["choices"][0][piece].get("content", ""),
        lambda chunk: chunk["choices"][0][end],
    )


LOCAL = completions("outcrop.smollm2-135m-instruct")
GPT = completions("openai.gpt-oss-20b-1:0")
QWEN = completions("qwen.qwen3-32b-v1:0")
LARGE = completions("mistral.mistral-large-2402-v1:0", "stop_reason", "message")
JAMBA = completions("ai21.jamba-1-5-mini-v1:0")
MISTRAL = Dialect(
    "mistral.mistral-7b-instruct-v0:2",
    {"prompt": f"<s>[INST] {PROMPT} [/INST]", "max_tokens": 12, "temperature": 0},
    lambda out: out["outputs"][0]["text"],
    lambda chunk: chunk["outputs"][0]["text"],
    lambda chunk: chunk["outputs"][0]["stop_reason"],
)
COMMAND = Dialect(
    "cohere.command-text-v14",
    {"prompt": PROMPT, "max_tokens": 12, "temperature": 0},
    lambda out: out["generations"][0]["text"],
    lambda chunk: chunk["text"],
    lambda chunk: chunk["finish_reason"] if chunk["is_finished"] else None,
    ("COMPLETE", "MAX_TOKENS"),
)
COMMAND_R = Dialect(
    "cohere.command-r-v1:0",
    {"message": PROMPT, "max_tokens": 12, "temperature": 0},
    lambda out: out["text"],
    lambda chunk: chunk.get("text", ""),
    lambda chunk: chunk["finish_reason"] if chunk["is_finished"] else None,
    ("COMPLETE", "MAX_TOKENS"),
)
ALL = [LOCAL, GPT, QWEN, LARGE, JAMBA, MISTRAL, COMMAND, COMMAND_R]
CHATS = [LOCAL, GPT, QWEN, LARGE, JAMBA]


@pytest.mark.parametrize("dialect", ALL, ids=repr)
class TestEvery:
    def test_it_says_what_converse_says(self, runtime, dialect):
        out, headers = invoke(runtime, dialect.model, dialect.body)
        said = dialect.whole(out)
        assert said.strip() and said == text(converse(runtime, model=dialect.model, tokens=12))
        assert 0 < int(headers["x-amzn-bedrock-output-token-count"]) <= 12
        assert headers["content-type"] == "application/json"

    def test_a_stream_says_the_same_and_ends_with_the_metrics(self, runtime, dialect):
        chunks = invoke_stream(runtime, dialect.model, dialect.body)
        out, headers = invoke(runtime, dialect.model, dialect.body)
        assert "".join(dialect.piece(chunk) for chunk in chunks) == dialect.whole(out)
        assert len(chunks) > 4, "not streamed"
        # Clients stop reading where the reason is told.
        assert [dialect.end(chunk) for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
        assert dialect.end(chunks[-1]) in dialect.ends
        assert METRICS not in json.dumps(chunks[:-1])
        metrics = chunks[-1][METRICS]
        assert metrics["inputTokenCount"] == int(headers["x-amzn-bedrock-input-token-count"])
        assert metrics["outputTokenCount"] == int(headers["x-amzn-bedrock-output-token-count"])
        assert metrics["invocationLatency"] >= metrics["firstByteLatency"] >= 0

    def test_its_tokens_are_counted(self, runtime, dialect):
        _, headers = invoke(runtime, dialect.model, dialect.body)
        body = {"body": json.dumps(dialect.body).encode()}
        counted = runtime.count_tokens(modelId=dialect.model, input={"invokeModel": body})["inputTokens"]
        assert counted == int(headers["x-amzn-bedrock-input-token-count"]) > 3

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda body: "{", "Malformed input request"),
            (lambda body: {}, "Malformed input request: #: required key ["),
            (lambda body: {**body, "wings": 2}, "#: extraneous key [wings] is not permitted, please reformat"),
            (lambda body: {**body, "max_tokens": 0}, "#/max_tokens: 0 is not greater or equal to 1"),
            (lambda body: {**body, "temperature": "warm"}, "#/temperature: expected type: Number, found: String"),
            (lambda body: {**body, "temperature": 7}, "#/temperature: 7 is not less or equal to "),
        ],
        ids=["cut", "empty", "extra", "tokens", "type", "hot"],
    )
    def test_a_bad_body_is_the_callers_fault(self, runtime, dialect, change, said):
        body = change(dialect.body)
        raw = body if isinstance(body, str) else json.dumps(body)
        raises(lambda: runtime.invoke_model(modelId=dialect.model, body=raw), "ValidationException", said)
        raises(
            lambda: runtime.invoke_model_with_response_stream(modelId=dialect.model, body=raw),
            "ValidationException",
            said,
        )


@pytest.mark.parametrize("dialect", CHATS, ids=repr)
class TestChatCompletions:
    def test_an_answer_is_a_full_completion(self, runtime, dialect):
        out, headers = invoke(runtime, dialect.model, dialect.body)
        assert out["object"] == "chat.completion" and out["id"].startswith("chatcmpl-") and out["created"] > 1_700_000_000
        assert out["model"] == dialect.model
        assert out["choices"][0]["message"]["role"] == "assistant"
        assert dialect.end(out) in dialect.ends
        usage = out["usage"]
        assert usage["prompt_tokens"] == int(headers["x-amzn-bedrock-input-token-count"])
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]

    def test_a_tool_is_called_and_its_result_goes_back(self, runtime, dialect):
        some = "any" if dialect is LARGE else "required"
        body = messages("Read it.", tools=[TOOL], tool_choice=some, **{"max_tokens": 200})
        out, _ = invoke(runtime, dialect.model, body)
        message = out["choices"][0]["message"]
        assert dialect.end(out) == "tool_calls" and message["content"] is None
        (call,) = message["tool_calls"]
        assert call["id"] and call["function"]["name"] == "thermometer"
        jsonschema.validate(json.loads(call["function"]["arguments"]), SCHEMA)

        body["messages"] += [message, {"role": "tool", "tool_call_id": call["id"], "content": "21"}]
        again, _ = invoke(runtime, dialect.model, {**body, "tool_choice": "auto", "max_tokens": 4})
        assert again["choices"][0]["message"]["role"] == "assistant"
        assert again["usage"]["prompt_tokens"] > out["usage"]["prompt_tokens"]

    def test_a_tool_call_streams(self, runtime, dialect):
        some = "any" if dialect is LARGE else "required"
        body = messages("Read it.", tools=[TOOL], tool_choice=some, **{"max_tokens": 200})
        piece = "message" if dialect is LARGE else "delta"
        deltas = [chunk["choices"][0][piece] for chunk in invoke_stream(runtime, dialect.model, body)]
        calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
        assert calls[0]["id"] and calls[0]["function"]["name"] == "thermometer"
        assert {call["index"] for call in calls} == {0}
        arguments = "".join(call["function"]["arguments"] for call in calls)
        jsonschema.validate(json.loads(arguments), SCHEMA)
        assert len(calls) == 1 if dialect is LARGE else len(calls) > 2


@pytest.mark.parametrize("dialect", [LOCAL, GPT, QWEN], ids=repr)
class TestOpenAi:
    def test_structured_output(self, runtime, dialect):
        wanted = {"type": "json_schema", "json_schema": {"name": "reading", "schema": SCHEMA}}
        out, _ = invoke(runtime, dialect.model, messages("Describe it.", response_format=wanted, **{"max_tokens": 200}))
        jsonschema.validate(json.loads(dialect.whole(out)), SCHEMA)

    def test_any_json(self, runtime, dialect):
        out, _ = invoke(runtime, dialect.model, messages(response_format={"type": "json_object"}))
        assert dialect.whole(out).lstrip().startswith("{")

    def test_no_tool_now(self, runtime, dialect):
        with_none = messages(tools=[TOOL], tool_choice="none")
        assert invoke(runtime, dialect.model, with_none)[0]["choices"] == invoke(runtime, dialect.model, messages())[0]["choices"]

    def test_the_body_may_repeat_the_call_and_must_agree(self, runtime, dialect):
        invoke(runtime, dialect.model, messages(model=dialect.model, stream=False))
        assert invoke_stream(runtime, dialect.model, messages(model=dialect.model, stream=True, stream_options={"include_usage": True}))[-1]["usage"]
        for body, said in [
            (messages(model="gpt-4o"), "#/model: gpt-4o does not match the model of the request, " + dialect.model),
            (messages(stream=True), "#/stream: true does not match the operation InvokeModel"),
        ]:
            raw = json.dumps(body)
            raises(lambda raw=raw: runtime.invoke_model(modelId=dialect.model, body=raw), "ValidationException", said)
        raises(
            lambda: runtime.invoke_model_with_response_stream(modelId=dialect.model, body=json.dumps(messages(stream=False))),
            "ValidationException",
            "#/stream: false does not match the operation InvokeModelWithResponseStream",
        )

    def test_stop_is_a_string_or_a_list(self, runtime, dialect):
        whole = dialect.whole(invoke(runtime, dialect.model, messages())[0])
        stop = whole[5]
        for given in (stop, [stop]):
            out, _ = invoke(runtime, dialect.model, messages(stop=given))
            assert dialect.whole(out) == whole[: whole.index(stop)] and dialect.end(out) == "stop"

    def test_an_image_that_nobody_reads_is_refused(self, runtime, dialect):
        part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
        body = json.dumps(messages([{"type": "text", "text": "What is it?"}, part]))
        raises(lambda: runtime.invoke_model(modelId=dialect.model, body=body), "ValidationException", "image")


class TestCohere:
    def test_the_prompt_and_the_history_come_back(self, runtime):
        out, _ = invoke(runtime, COMMAND.model, COMMAND.body)
        assert out["prompt"] == PROMPT and out["generations"][0]["id"]
        history = [{"role": "USER", "message": "Hi."}, {"role": "CHATBOT", "message": "Hello."}]
        out, _ = invoke(runtime, COMMAND_R.model, {**COMMAND_R.body, "chat_history": history})
        said = [{"role": "USER", "message": PROMPT}, {"role": "CHATBOT", "message": out["text"]}]
        assert out["chat_history"] == history + said and out["response_id"] and out["generation_id"]

    def test_documents_and_a_preamble_are_read(self, runtime):
        plain = int(invoke(runtime, COMMAND_R.model, COMMAND_R.body)[1]["x-amzn-bedrock-input-token-count"])
        for more in ({"documents": [{"title": "Rivers", "snippet": "The Loire is long."}]}, {"preamble": "Be brief."}):
            _, headers = invoke(runtime, COMMAND_R.model, {**COMMAND_R.body, **more})
            assert int(headers["x-amzn-bedrock-input-token-count"]) > plain + 2

    def test_tool_results_are_read(self, runtime):
        tool = {"name": "tide", "description": "Tide at a port.", "parameter_definitions": {"port": {"type": "str", "required": True}}}
        asked = {**COMMAND_R.body, "message": "High water at Brest?", "tools": [tool]}
        before = int(invoke(runtime, COMMAND_R.model, asked)[1]["x-amzn-bedrock-input-token-count"])
        result = {"call": {"name": "tide", "parameters": {"port": "Brest"}}, "outputs": [{"text": "06:40"}]}
        out, headers = invoke(runtime, COMMAND_R.model, {**asked, "tool_results": [result]})
        assert out["finish_reason"] in COMMAND_R.ends
        assert int(headers["x-amzn-bedrock-input-token-count"]) > before
        assert out["chat_history"][1]["tool_calls"] == [result["call"]]
        assert out["chat_history"][2] == {"role": "TOOL", "tool_results": [result]}

    def test_the_stream_names_its_events(self, runtime):
        chunks = invoke_stream(runtime, COMMAND_R.model, COMMAND_R.body)
        kinds = [chunk["event_type"] for chunk in chunks]
        assert kinds[0] == "stream-start" and kinds[-1] == "stream-end" and set(kinds[1:-1]) == {"text-generation"}
        whole, _ = invoke(runtime, COMMAND_R.model, COMMAND_R.body)
        assert chunks[-1]["response"]["text"] == whole["text"]

    @pytest.mark.parametrize("field", ["search_queries_only", "raw_prompting", "return_prompt"])
    def test_another_kind_of_answer_is_refused_by_who_cannot_give_it(self, runtime, field):
        body = {**COMMAND_R.body, field: True}
        raises(lambda: runtime.invoke_model(modelId=COMMAND_R.model, body=json.dumps(body)), "ValidationException", field)
        invoke(runtime, COMMAND_R.model, {**COMMAND_R.body, field: False})


class TestMistralPrompt:
    def test_turns_are_turns(self, runtime):
        prompt = "<s>[INST] Hi. [/INST] Hello.</s>[INST] Name three rivers. [/INST]"
        out, _ = invoke(runtime, MISTRAL.model, {**MISTRAL.body, "prompt": prompt})
        turns = [("user", "Hi."), ("assistant", "Hello."), ("user", PROMPT)]
        same = converse(runtime, [{"role": role, "content": [{"text": said}]} for role, said in turns], model=MISTRAL.model)
        assert MISTRAL.whole(out) == text(same)
