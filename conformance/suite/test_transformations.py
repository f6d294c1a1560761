"""A data source's own step after chunking: a function of the operator gets the chunks and answers with others."""

import json
import sys
import textwrap

import pytest

from support.clients import client, raises
from support.knowledge import base, bucket_source, counted, source, statuses, sync

ACCOUNT = "555544443339"
DOCS, BETWEEN = "documents-of-transformations", "between-steps"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:chunker"
BROKEN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:broken"
PROGRAM = """
    import json, os, pathlib, sys
    import boto3

    event = json.load(sys.stdin)
    assert event["version"] == "1.0" and event["priorTask"] == "CHUNKING", event
    s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1",
                      aws_access_key_id=sys.argv[2], aws_secret_access_key="x")
    bucket, answer = event["bucketName"], []
    for file in event["inputFiles"]:
        batches = []
        for batch in file["contentBatches"]:
            content = json.loads(s3.get_object(Bucket=bucket, Key=batch["key"])["Body"].read())
            if any("refuse" in one["contentBody"] for one in content["fileContents"]):
                sys.exit("I do not like it")
            made = []
            for one in content["fileContents"]:
                assert one["contentType"] == "TEXT", one
                for line in filter(None, one["contentBody"].splitlines()):
                    made.append({"contentBody": line.upper(), "contentType": "TEXT",
                                 "contentMetadata": {"lines": 1, "team": "changed"}})
            key = "Output/" + batch["key"]
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps({"fileContents": made}))
            batches.append({"key": key})
        answer.append({**file, "contentBatches": batches})
    print(json.dumps({"outputFiles": answer}))
"""


def transformed(arn=ARN, bucket=BETWEEN):
    return {
        "chunkingConfiguration": {"chunkingStrategy": "NONE"},
        "customTransformationConfiguration": {
            "intermediateStorage": {"s3Location": {"uri": f"s3://{bucket}/steps/"}},
            "transformations": [{
                "stepToApply": "POST_CHUNKING",
                "transformationFunction": {"transformationLambdaConfiguration": {"lambdaArn": arn}},
            }],
        },
    }


@pytest.fixture
def server(fresh, tmp_path):
    """A server whose function calls it back, so that it must listen where the configuration says."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = tmp_path / "chunker.py"
    program.write_text(textwrap.dedent(PROGRAM))
    command = json.dumps([sys.executable, str(program), f"http://127.0.0.1:{port}", ACCOUNT])
    config = f'[functions."{ARN}"]\ncommand = {command}\n[functions."{BROKEN}"]\nurl = "http://127.0.0.1:1/none"\n'
    return fresh(config=config).start(listen=f"127.0.0.1:{port}")


@pytest.fixture
def agent(server):
    return client(server.url, "bedrock-agent", account=ACCOUNT)


@pytest.fixture
def s3(server):
    made = client(server.url, "s3", account=ACCOUNT)
    for bucket in (DOCS, BETWEEN):
        made.create_bucket(Bucket=bucket)
    made.put_object(Bucket=DOCS, Key="a.txt", Body="red apples\ngreen pears\n")
    attributes = {"metadataAttributes": {"team": "fruit", "year": 2024}}
    made.put_object(Bucket=DOCS, Key="a.txt.metadata.json", Body=json.dumps(attributes))
    return made


def test_a_function_makes_the_chunks(server, agent, s3):
    s3.put_object(Bucket=DOCS, Key="b.txt", Body="refuse this one\n")
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(DOCS), vectorIngestionConfiguration=transformed())
    done = sync(agent, kb, ds, 120)
    assert done["status"] == "COMPLETE", done
    assert counted(done) == {
        "DocumentsScanned": 2, "MetadataDocumentsScanned": 1, "NewDocumentsIndexed": 1, "DocumentsFailed": 1,
    }
    assert "I do not like it" in json.loads(done["failureReasons"][0])[0]
    assert statuses(agent, kb, ds) == {f"s3://{DOCS}/a.txt": "INDEXED", f"s3://{DOCS}/b.txt": "FAILED"}
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "pears"})["retrievalResults"]
    assert [one["content"]["text"] for one in found] == ["GREEN PEARS", "RED APPLES"]
    metadata = found[0]["metadata"]
    # What a function says of a chunk goes before what its document's sidecar says.
    assert (metadata["team"], metadata["year"], metadata["lines"]) == ("changed", 2024.0, 1.0)
    assert metadata["x-amz-bedrock-kb-source-uri"] == f"s3://{DOCS}/a.txt"
    left = [one["Key"] for one in s3.list_objects_v2(Bucket=BETWEEN).get("Contents", [])]
    assert all(key.startswith("Output/") for key in left), left


def test_an_endpoint_that_is_not_there_fails_documents_and_not_the_job(agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(DOCS), vectorIngestionConfiguration=transformed(BROKEN))
    done = sync(agent, kb, ds, 120)
    assert done["status"] == "COMPLETE" and counted(done)["DocumentsFailed"] == 1
    assert BROKEN in json.loads(done["failureReasons"][0])[0]


def test_a_function_that_nobody_lends_is_named(agent, s3):
    kb = base(agent, ACCOUNT)
    other = ARN.replace("chunker", "other")
    raises(
        lambda: source(agent, kb, configuration=bucket_source(DOCS), vectorIngestionConfiguration=transformed(other)),
        "ValidationException", f"No executor is bound to the function {other}",
    )
    raises(
        lambda: source(
            agent, kb, configuration=bucket_source(DOCS), vectorIngestionConfiguration=transformed(bucket=DOCS)
        ),
        "ValidationException", "cannot have the same s3 bucket for intermediate storage",
    )
