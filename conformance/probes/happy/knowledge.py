"""Recipes of knowledge bases, their sources, jobs and documents."""

import uuid

import boto3

from probes.happy.common import call, same
from support.ask import LOGS

KB_MODEL = "arn:aws:bedrock:us-east-1::foundation-model/outcrop.all-minilm-l6-v2"
KB_CONFIGURATION = {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": KB_MODEL}}
KB_STORE = {
    "type": "OPENSEARCH_SERVERLESS",
    "opensearchServerlessConfiguration": {
        "collectionArn": "arn:aws:aoss:us-east-1:123456789012:collection/abc123",
        "vectorIndexName": "docs-index",
        "fieldMapping": {"vectorField": "vector", "textField": "text", "metadataField": "metadata"},
    },
}
CUSTOM_SOURCE = {"type": "CUSTOM"}


def agent_call(connection, name, members):
    return call(connection, "bedrock-agent", name, members)


def new_base(connection):
    """One whose role the caller may pass."""
    if connection:
        bases = agent_call(connection, "ListKnowledgeBases", {}).json["knowledgeBaseSummaries"]
        # An account has a hundred: all but the latest that were made here go.
        for one in [one for one in bases if one["name"].startswith("probe-")][:-20]:
            agent_call(connection, "DeleteKnowledgeBase", {"knowledgeBaseId": one["knowledgeBaseId"]})
    members = {
        "name": f"probe-{uuid.uuid4().hex[:12]}",
        "roleArn": "arn:aws:iam::111122223333:role/AmazonBedrockProbe",
        "knowledgeBaseConfiguration": KB_CONFIGURATION,
        "storageConfiguration": KB_STORE,
    }

    def check(answer):
        made = answer.json["knowledgeBase"]
        got = base_of(connection, made["knowledgeBaseId"])
        assert (got["name"], got["status"]) == (members["name"], "ACTIVE"), got

    return members, check


def a_base(connection):
    answer = agent_call(connection, "CreateKnowledgeBase", new_base(connection)[0])
    assert answer.status == 202, answer.body
    return answer.json["knowledgeBase"]["knowledgeBaseId"]


def base_of(connection, kb):
    answer = agent_call(connection, "GetKnowledgeBase", {"knowledgeBaseId": kb})
    return answer.json["knowledgeBase"] if answer.status == 200 else answer.status


def get_base(connection):
    kb = a_base(connection)
    return {"knowledgeBaseId": kb}, lambda answer: same(answer.json["knowledgeBase"]["knowledgeBaseId"], kb)


def list_bases(connection):
    kb = a_base(connection)

    def check(answer):
        assert kb in [one["knowledgeBaseId"] for one in answer.json["knowledgeBaseSummaries"]], answer.json

    return {}, check


def update_base(connection):
    members = {**new_base(None)[0], "knowledgeBaseId": a_base(connection), "description": "another"}

    def check(_):
        same(base_of(connection, members["knowledgeBaseId"])["description"], "another")

    return members, check


def delete_base(connection):
    kb = a_base(connection)

    def check(answer):
        same(answer.json["status"], "DELETING")
        found = base_of(connection, kb)
        assert found == 404 or found["status"] == "DELETING", found

    return {"knowledgeBaseId": kb}, check


def new_source(connection, configuration=None):
    members = {
        "knowledgeBaseId": a_base(connection),
        "name": "probe",
        "dataSourceConfiguration": configuration or CUSTOM_SOURCE,
    }
    return members, lambda answer: same(answer.json["dataSource"]["status"], "AVAILABLE")


def a_source(connection, configuration=None):
    """The members that name a new one."""
    made = agent_call(connection, "CreateDataSource", new_source(connection, configuration)[0]).json["dataSource"]
    return {"knowledgeBaseId": made["knowledgeBaseId"], "dataSourceId": made["dataSourceId"]}


def get_source(connection):
    members = a_source(connection)
    return members, lambda answer: same(answer.json["dataSource"]["dataSourceId"], members["dataSourceId"])


def list_sources(connection):
    members = a_source(connection)

    def check(answer):
        same([one["dataSourceId"] for one in answer.json["dataSourceSummaries"]], [members["dataSourceId"]])

    return {"knowledgeBaseId": members["knowledgeBaseId"]}, check


def update_source(connection):
    members = {**a_source(connection), "name": "renamed", "dataSourceConfiguration": CUSTOM_SOURCE}
    return members, lambda answer: same(answer.json["dataSource"]["name"], "renamed")


def delete_source(connection):
    return a_source(connection), lambda answer: same(answer.json["status"], "DELETING")


def bucket_source(connection):
    return a_source(connection, {"type": "S3", "s3Configuration": {"bucketArn": f"arn:aws:s3:::{LOGS}"}})


def start_job(connection):
    return bucket_source(connection), lambda answer: same(answer.json["ingestionJob"]["status"], "STARTING")


def a_job(connection):
    members = bucket_source(connection)
    made = agent_call(connection, "StartIngestionJob", members).json["ingestionJob"]
    return {**members, "ingestionJobId": made["ingestionJobId"]}


def get_job(connection):
    members = a_job(connection)
    return members, lambda answer: same(answer.json["ingestionJob"]["ingestionJobId"], members["ingestionJobId"])


def list_jobs(connection):
    members = a_job(connection)
    job = members.pop("ingestionJobId")

    def check(answer):
        same([one["ingestionJobId"] for one in answer.json["ingestionJobSummaries"]], [job])

    return members, check


def stop_job(connection):
    """Of a bucket with so much in it that the job is still under way."""
    s3 = boto3.client("s3", endpoint_url=f"http://{connection.host}", region_name="us-east-1",
                      aws_access_key_id=connection.signer.key, aws_secret_access_key=connection.signer.secret)
    bucket = f"probe-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    for number in range(20):
        s3.put_object(Bucket=bucket, Key=f"{number}.txt", Body=b"Three rivers meet here, and one leaves. " * 2000)
    members = a_source(connection, {"type": "S3", "s3Configuration": {"bucketArn": f"arn:aws:s3:::{bucket}"}})
    job = agent_call(connection, "StartIngestionJob", members).json["ingestionJob"]["ingestionJobId"]
    return {**members, "ingestionJobId": job}, lambda answer: same(answer.json["ingestionJob"]["status"], "STOPPING")


PROBED = {"dataSourceType": "CUSTOM", "custom": {"id": "probe"}}


def ingest_documents(connection):
    content = {
        "dataSourceType": "CUSTOM",
        "custom": {
            "customDocumentIdentifier": {"id": "probe"},
            "sourceType": "IN_LINE",
            "inlineContent": {"type": "TEXT", "textContent": {"data": "Three rivers meet here."}},
        },
    }
    members = {**a_source(connection), "documents": [{"content": content}]}

    def check(answer):
        same([one["identifier"] for one in answer.json["documentDetails"]], [PROBED])

    return members, check


def a_document(connection):
    members = ingest_documents(connection)[0]
    assert agent_call(connection, "IngestKnowledgeBaseDocuments", members).status == 202
    del members["documents"]
    return members


def get_documents(connection):
    members = {**a_document(connection), "documentIdentifiers": [PROBED]}

    def check(answer):
        assert answer.json["documentDetails"][0]["status"] != "NOT_FOUND", answer.json

    return members, check


def list_documents(connection):
    def check(answer):
        same([one["identifier"] for one in answer.json["documentDetails"]], [PROBED])

    return a_document(connection), check


def delete_documents(connection):
    members = {**a_document(connection), "documentIdentifiers": [PROBED]}
    return members, lambda answer: same(answer.json["documentDetails"][0]["status"], "DELETING")


def tagged_base(connection):
    """The ARN of a knowledge base with a tag."""
    arn = base_of(connection, a_base(connection))["knowledgeBaseArn"]
    assert agent_call(connection, "TagResource", {"resourceArn": arn, "tags": {"probe": "yes"}}).status == 200
    return arn


def list_base_tags(connection):
    return {"resourceArn": tagged_base(connection)}, lambda answer: same(answer.json["tags"], {"probe": "yes"})


def tag_base(connection):
    members = {"resourceArn": tagged_base(connection), "tags": {"a": "1"}}

    def check(_):
        found = agent_call(connection, "ListTagsForResource", {"resourceArn": members["resourceArn"]}).json["tags"]
        same(found, {"probe": "yes", "a": "1"})

    return members, check


def untag_base(connection):
    members = {"resourceArn": tagged_base(connection), "tagKeys": ["probe"]}

    def check(_):
        found = agent_call(connection, "ListTagsForResource", {"resourceArn": members["resourceArn"]}).json["tags"]
        same(found, {})

    return members, check


RECIPES = {
    "bedrock-agent:CreateKnowledgeBase": new_base,
    "bedrock-agent:GetKnowledgeBase": get_base,
    "bedrock-agent:ListKnowledgeBases": list_bases,
    "bedrock-agent:UpdateKnowledgeBase": update_base,
    "bedrock-agent:DeleteKnowledgeBase": delete_base,
    "bedrock-agent:CreateDataSource": new_source,
    "bedrock-agent:GetDataSource": get_source,
    "bedrock-agent:ListDataSources": list_sources,
    "bedrock-agent:UpdateDataSource": update_source,
    "bedrock-agent:DeleteDataSource": delete_source,
    "bedrock-agent:StartIngestionJob": start_job,
    "bedrock-agent:GetIngestionJob": get_job,
    "bedrock-agent:ListIngestionJobs": list_jobs,
    "bedrock-agent:StopIngestionJob": stop_job,
    "bedrock-agent:IngestKnowledgeBaseDocuments": ingest_documents,
    "bedrock-agent:GetKnowledgeBaseDocuments": get_documents,
    "bedrock-agent:ListKnowledgeBaseDocuments": list_documents,
    "bedrock-agent:DeleteKnowledgeBaseDocuments": delete_documents,
    "bedrock-agent:ListTagsForResource": list_base_tags,
    "bedrock-agent:TagResource": tag_base,
    "bedrock-agent:UntagResource": untag_base,
}
