"""Constraint errors: count, plural, value, path and ending, as AWS words them."""

import pytest

from support import raw
from support.ask import HAIKU, HAIKU_ARN, TOOL, user
from support.clients import client, raises

PATH = f"/model/{HAIKU}/converse"
ASKED = [user("hi")]


@pytest.fixture(scope="module")
def loose(server):
    """Clients that send whatever they are given."""
    return {
        service: client(server.url, service, parameter_validation=False) for service in ("bedrock", "bedrock-runtime")
    }


def converse(server, **body):
    code, message = raw.request(server, "POST", PATH, {"messages": ASKED, **body}).error("bedrock-runtime")
    assert code == "ValidationException", message
    return message


def one(value, path, ending):
    return f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must {ending}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"inferenceConfig": {"temperature": 1.5}},
            one("1.5", "inferenceConfig.temperature", "have value less than or equal to 1"),
        ),
        (
            {"inferenceConfig": {"topP": -0.5}},
            one("-0.5", "inferenceConfig.topP", "have value greater than or equal to 0"),
        ),
        (
            {"inferenceConfig": {"maxTokens": 0}},
            one("0", "inferenceConfig.maxTokens", "have value greater than or equal to 1"),
        ),
        (
            {"performanceConfig": {"latency": "warp"}},
            one("warp", "performanceConfig.latency", "satisfy enum value set: [standard, optimized]"),
        ),
        (
            {"serviceTier": {"type": "gold"}},
            one("gold", "serviceTier.type", "satisfy enum value set: [priority, default, flex, reserved]"),
        ),
    ],
    ids=["maximum", "minimum", "tokens", "enum", "tier"],
)
def test_one_error(server, body, expected):
    assert converse(server, **body) == expected


def test_a_list_counts_from_one_in_paths(server):
    message = converse(server, messages=[user("a"), {"role": "oracle", "content": [{"text": "b"}]}])
    start = "1 validation error detected: Value 'oracle' at 'messages.2.member.role' failed to satisfy constraint: "
    assert message.startswith(start + "Member must satisfy enum value set: ["), message


def test_a_missing_member(server):
    message = converse(server, messages=[{"content": [{"text": "a"}]}])
    expected = "Value null at 'messages.1.member.role' failed to satisfy constraint: Member must not be null"
    assert message == f"1 validation error detected: {expected}", message


def test_two_errors_are_counted_and_joined(server):
    message = converse(server, inferenceConfig={"temperature": 2, "maxTokens": 0})
    assert message.startswith("2 validation errors detected: "), message
    assert "at 'inferenceConfig.temperature' failed" in message and "at 'inferenceConfig.maxTokens' failed" in message
    assert message.count("; Value ") == 1, message


def test_a_pattern(server):
    tool = {"toolSpec": {**TOOL["toolSpec"], "name": "no spaces allowed"}}
    message = converse(server, toolConfig={"tools": [tool]})
    assert message.startswith(
        one("no spaces allowed", "toolConfig.tools.1.member.toolSpec.name", "satisfy regular expression pattern: ")
    ), message


def test_lengths_of_strings_and_lists(server):
    message = converse(server, inferenceConfig={"stopSequences": [""]})
    assert "at 'inferenceConfig.stopSequences.1.member' failed" in message, message
    assert message.endswith("Member must have length greater than or equal to 1"), message
    message = converse(server, inferenceConfig={"stopSequences": ["x"] * 3000})
    assert "at 'inferenceConfig.stopSequences' failed" in message, message[-300:]
    assert message.endswith("Member must have length less than or equal to 2500"), message[-300:]
    message = converse(server, toolConfig={"tools": []})
    assert "at 'toolConfig.tools' failed" in message, message
    assert message.endswith("Member must have length greater than or equal to 1"), message


def test_the_key_of_a_map(server):
    message = converse(server, requestMetadata={"k" * 257: "v"})
    constraint = "at 'requestMetadata' failed to satisfy constraint: Member must have length less than or equal to 256"
    assert constraint in message, message


def test_members_of_the_query(loose):
    list_profiles = loose["bedrock"].list_inference_profiles
    message = raises(lambda: list_profiles(maxResults=0), "ValidationException")
    assert message == one("0", "maxResults", "have value greater than or equal to 1")
    message = raises(lambda: list_profiles(maxResults=1001), "ValidationException")
    assert message == one("1001", "maxResults", "have value less than or equal to 1000")
    raises(lambda: list_profiles(typeEquals="MINE"), "ValidationException", "at 'typeEquals' failed to satisfy")


def test_a_query_member_of_another_type(server):
    code, _ = raw.request(server, "GET", "/inference-profiles?maxResults=many").error("bedrock")
    assert code in ("ValidationException", "SerializationException")


def test_members_of_the_path(loose):
    get = loose["bedrock"].get_foundation_model
    raises(lambda: get(modelIdentifier="no model!"), "ValidationException", "at 'modelIdentifier' failed to satisfy")


def test_an_empty_label_is_refused_and_never_merged(server):
    code, message = raw.request(server, "GET", "/inference-profiles/").error("bedrock")
    assert (code, "inferenceProfileIdentifier" in message) == ("ValidationException", True), message
    code, message = raw.request(server, "POST", "/model//converse", {"messages": ASKED}).error("bedrock-runtime")
    assert (code, "modelId" in message) == ("ValidationException", True), message


def test_members_of_headers(loose):
    invoke = loose["bedrock-runtime"].invoke_model
    raises(lambda: invoke(modelId=HAIKU, body="{}", trace="LOUD"), "ValidationException", "at 'trace' failed to satisfy")


def test_create_inference_profile(loose):
    create = loose["bedrock"].create_inference_profile
    message = raises(lambda: create(modelSource={"copyFrom": HAIKU_ARN}), "ValidationException")
    assert message == (
        "1 validation error detected: Value null at 'inferenceProfileName' failed to satisfy constraint: "
        "Member must not be null"
    )
    long = "n" * 65
    raises(
        lambda: create(inferenceProfileName=long, modelSource={"copyFrom": HAIKU_ARN}),
        "ValidationException",
        f"Value '{long}' at 'inferenceProfileName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64",
    )


def test_a_sensitive_value_is_not_repeated(loose):
    secret = "swordfish!" * 3
    message = raises(
        lambda: loose["bedrock"].create_inference_profile(
            inferenceProfileName="a", description=secret, modelSource={"copyFrom": HAIKU_ARN}
        ),
        "ValidationException",
        "at 'description' failed to satisfy",
    )
    assert secret not in message, message


def test_a_union_has_exactly_one_member(server):
    for content in ({"text": "a", "cachePoint": {"type": "default"}}, {}):
        converse(server, messages=[{"role": "user", "content": [content]}])
