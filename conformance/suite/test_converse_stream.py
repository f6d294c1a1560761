"""ConverseStream: the order of events, and that it says what Converse says."""

from support.ask import PROFILE, SCHEMA, TOOL, converse, input_tokens, json_output, stream, text, user
import json


def kinds(events):
    return [next(iter(event)) for event in events]


def deltas(events):
    return [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]


def said(events):
    return "".join(delta["delta"].get("text", "") for delta in deltas(events))


def in_order(events):
    """The order of reference and SDKs: start, blocks one after another, stop, metadata."""
    order = kinds(events)
    assert order[0] == "messageStart" and order[-2:] == ["messageStop", "metadata"], order
    assert set(order[1:-2]) <= {"contentBlockStart", "contentBlockDelta", "contentBlockStop"}, order
    open_block, finished = None, -1
    for event in events[1:-2]:
        ((kind, body),) = event.items()
        index = body["contentBlockIndex"]
        assert index == finished + 1, (kind, index, finished)
        if kind == "contentBlockStop":
            assert open_block == index, "a block that never began"
            open_block, finished = None, index
        else:
            assert not (kind == "contentBlockStart" and open_block == index), "a block that began twice"
            open_block = index
    assert open_block is None, "a block that never ended"
    return events


def test_text_streams_in_order_without_a_start_event(runtime):
    events = in_order(stream(runtime, tokens=12))
    assert events[0]["messageStart"]["role"] == "assistant"
    assert "contentBlockStart" not in kinds(events)
    assert len(deltas(events)) > 2, "not streamed"


def test_it_says_what_converse_says(runtime):
    events, answer = stream(runtime, tokens=16), converse(runtime, tokens=16)
    assert said(events) == text(answer)
    assert events[-2]["messageStop"]["stopReason"] == answer["stopReason"]
    usage = events[-1]["metadata"]["usage"]
    assert usage["outputTokens"] == answer["usage"]["outputTokens"]
    assert input_tokens(usage) == input_tokens(answer["usage"])
    assert events[-1]["metadata"]["metrics"]["latencyMs"] >= 0


def test_no_part_of_a_stop_sequence_leaks(runtime):
    events = stream(runtime, [user("Tell me about the sea.")], tokens=60, inference={"stopSequences": ["e"]})
    assert events[-2]["messageStop"]["stopReason"] == "stop_sequence"
    assert "e" not in said(events)


def test_an_event_never_splits_a_character(runtime):
    events = stream(runtime, [user("Write ten emoji: 🙂🎉🚀🌍")], tokens=40)
    assert all("\ufffd" not in delta["delta"]["text"] for delta in deltas(events))


def test_a_tool_call_streams_its_input(runtime):
    tools = {"tools": [TOOL], "toolChoice": {"tool": {"name": "thermometer"}}}
    events = in_order(stream(runtime, [user("Read it.")], tokens=200, toolConfig=tools))
    (start,) = [event["contentBlockStart"] for event in events if "contentBlockStart" in event]
    assert start["start"]["toolUse"]["name"] == "thermometer" and start["start"]["toolUse"]["toolUseId"]
    parts = [d["delta"]["toolUse"]["input"] for d in deltas(events) if d["contentBlockIndex"] == start["contentBlockIndex"]]
    assert set(json.loads("".join(parts))) == set(SCHEMA["properties"])
    assert events[-2]["messageStop"]["stopReason"] == "tool_use"


def test_structured_output_streams(runtime):
    events = in_order(stream(runtime, [user("Describe the reading.")], tokens=200, outputConfig=json_output()))
    assert set(json.loads(said(events))) == set(SCHEMA["properties"])
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"


def test_the_content_type_is_the_event_stream(runtime):
    answer = runtime.converse_stream(
        modelId=PROFILE, messages=[user("hi")], inferenceConfig={"maxTokens": 1}
    )
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/vnd.amazon.eventstream"
    in_order(list(answer["stream"]))
