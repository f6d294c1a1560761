"""Converse: what an answer carries."""

import re

import pytest

from support.ask import HAIKU, HAIKU_ARN, LLAMA, PROFILE, assistant, converse, input_tokens, text, user


def test_an_answer_has_text_usage_and_a_reason(runtime):
    answer = converse(runtime, tokens=12)
    assert text(answer).strip()
    assert answer["output"]["message"]["role"] == "assistant"
    usage = answer["usage"]
    assert 0 < usage["outputTokens"] <= 12
    assert usage["totalTokens"] == input_tokens(usage) + usage["outputTokens"]
    assert answer["stopReason"] in ("end_turn", "max_tokens")
    assert answer["metrics"]["latencyMs"] >= 0
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["ResponseMetadata"]["RequestId"])


def test_a_stand_in_says_who_answered(runtime):
    headers = converse(runtime, tokens=1)["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-outcrop-served-by"].startswith("outcrop."), headers


@pytest.mark.parametrize("tokens", [1, 2, 9])
def test_max_tokens_is_exact(runtime, tokens):
    answer = converse(runtime, [user("Write a long story about a ship.")], tokens=tokens)
    assert (answer["stopReason"], answer["usage"]["outputTokens"]) == ("max_tokens", tokens)


def test_temperature_zero_repeats_itself(runtime):
    assert text(converse(runtime)) == text(converse(runtime))


def test_a_higher_temperature_does_not(runtime):
    asked = [user("Write the first line of a poem.")]
    answers = {text(converse(runtime, asked, tokens=16, inference={"temperature": 1.0})) for _ in range(4)}
    assert len(answers) > 1, answers


def test_the_system_prompt_and_every_turn_are_read(runtime):
    short = converse(runtime, [user("hello")], tokens=1)
    system = converse(runtime, [user("hello")], tokens=1, system=[{"text": "Answer in one short plain sentence."}])
    turns = converse(runtime, [user("hello"), assistant("Good day."), user("And now?")], tokens=1)
    assert input_tokens(system["usage"]) >= input_tokens(short["usage"]) + 5
    assert input_tokens(turns["usage"]) > input_tokens(short["usage"]) + 5


def test_every_block_of_a_message_is_read(runtime):
    one = converse(runtime, [user("one")], tokens=1)
    two = converse(runtime, [user("one", " and another one")], tokens=1)
    assert input_tokens(two["usage"]) > input_tokens(one["usage"])


def test_an_empty_system_list_is_no_system_prompt(runtime):
    assert input_tokens(converse(runtime, tokens=1, system=[])["usage"]) == input_tokens(
        converse(runtime, tokens=1)["usage"]
    )


def test_characters_outside_ascii_come_back_whole(runtime):
    answer = converse(runtime, [user("Répétez: ça va, Zoë? 東京 🙂")], tokens=24)
    assert "\ufffd" not in text(answer)


@pytest.mark.parametrize("model", [HAIKU, HAIKU_ARN, PROFILE, LLAMA, "eu.anthropic.claude-3-haiku-20240307-v1:0"])
def test_forms_of_model_id(server, model):
    from support.clients import client

    region = "eu-central-1" if model.startswith("eu.") else "us-east-1"
    answer = converse(client(server.url, "bedrock-runtime", region=region), model=model, tokens=1)
    assert answer["usage"]["outputTokens"] == 1


def test_a_profile_answers_by_its_arn(runtime, bedrock):
    arn = bedrock.get_inference_profile(inferenceProfileIdentifier=PROFILE)["inferenceProfileArn"]
    assert converse(runtime, model=arn, tokens=1)["usage"]["outputTokens"] == 1


def test_an_application_profile_answers_by_its_arn_until_it_is_deleted(runtime, bedrock):
    from support.clients import raises

    arn = bedrock.create_inference_profile(inferenceProfileName="answers", modelSource={"copyFrom": HAIKU_ARN})[
        "inferenceProfileArn"
    ]
    assert converse(runtime, model=arn, tokens=1)["usage"]["outputTokens"] == 1
    bedrock.delete_inference_profile(inferenceProfileIdentifier=arn)
    with pytest.raises(runtime.exceptions.ClientError) as error:
        converse(runtime, model=arn, tokens=1)
    assert error.value.response["Error"]["Code"] in ("ValidationException", "ResourceNotFoundException")
    raises(
        lambda: bedrock.get_inference_profile(inferenceProfileIdentifier=arn), "ResourceNotFoundException", status=404
    )


class TestStopSequences:
    def test_the_text_ends_before_it(self, runtime):
        answer = converse(runtime, [user("Tell me about the sea.")], tokens=60, inference={"stopSequences": ["QQ", "e"]})
        assert answer["stopReason"] == "stop_sequence"
        assert "e" not in text(answer)

    def test_it_may_span_tokens(self, runtime):
        asked = [user("Tell me about the sea.")]
        full = text(converse(runtime, asked, tokens=32))
        across = re.search(r"[a-z]{2,} [a-z]{2,}", full[4:])
        assert across, full
        stop = across[0][1:-1]
        answer = converse(runtime, asked, tokens=32, inference={"stopSequences": [stop]})
        assert answer["stopReason"] == "stop_sequence"
        assert text(answer).rstrip() == full[: full.index(stop)].rstrip()

    def test_one_that_never_occurs_changes_nothing(self, runtime):
        plain = converse(runtime)
        answer = converse(runtime, inference={"stopSequences": ["\x01never"]})
        assert (text(answer), answer["stopReason"]) == (text(plain), plain["stopReason"])

    def test_the_full_list_is_taken(self, runtime):
        many = [f"stop{i}" for i in range(2500)]
        assert converse(runtime, tokens=2, inference={"stopSequences": many})["usage"]["outputTokens"] == 2


class TestCountTokens:
    def test_it_equals_what_converse_bills(self, runtime):
        messages, system = [user("Name three rivers.")], [{"text": "Answer briefly."}]
        counted = runtime.count_tokens(modelId=HAIKU, input={"converse": {"messages": messages, "system": system}})
        assert counted["inputTokens"] == input_tokens(converse(runtime, messages, tokens=1, system=system)["usage"])

    def test_tools_count(self, runtime):
        from support.ask import TOOL

        messages, tools = [user("hello")], {"tools": [TOOL]}
        plain = runtime.count_tokens(modelId=HAIKU, input={"converse": {"messages": messages}})["inputTokens"]
        counted = runtime.count_tokens(modelId=HAIKU, input={"converse": {"messages": messages, "toolConfig": tools}})
        billed = converse(runtime, messages, tokens=1, toolConfig=tools)["usage"]
        assert counted["inputTokens"] == input_tokens(billed) > plain

    def test_a_native_body_counts_as_it_bills(self, runtime):
        import json

        from support.ask import anthropic, invoke

        body = anthropic(tokens=1)
        counted = runtime.count_tokens(modelId=HAIKU, input={"invokeModel": {"body": json.dumps(body)}})["inputTokens"]
        usage = invoke(runtime, HAIKU, body)[0]["usage"]
        assert counted == usage["input_tokens"] + (usage.get("cache_read_input_tokens") or 0)
