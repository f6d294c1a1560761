"""Converse: tools, structured output, caching, and what is echoed."""

import json
import re

import jsonschema
import pytest

from support.ask import (
    HAIKU,
    PROFILE,
    SCHEMA,
    TOOL,
    TURN,
    converse,
    input_tokens,
    json_output,
    stream,
    text,
    tool_uses,
    user,
)
from support.clients import raises

SCHEMAS = {tool["toolSpec"]["name"]: tool["toolSpec"]["inputSchema"]["json"] for tool in (TOOL, TURN)}


class TestTools:
    @pytest.mark.parametrize("name", ["thermometer", "turn"])
    def test_a_forced_tool_is_called_with_valid_input(self, runtime, name):
        tools = {"tools": [TOOL, TURN], "toolChoice": {"tool": {"name": name}}}
        answer = converse(runtime, [user("Do it now.")], tokens=200, toolConfig=tools)
        (use,) = tool_uses(answer)
        assert (answer["stopReason"], use["name"]) == ("tool_use", name)
        assert re.fullmatch(r"[a-zA-Z0-9_.:-]{1,64}", use["toolUseId"])
        jsonschema.validate(use["input"], SCHEMAS[name])

    def test_any_calls_one_of_them(self, runtime):
        tools = {"tools": [TOOL, TURN], "toolChoice": {"any": {}}}
        answer = converse(runtime, [user("Which way?")], tokens=200, toolConfig=tools)
        use = tool_uses(answer)[0]
        assert answer["stopReason"] == "tool_use"
        jsonschema.validate(use["input"], SCHEMAS[use["name"]])

    def test_auto_agrees_with_its_stop_reason(self, runtime):
        answer = converse(runtime, [user("hello")], tokens=48, toolConfig={"tools": [TOOL], "toolChoice": {"auto": {}}})
        assert (answer["stopReason"] == "tool_use") == bool(tool_uses(answer))

    @pytest.mark.parametrize(
        "content", [[{"text": "21 degrees"}], [{"json": {"degrees": 21}}], [{"text": "a"}, {"text": "b"}]]
    )
    @pytest.mark.parametrize("status", ["success", "error"])
    def test_a_result_goes_back(self, runtime, content, status):
        asked = [user("Read it.")]
        tools = {"tools": [TOOL], "toolChoice": {"tool": {"name": "thermometer"}}}
        first = converse(runtime, asked, tokens=200, toolConfig=tools)
        use = tool_uses(first)[0]["toolUseId"]
        result = {"toolResult": {"toolUseId": use, "content": content, "status": status}}
        history = asked + [first["output"]["message"], {"role": "user", "content": [result]}]
        answer = converse(runtime, history, tokens=8, toolConfig={"tools": [TOOL]})
        assert answer["output"]["message"]["role"] == "assistant"
        assert input_tokens(answer["usage"]) > input_tokens(first["usage"])

    def test_annotations_in_a_schema_are_ignored(self, runtime):
        schema = {**SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#", "title": "Reading", "$defs": {}}
        tool = {"toolSpec": {"name": "thermometer", "inputSchema": {"json": schema}}}
        tools = {"tools": [tool], "toolChoice": {"any": {}}}
        jsonschema.validate(tool_uses(converse(runtime, tokens=200, toolConfig=tools))[0]["input"], SCHEMA)


class TestStructuredOutput:
    @pytest.mark.parametrize(
        "schema",
        [
            SCHEMA,
            {
                "type": "object",
                "properties": {
                    "level": {"enum": [1, 2, 3]},
                    "where": {"$ref": "#/$defs/place"},
                    "note": {"anyOf": [{"type": "null"}, {"const": "none"}]},
                },
                "required": ["level", "where", "note"],
                "additionalProperties": False,
                "$defs": {
                    "place": {
                        "type": "object",
                        "properties": {"indoors": {"type": "boolean"}},
                        "required": ["indoors"],
                        "additionalProperties": False,
                    }
                },
            },
        ],
        ids=["flat", "references"],
    )
    def test_the_text_is_valid(self, runtime, schema):
        answer = converse(runtime, [user("Describe it.")], tokens=200, outputConfig=json_output(schema))
        jsonschema.validate(json.loads(text(answer)), schema)
        assert answer["stopReason"] == "end_turn"

    def test_a_request_field_asks_for_it_too(self, runtime):
        fields = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
        answer = converse(runtime, [user("Describe it.")], model=PROFILE, tokens=200, additionalModelRequestFields=fields)
        jsonschema.validate(json.loads(text(answer)), SCHEMA)


class TestCachePoints:
    SYSTEM = [{"text": "You know every port of the coast. " * 160}, {"cachePoint": {"type": "default"}}]

    def test_the_second_call_reads_the_prefix(self, server):
        from support.clients import client

        runtime = client(server.url, "bedrock-runtime", account="111111111111")
        first, second = (converse(runtime, model=PROFILE, tokens=2, system=self.SYSTEM)["usage"] for _ in "ab")
        assert first.get("cacheWriteInputTokens", 0) > 500, first
        assert second["cacheReadInputTokens"] > 500, second
        assert input_tokens(first) == input_tokens(second)

    def test_another_account_reads_nothing_of_it(self, server):
        from support.clients import client

        one, other = (client(server.url, "bedrock-runtime", account=a) for a in ("222222222222", "333333333333"))
        converse(one, model=PROFILE, tokens=1, system=self.SYSTEM)
        assert converse(other, model=PROFILE, tokens=1, system=self.SYSTEM)["usage"].get("cacheReadInputTokens", 0) == 0

    def test_without_a_cache_point_nothing_is_reported(self, runtime):
        usages = [converse(runtime, model=PROFILE, tokens=1, system=self.SYSTEM[:1])["usage"] for _ in "ab"]
        for usage in usages:
            assert not usage.get("cacheReadInputTokens") and not usage.get("cacheWriteInputTokens"), usage

    def test_warm_and_cold_say_the_same(self, server):
        from support.clients import client

        runtime = client(server.url, "bedrock-runtime", account="444444444444")
        cold, warm = (text(converse(runtime, model=PROFILE, tokens=12, system=self.SYSTEM)) for _ in "ab")
        assert cold == warm


class TestEchoes:
    @pytest.mark.parametrize("tier", ["default", "flex", "priority"])
    def test_the_service_tier(self, runtime, tier):
        assert converse(runtime, tokens=1, serviceTier={"type": tier})["serviceTier"] == {"type": tier}
        events = stream(runtime, tokens=1, serviceTier={"type": tier})
        assert events[-1]["metadata"]["serviceTier"] == {"type": tier}

    def test_the_latency(self, runtime):
        wanted = {"latency": "standard"}
        assert converse(runtime, tokens=1, performanceConfig=wanted)["performanceConfig"] == wanted
        assert stream(runtime, tokens=1, performanceConfig=wanted)[-1]["metadata"]["performanceConfig"] == wanted

    def test_request_metadata_is_taken_and_not_echoed(self, runtime):
        answer = converse(runtime, tokens=1, requestMetadata={"team": "search", "cost centre": "a/b=1"})
        assert "search" not in json.dumps(answer["output"])

    def test_a_response_path_that_finds_something(self, runtime):
        answer = converse(
            runtime,
            [user("Tell me about the sea.")],
            model=HAIKU,
            tokens=60,
            inference={"stopSequences": ["e"]},
            additionalModelResponseFieldPaths=["/stop_sequence"],
        )
        assert answer["additionalModelResponseFields"] == {"stop_sequence": "e"}

    def test_a_response_path_that_finds_nothing_is_silence(self, runtime):
        answer = converse(runtime, tokens=1, additionalModelResponseFieldPaths=["/delta/nothing_there"])
        assert not answer.get("additionalModelResponseFields")

    def test_request_fields_of_the_model_reach_it(self, runtime):
        assert converse(runtime, tokens=2, additionalModelRequestFields={"top_k": 1})["usage"]["outputTokens"] == 2
        raises(
            lambda: converse(runtime, additionalModelRequestFields={"top_k": "many"}),
            "ValidationException",
            "The model returned the following errors: ",
        )
