"""Where jobs, calls and deletions of one data source meet: each is held at the point that matters."""

import contextlib
import hashlib
import json
import sqlite3
import threading

import pytest

from support import knowledge
from support.clients import client, raises
from support.engines import Engine
from support.held import Embedder, Relay
from support.knowledge import REGION, base, bucket_source, counted, ended, given, source, statuses, sync, text
from support.server import Server
from support.site import Site
from support.waiting import until

ACCOUNT = "555544443360"
BUCKET = "where-they-meet"
TITAN = "amazon.titan-embed-text-v2:0"
POINTS = {
    "type": "PINECONE",
    "pineconeConfiguration": {
        "connectionString": "https://docs.svc.pinecone.io",
        "credentialsSecretArn": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:pinecone",
        "fieldMapping": {"textField": "text", "metadataField": "metadata"},
    },
}
STORE = """
[knowledge.stores.points]
kind = "qdrant"
url = "{}"
password = "not a secret"
types = ["PINECONE"]
"""


@pytest.fixture(scope="module")
def model():
    with Embedder(TITAN) as running:
        yield running


@pytest.fixture(scope="module")
def points():
    with Engine("qdrant") as engine, Relay(engine.url) as relay:
        yield relay


@pytest.fixture(scope="module")
def server(model, points):
    with Server(config=f"{model.config}{STORE.format(points.url)}") as running:
        yield running


@pytest.fixture
def agent(server):
    made = client(server.url, "bedrock-agent", account=ACCOUNT)
    yield made
    knowledge.clean(made)


@pytest.fixture
def s3(server):
    made = client(server.url, "s3", account=ACCOUNT)
    made.create_bucket(Bucket=BUCKET)
    yield made
    for one in made.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        made.delete_object(Bucket=BUCKET, Key=one["Key"])
    made.delete_bucket(Bucket=BUCKET)


def put(s3, key, body):
    s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())


def uri(key):
    return f"s3://{BUCKET}/{key}"


def start(agent, kb, ds):
    return agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]


def brought(agent, kb, ds, key):
    """Has an object ingested directly."""
    document = {"content": {"dataSourceType": "S3", "s3": {"s3Location": {"uri": uri(key)}}}}
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[document])


def is_indexed(agent, kb, ds, document):
    until(lambda: statuses(agent, kb, ds).get(document) == "INDEXED", 60, f"{document} is indexed")


def texts(server, kb, query):
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": query})["retrievalResults"]
    return [one["content"]["text"] for one in found]


def in_store(agent, name="points"):
    return agent.create_knowledge_base(**given(ACCOUNT, name, storageConfiguration=POINTS))["knowledgeBase"]["knowledgeBaseId"]


def test_a_document_that_is_deleted_and_brought_again_is_there(server, agent, points):
    kb = in_store(agent)
    ds = source(agent, kb)
    place = {"knowledgeBaseId": kb, "dataSourceId": ds}
    agent.ingest_knowledge_base_documents(**place, documents=[text("a", "The old pump.")])
    is_indexed(agent, kb, ds, "a")
    with points.held("/points/delete") as removal:
        identifiers = [{"dataSourceType": "CUSTOM", "custom": {"id": "a"}}]
        agent.delete_knowledge_base_documents(**place, documentIdentifiers=identifiers)
        removal.wait()
        agent.ingest_knowledge_base_documents(**place, documents=[text("a", "The new pump.")])
    is_indexed(agent, kb, ds, "a")
    assert texts(server, kb, "pump") == ["The new pump."]


def test_what_a_call_brought_while_a_job_read_is_the_calls(server, agent, s3, model):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    put(s3, "a.txt", "A pump.")
    sync(agent, kb, ds)
    put(s3, "c.txt", "The pump of old is red.")
    with model.held("of old") as reading:
        job = start(agent, kb, ds)
        reading.wait()
        # One that the job has read already, and one that it has not listed.
        put(s3, "c.txt", "The pump of today is blue.")
        put(s3, "d.txt", "The pump of tomorrow is green.")
        for key in ("c.txt", "d.txt"):
            brought(agent, kb, ds, key)
            is_indexed(agent, kb, ds, uri(key))
    done = ended(agent, kb, ds, job)
    assert done["status"] == "COMPLETE" and counted(done) == {"DocumentsScanned": 2}, done
    assert set(statuses(agent, kb, ds).values()) == {"INDEXED"} and len(statuses(agent, kb, ds)) == 3
    everything = {"A pump.", "The pump of today is blue.", "The pump of tomorrow is green."}
    assert set(texts(server, kb, "pump")) == everything
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 3}
    # Those that a call brought go as all others do.
    s3.delete_object(Bucket=BUCKET, Key="d.txt")
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 2, "DocumentsDeleted": 1}


def test_a_call_that_comes_while_a_job_writes_has_the_last_word(server, agent, s3, points):
    kb = in_store(agent)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    put(s3, "a.txt", "A pump.")
    sync(agent, kb, ds)
    put(s3, "c.txt", "The pump of old is red.")
    with points.held("PUT") as writing:
        job = start(agent, kb, ds)
        writing.wait()
        put(s3, "c.txt", "The pump of today is blue.")
        brought(agent, kb, ds, "c.txt")
        assert statuses(agent, kb, ds)[uri("c.txt")] == "STARTING"
    assert ended(agent, kb, ds, job)["status"] == "COMPLETE"
    is_indexed(agent, kb, ds, uri("c.txt"))
    assert set(texts(server, kb, "pump")) == {"A pump.", "The pump of today is blue."}
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 2}


def test_a_job_is_stopped_while_the_model_has_no_answer(agent, s3, model):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    put(s3, "a.txt", "A pump that takes long.")
    with model.held("takes long") as asked:
        job = start(agent, kb, ds)
        asked.wait()
        agent.stop_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=job)
        assert ended(agent, kb, ds, job, 20)["status"] == "STOPPED"
        agent.delete_knowledge_base(knowledgeBaseId=kb)
        knowledge.gone(lambda: agent.get_knowledge_base(knowledgeBaseId=kb))


@contextlib.contextmanager
def starting(server, model, kb, ds):
    """A call of StartIngestionJob that is in the middle of trying its model; how it was refused comes into the list."""
    refused = []

    def call():
        try:
            start(client(server.url, "bedrock-agent", account=ACCOUNT), kb, ds)
        except Exception as error:
            refused.append(error.response["Error"])

    with model.held("probe") as tried:
        thread = threading.Thread(target=call)
        thread.start()
        tried.wait()
        yield refused
    thread.join(60)


def test_no_job_begins_in_a_source_that_goes(fresh, model):
    server = fresh(config=f"{model.config}\n[knowledge]\njobs_per_account = 1\n").start()
    agent, s3 = (client(server.url, service, account=ACCOUNT) for service in ("bedrock-agent", "s3"))
    s3.create_bucket(Bucket=BUCKET)
    put(s3, "a.txt", "A pump that takes long.")
    kb, other = base(agent, ACCOUNT), base(agent, ACCOUNT, "other")
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    place = {"knowledgeBaseId": kb, "dataSourceId": ds}
    # The account's one place is taken, so that the source goes on being deleted.
    with model.held("takes long") as asked:
        busy = source(agent, other, configuration=bucket_source(BUCKET))
        job = start(agent, other, busy)
        asked.wait()
        with starting(server, model, kb, ds) as refused:
            agent.delete_data_source(**place)
    assert [one["Code"] for one in refused] == ["ConflictException"] and "being deleted" in refused[0]["Message"]
    assert ended(agent, other, busy, job)["status"] == "COMPLETE"
    knowledge.gone(lambda: agent.get_data_source(**place))
    # Nothing is counted that is not there.
    second = source(agent, kb, configuration=bucket_source(BUCKET))
    assert sync(agent, kb, second)["status"] == "COMPLETE"
    with starting(server, model, kb, second) as refused:
        agent.delete_data_source(knowledgeBaseId=kb, dataSourceId=second)
        knowledge.gone(lambda: agent.get_data_source(knowledgeBaseId=kb, dataSourceId=second))
    assert refused[0]["Message"] == f"DataSource with id {second} does not exist in the knowledge base {kb}"
    third = source(agent, kb, configuration=bucket_source(BUCKET))
    with starting(server, model, kb, third) as refused:
        agent.delete_knowledge_base(knowledgeBaseId=kb)
        knowledge.gone(lambda: agent.get_knowledge_base(knowledgeBaseId=kb))
    assert refused[0]["Message"] == f"Knowledge Base with id {kb} does not exist"
    with contextlib.closing(sqlite3.connect(server.data / "outcrop.db")) as rows:
        under_way = "SELECT sum(value) FROM counters WHERE counter LIKE 'ingestion-jobs%'"
        assert rows.execute(under_way).fetchone() == (0,)


def test_a_repeated_request_takes_nothing_away(fresh):
    with Engine("qdrant") as engine:
        server = fresh(config=STORE.format(engine.url)).start()
        agent = client(server.url, "bedrock-agent", account=ACCOUNT)
        asked = given(ACCOUNT, "points", storageConfiguration=POINTS, clientToken="t" * 33)
        kb = agent.create_knowledge_base(**asked)["knowledgeBase"]["knowledgeBaseId"]
    assert agent.create_knowledge_base(**asked)["knowledgeBase"]["knowledgeBaseId"] == kb
    assert agent.get_knowledge_base(knowledgeBaseId=kb)["knowledgeBase"]["status"] == "ACTIVE"
    # A new one is tried, and nothing of it stays.
    new = {**asked, "name": "second", "clientToken": "u" * 33}
    for _ in range(2):
        raises(lambda: agent.create_knowledge_base(**new), "ValidationException", "storage configuration provided is invalid")
    assert [one["name"] for one in agent.list_knowledge_bases()["knowledgeBaseSummaries"]] == ["points"]


class Store:
    """An object store behind S3's interface, which answers reads with `failing` where that is set."""

    def __init__(self, site):
        self.objects, self.failing, self.site = {}, None, site
        for path in ("/internal-bucket", "/internal-bucket/"):
            site.pages[path] = self.listing

    def put(self, key, body):
        self.objects[f"internal-prefix/{key}"] = body
        self.site.pages[f"/internal-bucket/internal-prefix/{key}"] = self.read

    def listing(self, request):
        rows = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>{self.etag(body)}</ETag>"
            f"<Size>{len(body)}</Size></Contents>"
            for key, body in sorted(self.objects.items())
        )
        page = f"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        request.answer(200, f'<?xml version="1.0"?>{page}', "application/xml")

    def read(self, request):
        if self.failing:
            code = "<Error><Code>Trouble</Code><Message>minio-7.internal is on fire</Message></Error>"
            return request.answer(self.failing, code, "application/xml")
        body = self.objects[request.path.removeprefix("/internal-bucket/")]
        request.answer(200, body, "text/plain", etag=self.etag(body), last_modified="Thu, 01 Jan 2026 00:00:00 GMT")

    def etag(self, body):
        return f'"{hashlib.md5(body.encode()).hexdigest()}"'


def test_a_bucket_that_fails_for_a_moment_takes_nothing_away(fresh):
    with Site() as site:
        store = Store(site)
        server = fresh(config=f"""
[buckets.company-docs]
account = "{ACCOUNT}"
kind = "s3"
bucket = "internal-bucket"
prefix = "internal-prefix/"
url = "{site.url}"
""").start()
        agent = client(server.url, "bedrock-agent", account=ACCOUNT)
        store.put("a.txt", "The launch code is 4711.")
        kb = base(agent, ACCOUNT)
        ds = source(agent, kb, configuration=bucket_source("company-docs"))
        assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1, "NewDocumentsIndexed": 1}
        store.put("a.txt", "The launch code is now 4712.")
        store.failing = 503
        done = sync(agent, kb, ds, 120)
        assert done["status"] == "COMPLETE" and counted(done) == {"DocumentsScanned": 1, "DocumentsFailed": 1}
        assert texts(server, kb, "launch code") == ["The launch code is 4711."]
        runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
        asked = {"type": "EXTERNAL_SOURCES", "externalSourcesConfiguration": {
            "modelArn": "anthropic.claude-3-haiku-20240307-v1:0",
            "sources": [{"sourceType": "S3", "s3Location": {"uri": "s3://company-docs/a.txt"}}],
        }}
        said = raises(
            lambda: runtime.retrieve_and_generate(input={"text": "x"}, retrieveAndGenerateConfiguration=asked),
            "InternalServerException", "The bucket could not be reached.", 500,
        )
        # What lies behind the bucket is the operator's to know.
        for told in (said, json.dumps(done["failureReasons"])):
            assert not [one for one in (site.address, "internal", "on fire") if one in told], told
        assert "on fire" in server.log_text or "503" in server.log_text
        store.failing = None
        assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1, "ModifiedDocumentsIndexed": 1}
        assert texts(server, kb, "launch code") == ["The launch code is now 4712."]


def test_what_nobody_could_reach_does_not_stay(agent, server):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, dataDeletionPolicy="RETAIN")
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[text("a", "A pump.")])
    is_indexed(agent, kb, ds, "a")
    assert (server.data / "knowledge" / kb).exists()
    agent.delete_knowledge_base(knowledgeBaseId=kb)
    knowledge.gone(lambda: agent.get_knowledge_base(knowledgeBaseId=kb))
    assert not (server.data / "knowledge" / kb).exists()
