"""Recipes of the operations that retrieve: one call of each that must succeed."""

import base64
import json
import uuid

from probes.happy.common import call, events
from support.ask import HAIKU
from support.knowledge import given

RERANKER = "arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0"
WORDS = b"The museum opens at 9:15 on weekdays.\n\nTickets are 12 francs."


def retrieve(connection):
    listed = call(connection, "bedrock-agent", "ListKnowledgeBases", {}).json["knowledgeBaseSummaries"]
    made = listed[0]["knowledgeBaseId"] if listed else None
    if not made:
        answer = call(connection, "bedrock-agent", "CreateKnowledgeBase", given("123456789012", uuid.uuid4().hex))
        assert answer.status == 202, answer.body
        made = answer.json["knowledgeBase"]["knowledgeBaseId"]

    def check(answer):
        assert isinstance(answer.json["retrievalResults"], list), answer.json

    return {"knowledgeBaseId": made, "retrievalQuery": {"text": "opening hours"}}, check


def rerank(_):
    members = {
        "queries": [{"type": "TEXT", "textQuery": {"text": "opening hours of the museum"}}],
        "sources": [
            {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
            for text in ("Tickets are 12 francs.", "The museum has opening hours from 9:15.")
        ],
        "rerankingConfiguration": {
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": RERANKER}},
        },
    }

    def check(answer):
        assert [one["index"] for one in answer.json["results"]] == [1, 0], answer.json

    return members, check


def asked():
    document = {"identifier": "m.txt", "contentType": "text/plain", "data": base64.b64encode(WORDS).decode()}
    return {
        "input": {"text": "When does the museum open?"},
        "retrieveAndGenerateConfiguration": {
            "type": "EXTERNAL_SOURCES",
            "externalSourcesConfiguration": {
                "modelArn": HAIKU, "sources": [{"sourceType": "BYTE_CONTENT", "byteContent": document}],
            },
        },
    }


def answered(_):
    def check(answer):
        assert "9:15" in answer.json["output"]["text"], answer.json

    return asked(), check


def streamed(_):
    def check(answer):
        told = [(headers[":event-type"], json.loads(payload)) for headers, payload in events(answer)]
        assert "9:15" in "".join(one["text"] for name, one in told if name == "output"), told
        assert told[-1][0] == "citation", told

    return asked(), check


RECIPES = {
    "bedrock-agent-runtime:Retrieve": retrieve,
    "bedrock-agent-runtime:Rerank": rerank,
    "bedrock-agent-runtime:RetrieveAndGenerate": answered,
    "bedrock-agent-runtime:RetrieveAndGenerateStream": streamed,
}
