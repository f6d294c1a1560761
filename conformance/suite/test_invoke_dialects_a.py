"""InvokeModel with the bodies of Claude 2, Nova, Llama, DeepSeek R1, Titan Multimodal Embeddings and Cohere Embed v4.

A prompt in a model's own template is the conversation that it tells: each text dialect must say what Converse says to the
same conversation, cost the same tokens and stream the same text.
"""

import base64
import json

import pytest

from support.ask import assistant, converse, input_tokens, invoke, invoke_stream, text, user
from support.clients import raises

METRICS = "amazon-bedrock-invocationMetrics"
MALFORMED = "Malformed input request: "
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()

SYSTEM = "You answer in few words."
TURNS = [user("Name a river."), assistant("The Rhine."), user("Name three more.")]
TOKENS = 12


def nova(**rest):
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in TURNS]
    return {
        "schemaVersion": "messages-v1",
        "system": [{"text": SYSTEM}],
        "messages": messages,
        "inferenceConfig": {"maxTokens": TOKENS, "temperature": 0},
        **rest,
    }


def claude2(**rest):
    prompt = f"{SYSTEM}\n\nHuman: Name a river.\n\nAssistant: The Rhine.\n\nHuman: Name three more.\n\nAssistant:"
    return {"prompt": prompt, "max_tokens_to_sample": TOKENS, "temperature": 0, **rest}


LLAMA_2 = f"<s>[INST] <<SYS>>\n{SYSTEM}\n<</SYS>>\n\nName a river. [/INST] The Rhine. </s><s>[INST] Name three more. [/INST]"


def header(role):
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n"


LLAMA_3 = (
    f"<|begin_of_text|>{header('system')}{SYSTEM}<|eot_id|>{header('user')}Name a river.<|eot_id|>"
    f"{header('assistant')}The Rhine.<|eot_id|>{header('user')}Name three more.<|eot_id|>{header('assistant')}"
)
LLAMA_4 = LLAMA_3.replace("start_header_id", "header_start").replace("end_header_id", "header_end").replace("eot_id", "eot")


def llama(prompt, **rest):
    return {"prompt": prompt, "max_gen_len": TOKENS, "temperature": 0, **rest}


def deepseek(**rest):
    prompt = (
        f"<｜begin▁of▁sentence｜>{SYSTEM}<｜User｜>Name a river.<｜Assistant｜>The Rhine.<｜end▁of▁sentence｜>"
        "<｜User｜>Name three more.<｜Assistant｜><think>\n"
    )
    return {"prompt": prompt, "max_tokens": TOKENS, "temperature": 0, **rest}


class Dialect:
    """Where a dialect has what; `at` and `stop` take a chunk or a whole answer."""

    def __init__(self, model, body, whole, at, stop, counts=None, plain=None):
        self.model, self.body, self.whole, self.at, self.stop = model, body, whole, at, stop
        self.counts, self.plain = counts, plain


def _completion(out):
    return out["completion"]


def _generation(out):
    return out["generation"]


def _choice(out):
    return out["choices"][0]["text"]


def _nova(out):
    return "".join(block.get("text", "") for block in out["output"]["message"]["content"])


def _nova_delta(chunk):
    return chunk.get("contentBlockDelta", {}).get("delta", {}).get("text", "")


def _llama_counts(out):
    return out["prompt_token_count"], out["generation_token_count"]


def _llama(model, prompt):
    return Dialect(model, llama(prompt), _generation, _generation, lambda c: c["stop_reason"], _llama_counts)


DIALECTS = {
    "anthropic-text": Dialect(
        "anthropic.claude-v2:1", claude2(), _completion, _completion, lambda chunk: chunk["stop_reason"]
    ),
    "nova": Dialect(
        "amazon.nova-lite-v1:0",
        nova(),
        _nova,
        _nova_delta,
        lambda chunk: chunk.get("messageStop", chunk).get("stopReason"),
        lambda out: (out["usage"]["inputTokens"], out["usage"]["outputTokens"]),
    ),
    "llama2": _llama("meta.llama2-13b-chat-v1", LLAMA_2),
    "llama3": _llama("meta.llama3-8b-instruct-v1:0", LLAMA_3),
    "llama4": _llama("us.meta.llama4-scout-17b-instruct-v1:0", LLAMA_4),
    "deepseek": Dialect(
        "us.deepseek.r1-v1:0", deepseek(), _choice, _choice, lambda chunk: chunk["choices"][0]["stop_reason"]
    ),
}


@pytest.fixture(params=list(DIALECTS))
def dialect(request):
    return DIALECTS[request.param]


class TestText:
    def test_it_says_what_converse_says(self, runtime, dialect):
        out, headers = invoke(runtime, dialect.model, dialect.body)
        same = converse(runtime, TURNS, model=dialect.model, tokens=TOKENS, system=[{"text": SYSTEM}])
        assert dialect.whole(out) == text(same) and text(same).strip()
        assert headers["content-type"] == "application/json"
        counted = int(headers["x-amzn-bedrock-input-token-count"]), int(headers["x-amzn-bedrock-output-token-count"])
        assert counted == (input_tokens(same["usage"]), same["usage"]["outputTokens"])
        if dialect.counts:
            assert dialect.counts(out) == counted

    def test_a_stream_tells_the_same_and_ends_with_metrics(self, runtime, dialect):
        chunks = invoke_stream(runtime, dialect.model, dialect.body)
        whole, headers = invoke(runtime, dialect.model, dialect.body)
        pieces = [dialect.at(chunk) for chunk in chunks]
        assert "".join(pieces) == dialect.whole(whole) and sum(bool(piece) for piece in pieces) > 2, pieces
        assert METRICS not in json.dumps(chunks[:-1]), "metrics belong into the last chunk"
        metrics = chunks[-1][METRICS]
        assert metrics["inputTokenCount"] == int(headers["x-amzn-bedrock-input-token-count"])
        assert metrics["outputTokenCount"] == int(headers["x-amzn-bedrock-output-token-count"])
        assert metrics["invocationLatency"] >= metrics["firstByteLatency"] >= 0
        stops = [chunk for chunk in chunks if dialect.stop(chunk)]
        assert [dialect.stop(chunk) for chunk in stops] == [dialect.stop(whole)]
        if "messageStop" not in stops[0]:
            assert stops[0] is chunks[-1], "clients stop reading at the reason to stop"

    def test_tokens_are_counted_as_they_are_billed(self, runtime, dialect):
        _, headers = invoke(runtime, dialect.model, dialect.body)
        asked = {"invokeModel": {"body": json.dumps(dialect.body)}}
        counted = runtime.count_tokens(modelId=dialect.model, input=asked)["inputTokens"]
        assert counted == int(headers["x-amzn-bedrock-input-token-count"])

    @pytest.mark.parametrize("raw", ["{", "[]", "{}", '{"wings": 2}'], ids=["cut", "list", "empty", "extra"])
    def test_a_bad_body_is_the_callers_fault(self, runtime, dialect, raw):
        said = raises(lambda: runtime.invoke_model(modelId=dialect.model, body=raw), "ValidationException", "Malformed")
        assert not said.startswith("The model returned"), said
        for call in (
            lambda: runtime.invoke_model_with_response_stream(modelId=dialect.model, body=raw),
            lambda: runtime.count_tokens(modelId=dialect.model, input={"invokeModel": {"body": raw}}),
        ):
            assert raises(call, "ValidationException") == said


def refused(runtime, model, body, said):
    message = raises(lambda: runtime.invoke_model(modelId=model, body=json.dumps(body)), "ValidationException")
    assert message == said, message


class TestClaude2:
    MODEL = DIALECTS["anthropic-text"].model

    def test_the_reason_to_stop(self, runtime):
        out, _ = invoke(runtime, self.MODEL, claude2(max_tokens_to_sample=3))
        assert (out["type"], out["stop_reason"], out["stop"]) == ("completion", "max_tokens", None)
        out, _ = invoke(runtime, self.MODEL, claude2(max_tokens_to_sample=60, stop_sequences=["e"]))
        assert (out["stop_reason"], out["stop"]) == ("stop_sequence", "e") and "e" not in out["completion"]

    def test_an_answer_that_is_begun_is_gone_on_with(self, runtime):
        body = {"prompt": "\n\nHuman: Count.\n\nAssistant: 1, 2, 3,", "max_tokens_to_sample": 8, "temperature": 0}
        same = converse(runtime, [user("Count."), assistant("1, 2, 3,")], model=self.MODEL, tokens=8)
        assert invoke(runtime, self.MODEL, body)[0]["completion"] == text(same)

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (claude2(prompt="Hello"), 'prompt must start with "\n\nHuman:" turn after an optional system prompt'),
            (claude2(prompt="\n\nHuman: Hello"), 'prompt must end with "\n\nAssistant:" turn'),
            (claude2(max_tokens_to_sample=4097), "#/max_tokens_to_sample: 4097 is not less or equal to 4096"),
            (claude2(top_k="b"), "#/top_k: expected type: Integer, found: String"),
        ],
        ids=["start", "end", "tokens", "type"],
    )
    def test_refusals(self, runtime, body, said):
        malformed = said.startswith("#")
        said = f"{MALFORMED}{said}, please reformat your input and try again." if malformed else said
        refused(runtime, self.MODEL, body, said)


class TestNova:
    MODEL = DIALECTS["nova"].model
    TOOL = {
        "toolSpec": {
            "name": "tide",
            "description": "Tide at a port.",
            "inputSchema": {
                "json": {
                    "type": "object",
                    "properties": {"port": {"type": "string", "enum": ["Brest", "Hull"]}},
                    "required": ["port"],
                    "additionalProperties": False,
                }
            },
        }
    }

    def body(self, **rest):
        return nova(toolConfig={"tools": [self.TOOL], "toolChoice": {"any": {}}}, **rest)

    def test_a_tool_call(self, runtime):
        body = self.body(inferenceConfig={"maxTokens": 200, "temperature": 0, "topK": 1})
        out, _ = invoke(runtime, self.MODEL, body)
        assert out["stopReason"] == "tool_use" and out["output"]["message"]["role"] == "assistant"
        use = out["output"]["message"]["content"][-1]["toolUse"]
        assert use["name"] == "tide" and use["input"]["port"] in ("Brest", "Hull")

        chunks = invoke_stream(runtime, self.MODEL, body)
        assert [next(iter(chunk)) for chunk in chunks[:2]] == ["messageStart", "contentBlockStart"]
        assert chunks[1]["contentBlockStart"]["start"]["toolUse"]["name"] == "tide"
        deltas = [chunk["contentBlockDelta"]["delta"] for chunk in chunks if "contentBlockDelta" in chunk]
        assert json.loads("".join(delta["toolUse"]["input"] for delta in deltas)) == use["input"]
        assert chunks[-2]["messageStop"]["stopReason"] == "tool_use"
        assert set(chunks[-1]) == {"metadata", METRICS}

        result = {"toolUseId": use["toolUseId"], "content": [{"json": {"high": "06:40"}}]}
        turns = [*body["messages"], out["output"]["message"], {"role": "user", "content": [{"toolResult": result}]}]
        after = {**body, "messages": turns, "toolConfig": {"tools": [self.TOOL]}}
        assert invoke(runtime, self.MODEL, after)[0]["output"]["message"]["content"]

    def test_a_cache_point_inside_a_text_block(self, runtime):
        content = [{"text": "Name a river. " * 300, "cachePoint": {"type": "default"}}, {"text": "One word."}]
        body = nova(messages=[{"role": "user", "content": content}], inferenceConfig={"maxTokens": 1})
        first, again = (invoke(runtime, self.MODEL, body)[0]["usage"] for _ in range(2))
        assert first["cacheWriteInputTokenCount"] > 1000 or first["cacheReadInputTokenCount"] > 1000, first
        assert again["cacheReadInputTokenCount"] > 1000, again
        assert sum(first[k] for k in first if k not in ("outputTokens", "totalTokens")) == sum(
            again[k] for k in again if k not in ("outputTokens", "totalTokens")
        )

    def test_a_picture_has_a_model_that_cannot_see_it(self, runtime):
        image = {"image": {"format": "png", "source": {"bytes": PNG}}}
        body = nova(messages=[{"role": "user", "content": [image, {"text": "What is it?"}]}])
        call = lambda: runtime.invoke_model(modelId=self.MODEL, body=json.dumps(body))
        raises(call, "ValidationException", "image block at messages.0.content.0")

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (nova(messages=[]), "#/messages: expected minimum item count: 1, found: 0"),
            (nova(max_tokens=5), "#: extraneous key [max_tokens] is not permitted"),
            (nova(schemaVersion="v0"), "#/schemaVersion: v0 is not a valid enum value"),
            (
                nova(messages=[{"role": "user", "content": "hi"}]),
                "#/messages/0/content: expected type: JSONArray, found: String",
            ),
            (
                nova(messages=[{"role": "user", "content": [{"text": 1}]}]),
                "#/messages/0/content/0/text: expected type: String, found: Integer",
            ),
            (nova(inferenceConfig={"topK": 129}), "#/inferenceConfig/topK: 129 is not less or equal to 128"),
            (nova(inferenceConfig={"topP": True}), "#/inferenceConfig/topP: expected type: Number, found: Boolean"),
            (nova(toolConfig={"tools": [{}]}), "#/toolConfig/tools/0: minimum size: [1], found: [0]"),
        ],
        ids=["none", "extra", "version", "string", "number", "bound", "boolean", "union"],
    )
    def test_refusals(self, runtime, body, said):
        refused(runtime, self.MODEL, body, f"{MALFORMED}{said}, please reformat your input and try again.")


class TestLlama:
    MODEL = DIALECTS["llama3"].model

    def test_a_prompt_without_a_template_is_the_users(self, runtime):
        out, _ = invoke(runtime, self.MODEL, llama("Name three rivers."))
        assert out["generation"] == text(converse(runtime, model=self.MODEL, tokens=TOKENS))
        assert set(out) == {"generation", "prompt_token_count", "generation_token_count", "stop_reason"}

    def test_counts_and_reasons_have_their_chunks(self, runtime):
        chunks = invoke_stream(runtime, self.MODEL, llama("Write a long story.", max_gen_len=4))
        assert chunks[0]["prompt_token_count"] > 0
        assert all(chunk["prompt_token_count"] is None for chunk in chunks[1:])
        assert [chunk["stop_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["length"]
        assert chunks[-1]["generation_token_count"] == chunks[-1][METRICS]["outputTokenCount"] == 4

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"max_gen_len": 5}, "#: required key [prompt] not found"),
            (llama("a", max_gen_len=8192), "#/max_gen_len: 8192 is not less or equal to 2048"),
            (llama("a", temperature=1.5), "#/temperature: 1.5 is not less or equal to 1"),
            (llama(["a"]), "#/prompt: expected type: String, found: JSONArray"),
            (llama("a", messages=[]), "#: extraneous key [messages] is not permitted"),
        ],
        ids=["prompt", "tokens", "temperature", "type", "extra"],
    )
    def test_refusals(self, runtime, body, said):
        refused(runtime, self.MODEL, body, f"{MALFORMED}{said}, please reformat your input and try again.")


class TestDeepSeek:
    MODEL = DIALECTS["deepseek"].model

    def test_stop_sequences(self, runtime):
        out, _ = invoke(runtime, self.MODEL, deepseek(max_tokens=60, stop=["e"]))
        assert out["choices"][0]["stop_reason"] == "stop" and "e" not in out["choices"][0]["text"]
        out, _ = invoke(runtime, self.MODEL, deepseek(max_tokens=2))
        assert out["choices"][0]["stop_reason"] == "length"

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (deepseek(max_tokens=32769), "#/max_tokens: 32769 is not less or equal to 32768"),
            (deepseek(stop=["a"] * 11), "#/stop: expected maximum item count: 10, found: 11"),
            (deepseek(stop=[1]), "#/stop/0: expected type: String, found: Integer"),
            (deepseek(top_k=1), "#: extraneous key [top_k] is not permitted"),
        ],
        ids=["tokens", "stops", "stop", "extra"],
    )
    def test_refusals(self, runtime, body, said):
        refused(runtime, self.MODEL, body, f"{MALFORMED}{said}, please reformat your input and try again.")


def vectors(out):
    found = out["embeddings"]
    return next(iter(found.values())) if isinstance(found, dict) else found


class TestEmbeddings:
    TITAN = "amazon.titan-embed-image-v1"
    COHERE = "us.cohere.embed-v4:0"

    @pytest.mark.parametrize("size", [None, 256, 384, 1024])
    def test_titan_multimodal_text(self, runtime, size):
        config = {"embeddingConfig": {"outputEmbeddingLength": size}} if size else {}
        out, headers = invoke(runtime, self.TITAN, {"inputText": "a ship", **config})
        assert len(out["embedding"]) == (size or 1024) and out["message"] is None
        assert out["inputTextTokenCount"] == int(headers["x-amzn-bedrock-input-token-count"]) > 0

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({}, "#: required key [inputText] not found"),
            ({"inputImage": PNG}, "#/inputImage: images cannot be read by this model, send inputText"),
            (
                {"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 512}},
                "#/embeddingConfig/outputEmbeddingLength: 512 is not a valid enum value",
            ),
        ],
        ids=["empty", "image", "length"],
    )
    def test_titan_multimodal_refusals(self, runtime, body, said):
        refused(runtime, self.TITAN, body, f"{MALFORMED}{said}, please reformat your input and try again.")

    @pytest.mark.parametrize("size", [None, 256, 512, 1024, 1536])
    def test_cohere_sizes(self, runtime, size):
        body = {"texts": ["a ship", "a river"], "input_type": "search_document"}
        out, _ = invoke(runtime, self.COHERE, {**body, **({"output_dimension": size} if size else {})})
        assert out["response_type"] == "embeddings_floats" and out["texts"] == body["texts"] and out["id"]
        assert [len(vector) for vector in out["embeddings"]] == [size or 1536] * 2

    def test_cohere_types_make_a_dict(self, runtime):
        body = {"texts": ["a ship"], "input_type": "search_query", "embedding_types": ["int8", "float"]}
        out, _ = invoke(runtime, self.COHERE, body)
        assert out["response_type"] == "embeddings_by_type" and set(out["embeddings"]) == {"int8", "float"}
        assert all(isinstance(x, int) and -128 <= x <= 127 for x in out["embeddings"]["int8"][0])

    def test_cohere_inputs_are_texts_in_parts(self, runtime):
        parts = [{"type": "text", "text": "a ship"}, {"type": "text", "text": "at sea"}]
        as_parts = {"inputs": [{"content": parts}], "input_type": "search_document"}
        as_text = {"texts": ["a ship\nat sea"], "input_type": "search_document"}
        one, other = (vectors(invoke(runtime, self.COHERE, body)[0]) for body in (as_parts, as_text))
        assert one == other

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"input_type": "search_query"}, "#: required key [texts] not found"),
            ({"texts": ["a"]}, "#: required key [input_type] not found"),
            (
                {"images": ["data:image/png;base64," + PNG], "input_type": "search_document"},
                "#/images: images cannot be read by this model, send texts",
            ),
            (
                {"texts": ["a"] * 97, "input_type": "search_document"},
                "#/texts: expected maximum item count: 96, found: 97",
            ),
            (
                {"texts": ["a"], "input_type": "search_document", "truncate": "END"},
                "#/truncate: END is not a valid enum value",
            ),
        ],
        ids=["texts", "type", "images", "many", "truncate"],
    )
    def test_cohere_refusals(self, runtime, body, said):
        refused(runtime, self.COHERE, body, f"{MALFORMED}{said}, please reformat your input and try again.")

    @pytest.mark.parametrize("model", [TITAN, COHERE])
    def test_vectors_are_not_streamed_or_counted(self, runtime, model):
        body = json.dumps({"inputText": "a"})
        raises(lambda: runtime.invoke_model_with_response_stream(modelId=model, body=body), "ValidationException")
        counted = {"invokeModel": {"body": body}}
        raises(
            lambda: runtime.count_tokens(modelId=model, input=counted),
            "ValidationException",
            "doesn't support counting tokens",
        )
