"""Small things that many tests say: models, messages, what an answer amounts to."""

import json

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
HAIKU_ARN = "arn:aws:bedrock:us-east-1::foundation-model/" + HAIKU
PROFILE = "us.anthropic.claude-sonnet-4-20250514-v1:0"
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
TITAN_TEXT = "amazon.titan-text-express-v1"
TITAN_EMBED_V1 = "amazon.titan-embed-text-v1"
TITAN_EMBED = "amazon.titan-embed-text-v2:0"
COHERE_EMBED = "cohere.embed-english-v3"
# A bucket: a folder that the tests make in the data of their server.
LOGS = "outcrop-conformance-logs"
UNKNOWN = "anthropic.no-such-model-v9:0"

INVALID_ID = "The provided model identifier is invalid."
SCHEMA = {
    "type": "object",
    "properties": {"unit": {"type": "string", "enum": ["celsius", "kelvin"]}, "urgent": {"type": "boolean"}},
    "required": ["unit", "urgent"],
    "additionalProperties": False,
}
TOOL = {"toolSpec": {"name": "thermometer", "description": "Reads the temperature.", "inputSchema": {"json": SCHEMA}}}
TURN = {
    "toolSpec": {
        "name": "turn",
        "inputSchema": {
            "json": {
                "type": "object",
                "properties": {"side": {"type": "string", "enum": ["left", "right"]}},
                "required": ["side"],
                "additionalProperties": False,
            }
        },
    }
}


def user(*texts):
    return {"role": "user", "content": [{"text": text} for text in texts]}


def assistant(text):
    return {"role": "assistant", "content": [{"text": text}]}


def converse(runtime, messages=None, model=HAIKU, tokens=12, inference=None, **rest):
    return runtime.converse(
        modelId=model,
        messages=messages or [user("Name three rivers.")],
        inferenceConfig={"maxTokens": tokens, "temperature": 0, **(inference or {})},
        **rest,
    )


def stream(runtime, messages=None, model=HAIKU, tokens=12, inference=None, **rest):
    """All events of a ConverseStream call."""
    answer = runtime.converse_stream(
        modelId=model,
        messages=messages or [user("Name three rivers.")],
        inferenceConfig={"maxTokens": tokens, "temperature": 0, **(inference or {})},
        **rest,
    )
    return list(answer["stream"])


def text(answer):
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def tool_uses(answer):
    return [block["toolUse"] for block in answer["output"]["message"]["content"] if "toolUse" in block]


def input_tokens(usage):
    """All tokens that went in: those read from or written to the cache are counted apart."""
    return usage["inputTokens"] + usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)


def json_output(schema=None, name="reading"):
    structure = {"jsonSchema": {"schema": json.dumps(schema or SCHEMA), "name": name}}
    return {"textFormat": {"type": "json_schema", "structure": structure}}


def anthropic(prompt="Name three rivers.", tokens=12, **rest):
    return {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": tokens,
        "temperature": 0,
        "messages": [{"role": "user", "content": prompt}],
        **rest,
    }


def invoke(runtime, model, body, **rest):
    """InvokeModel; returns (body, headers)."""
    answer = runtime.invoke_model(modelId=model, body=body if isinstance(body, (str, bytes)) else json.dumps(body), **rest)
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


def invoke_stream(runtime, model, body, **rest):
    """InvokeModelWithResponseStream; returns its decoded chunks."""
    answer = runtime.invoke_model_with_response_stream(modelId=model, body=json.dumps(body), **rest)
    return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
