"""InvokeModel with the text dialects: Anthropic Messages and Titan text."""

import json

import jsonschema
import pytest

from support.ask import HAIKU, PROFILE, SCHEMA, TITAN_TEXT, anthropic, invoke, invoke_stream
from support.clients import raises

METRICS = "amazon-bedrock-invocationMetrics"
TOOL = {"name": "thermometer", "description": "Reads the temperature.", "input_schema": SCHEMA}


def metrics_agree(metrics, tokens_in, tokens_out):
    assert metrics["inputTokenCount"] + metrics.get("cacheReadInputTokenCount", 0) == tokens_in, metrics
    assert metrics["outputTokenCount"] == tokens_out, metrics
    assert metrics["invocationLatency"] >= metrics["firstByteLatency"] >= 0, metrics


class TestAnthropic:
    def test_an_answer_is_a_full_message(self, runtime):
        out, headers = invoke(runtime, HAIKU, anthropic(tokens=12))
        assert out["type"] == "message" and out["role"] == "assistant" and out["id"] and out["model"], out
        assert out["content"][0]["type"] == "text" and out["content"][0]["text"].strip()
        assert out["stop_reason"] in ("end_turn", "max_tokens") and out["stop_sequence"] is None
        assert int(headers["x-amzn-bedrock-input-token-count"]) == out["usage"]["input_tokens"]
        assert int(headers["x-amzn-bedrock-output-token-count"]) == out["usage"]["output_tokens"] <= 12
        assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 0
        assert headers["content-type"] == "application/json"

    def test_it_says_what_converse_says(self, runtime):
        from support.ask import converse, text

        assert invoke(runtime, HAIKU, anthropic(tokens=12))[0]["content"][0]["text"] == text(converse(runtime, tokens=12))

    def test_system_and_content_take_strings_and_blocks(self, runtime):
        blocks = {"system": [{"type": "text", "text": "Be brief."}]}
        as_blocks = anthropic([{"type": "text", "text": "Name three rivers."}], tokens=8, **blocks)
        one, other = (invoke(runtime, HAIKU, body)[0] for body in (anthropic(tokens=8, system="Be brief."), as_blocks))
        assert one["content"] == other["content"] and one["usage"] == other["usage"]

    def test_the_stop_sequence_that_hit_is_named(self, runtime):
        out, _ = invoke(runtime, HAIKU, anthropic("Tell me about the sea.", tokens=60, stop_sequences=["QQQQ", "e"]))
        assert (out["stop_reason"], out["stop_sequence"]) == ("stop_sequence", "e")
        assert all("e" not in block["text"] for block in out["content"])

    def test_a_forced_tool(self, runtime):
        choice = {"type": "tool", "name": "thermometer"}
        body = anthropic("Read it.", tokens=200, tools=[TOOL], tool_choice=choice)
        out, _ = invoke(runtime, HAIKU, body)
        use = next(block for block in out["content"] if block["type"] == "tool_use")
        assert (out["stop_reason"], use["name"]) == ("tool_use", "thermometer") and use["id"]
        jsonschema.validate(use["input"], SCHEMA)

        result = {"type": "tool_result", "tool_use_id": use["id"], "content": "21"}
        body["messages"] += [{"role": "assistant", "content": out["content"]}, {"role": "user", "content": [result]}]
        body.pop("tool_choice")
        assert invoke(runtime, HAIKU, {**body, "max_tokens": 4})[0]["role"] == "assistant"

    def test_structured_output(self, runtime):
        wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
        out, _ = invoke(runtime, PROFILE, anthropic("Describe it.", tokens=200, output_config=wanted))
        jsonschema.validate(json.loads(out["content"][0]["text"]), SCHEMA)

    def test_a_stream_tells_the_same_message(self, runtime):
        chunks = invoke_stream(runtime, HAIKU, anthropic(tokens=12))
        kinds = [chunk["type"] for chunk in chunks if chunk["type"] != "ping"]
        assert kinds[:2] == ["message_start", "content_block_start"], kinds
        assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"], kinds
        assert kinds.count("content_block_delta") > 2, "not streamed"
        start = next(chunk for chunk in chunks if chunk["type"] == "message_start")["message"]
        assert start["content"] == [] and start["usage"]["input_tokens"] > 0
        said = "".join(chunk["delta"]["text"] for chunk in chunks if chunk["type"] == "content_block_delta")
        whole, _ = invoke(runtime, HAIKU, anthropic(tokens=12))
        assert said == whole["content"][0]["text"]
        ending = next(chunk for chunk in chunks if chunk["type"] == "message_delta")
        assert ending["delta"]["stop_reason"] == whole["stop_reason"]
        assert METRICS not in json.dumps(chunks[:-1])
        metrics_agree(chunks[-1][METRICS], start["usage"]["input_tokens"], ending["usage"]["output_tokens"])

    def test_a_tool_call_streams_json_fragments(self, runtime):
        body = anthropic("Read it.", tokens=200, tools=[TOOL], tool_choice={"type": "any"})
        chunks = invoke_stream(runtime, HAIKU, body)
        start = next(chunk for chunk in chunks if chunk["type"] == "content_block_start")
        assert start["content_block"]["type"] == "tool_use" and start["content_block"]["input"] == {}
        deltas = [chunk["delta"] for chunk in chunks if chunk["type"] == "content_block_delta"]
        assert {delta["type"] for delta in deltas} == {"input_json_delta"}
        jsonschema.validate(json.loads("".join(delta["partial_json"] for delta in deltas)), SCHEMA)

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("{", "Malformed input request"),
            ("[]", "Malformed input request"),
            ("", None),
            ({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 8}, "required key [messages] not found"),
            ({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 8}, "anthropic_version"),
            (anthropic(tokens=0), None),
            (anthropic(wings=2), "wings"),
            (anthropic(messages=[]), None),
            (anthropic(messages=[{"role": "user", "content": 7}]), None),
            (anthropic(temperature="warm"), None),
        ],
        ids=["cut", "list", "empty", "messages", "version", "tokens", "extra", "none", "number", "string"],
    )
    def test_a_bad_body_is_the_callers_fault(self, runtime, body, said):
        raw = body if isinstance(body, str) else json.dumps(body)
        message = raises(lambda: runtime.invoke_model(modelId=HAIKU, body=raw), "ValidationException", said)
        assert not message.startswith("The model returned"), message
        raises(lambda: runtime.invoke_model_with_response_stream(modelId=HAIKU, body=raw), "ValidationException", said)


class TestTitanText:
    BODY = {"inputText": "Name three rivers.", "textGenerationConfig": {"maxTokenCount": 12, "temperature": 0}}

    def test_an_answer(self, runtime):
        out, headers = invoke(runtime, TITAN_TEXT, self.BODY)
        (result,) = out["results"]
        assert result["outputText"].strip() and 0 < result["tokenCount"] <= 12
        assert result["completionReason"] in ("FINISHED", "FINISH", "LENGTH")
        assert out["inputTextTokenCount"] == int(headers["x-amzn-bedrock-input-token-count"])

    def test_the_limit_is_a_completion_reason(self, runtime):
        body = {"inputText": "Write a long story.", "textGenerationConfig": {"maxTokenCount": 3}}
        (result,) = invoke(runtime, TITAN_TEXT, body)[0]["results"]
        assert (result["completionReason"], result["tokenCount"]) == ("LENGTH", 3)

    def test_a_stream(self, runtime):
        chunks = invoke_stream(runtime, TITAN_TEXT, self.BODY)
        whole = invoke(runtime, TITAN_TEXT, self.BODY)[0]
        assert "".join(chunk["outputText"] for chunk in chunks) == whole["results"][0]["outputText"]
        assert chunks[-1]["completionReason"] == whole["results"][0]["completionReason"]
        metrics_agree(chunks[-1][METRICS], whole["inputTextTokenCount"], whole["results"][0]["tokenCount"])

    def test_input_text_is_required(self, runtime):
        raises(
            lambda: runtime.invoke_model(modelId=TITAN_TEXT, body="{}"),
            "ValidationException",
            "required key [inputText] not found",
        )


class TestHeaders:
    def test_no_content_type_and_no_accept_is_json(self, server):
        from support import raw

        body = json.dumps(anthropic(tokens=1)).encode()
        answer = raw.request(server, "POST", f"/model/{HAIKU}/invoke", body, headers={})
        assert answer.status == 200 and answer.json["type"] == "message"

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "application/octet-stream"])
    def test_what_clients_send_is_taken(self, runtime, accept):
        out, _ = invoke(runtime, HAIKU, anthropic(tokens=1), contentType="application/json", accept=accept)
        assert out["usage"]["output_tokens"] == 1

    def test_the_stream_names_its_content_type(self, runtime):
        answer = runtime.invoke_model_with_response_stream(
            modelId=HAIKU, body=json.dumps(anthropic(tokens=1)), accept="application/json"
        )
        assert answer["contentType"] == "application/json"
        assert list(answer["body"])

    def test_tier_and_latency_are_echoed(self, runtime):
        answer = runtime.invoke_model(
            modelId=HAIKU,
            body=json.dumps(anthropic(tokens=1)),
            serviceTier="default",
            performanceConfigLatency="standard",
        )
        assert (answer["serviceTier"], answer["performanceConfigLatency"]) == ("default", "standard")
