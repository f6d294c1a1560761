"""The first conversation of `make run`: wait for the server, ask once through boto3, say what to try next."""

import json
import os
import sys
import time
import urllib.error
import urllib.request

MODEL = "us.anthropic.claude-sonnet-4-20250514-v1:0"
QUESTION = "Name three rivers."
READY_WITHIN_SECONDS = 120


def healthy(url):
    try:
        with urllib.request.urlopen(url + "/outcrop/health", timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def alive(pid):
    """A process that has ended but was not waited for still answers signal 0, so its state decides."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
    except OSError:
        os.kill(pid, 0)
        return True


def wait(url, pid):
    end = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < end and alive(pid):
        if healthy(url):
            return True
        time.sleep(0.1)
    return False


def converse(url):
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(read_timeout=120),
    )
    print(f"==> asking through boto3: {QUESTION}", flush=True)
    answer = client.converse(
        modelId=MODEL,
        messages=[{"role": "user", "content": [{"text": QUESTION}]}],
        inferenceConfig={"maxTokens": 64, "temperature": 0},
    )
    text = "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
    served_by = answer["ResponseMetadata"]["HTTPHeaders"].get("x-outcrop-served-by", "")
    print("\n" + text.strip() + "\n")
    usage = answer["usage"]
    print(f"    {usage['inputTokens']} tokens in, {usage['outputTokens']} out; asked {MODEL}, answered by {served_by or 'it'}")
    aws = os.path.join(sys.prefix, "bin", "aws")  # the pinned one: the machine may have none
    message = json.dumps([{"role": "user", "content": [{"text": "hi"}]}])
    print(
        f"""
Three things to try, in another terminal:
  1. target/release/outcrop chat
  2. export AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
     export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
     {aws} bedrock-runtime converse --model-id {MODEL} --messages '{message}'
  3. {aws} bedrock list-foundation-models --query 'modelSummaries[].modelId'
"""
    )


if __name__ == "__main__":
    what, url = sys.argv[1:3]
    if what == "healthy":
        sys.exit(0 if healthy(url) else 1)
    elif what == "wait":
        sys.exit(0 if wait(url, int(sys.argv[3])) else 1)
    else:
        converse(url)
