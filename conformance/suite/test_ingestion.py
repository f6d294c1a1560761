"""Ingestion: from a bucket and directly; what is incremental, what fails, what a kill leaves."""

import array
import contextlib
import json
import math
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

from support import knowledge, raw
from support.clients import client, raises
from support.knowledge import base, bucket_source, counted, ended, source, statuses, sync, text
from support.server import Server
from support.sigv4 import Signer
from support.waiting import until

ACCOUNT = "555544443333"
BUCKET = "handbook-of-tests"
UNKNOWN = "ABCDEFGHIJ"


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
    empty(made)
    made.delete_bucket(Bucket=BUCKET)


def empty(s3):
    for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=one["Key"])


def put(s3, key, body):
    s3.put_object(Bucket=BUCKET, Key=key, Body=body if isinstance(body, bytes) else body.encode())


def uri(key):
    return f"s3://{BUCKET}/{key}"


def sidecar(**attributes):
    return json.dumps({"metadataAttributes": attributes})


def test_a_sync_does_only_what_changed(agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET, "docs/"))
    put(s3, "docs/a.md", "# Alpha\n\nThe alpha document tells of apples.\n")
    put(s3, "docs/b.txt", "The second document tells of pears.\n")
    put(s3, "docs/b.txt.metadata.json", sidecar(year=2020, team="fruit"))
    put(s3, "elsewhere/c.txt", "Not in the prefix.")
    job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]
    assert job["status"] == "STARTING" and job["startedAt"] == job["updatedAt"] and counted(job) == {}
    assert len(job["statistics"]) == 8
    done = ended(agent, kb, ds, job["ingestionJobId"])
    assert done["status"] == "COMPLETE" and "failureReasons" not in done and done["textReadyAt"]
    assert counted(done) == {"DocumentsScanned": 2, "MetadataDocumentsScanned": 1, "NewDocumentsIndexed": 2}
    assert statuses(agent, kb, ds) == {uri("docs/a.md"): "INDEXED", uri("docs/b.txt"): "INDEXED"}
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 2, "MetadataDocumentsScanned": 1}
    put(s3, "docs/a.md", "# Alpha\n\nNow it tells of plums.\n")
    put(s3, "docs/b.txt.metadata.json", sidecar(year=2021))
    put(s3, "docs/c.txt", "The third one is new.")
    assert counted(sync(agent, kb, ds)) == {
        "DocumentsScanned": 3, "MetadataDocumentsScanned": 1, "NewDocumentsIndexed": 1, "ModifiedDocumentsIndexed": 1,
        "MetadataDocumentsModified": 1,
    }
    s3.delete_object(Bucket=BUCKET, Key="docs/a.md")
    s3.delete_object(Bucket=BUCKET, Key="docs/b.txt.metadata.json")
    assert counted(sync(agent, kb, ds)) == {
        "DocumentsScanned": 2, "DocumentsDeleted": 1, "MetadataDocumentsModified": 1,
    }
    assert set(statuses(agent, kb, ds)) == {uri("docs/b.txt"), uri("docs/c.txt")}


def test_bad_files_never_fail_the_job(agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    put(s3, "good.txt", "Good text is searchable.")
    put(s3, "bad.bin", bytes(range(256)) * 8)
    put(s3, "empty.txt", " \n ")
    put(s3, "spoilt.txt", "Text beside a broken sidecar.")
    put(s3, "spoilt.txt.metadata.json", "{")
    done = sync(agent, kb, ds)
    assert done["status"] == "COMPLETE"
    assert counted(done) == {
        "DocumentsScanned": 4, "MetadataDocumentsScanned": 1, "NewDocumentsIndexed": 1, "DocumentsFailed": 3,
    }
    reasons = [json.loads(reason) for reason in done["failureReasons"]]
    assert all(isinstance(reason, list) and len(reason) == 1 for reason in reasons)
    told = [reason[0] for reason in reasons]
    expected = "Encountered error: Ignored 1 files as their file format was not supported. " \
        f"[Files: {uri('bad.bin')}]. Call to Customer Source did not succeed."
    assert expected in told, told
    assert any("no text content found" in one and uri("empty.txt") in one for one in told), told
    assert any("metadata file is invalid" in one and uri("spoilt.txt") in one for one in told), told
    found = statuses(agent, kb, ds)
    assert found == {
        uri("good.txt"): "INDEXED", uri("bad.bin"): "IGNORED", uri("empty.txt"): "IGNORED", uri("spoilt.txt"): "FAILED",
    }
    why = {
        one["identifier"]["s3"]["uri"]: one.get("statusReason", "")
        for one in agent.list_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds)["documentDetails"]
    }
    # What to do about it.
    assert "Convert it to PDF" in why[uri("bad.bin")] and "fill it" in why[uri("empty.txt")], why
    put(s3, "spoilt.txt.metadata.json", sidecar(mended=True))
    done = sync(agent, kb, ds)
    assert (counted(done)["NewDocumentsIndexed"], counted(done)["DocumentsFailed"]) == (1, 2)


def tokens(server):
    """What embedding has taken so far; all of it, as soon as a job has ended."""
    answer = raw.request(server, "GET", "/outcrop/cost", signer=Signer(key=ACCOUNT))
    assert answer.status == 200, answer.body
    return answer.json["total"]["inputTokens"]


def typed(value, embedded):
    return {"value": {"type": "STRING", "stringValue": value}, "includeForEmbedding": embedded}


def test_a_sidecar_alone_changes_attributes_and_nothing_else(server, agent, s3):
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    chunks = []
    agent.meta.events.register(
        "after-call.bedrock-agent.GetIngestionJob",
        lambda http_response, **_: chunks.append(http_response.headers["x-outcrop-chunks"]),
    )
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    put(s3, "a.md", "# Pears\n\nThe pear tree by the gate bears in October.\n")
    put(s3, "a.md.metadata.json", sidecar(year=2020, team="fruit", own=typed("garden", True)))
    sync(agent, kb, ds)
    assert chunks[-1] == "1"

    def found(**equals):
        [(key, value)] = equals.items()
        search = {"filter": {"equals": {"key": key, "value": value}}}
        results = runtime.retrieve(
            knowledgeBaseId=kb, retrievalQuery={"text": "pear tree"},
            retrievalConfiguration={"vectorSearchConfiguration": search},
        )["retrievalResults"]
        return results[0]["metadata"] if results else None

    first = found(year=2020)
    # A job tries the model before it begins.
    taken = [tokens(server) for _ in range(2) if sync(agent, kb, ds)]
    tried = taken[1] - taken[0]
    put(s3, "a.md.metadata.json", sidecar(year=2021, ripe=True, own=typed("garden", True)))
    done = counted(sync(agent, kb, ds))
    assert done == {"DocumentsScanned": 1, "MetadataDocumentsScanned": 1, "MetadataDocumentsModified": 1}
    assert (chunks[-1], tokens(server) - taken[1]) == ("0", tried), "it was embedded again"
    # What the server says of a chunk stays; what the old sidecar said is gone.
    changed = {key: value for key, value in first.items() if key not in ("year", "team")}
    assert found(year=2021) == {**changed, "year": 2021.0, "ripe": True} and found(team="fruit") is None
    assert statuses(agent, kb, ds) == {uri("a.md"): "INDEXED"}

    # What cannot be read leaves the document as it was, until it can.
    put(s3, "a.md.metadata.json", "{")
    done = sync(agent, kb, ds)
    assert counted(done)["DocumentsFailed"] == 1 and "metadata file is invalid" in done["failureReasons"][0]
    assert statuses(agent, kb, ds) == {uri("a.md"): "METADATA_UPDATE_FAILED"} and found(year=2021)
    put(s3, "a.md.metadata.json", sidecar(year=2022, own=typed("garden", True)))
    assert counted(sync(agent, kb, ds))["MetadataDocumentsModified"] == 1
    assert statuses(agent, kb, ds) == {uri("a.md"): "INDEXED"} and found(year=2022)
    assert chunks[-1] == "0"

    # What goes into what is embedded is embedded.
    put(s3, "a.md.metadata.json", sidecar(year=2022, own=typed("orchard", True)))
    taken = [tokens(server) for _ in range(2) if sync(agent, kb, ds)]
    put(s3, "a.md.metadata.json", sidecar(year=2022, own=typed("wood", True)))
    assert counted(sync(agent, kb, ds))["MetadataDocumentsModified"] == 1
    assert tokens(server) - taken[1] > tried and found(own="wood")
    s3.delete_object(Bucket=BUCKET, Key="a.md.metadata.json")
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1, "MetadataDocumentsModified": 1}
    assert found(year=2022) is None


def test_records_are_documents_of_their_own(server, agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    put(s3, "faq.csv", "question,answer,team\nHow?,By hand.,ops\n\nWhen?,At noon.,kitchen\n")
    put(s3, "faq.csv.metadata.json", json.dumps({
        "metadataAttributes": {"kind": "faq"},
        "documentStructureConfiguration": {
            "type": "RECORD_BASED_STRUCTURE_METADATA",
            "recordBasedStructureMetadata": {"contentFields": [{"fieldName": "answer"}]},
        },
    }))
    assert counted(sync(agent, kb, ds))["NewDocumentsIndexed"] == 1


def test_a_bucket_that_cannot_be_read_fails_the_job(agent):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source("there-is-no-such-bucket"))
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "there-is-no-such-bucket" in json.loads(done["failureReasons"][0])[0]


def test_jobs_are_listed_filtered_and_sorted(agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    ids = [sync(agent, kb, ds)["ingestionJobId"] for _ in range(3)]

    def listed(**asked):
        answer = agent.list_ingestion_jobs(knowledgeBaseId=kb, dataSourceId=ds, **asked)
        return [one["ingestionJobId"] for one in answer["ingestionJobSummaries"]], answer.get("nextToken")

    by_start = {"attribute": "STARTED_AT", "order": "ASCENDING"}
    assert listed(sortBy=by_start) == (ids, None)
    assert listed() == (ids[::-1], None)
    first, token = listed(sortBy=by_start, maxResults=2)
    assert first == ids[:2] and listed(sortBy=by_start, maxResults=2, nextToken=token) == (ids[2:], None)
    status = {"attribute": "STATUS", "operator": "EQ", "values": ["COMPLETE"]}
    assert len(listed(filters=[status])[0]) == 3
    assert listed(filters=[{**status, "values": ["FAILED", "STOPPED"]}]) == ([], None)
    by_status = {"attribute": "STATUS", "order": "DESCENDING"}
    first, token = listed(sortBy=by_status, maxResults=1)
    assert len(first) == 1 and len(listed(sortBy=by_status, maxResults=2, nextToken=token)[0]) == 2
    raises(
        lambda: agent.get_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=UNKNOWN),
        "ResourceNotFoundException", status=404,
    )
    raises(
        lambda: agent.stop_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=ids[0]),
        "ConflictException", "COMPLETE", 409,
    )


def fill(s3, count, lines=120):
    """Documents of a few chunks each, so that a job of them takes a while."""
    words = random.Random(7)
    for number in range(count):
        said = [" ".join(words.choice(["stone", "river", "cloud", "moss", "fern"]) for _ in range(12)) + "."
                 for _ in range(lines)]
        put(s3, f"many/{number:03}.txt", f"Document {number}.\n\n" + "\n\n".join(said))


def test_one_job_at_a_time_and_a_stopped_one_is_gone_on_with(agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET, "many/"))
    fill(s3, 60)
    job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]
    raises(
        lambda: agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds),
        "ConflictException", "ongoing ingestion job", 409,
    )
    raises(
        lambda: agent.delete_data_source(knowledgeBaseId=kb, dataSourceId=ds),
        "ConflictException", "ongoing ingestion job", 409,
    )

    def begun():
        found = agent.get_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=job)["ingestionJob"]
        return counted(found).get("NewDocumentsIndexed") or found["status"] == "COMPLETE"

    until(begun, 60, "progress while the job runs")
    stopping = agent.stop_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=job)["ingestionJob"]
    assert stopping["status"] == "STOPPING"
    stopped = ended(agent, kb, ds, job)
    assert stopped["status"] == "STOPPED"
    first = counted(stopped)["NewDocumentsIndexed"]
    assert 0 < first < 60
    rest = counted(sync(agent, kb, ds, 300))
    assert rest == {"DocumentsScanned": 60, "NewDocumentsIndexed": 60 - first}


# Where a job is killed: so many points, drawn by this seed. More of them, or others, on demand.
POINTS = int(os.environ.get("OUTCROP_KILL_POINTS", "8"))
SEED = int(os.environ.get("OUTCROP_KILL_SEED", "20261122"))


def kept(data):
    """Every chunk of every index in a data folder: what is found, by which name, with which vector."""
    rows = []
    for path in sorted((data / "knowledge").rglob("*")):
        if not path.is_file() or path.read_bytes()[:15] != b"SQLite format 3":
            continue
        with contextlib.closing(sqlite3.connect(path)) as index:
            documents = "SELECT source, document FROM documents"
            named = index.execute(documents).fetchall()
            assert len(named) == len(set(named)), "a document is there twice"
            chunks = index.execute(
                "SELECT d.source, d.document, c.id, c.metadata, t.text, c.slot FROM chunks c JOIN documents d USING (doc) "
                "JOIN texts t USING (key) ORDER BY d.source, d.document, c.id"
            ).fetchall()
            (dimensions,) = index.execute("SELECT dimensions FROM about WHERE NOT binary").fetchone()
        assert len({chunk[-1] for chunk in chunks}) == len(chunks), "two chunks have one vector's place"
        numbers = array.array("f", path.with_name("vectors").read_bytes())
        rows += [
            (*chunk, tuple(numbers[slot * dimensions:(slot + 1) * dimensions])) for *chunk, slot in chunks
        ]
    assert len({row[:3] for row in rows}) == len(rows), "a chunk is there twice"
    assert all(math.isclose(math.hypot(*row[-1]), 1, abs_tol=1e-3) for row in rows), "a chunk has no vector"
    return rows


def same(rows, others):
    """Chunk for chunk; the vectors but for what other texts of a batch change in the last places of their numbers."""
    assert [row[:-1] for row in rows] == [other[:-1] for other in others]
    for row, other in zip(rows, others, strict=True):
        furthest = max(abs(a - b) for a, b in zip(row[-1], other[-1], strict=True))
        assert furthest < 1e-5, f"{row[:3]} has another vector: {furthest} away"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data folder with documents, a knowledge base and a source, and what an undisturbed job makes of it, how fast."""
    data = tmp_path_factory.mktemp("killed") / "data"
    data.mkdir()
    server = Server(data=data).start()
    s3 = client(server.url, "s3", account=ACCOUNT)
    s3.create_bucket(Bucket=BUCKET)
    fill(s3, 24, lines=20)
    agent = client(server.url, "bedrock-agent", account=ACCOUNT)
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET, "many/"))
    assert server.stop() == 0
    calm = data.with_name("calm")
    shutil.copytree(data, calm)
    server = Server(data=calm).start()
    agent = client(server.url, "bedrock-agent", account=ACCOUNT)
    began = time.monotonic()
    assert counted(sync(agent, kb, ds, 120)) == {"DocumentsScanned": 24, "NewDocumentsIndexed": 24}
    took = time.monotonic() - began
    assert server.stop() == 0
    rows = kept(calm)
    assert len({row[1] for row in rows}) == 24
    yield data, kb, ds, rows, took
    for one in (data, calm):
        shutil.rmtree(one, ignore_errors=True)


@pytest.mark.parametrize("point", range(POINTS))
def test_a_killed_job_comes_to_the_same_index(prepared, tmp_path, point):
    data, kb, ds, undisturbed, took = prepared
    ours = tmp_path / "data"
    shutil.copytree(data, ours)
    server = Server(data=ours).start()
    try:
        agent = client(server.url, "bedrock-agent", account=ACCOUNT)
        # The points are spread over the job, each somewhere in its own part.
        share = (point + random.Random(SEED + point).random()) / POINTS
        job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]
        # To be killed at a moment is what this is about, whatever the job is doing then.
        threading.Event().wait(share * took)
        server.kill()
        server.start()
        agent = client(server.url, "bedrock-agent", account=ACCOUNT)
        done = ended(agent, kb, ds, job, 120)
        assert done["status"] == "COMPLETE"
        assert counted(done) == {"DocumentsScanned": 24, "NewDocumentsIndexed": 24}
        found = statuses(agent, kb, ds)
        assert len(found) == 24 and set(found.values()) == {"INDEXED"}
        assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 24}
        assert server.stop() == 0
        same(kept(ours), undisturbed)
    finally:
        server.remove()


def dealt_with(agent, kb, ds, seconds=60):
    def look():
        found = statuses(agent, kb, ds)
        waits = {"STARTING", "PENDING", "IN_PROGRESS", "DELETING", "DELETE_IN_PROGRESS"}
        return None if waits & set(found.values()) else (found,)

    return until(look, seconds, "documents that are dealt with")[0]


def identifier(name):
    return {"dataSourceType": "CUSTOM", "custom": {"id": name}}


def test_documents_come_and_go_by_calls(agent):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb)
    place = {"knowledgeBaseId": kb, "dataSourceId": ds}
    documents = [text(f"doc-{number}", f"This is document number {number}.", team="x") for number in range(12)]
    details = agent.ingest_knowledge_base_documents(**place, documents=documents)["documentDetails"]
    assert {one["status"] for one in details} == {"STARTING"} and len(details) == 12
    found = dealt_with(agent, kb, ds)
    assert len(found) == 12 and set(found.values()) == {"INDEXED"}
    got = agent.get_knowledge_base_documents(**place, documentIdentifiers=[identifier("doc-3"), identifier("none")])
    assert [one["status"] for one in got["documentDetails"]] == ["INDEXED", "NOT_FOUND"]
    gone = agent.delete_knowledge_base_documents(**place, documentIdentifiers=[identifier("doc-3"), identifier("none")])
    assert [one["status"] for one in gone["documentDetails"]] == ["DELETING", "NOT_FOUND"]
    until(lambda: "doc-3" not in statuses(agent, kb, ds), 30, "the document is gone")


def test_bytes_and_what_cannot_be_read(agent):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb)
    page = text("page", "")
    page["content"]["custom"]["inlineContent"] = {
        "type": "BYTE", "byteContent": {"mimeType": "text/html", "data": b"<html><body><p>A page of its own.</p></body></html>"},
    }
    broken = text("broken", "")
    broken["content"]["custom"]["inlineContent"] = {
        "type": "BYTE", "byteContent": {"mimeType": "application/octet-stream", "data": bytes(range(256)) * 8},
    }
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[page, broken])
    found = dealt_with(agent, kb, ds)
    assert found == {"page": "INDEXED", "broken": "IGNORED"}
    detail = agent.get_knowledge_base_documents(
        knowledgeBaseId=kb, dataSourceId=ds, documentIdentifiers=[identifier("broken")]
    )["documentDetails"][0]
    assert "not supported" in detail["statusReason"]


def wrong(**change):
    document = text("doc", "Some text.")
    document.update(change)
    return document


REFUSED = [
    (wrong(content={"dataSourceType": "S3", "s3": {"s3Location": {"uri": "s3://some-bucket/a.txt"}}}), "does not match the type"),
    (wrong(content={"dataSourceType": "CUSTOM"}), "custom is required"),
    (wrong(metadata={"type": "S3_LOCATION", "s3Location": {"uri": "s3://some-bucket/a.json"}}), "IN_LINE_ATTRIBUTE"),
    (wrong(metadata={"type": "IN_LINE_ATTRIBUTE", "accessControlList": [
        {"name": "priya", "type": "USER", "access": "ALLOW"}]}), "accessControlList"),
]


@pytest.mark.parametrize("document,text", REFUSED, ids=[text for _, text in REFUSED])
def test_bad_documents_are_refused(agent, document, text):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb)
    raises(
        lambda: agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[document]),
        "ValidationException", text,
    )


def test_twenty_five_documents_fit_in_a_call_and_no_more(agent):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb)
    many = [text(f"doc-{number}", f"Text {number}.") for number in range(26)]
    place = {"knowledgeBaseId": kb, "dataSourceId": ds}
    raises(lambda: agent.ingest_knowledge_base_documents(**place, documents=many), "ValidationException", "25")
    agent.ingest_knowledge_base_documents(**place, documents=many[:25])
    assert len(dealt_with(agent, kb, ds)) == 25
    raises(
        lambda: agent.start_ingestion_job(**place), "ValidationException", "CUSTOM",
    )


def test_what_a_sync_does_not_find_goes(agent, s3):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET, "docs/"))
    put(s3, "docs/a.txt", "In the prefix.")
    put(s3, "other/b.txt", "Outside of it.")
    document = {"content": {"dataSourceType": "S3", "s3": {"s3Location": {"uri": uri("other/b.txt")}}}}
    place = {"knowledgeBaseId": kb, "dataSourceId": ds}
    raises(
        lambda: agent.ingest_knowledge_base_documents(**place, documents=[document]),
        "ValidationException", "has not been synced",
    )
    sync(agent, kb, ds)
    agent.ingest_knowledge_base_documents(**place, documents=[document])
    assert dealt_with(agent, kb, ds) == {uri("docs/a.txt"): "INDEXED", uri("other/b.txt"): "INDEXED"}
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1, "DocumentsDeleted": 1}


def test_a_role_that_may_not_read_the_bucket_reads_nothing(fresh):
    config = f"""
[access.policies.models]
json = '''{{"Version": "2012-10-17", "Statement": [
  {{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}}]}}'''
[[access.roles]]
account = "{ACCOUNT}"
name = "bedrock-kb-role"
policies = ["models"]
trust = '''{{"Version": "2012-10-17", "Statement": [
  {{"Effect": "Allow", "Principal": {{"Service": "bedrock.amazonaws.com"}}, "Action": "sts:AssumeRole"}}]}}'''
"""
    server = fresh(config=config)
    server.start()
    s3 = client(server.url, "s3", account=ACCOUNT)
    s3.create_bucket(Bucket=BUCKET)
    put(s3, "secret.txt", "Nobody reads this.")
    agent = client(server.url, "bedrock-agent", account=ACCOUNT)
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "s3:ListBucket" in json.loads(done["failureReasons"][0])[0]


def test_a_token_has_documents_ingested_once(agent, server):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb)
    place = {"knowledgeBaseId": kb, "dataSourceId": ds}
    first = {**place, "documents": [text("a", "The pump is blue.")], "clientToken": "t" * 33}
    agent.ingest_knowledge_base_documents(**first)
    dealt_with(agent, kb, ds)
    agent.ingest_knowledge_base_documents(**place, documents=[text("a", "The pump is red.")])
    dealt_with(agent, kb, ds)
    # A retry that comes late brings nothing back.
    assert agent.ingest_knowledge_base_documents(**first)["documentDetails"][0]["status"] == "INDEXED"
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "the colour of the pump"})
    assert [one["content"]["text"] for one in found["retrievalResults"]] == ["The pump is red."]
    other = first | {"documents": [text("b", "Another.")]}
    raises(lambda: agent.ingest_knowledge_base_documents(**other), "ConflictException", "token", 409)
    # A token belongs to one data source: elsewhere it is refused, not taken for done.
    second = base(agent, ACCOUNT, "second")
    elsewhere = first | {"knowledgeBaseId": second, "dataSourceId": source(agent, second)}
    raises(lambda: agent.ingest_knowledge_base_documents(**elsewhere), "ConflictException", "token", 409)


def test_a_connector_leaves_out_files_above_its_size(agent, s3):
    put(s3, "small.txt", "The pump is red.\n" * 100)
    put(s3, "large.txt", "The pump is red.\n" * 100_000)
    managed = {"type": "MANAGED", "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"}}
    made = agent.create_knowledge_base(
        name="managed", roleArn=knowledge.role(ACCOUNT), knowledgeBaseConfiguration=managed)
    kb = made["knowledgeBase"]["knowledgeBaseId"]

    def connector(megabytes):
        parameters = {"type": "S3", "version": "1", "connectionConfiguration": {"bucketName": BUCKET},
                      "filterConfiguration": {"maxFileSizeInMegaBytes": megabytes}}
        return {"type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
                "managedKnowledgeBaseConnectorConfiguration": {"connectorParameters": parameters}}

    ds = source(agent, kb, configuration=connector("1"))
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 2, "NewDocumentsIndexed": 1, "DocumentsFailed": 1}
    assert statuses(agent, kb, ds) == {uri("small.txt"): "INDEXED", uri("large.txt"): "IGNORED"}
    raises(
        lambda: source(agent, kb, "bad", configuration=connector("none")),
        "ValidationException", "maxFileSizeInMegaBytes must be a whole number", 400,
    )


def test_a_bucket_of_another_account_is_told_so(agent, server):
    other = client(server.url, "s3", account="555544441111")
    other.create_bucket(Bucket="not-ours")
    other.put_object(Bucket="not-ours", Key="a.txt", Body=b"The pump is red.")
    kb = base(agent, ACCOUNT, "apart")
    ds = source(agent, kb)
    told = "buckets are not shared between accounts"

    def document(**place):
        place = {"uri": "s3://not-ours/a.txt", **place}
        return {"content": {"dataSourceType": "CUSTOM", "custom": {
            "customDocumentIdentifier": {"id": "a"}, "sourceType": "S3_LOCATION", "s3Location": place}}}

    def ingest(one):
        return agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[one])

    # What the request itself says is refused at once; what only the bucket says, when it is read.
    raises(lambda: ingest(document(bucketOwnerAccountId="555544441111")), "ValidationException", told, 400)
    ingest(document())
    dealt_with(agent, kb, ds)
    got = agent.get_knowledge_base_documents(
        knowledgeBaseId=kb, dataSourceId=ds, documentIdentifiers=[identifier("a")]
    )["documentDetails"][0]
    assert got["status"] == "FAILED" and f"the bucket not-ours is another account's, and {told}" in got["statusReason"], got
    s3 = {"type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::not-ours", "bucketOwnerAccountId": "555544441111"}}
    raises(lambda: source(agent, kb, "files", s3), "ValidationException", told, 400)
    job = sync(agent, kb, source(agent, kb, "theirs", knowledge.bucket_source("not-ours")))
    assert job["status"] == "FAILED" and told in job["failureReasons"][0], job


def words(count):
    return " ".join(f"Pump {at} is painted in colour {at * 7}, and its filter is changed in week {at}." for at in range(count))


def test_a_source_that_is_deleted_while_it_reads_leaves_nothing_behind(agent, server):
    kb = base(agent, ACCOUNT)
    going, staying = source(agent, kb, "going"), source(agent, kb, "staying")
    documents = [text(f"d{at}", words(60)) for at in range(20)]
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=going, documents=documents)
    until(lambda: "IN_PROGRESS" in statuses(agent, kb, going).values(), 60, "a document is read")
    agent.delete_data_source(knowledgeBaseId=kb, dataSourceId=going)
    knowledge.gone(lambda: agent.get_data_source(knowledgeBaseId=kb, dataSourceId=going), 60)
    place = {"knowledgeBaseId": kb, "dataSourceId": staying}
    agent.ingest_knowledge_base_documents(**place, documents=[text("a", "The pump is blue.")])
    dealt_with(agent, kb, staying)
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "the colour of the pump"})
    assert [one["content"]["text"] for one in found["retrievalResults"]] == ["The pump is blue."]


def test_a_long_document_keeps_nobody_elsewhere_waiting(agent):
    kb = base(agent, ACCOUNT)
    busy, other = source(agent, kb, "busy"), source(agent, kb, "other")
    place = {"knowledgeBaseId": kb, "dataSourceId": busy}
    agent.ingest_knowledge_base_documents(**place, documents=[text("long", words(20_000))])
    until(lambda: statuses(agent, kb, busy).get("long") == "IN_PROGRESS", 60, "the long document is read")
    # They wait for their turn, more of them than there are places.
    for at in range(8):
        agent.ingest_knowledge_base_documents(**place, documents=[text(f"short{at}", f"Short {at}.")])
    agent.ingest_knowledge_base_documents(
        knowledgeBaseId=kb, dataSourceId=other, documents=[text("b", "The valve is red.")]
    )
    dealt_with(agent, kb, other)
    assert statuses(agent, kb, busy)["long"] == "IN_PROGRESS", "the long document is too short for this test"
    # Neither does a deletion wait for all of it.
    agent.delete_knowledge_base(knowledgeBaseId=kb)
    knowledge.gone(lambda: agent.get_knowledge_base(knowledgeBaseId=kb), 60)


@contextlib.contextmanager
def small_disk(at, size):
    """A file system of its own, which only root may mount."""
    at.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "outcrop-test", at], capture_output=True).returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def test_a_full_disk_loses_nothing_and_is_gone_on_with(tmp_path):
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "apples.txt").write_text("The orchard grows apples behind the mill.")
    config = f'[buckets.{BUCKET}]\nfolder = "{documents}"\naccount = "{ACCOUNT}"\n'
    with small_disk(tmp_path / "disk", "48m") as disk, Server(data=disk / "data", config=config) as server:
        agent = client(server.url, "bedrock-agent", account=ACCOUNT)
        runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
        kb = base(agent, ACCOUNT)
        ds = source(agent, kb, configuration=bucket_source(BUCKET))
        assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1, "NewDocumentsIndexed": 1}

        def apples():
            found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "What grows behind the mill?"})
            return found["retrievalResults"][0]["content"]["text"]

        before = apples()
        for at in range(30):
            (documents / f"{at}.txt").write_text(
                "\n".join(f"Line {line} of number {at} tells of pears." for line in range(20))
            )
        filler = disk / "filler"
        job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]
        with pytest.raises(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        until(lambda: "no space" in server.log_path.read_text().lower(), 120, "a full disk")
        assert apples() == before
        filler.unlink()
        ended(agent, kb, ds, job, 120)
        last = counted(sync(agent, kb, ds, 120))
        assert last["DocumentsScanned"] == 31 and "DocumentsFailed" not in last
        assert set(statuses(agent, kb, ds).values()) == {"INDEXED"}
        assert apples() == before
        assert server.stop() == 0
        assert len({row[1] for row in kept(disk / "data")}) == 31


def test_an_index_that_was_lost_is_filled_again(fresh):
    server = fresh().start()
    agent, s3 = (client(server.url, name, account=ACCOUNT) for name in ("bedrock-agent", "s3"))
    s3.create_bucket(Bucket=BUCKET)
    put(s3, "a.txt", "The orchard grows apples behind the mill.")
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=bucket_source(BUCKET))
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1, "NewDocumentsIndexed": 1}
    assert server.stop() == 0
    # As after a backup that holds the database alone was restored.
    shutil.rmtree(server.data / "knowledge")
    server.start()
    agent = client(server.url, "bedrock-agent", account=ACCOUNT)
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1, "ModifiedDocumentsIndexed": 1}
    found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "What grows behind the mill?"})
    assert "apples" in found["retrievalResults"][0]["content"]["text"]
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 1}
