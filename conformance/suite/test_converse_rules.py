"""Converse: what it refuses, in Bedrock's own words."""

import pytest

from support.ask import HAIKU, INVALID_ID, LLAMA, TITAN_EMBED, TOOL, TURN, UNKNOWN, assistant, converse, tool_uses, user
from support.clients import client, raises

TOOLS = {"tools": [TOOL, TURN]}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


def refused(runtime, said, messages=None, **rest):
    return raises(lambda: converse(runtime, messages, **rest), "ValidationException", said)


def called_tool(runtime):
    """A conversation whose last message calls a tool, and the id of that call."""
    asked = [user("Read it in kelvin.")]
    forced = {**TOOLS, "toolChoice": {"tool": {"name": "thermometer"}}}
    answer = converse(runtime, asked, tokens=200, toolConfig=forced)
    (use,) = tool_uses(answer)
    return asked + [answer["output"]["message"]], use["toolUseId"]


def result(tool_use_id):
    return {"toolResult": {"toolUseId": tool_use_id, "content": [{"text": "21"}]}}


def test_unknown_model_in_every_operation(runtime):
    asked = [user("hi")]
    for call in (
        lambda: converse(runtime, model=UNKNOWN),
        lambda: runtime.converse_stream(modelId=UNKNOWN, messages=asked),
        lambda: runtime.invoke_model(modelId=UNKNOWN, body="{}"),
        lambda: runtime.invoke_model_with_response_stream(modelId=UNKNOWN, body="{}"),
    ):
        assert raises(call, "ValidationException") == INVALID_ID


class TestLimitsOfAws:
    """Always reported, refused only where the configuration says so."""

    def test_regions(self, server, fresh):
        europe = "eu.anthropic.claude-3-haiku-20240307-v1:0"
        lenient = client(server.url, "bedrock-runtime", region="us-west-2")
        assert converse(lenient, model=europe, tokens=1)["usage"]["outputTokens"] == 1
        strict = fresh(config="[catalogue]\nenforce_regions = true\n").start()
        refused(client(strict.url, "bedrock-runtime", region="us-west-2"), INVALID_ID, model=europe)
        frankfurt = client(strict.url, "bedrock-runtime", region="eu-central-1")
        assert converse(frankfurt, model=europe, tokens=1)["usage"]["outputTokens"] == 1

    def test_lifecycle(self, server, fresh):
        retired = "anthropic.claude-v2"
        assert converse(client(server.url, "bedrock-runtime"), model=retired, tokens=1)["usage"]["outputTokens"] == 1
        strict = fresh(config="[catalogue]\nenforce_lifecycle = true\n").start()
        raises(
            lambda: converse(client(strict.url, "bedrock-runtime"), model=retired),
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
            status=404,
        )


def test_an_embedding_model_does_not_converse(runtime):
    refused(runtime, None, model=TITAN_EMBED)


def test_a_conversation_starts_with_a_user_message(runtime):
    said = (
        "A conversation must start with a user message. "
        "Try again with a conversation that starts with a user message."
    )
    assert refused(runtime, None, [assistant("hi")], model=LLAMA) == said


def test_roles_alternate(runtime):
    said = (
        "A conversation must alternate between user and assistant roles. "
        "Make sure the conversation alternates between user and assistant roles and try again."
    )
    assert refused(runtime, None, [user("a"), user("b")], model=LLAMA) == said


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_blank_text(runtime, blank):
    said = "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again."
    assert refused(runtime, None, [user(blank)]) == said


def test_blank_text_is_named_by_its_place(runtime):
    refused(runtime, "at messages.2.content.1 is blank", [user("a"), assistant("b"), user("c", " ")])


def test_an_empty_message(runtime):
    refused(runtime, "The content field in the Message object at messages.1 is empty.", [user("a"), {"role": "assistant", "content": []}, user("b")])


class TestToolConversations:
    def test_tool_blocks_need_tool_config(self, runtime):
        history, use = called_tool(runtime)
        said = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        refused(runtime, said, history + [{"role": "user", "content": [result(use)]}])

    def test_every_call_needs_its_result(self, runtime):
        history, use = called_tool(runtime)
        said = f"Expected toolResult blocks at messages.2.content for the following Ids: {use}"
        refused(runtime, said, history + [user("never mind")], toolConfig=TOOLS)

    def test_a_result_needs_its_call(self, runtime):
        said = (
            "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn."
        )
        refused(runtime, said, [{"role": "user", "content": [result("tooluse_1")]}], toolConfig=TOOLS)

    def test_two_results_for_one_call(self, runtime):
        history, use = called_tool(runtime)
        said = "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn."
        refused(runtime, said, history + [{"role": "user", "content": [result(use), result("other")]}], toolConfig=TOOLS)

    def test_tool_input_is_an_object(self, runtime):
        history, use = called_tool(runtime)
        history[1]["content"] = [{"toolUse": {"toolUseId": use, "name": "thermometer", "input": '{"unit": "kelvin"}'}}]
        refused(runtime, None, history + [{"role": "user", "content": [result(use)]}], toolConfig=TOOLS)

    def test_the_chosen_tool_must_exist(self, runtime):
        refused(runtime, None, toolConfig={"tools": [TOOL], "toolChoice": {"tool": {"name": "absent"}}})


class TestUnreadableBlocks:
    """What the model behind the id cannot read is named, never dropped."""

    @pytest.mark.parametrize(
        ("kind", "block"),
        [
            ("image", {"image": {"format": "png", "source": {"bytes": PIXEL}}}),
            ("video", {"video": {"format": "mp4", "source": {"bytes": b"x"}}}),
            ("audio", {"audio": {"format": "mp3", "source": {"bytes": b"x"}}}),
        ],
    )
    def test_it_names_block_and_model(self, runtime, kind, block):
        message = refused(runtime, kind, [{"role": "user", "content": [{"text": "see"}, block]}])
        assert HAIKU in message or "outcrop." in message, message


class TestFields:
    def test_a_schema_that_is_no_json(self, runtime):
        structure = {"jsonSchema": {"schema": "{not json"}}
        refused(runtime, None, outputConfig={"textFormat": {"type": "json_schema", "structure": structure}})

    @pytest.mark.parametrize("pointer", ["stop_sequence", "a/b"])
    def test_a_response_path_that_is_no_pointer(self, runtime, pointer):
        refused(runtime, None, additionalModelResponseFieldPaths=[pointer])

    def test_more_input_than_the_context_holds(self, runtime):
        accepted = (
            "Input is too long for requested model",
            "input length and `max_tokens` exceed context limit",
            "too many total text bytes",
            "prompt is too long",
        )
        message = refused(runtime, None, [user("many words of no use " * 60_000)])
        assert any(said in message for said in accepted), message

    def test_count_tokens_refuses_an_unknown_model(self, runtime):
        asked = {"converse": {"messages": [user("hi")]}}
        raises(lambda: runtime.count_tokens(modelId=UNKNOWN, input=asked), "ValidationException")
