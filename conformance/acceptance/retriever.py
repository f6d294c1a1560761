"""langchain-aws, unmodified, over a knowledge base: AmazonKnowledgeBasesRetriever with a filter, a score, and BedrockRerank."""
import os, time

import harness

harness.ensure_venv(("boto3==1.44.5", "botocore==1.44.5", "awscli==1.46.2", "anthropic[bedrock]==2.11.0", "langchain-aws==1.9.1"))

from harness import Checks, client, server  # noqa: E402

REGION = "us-east-1"
FACTS = {
    "restart": ("To restart the indexing service run `systemctl restart indexer` on host ix-7.", "search"),
    "oncall": ("The on-call rotation changes every Wednesday at 10:00 UTC. Priya Raman owns the schedule.", "people"),
    "queue": ("We chose NATS JetStream over Kafka in March 2024 because operations had two people only.", "search"),
}


def knowledge_base(url):
    agent = client(url, "bedrock-agent")
    kb = agent.create_knowledge_base(
        name="langchain", roleArn="arn:aws:iam::123456789012:role/kb",
        knowledgeBaseConfiguration={"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {
            "embeddingModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"}},
        storageConfiguration={"type": "S3_VECTORS", "s3VectorsConfiguration": {
            "indexArn": f"arn:aws:s3vectors:{REGION}:123456789012:bucket/vectors/index/facts"}})["knowledgeBase"]["knowledgeBaseId"]
    source = agent.create_data_source(
        knowledgeBaseId=kb, name="facts", dataSourceConfiguration={"type": "CUSTOM"})["dataSource"]["dataSourceId"]
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=source, documents=[{
        "content": {"dataSourceType": "CUSTOM", "custom": {
            "customDocumentIdentifier": {"id": name}, "sourceType": "IN_LINE",
            "inlineContent": {"type": "TEXT", "textContent": {"data": text}}}},
        "metadata": {"type": "IN_LINE_ATTRIBUTE", "inlineAttributes": [
            {"key": "team", "value": {"type": "STRING", "stringValue": team}}]},
    } for name, (text, team) in FACTS.items()])
    end = time.time() + 60
    while True:
        documents = agent.list_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=source)["documentDetails"]
        if len(documents) == 3 and all(one["status"] == "INDEXED" for one in documents):
            return kb
        assert time.time() < end and not any(one["status"] == "FAILED" for one in documents), documents
        time.sleep(0.1)


def retriever(url, kb, **search):
    from langchain_aws.retrievers import AmazonKnowledgeBasesRetriever
    return AmazonKnowledgeBasesRetriever(
        knowledge_base_id=kb, endpoint_url=url, region_name=REGION,
        retrieval_config={"vectorSearchConfiguration": {"numberOfResults": 3, **search}})


def found(url, kb):
    documents = retriever(url, kb).invoke("who owns the on-call schedule?")
    assert "Priya Raman" in documents[0].page_content, documents
    meta = documents[0].metadata
    assert meta["location"]["customDocumentLocation"]["id"] == "oncall" and 0 < meta["score"] <= 1, meta
    assert meta["source_metadata"]["team"] == "people", meta


def filtered(url, kb):
    documents = retriever(url, kb, filter={"equals": {"key": "team", "value": "search"}}).invoke("who owns the schedule?")
    assert len(documents) == 2 and all("Priya" not in one.page_content for one in documents), documents


def reranked(url, kb):
    from langchain_aws.document_compressors.rerank import BedrockRerank
    documents = retriever(url, kb).invoke("queue")
    rerank = BedrockRerank(
        model_arn=f"arn:aws:bedrock:{REGION}::foundation-model/amazon.rerank-v1:0", client=client(url, "bedrock-agent-runtime"), top_n=1)
    best = rerank.compress_documents(documents, "Why was NATS chosen over Kafka?")
    assert len(best) == 1 and "NATS" in best[0].page_content, best


if __name__ == "__main__":
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION)
    checks = Checks()
    with server() as (url, _, _):
        kb = knowledge_base(url)
        for check in (found, filtered, reranked):
            checks.run(check.__name__, check, url, kb)
    checks.done()
