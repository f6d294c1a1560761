"""The AWS CLI, unmodified: arguments as people type them, errors as it prints them."""

import json

import pytest

from support.ask import HAIKU, HAIKU_ARN, INVALID_ID, PROFILE, SCHEMA, TITAN_EMBED, TOOL, UNKNOWN, user
from support.clients import CliError, cli

ASKED = json.dumps([user("hi")])


@pytest.fixture
def runtime_cli(server):
    return lambda *args: cli(server.url, "bedrock-runtime", *args)


@pytest.fixture
def bedrock_cli(server):
    return lambda *args: cli(server.url, "bedrock", *args)


def test_converse(runtime_cli):
    out = runtime_cli(
        "converse", "--model-id", HAIKU, "--messages", ASKED, "--system", "text=Be brief",
        "--inference-config", "maxTokens=8,temperature=0",
    )  # fmt: skip
    assert out["output"]["message"]["content"][0]["text"].strip()
    assert 0 < out["usage"]["outputTokens"] <= 8


def test_a_query_over_the_answer(runtime_cli):
    out = runtime_cli(
        "converse", "--model-id", PROFILE, "--messages", ASKED, "--inference-config", "maxTokens=1",
        "--query", "usage.outputTokens", "--output", "text",
    )  # fmt: skip
    assert str(out).strip() == "1"


def test_a_forced_tool(runtime_cli):
    tools = {"tools": [TOOL], "toolChoice": {"tool": {"name": "thermometer"}}}
    out = runtime_cli(
        "converse", "--model-id", HAIKU, "--messages", ASKED, "--inference-config", "maxTokens=200",
        "--tool-config", json.dumps(tools),
    )  # fmt: skip
    (use,) = [block["toolUse"] for block in out["output"]["message"]["content"] if "toolUse" in block]
    assert set(use["input"]) == set(SCHEMA["properties"])


def test_invoke_model_writes_a_file(runtime_cli, tmp_path):
    path = tmp_path / "out.json"
    body = json.dumps({"inputText": "hello", "dimensions": 256})
    out = runtime_cli("invoke-model", "--model-id", TITAN_EMBED, "--body", body, str(path))
    assert out["contentType"] == "application/json"
    assert len(json.loads(path.read_text())["embedding"]) == 256


def test_count_tokens(runtime_cli):
    out = runtime_cli("count-tokens", "--model-id", HAIKU, "--input", json.dumps({"converse": {"messages": [user("hi")]}}))
    assert out["inputTokens"] > 0


def test_the_catalogue(bedrock_cli):
    models = bedrock_cli("list-foundation-models", "--by-provider", "anthropic")["modelSummaries"]
    assert models and all(model["providerName"] == "Anthropic" for model in models)
    details = bedrock_cli("get-foundation-model", "--model-identifier", HAIKU)["modelDetails"]
    assert details["modelId"] == HAIKU
    assert bedrock_cli("get-foundation-model-availability", "--model-id", HAIKU)["modelId"] == HAIKU
    table = bedrock_cli("list-foundation-models", "--query", "modelSummaries[].modelId", "--output", "table")
    assert HAIKU in table


def test_an_inference_profile_from_birth_to_death(bedrock_cli):
    arn = bedrock_cli(
        "create-inference-profile", "--inference-profile-name", "from the cli", "--model-source", "copyFrom=" + HAIKU_ARN,
        "--tags", "key=team,value=search",
    )["inferenceProfileArn"]  # fmt: skip
    got = bedrock_cli("get-inference-profile", "--inference-profile-identifier", arn)
    assert got["inferenceProfileName"] == "from the cli" and got["createdAt"]
    tags = bedrock_cli("list-tags-for-resource", "--resource-arn", arn)["tags"]
    assert tags == [{"key": "team", "value": "search"}]
    bedrock_cli("tag-resource", "--resource-arn", arn, "--tags", "key=a,value=b")
    bedrock_cli("untag-resource", "--resource-arn", arn, "--tag-keys", "team")
    assert bedrock_cli("list-tags-for-resource", "--resource-arn", arn)["tags"] == [{"key": "a", "value": "b"}]
    listed = bedrock_cli("list-inference-profiles", "--type-equals", "APPLICATION")["inferenceProfileSummaries"]
    assert arn in [profile["inferenceProfileArn"] for profile in listed]
    bedrock_cli("delete-inference-profile", "--inference-profile-identifier", arn)
    with pytest.raises(CliError, match=r"\(ResourceNotFoundException\) when calling the GetInferenceProfile"):
        bedrock_cli("get-inference-profile", "--inference-profile-identifier", arn)


def test_an_error_reads_as_bedrocks(runtime_cli):
    with pytest.raises(CliError) as error:
        runtime_cli("converse", "--model-id", UNKNOWN, "--messages", ASKED)
    assert error.value.status in (254, 255)
    expected = f"An error occurred (ValidationException) when calling the Converse operation: {INVALID_ID}"
    assert expected in str(error.value)


def test_what_is_not_built_says_so(bedrock_cli):
    with pytest.raises(CliError, match=r"\(NotImplementedException\) when calling the ListImportedModels .*ListImportedModels"):
        bedrock_cli("list-imported-models")
