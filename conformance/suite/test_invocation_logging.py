"""Model invocation logging: what was sent and answered is in the records of whoever asked for it, and nowhere else."""

import gzip
import json
import uuid

import pytest

from support import raw
from support.ask import HAIKU, LOGS, TITAN_EMBED, TITAN_TEXT, user
from support.clients import CliError, cli, client, raises
from support.keys import access_key
from support.sigv4 import Signer
from support.waiting import until

ACCOUNT = "515151515151"
FOLDER = f"AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/us-east-1"
S3 = {"s3Config": {"bucketName": LOGS}}


def put(server, config, account=ACCOUNT):
    bedrock = client(server.url, "bedrock", account=account)
    bedrock.put_model_invocation_logging_configuration(loggingConfig=config)
    return bedrock


def records(server, prefix="logs", folder=FOLDER):
    found = []
    for file in sorted((server.data / "buckets" / LOGS / prefix / folder).glob("*/*/*/*/*.json.gz")):
        found += [json.loads(line) for line in gzip.open(file, "rt")]
    return found


def record(server, answer, **where):
    wanted = answer if isinstance(answer, str) else answer["ResponseMetadata"]["RequestId"]
    found = until(lambda: [r for r in records(server, **where) if r["requestId"] == wanted], 10, "its record")
    assert len(found) == 1
    return found[0]


def same(seen, answer, operation, model):
    assert (seen["schemaType"], seen["schemaVersion"]) == ("ModelInvocationLog", "1.0")
    assert (seen["accountId"], seen["region"], seen["operation"]) == (ACCOUNT, "us-east-1", operation)
    assert seen["modelId"] == model and seen["identity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert seen["input"]["inputContentType"].startswith("application/json")
    assert seen["output"]["outputContentType"].startswith("application/json")


@pytest.fixture(scope="module")
def logged(server):
    put(server, {"s3Config": {"bucketName": LOGS, "keyPrefix": "logs"}})
    return client(server.url, "bedrock-runtime", account=ACCOUNT)


def test_converse(server, logged):
    asked = {"messages": [user("Name a river.")], "inferenceConfig": {"maxTokens": 3}, "requestMetadata": {"team": "a"}}
    answer = logged.converse(modelId=HAIKU, **asked)
    seen = record(server, answer)
    same(seen, answer, "Converse", HAIKU)
    assert seen["input"]["inputBodyJson"] == asked and seen["requestMetadata"] == {"team": "a"}
    del answer["ResponseMetadata"]
    assert seen["output"]["outputBodyJson"] == answer
    assert seen["input"]["inputTokenCount"] == answer["usage"]["inputTokens"]
    assert seen["output"]["outputTokenCount"] == answer["usage"]["outputTokens"] == 3


def test_converse_stream(server, logged):
    answer = logged.converse_stream(modelId=HAIKU, messages=[user("Name a river.")], inferenceConfig={"maxTokens": 3})
    events = list(answer["stream"])
    seen = record(server, answer)
    same(seen, answer, "ConverseStream", HAIKU)
    assert seen["output"]["outputBodyJson"] == events
    assert seen["output"]["outputTokenCount"] == events[-1]["metadata"]["usage"]["outputTokens"]


def test_invoke_model(server, logged):
    body = {"inputText": "Name a river.", "textGenerationConfig": {"maxTokenCount": 3}}
    answer = logged.invoke_model(modelId=TITAN_TEXT, body=json.dumps(body), contentType="application/json")
    got = json.loads(answer["body"].read())
    seen = record(server, answer)
    same(seen, answer, "InvokeModel", TITAN_TEXT)
    assert (seen["input"]["inputBodyJson"], seen["output"]["outputBodyJson"]) == (body, got)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert seen["input"]["inputTokenCount"] == int(headers["x-amzn-bedrock-input-token-count"])
    assert seen["output"]["outputTokenCount"] == int(headers["x-amzn-bedrock-output-token-count"])


def test_invoke_model_with_response_stream(server, logged):
    body = {"inputText": "Name a river.", "textGenerationConfig": {"maxTokenCount": 3}}
    answer = logged.invoke_model_with_response_stream(modelId=TITAN_TEXT, body=json.dumps(body))
    chunks = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    seen = record(server, answer)
    same(seen, answer, "InvokeModelWithResponseStream", TITAN_TEXT)
    assert seen["output"]["outputBodyJson"] == chunks
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    assert seen["output"]["outputTokenCount"] == metrics["outputTokenCount"]


def test_a_failure_has_its_error(server, logged):
    with pytest.raises(Exception) as caught:
        logged.converse(modelId="anthropic.no-such-model-v9:0", messages=[user("hi")])
    seen = record(server, caught.value.response)
    assert seen["errorCode"] == "ValidationException" and seen["input"]["inputBodyJson"]["messages"] == [user("hi")]


def test_a_large_body_stands_apart(server, logged):
    body = json.dumps({"inputText": "river " * 30_000})
    with pytest.raises(Exception) as caught:
        logged.invoke_model(modelId=TITAN_EMBED, body=body, contentType="application/json")
    seen = record(server, caught.value.response)
    assert "inputBodyJson" not in seen["input"]
    place = seen["input"]["inputBodyS3Path"].removeprefix(f"s3://{LOGS}/")
    assert "/data/" in place
    assert json.loads(gzip.open(server.data / "buckets" / LOGS / place).read()) == json.loads(body)


def test_the_doors(server, logged):
    body = json.dumps({"model": HAIKU, "max_tokens": 2, "messages": [{"role": "user", "content": "hi"}]}).encode()
    answer = raw.request(server, "POST", "/v1/chat/completions", body, signer=Signer(key=ACCOUNT))
    seen = record(server, answer.headers["x-amzn-requestid"])
    same(seen, answer, "openai-chat-completions", HAIKU)
    assert seen["input"]["inputBodyJson"] == json.loads(body) and seen["output"]["outputBodyJson"] == answer.json
    assert seen["output"]["outputTokenCount"] == answer.json["usage"]["completion_tokens"]


def test_off_there_is_nothing_anywhere(fresh):
    """On for one account, another's words are in no file of the server and in no log."""
    server = fresh().start()
    (server.data / "buckets" / LOGS).mkdir(parents=True)
    put(server, S3)
    marker, heard = uuid.uuid4().hex, uuid.uuid4().hex
    for account, word in [("616161616161", marker), (ACCOUNT, heard)]:
        runtime = client(server.url, "bedrock-runtime", account=account)
        runtime.converse(modelId=HAIKU, messages=[user(word)], inferenceConfig={"maxTokens": 1})
        list(runtime.converse_stream(modelId=HAIKU, messages=[user(word)], inferenceConfig={"maxTokens": 1})["stream"])
        body = {"inputText": word, "textGenerationConfig": {"maxTokenCount": 1}}
        runtime.invoke_model(modelId=TITAN_TEXT, body=json.dumps(body))["body"].read()
    assert server.stop() == 0
    texts = {file: file.read_bytes() for file in server.data.rglob("*") if file.is_file()}
    texts = {f: gzip.decompress(b) if f.suffix == ".gz" else b for f, b in texts.items()}
    texts[server.log_path] = server.log_path.read_bytes()
    assert [file for file, text in texts.items() if marker.encode() in text] == []
    # The same search finds what is there: it is all in the bucket.
    found = [file for file, text in texts.items() if heard.encode() in text]
    assert found and all(server.data / "buckets" in file.parents for file in found)


def test_what_was_put_is_told_and_lasts(fresh):
    server = fresh().start()
    (server.data / "buckets" / LOGS).mkdir(parents=True)
    (server.data / "log-groups" / "aws" / "bedrock").mkdir(parents=True)
    config = {
        "cloudWatchConfig": {
            "logGroupName": "/aws/bedrock",
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/logs",
            "largeDataDeliveryS3Config": {"bucketName": LOGS, "keyPrefix": "large"},
        },
        "s3Config": {"bucketName": LOGS, "keyPrefix": "a/b"},
        "textDataDeliveryEnabled": True,
        "embeddingDataDeliveryEnabled": False,
    }
    bedrock = put(server, config)
    assert bedrock.get_model_invocation_logging_configuration()["loggingConfig"] == config
    for other in [{"account": "424242424242"}, {"account": ACCOUNT, "region": "eu-west-1"}]:
        assert "loggingConfig" not in client(server.url, "bedrock", **other).get_model_invocation_logging_configuration()
    server.kill()
    server.start()
    assert cli(server.url, "bedrock", "get-model-invocation-logging-configuration", key=(ACCOUNT, "x"))["loggingConfig"] == config
    runtime = client(server.url, "bedrock-runtime", account=ACCOUNT)
    answer = runtime.converse(modelId=HAIKU, messages=[user("hi")], inferenceConfig={"maxTokens": 1})
    record(server, answer, prefix="a/b")

    # One thread delivers, to the bucket first.
    def lines():
        files = (server.data / "log-groups").rglob("aws/bedrock/modelinvocations/*.jsonl")
        return [line for file in files for line in open(file) if line.endswith("\n")]

    logged = until(lines, 10, "the line in the log group")
    assert [json.loads(line)["requestId"] for line in logged] == [answer["ResponseMetadata"]["RequestId"]]
    cli(server.url, "bedrock", "delete-model-invocation-logging-configuration", key=(ACCOUNT, "x"))
    bedrock = client(server.url, "bedrock", account=ACCOUNT)
    assert "loggingConfig" not in bedrock.get_model_invocation_logging_configuration()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "must say where records go"),
        ({"s3Config": {"bucketName": "no-such-bucket"}}, "There is no bucket no-such-bucket"),
        ({"s3Config": {"bucketName": LOGS, "keyPrefix": "../.."}}, "keyPrefix must be"),
        (
            {"cloudWatchConfig": {"logGroupName": "none", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/logs"}},
            "There is no log group none",
        ),
    ],
    ids=["nowhere", "unknown bucket", "prefix", "unknown group"],
)
def test_what_cannot_be(server, config, says):
    raises(lambda: put(server, config, "525252525252"), "ValidationException", says)


def test_who_may(fresh):
    server = fresh("serve", config="[access]\ndefault_policies = []\n")
    key = access_key(server.data, "123456789012", "nobody")
    server.start()
    bedrock = client(server.url, "bedrock", key=key)
    for call in [
        bedrock.get_model_invocation_logging_configuration,
        bedrock.delete_model_invocation_logging_configuration,
        lambda: bedrock.put_model_invocation_logging_configuration(loggingConfig=S3),
    ]:
        raises(call, "AccessDeniedException", status=403)


def test_an_unknown_bucket_by_the_command_line(server):
    config = json.dumps({"s3Config": {"bucketName": "no-such-bucket"}})
    with pytest.raises(CliError, match="ValidationException.*There is no bucket"):
        cli(server.url, "bedrock", "put-model-invocation-logging-configuration", "--logging-config", config)
