"""Recipes of calls of models."""

import base64
import json

from probes.happy.common import call, events
from support.ask import HAIKU, TITAN_TEXT, user

TITAN = {"inputText": "Name three rivers.", "textGenerationConfig": {"maxTokenCount": 1}}
ASKED = {"modelId": HAIKU, "messages": [user("Name three rivers.")], "inferenceConfig": {"maxTokens": 1}}
INVOKED = {"modelId": TITAN_TEXT, "body": base64.b64encode(json.dumps(TITAN).encode()).decode()}


def converse(_):
    def check(answer):
        assert answer.json["output"]["message"]["role"] == "assistant" and answer.json["usage"]["outputTokens"] == 1

    return ASKED, check


def converse_stream(_):
    def check(answer):
        names = [headers[":event-type"] for headers, _ in events(answer)]
        assert names[0] == "messageStart" and names[-2:] == ["messageStop", "metadata"], names

    return ASKED, check


def invoke(_):
    def check(answer):
        assert answer.json["results"][0]["tokenCount"] == 1, answer.json

    return INVOKED, check


def invoke_stream(_):
    def check(answer):
        chunks = [json.loads(base64.b64decode(json.loads(payload)["bytes"])) for _, payload in events(answer)]
        assert chunks[-1]["completionReason"], chunks

    return INVOKED, check


def count_tokens(connection):
    def counted(text):
        return {"modelId": HAIKU, "input": {"converse": {"messages": [user(text)]}}}

    def check(answer):
        more = call(connection, "bedrock-runtime", "CountTokens", counted("Name three rivers. " * 20))
        assert more.json["inputTokens"] > answer.json["inputTokens"] > 0, (more.json, answer.json)

    return counted("Name three rivers."), check


RECIPES = {
    "bedrock-runtime:Converse": converse,
    "bedrock-runtime:ConverseStream": converse_stream,
    "bedrock-runtime:InvokeModel": invoke,
    "bedrock-runtime:InvokeModelWithResponseStream": invoke_stream,
    "bedrock-runtime:CountTokens": count_tokens,
}
