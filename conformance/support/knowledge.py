"""Knowledge bases for the tests: what they are made of, and waiting for their work."""

from botocore.exceptions import ClientError

from support.waiting import until

REGION = "us-east-1"
MODEL = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"
VECTOR = {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": MODEL}}
FIELDS = {"vectorField": "vector", "textField": "text", "metadataField": "metadata"}
STORE = {
    "type": "OPENSEARCH_SERVERLESS",
    "opensearchServerlessConfiguration": {
        "collectionArn": f"arn:aws:aoss:{REGION}:123456789012:collection/abc123",
        "vectorIndexName": "docs-index",
        "fieldMapping": FIELDS,
    },
}
CUSTOM = {"type": "CUSTOM"}


def role(account):
    return f"arn:aws:iam::{account}:role/bedrock-kb-role"


def given(account, name, **rest):
    return {
        "name": name,
        "roleArn": role(account),
        "knowledgeBaseConfiguration": VECTOR,
        "storageConfiguration": STORE,
        **rest,
    }


def base(agent, account, name="docs", **rest):
    return agent.create_knowledge_base(**given(account, name, **rest))["knowledgeBase"]["knowledgeBaseId"]


def source(agent, kb, name="files", configuration=CUSTOM, **rest):
    made = agent.create_data_source(
        knowledgeBaseId=kb, name=name, dataSourceConfiguration=configuration, **rest
    )
    return made["dataSource"]["dataSourceId"]


def bucket_source(bucket, prefix=None):
    s3 = {"bucketArn": f"arn:aws:s3:::{bucket}"}
    if prefix:
        s3["inclusionPrefixes"] = [prefix]
    return {"type": "S3", "s3Configuration": s3}


def ended(agent, kb, ds, job, seconds=60):
    """The job when it has ended."""

    def look():
        found = agent.get_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=job)["ingestionJob"]
        return found if found["status"] in ("COMPLETE", "FAILED", "STOPPED") else None

    return until(look, seconds, f"the end of ingestion job {job}")


def sync(agent, kb, ds, seconds=60):
    """Starts a job and waits for its end."""
    job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]
    return ended(agent, kb, ds, job, seconds)


def counted(job):
    """The counters that are not 0, without what they all begin with."""
    short = {key.removeprefix("numberOf"): value for key, value in job["statistics"].items()}
    return {key: value for key, value in short.items() if value}


def statuses(agent, kb, ds):
    """The status of every document, by its id, over pages of two."""
    found, token = {}, {}
    while True:
        page = agent.list_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, maxResults=2, **token)
        for one in page["documentDetails"]:
            identifier = one["identifier"]
            found[identifier.get("custom", {}).get("id") or identifier["s3"]["uri"]] = one["status"]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


def text(name, content, **attributes):
    """A document for a CUSTOM source."""
    document = {
        "content": {
            "dataSourceType": "CUSTOM",
            "custom": {
                "customDocumentIdentifier": {"id": name},
                "sourceType": "IN_LINE",
                "inlineContent": {"type": "TEXT", "textContent": {"data": content}},
            },
        }
    }
    if attributes:
        document["metadata"] = {
            "type": "IN_LINE_ATTRIBUTE",
            "inlineAttributes": [
                {"key": key, "value": {"type": "STRING", "stringValue": value}} for key, value in attributes.items()
            ],
        }
    return document


def gone(call, seconds=30):
    """Waits until a get answers 404."""

    def look():
        try:
            call()
        except ClientError as error:
            return error.response["Error"]["Code"] == "ResourceNotFoundException"
        return False

    until(look, seconds, "what was deleted is gone")


def clean(agent):
    """Deletes every knowledge base of the account."""
    for one in agent.list_knowledge_bases()["knowledgeBaseSummaries"]:
        kb = one["knowledgeBaseId"]
        agent.delete_knowledge_base(knowledgeBaseId=kb)
        gone(lambda kb=kb: agent.get_knowledge_base(knowledgeBaseId=kb))
