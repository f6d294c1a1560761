"""langchain-aws, unmodified, with a guardrail: ChatBedrockConverse by `guardrail_config`, ChatBedrock by `guardrails`."""
import os, tempfile

import harness

harness.ensure_venv(("boto3==1.44.5", "botocore==1.44.5", "awscli==1.46.2", "anthropic[bedrock]==2.11.0", "langchain-aws==1.9.1"))

from harness import Checks, client, server  # noqa: E402

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
SCRIPT = """
[[rules]]
contains = "plant"
text = "I would take a CACTUS."
chunk = 3

[[rules]]
text = "Hello there."
"""
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


def guardrail(url):
    made = client(url, "bedrock").create_guardrail(
        name="langchain", blockedInputMessaging="blocked in", blockedOutputsMessaging="blocked out",
        wordPolicyConfig={"wordsConfig": [{"text": "cactus"}]})
    return made["guardrailId"]


def converse(url, gid):
    from langchain_aws import ChatBedrockConverse
    use = {"guardrailIdentifier": gid, "guardrailVersion": "DRAFT", "trace": "enabled"}
    chat = ChatBedrockConverse(model=MODEL, base_url=url, guardrail_config=use, **KEYS)
    answer = chat.invoke("I like a cactus")
    assert answer.text == "blocked in" and answer.response_metadata["stopReason"] == "guardrail_intervened", answer
    assert gid in answer.response_metadata["trace"]["guardrail"]["inputAssessment"], answer
    assert chat.invoke("my plant").text == "blocked out"
    assert chat.invoke("hello").text == "Hello there."
    streamed = "".join(chunk.text for chunk in chat.stream("my plant"))
    assert streamed.endswith("blocked out") and "C" not in streamed, streamed


def invoke_model(url, gid):
    from langchain_aws import ChatBedrock
    use = {"guardrailIdentifier": gid, "guardrailVersion": "DRAFT", "trace": True}
    chat = ChatBedrock(model=MODEL, endpoint_url=url, guardrails=use, max_tokens=64, **KEYS)
    assert chat.invoke("I like a cactus").content == "blocked in"
    assert chat.invoke("hello").content == "Hello there."


if __name__ == "__main__":
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script.toml")
        open(script, "w").write(SCRIPT)
        config = f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{script}'\nserves = ['anthropic.*']\n"
        with server(config=config) as (url, _, _):
            gid = guardrail(url)
            checks.run("ChatBedrockConverse", converse, url, gid)
            checks.run("ChatBedrock", invoke_model, url, gid)
    checks.done()
