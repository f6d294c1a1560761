"""Outcrop in front of Outcrop gives the same answers as Outcrop alone: as AWS Bedrock upstream, through its OpenAI door
and through its Anthropic door."""

import json

import pytest

from support.ask import user
from support.clients import client, raises
from support.keys import access_key
from support.server import Server

NOVA = "amazon.nova-lite-v1:0"
MISTRAL = "mistral.mistral-large-2402-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
TITAN = "amazon.titan-embed-text-v2:0"
LLAMA = "meta.llama3-8b-instruct-v1:0"
# Which provider answers for it.
WAYS = {NOVA: "bedrock", MISTRAL: "openai", HAIKU: "anthropic"}

GREEDY = {"maxTokens": 24, "temperature": 0}
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "description": "The weather of a city",
                "inputSchema": {
                    "json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
                },
            }
        }
    ],
    "toolChoice": {"tool": {"name": "get_weather"}},
}


def config(url):
    return f"""
[[providers]]
name = "bedrock"
kind = "bedrock"
url = "{url}"
region = "us-east-1"
serves = ["amazon.*", "meta.*"]

[[providers]]
name = "openai"
kind = "openai"
url = "{url}/v1"
api_key = "any"
[providers.models]
"{MISTRAL}" = "{MISTRAL}"

[[providers]]
name = "anthropic"
kind = "anthropic"
url = "{url}/anthropic"
api_key = "any"
[providers.models]
"{HAIKU}" = "{HAIKU}"
"""


@pytest.fixture(scope="module")
def front(server):
    credentials = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "any"}
    with Server(config=config(server.url), env=credentials) as running:
        yield running


@pytest.fixture(scope="module")
def before(front):
    return client(front.url, "bedrock-runtime")


def content(answer):
    return answer["output"]["message"]["content"]


def streamed(answer):
    events = list(answer["stream"])
    text = "".join(e["contentBlockDelta"]["delta"].get("text", "") for e in events if "contentBlockDelta" in e)
    return text, events


def counts(usage):
    return {name: usage[name] for name in ("inputTokens", "outputTokens", "totalTokens")}


@pytest.mark.parametrize("model", WAYS)
class TestTheSameAnswers:
    def test_whole(self, runtime, before, model):
        asked = {"modelId": model, "messages": [user("Name three colours.")], "inferenceConfig": GREEDY}
        alone, behind = runtime.converse(**asked), before.converse(**asked)
        assert content(behind) == content(alone)
        assert behind["stopReason"] == alone["stopReason"] == "max_tokens"
        assert counts(behind["usage"]) == counts(alone["usage"])
        assert behind["ResponseMetadata"]["HTTPHeaders"]["x-outcrop-served-by"].startswith(WAYS[model])

    def test_streamed(self, runtime, before, model):
        asked = {"modelId": model, "messages": [user("Name three colours.")], "inferenceConfig": GREEDY}
        alone, behind = streamed(runtime.converse_stream(**asked)), streamed(before.converse_stream(**asked))
        assert behind[0] == alone[0] != ""
        assert [list(e)[0] for e in behind[1][-3:]] == ["contentBlockStop", "messageStop", "metadata"]
        assert counts(behind[1][-1]["metadata"]["usage"]) == counts(alone[1][-1]["metadata"]["usage"])

    def test_a_forced_tool(self, runtime, before, model):
        asked = {
            "modelId": model,
            "messages": [user("What is the weather in Paris?")],
            "inferenceConfig": {"maxTokens": 60, "temperature": 0},
            "toolConfig": TOOLS,
        }
        alone, behind = runtime.converse(**asked), before.converse(**asked)
        calls = [[b["toolUse"] for b in content(answer) if "toolUse" in b] for answer in (alone, behind)]
        assert [(c["name"], c["input"]) for c in calls[1]] == [(c["name"], c["input"]) for c in calls[0]] != []
        assert behind["stopReason"] == alone["stopReason"]
        # And its result is read.
        more = [
            behind["output"]["message"],
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": calls[1][0]["toolUseId"], "content": [{"text": "18 degrees"}]}}],
            },
        ]
        asked["messages"] = asked["messages"] + more
        del asked["toolConfig"]["toolChoice"]
        try:
            assert content(before.converse(**asked)) != []
        finally:
            asked["toolConfig"]["toolChoice"] = {"tool": {"name": "get_weather"}}

    def test_stop_sequences(self, runtime, before, model):
        asked = {
            "modelId": model,
            "messages": [user("Count: one, two, three, four, five.")],
            "inferenceConfig": {"maxTokens": 40, "temperature": 0, "stopSequences": [" ", "\n"]},
        }
        alone, behind = runtime.converse(**asked), before.converse(**asked)
        assert content(behind) == content(alone) and alone["stopReason"] == "stop_sequence"
        # Chat completions have one word for an end and for a sequence that stopped.
        assert behind["stopReason"] == ("end_turn" if WAYS[model] == "openai" else "stop_sequence")

    def test_what_is_refused_is_refused_in_the_same_words(self, runtime, before, model):
        asked = {"modelId": model, "messages": [{"role": "user", "content": [{"text": " "}]}]}
        texts = []
        for one in (runtime, before):
            texts.append(raises(lambda one=one: one.converse(**asked), "ValidationException"))
        assert texts[0] == texts[1]


class TestBytesPassThrough:
    def test_invoke_model_in_the_models_own_format(self, runtime, before):
        body = json.dumps({"prompt": "Name three colours.", "max_gen_len": 16, "temperature": 0})
        answers = []
        for one in (runtime, before):
            answer = one.invoke_model(modelId=LLAMA, body=body)
            headers = answer["ResponseMetadata"]["HTTPHeaders"]
            counted = [headers[f"x-amzn-bedrock-{n}-token-count"] for n in ("input", "output")]
            answers.append((json.loads(answer["body"].read()), counted))
        assert answers[0] == answers[1]

    def test_and_its_chunks(self, runtime, before):
        body = json.dumps({"prompt": "Name three colours.", "max_gen_len": 16, "temperature": 0})
        texts = []
        for one in (runtime, before):
            chunks = one.invoke_model_with_response_stream(modelId=LLAMA, body=body)["body"]
            read = [json.loads(event["chunk"]["bytes"]) for event in chunks]
            assert "amazon-bedrock-invocationMetrics" in read[-1]
            texts.append("".join(chunk["generation"] for chunk in read))
        assert texts[0] == texts[1] != ""

    def test_vectors(self, runtime, before):
        body = json.dumps({"inputText": "a stone", "dimensions": 256})
        vectors = [
            json.loads(one.invoke_model(modelId=TITAN, body=body)["body"].read())["embedding"]
            for one in (runtime, before)
        ]
        # The upstream's numbers are normalised again.
        assert vectors[1] == pytest.approx(vectors[0], abs=1e-5) and len(vectors[0]) == 256

    def test_counted_tokens(self, runtime, before):
        for model in (NOVA, HAIKU):
            asked = {"modelId": model, "input": {"converse": {"messages": [user("Name three colours.")]}}}
            assert before.count_tokens(**asked)["inputTokens"] == runtime.count_tokens(**asked)["inputTokens"]


def test_a_signature_by_real_keys_is_accepted(fresh):
    """The upstream checks what this server signs."""
    upstream = fresh("serve", config="[stand_ins]\nmode = 'on'\n")
    identity, secret = access_key(upstream.data, user="root")
    upstream.start()
    environment = {"AWS_ACCESS_KEY_ID": identity, "AWS_SECRET_ACCESS_KEY": secret}
    front = fresh(config=config(upstream.url), env=environment).start()
    asked = {"modelId": NOVA, "messages": [user("hi")], "inferenceConfig": {"maxTokens": 4}}
    assert content(client(front.url, "bedrock-runtime").converse(**asked)) != []

    wrong = fresh(config=config(upstream.url), env={**environment, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}).start()
    one = client(wrong.url, "bedrock-runtime")
    told = raises(lambda: one.converse(**asked), "ModelErrorException", status=424)
    assert "credentials" in told and identity not in told
    assert "wrong-secret" not in wrong.log_text
