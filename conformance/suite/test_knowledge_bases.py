"""Knowledge bases and data sources: create, get, list, update, delete; every refusal in its words."""

import json

import pytest

from support import knowledge
from support.clients import cli, client, raises
from support.knowledge import CUSTOM, MODEL, REGION, STORE, VECTOR, base, bucket_source, given, role, source

ACCOUNT = "555544443331"
OTHER = "555544443332"
TOKEN = "a" * 40
UNKNOWN = "ABCDEFGHIJ"


@pytest.fixture
def agent(server):
    made = client(server.url, "bedrock-agent", account=ACCOUNT)
    yield made
    knowledge.clean(made)


def test_a_knowledge_base_lives_and_goes(agent):
    made = agent.create_knowledge_base(**given(ACCOUNT, "docs", description="All of it"))["knowledgeBase"]
    kb = made["knowledgeBaseId"]
    assert made["status"] == "CREATING" and len(kb) == 10 and kb.isalnum() and kb == kb.upper()
    assert made["knowledgeBaseArn"] == f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/{kb}"
    got = agent.get_knowledge_base(knowledgeBaseId=kb)["knowledgeBase"]
    assert got["status"] == "ACTIVE" and got["description"] == "All of it" and got["roleArn"] == role(ACCOUNT)
    assert got["knowledgeBaseConfiguration"] == VECTOR and got["storageConfiguration"] == STORE
    updated = agent.update_knowledge_base(
        knowledgeBaseId=kb, **given(ACCOUNT, "renamed")
    )["knowledgeBase"]
    assert updated["status"] == "UPDATING" and updated["name"] == "renamed" and "description" not in updated
    assert [one["name"] for one in agent.list_knowledge_bases()["knowledgeBaseSummaries"]] == ["renamed"]
    gone = agent.delete_knowledge_base(knowledgeBaseId=kb)
    assert gone["status"] == "DELETING"
    knowledge.gone(lambda: agent.get_knowledge_base(knowledgeBaseId=kb))
    assert agent.list_knowledge_bases()["knowledgeBaseSummaries"] == []


def test_pages_and_accounts(server, agent):
    ids = [base(agent, ACCOUNT, f"kb-{number}") for number in range(3)]
    first = agent.list_knowledge_bases(maxResults=2)
    rest = agent.list_knowledge_bases(maxResults=2, nextToken=first["nextToken"])
    listed = first["knowledgeBaseSummaries"] + rest["knowledgeBaseSummaries"]
    assert [one["knowledgeBaseId"] for one in listed] == ids and "nextToken" not in rest
    other = client(server.url, "bedrock-agent", account=OTHER)
    assert other.list_knowledge_bases()["knowledgeBaseSummaries"] == []
    raises(
        lambda: other.get_knowledge_base(knowledgeBaseId=ids[0]),
        "ResourceNotFoundException", f"Knowledge Base with id {ids[0]} does not exist", 404,
    )


def test_a_client_token_makes_one(agent):
    asked = given(ACCOUNT, "once", clientToken=TOKEN)
    one, two = (agent.create_knowledge_base(**asked)["knowledgeBase"]["knowledgeBaseId"] for _ in range(2))
    assert one == two
    raises(
        lambda: agent.create_knowledge_base(**given(ACCOUNT, "once")),
        "ConflictException", "KnowledgeBase with name once already exists.", 409,
    )


def rds(**rest):
    return {"type": "RDS", **rest}


def model(arn=MODEL, **rest):
    return {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {
        "embeddingModelArn": arn,
        "embeddingModelConfiguration": {"bedrockEmbeddingModelConfiguration": rest},
    }}


REFUSED = [
    ({"knowledgeBaseConfiguration": {"type": "VECTOR"}},
     "VectorKnowledgeBaseConfiguration is required when knowledgeBase type is VECTOR"),
    ({"storageConfiguration": rds()}, "RdsConfiguration is required when storage type is RDS"),
    ({"storageConfiguration": None},
     "You must provide a storage configuration if you create a VECTOR knowledge base"),
    ({"knowledgeBaseConfiguration": {"type": "KENDRA", "kendraKnowledgeBaseConfiguration": {
        "kendraIndexArn": f"arn:aws:kendra:{REGION}:{ACCOUNT}:index/11111111-2222-3333-4444-555555555555"}}},
     "You can't provide a storage configuration if the type of your knowledge base is KENDRA"),
    ({"knowledgeBaseConfiguration": model(dimensions=300)},
     "The specified embedding dimensions is not supported by the model"),
    ({"knowledgeBaseConfiguration": model(
        f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v1", dimensions=512)},
     "does not support configurable dimensions"),
    ({"knowledgeBaseConfiguration": model(
        f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v1", embeddingDataType="BINARY")},
     "embeddingDataType BINARY not supported for embedding model"),
    ({"knowledgeBaseConfiguration": model(
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0")}, "is in a different region"),
    ({"knowledgeBaseConfiguration": model(
        f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-lite-v1:0")},
     "is not able to call specified bedrock embedding model"),
]


@pytest.mark.parametrize("change,text", REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_bad_configurations_are_refused_at_once(agent, change, text):
    asked = {key: value for key, value in {**given(ACCOUNT, "bad"), **change}.items() if value is not None}
    raises(lambda: agent.create_knowledge_base(**asked), "ValidationException", text)
    assert agent.list_knowledge_bases()["knowledgeBaseSummaries"] == []


@pytest.mark.parametrize("kind,block", [
    ("KENDRA", {"kendraKnowledgeBaseConfiguration": {
        "kendraIndexArn": f"arn:aws:kendra:{REGION}:{ACCOUNT}:index/11111111-2222-3333-4444-555555555555"}}),
    ("SQL", {}),
])
def test_other_types_say_that_they_are_not_built(agent, kind, block):
    asked = given(ACCOUNT, "other", knowledgeBaseConfiguration={"type": kind, **block})
    del asked["storageConfiguration"]
    raises(lambda: agent.create_knowledge_base(**asked), "NotImplementedException", kind, 501)


def test_every_storage_type_is_accepted_with_its_block(agent):
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine"
    texts = {"textField": "text", "metadataField": "metadata"}
    stores = [
        {"type": "PINECONE", "pineconeConfiguration": {
            "connectionString": "https://x.pinecone.io", "credentialsSecretArn": secret, "fieldMapping": texts}},
        {"type": "RDS", "rdsConfiguration": {
            "resourceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:mine", "credentialsSecretArn": secret,
            "databaseName": "db", "tableName": "t", "fieldMapping": {"primaryKeyField": "id", **knowledge.FIELDS}}},
        {"type": "S3_VECTORS", "s3VectorsConfiguration": {
            "indexArn": f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/b/index/i"}},
        {"type": "NEPTUNE_ANALYTICS", "neptuneAnalyticsConfiguration": {
            "graphArn": f"arn:aws:neptune-graph:{REGION}:{ACCOUNT}:graph/g-1234567890", "fieldMapping": texts}},
    ]
    for store in stores:
        kb = base(agent, ACCOUNT, store["type"].lower(), storageConfiguration=store)
        assert agent.get_knowledge_base(knowledgeBaseId=kb)["knowledgeBase"]["storageConfiguration"] == store


def test_a_managed_knowledge_base_needs_no_store(agent):
    managed = {"type": "MANAGED", "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"}}
    asked = given(ACCOUNT, "managed", knowledgeBaseConfiguration=managed)
    del asked["storageConfiguration"]
    kb = agent.create_knowledge_base(**asked)["knowledgeBase"]["knowledgeBaseId"]
    raises(
        lambda: source(agent, kb, dataDeletionPolicy="RETAIN"), "ValidationException", "RETAIN is not supported",
    )


def test_both_configurations_are_fixed(agent):
    kb = base(agent, ACCOUNT)
    for change in ({"knowledgeBaseConfiguration": model(dimensions=512)},
                   {"storageConfiguration": {**STORE, "opensearchServerlessConfiguration": {
                       **STORE["opensearchServerlessConfiguration"], "vectorIndexName": "other"}}}):
        asked = {**given(ACCOUNT, "docs"), **change}
        what = next(iter(change))
        raises(
            lambda asked=asked: agent.update_knowledge_base(knowledgeBaseId=kb, **asked),
            "ValidationException", f"{what} cannot be updated once created",
        )


def chunked(strategy, **block):
    return {"vectorIngestionConfiguration": {"chunkingConfiguration": {"chunkingStrategy": strategy, **block}}}


def levels(parent, child, overlap):
    return {"hierarchicalChunkingConfiguration": {
        "levelConfigurations": [{"maxTokens": parent}, {"maxTokens": child}], "overlapTokens": overlap}}


REFUSED_SOURCES = [
    ({"dataSourceConfiguration": {"type": "S3"}}, "s3Configuration is required when data source type is S3"),
    (chunked("FIXED_SIZE"), "fixedSizeChunkingConfiguration is required when chunking strategy is FIXED_SIZE"),
    (chunked("HIERARCHICAL", **levels(100, 300, 20)),
     "Max tokens for each level in hierarchical chunking must be in descending order"),
    (chunked("HIERARCHICAL", **levels(300, 100, 100)), "must be smaller than the bottom level max tokens"),
    (chunked("FIXED_SIZE", fixedSizeChunkingConfiguration={"maxTokens": 9000, "overlapPercentage": 20}),
     "Member must have value less than or equal to 8192"),
    ({"vectorIngestionConfiguration": {"parsingConfiguration": {"parsingStrategy": "BEDROCK_FOUNDATION_MODEL"}}},
     "Bedrock Foundation Model Configuration is required for this parsing strategy"),
    ({"vectorIngestionConfiguration": {"contextEnrichmentConfiguration": {"type": "BEDROCK_FOUNDATION_MODEL"}}},
     "ContextEnrichmentConfiguration is only supported when using Neptune Analytics as a Knowledge Base"),
]


@pytest.mark.parametrize("change,text", REFUSED_SOURCES, ids=[text[:40] for _, text in REFUSED_SOURCES])
def test_bad_data_sources_are_refused(agent, change, text):
    kb = base(agent, ACCOUNT)
    asked = {"dataSourceConfiguration": CUSTOM, **change}
    raises(lambda: agent.create_data_source(knowledgeBaseId=kb, name="bad", **asked), "ValidationException", text)


def test_a_data_source_lives_and_goes(agent):
    kb = base(agent, ACCOUNT)
    fixed = chunked("FIXED_SIZE", fixedSizeChunkingConfiguration={"maxTokens": 512, "overlapPercentage": 20})
    made = agent.create_data_source(
        knowledgeBaseId=kb, name="s3-docs", dataSourceConfiguration=bucket_source("my-docs-bucket", "technical-docs/"),
        **fixed,
    )["dataSource"]
    ds = made["dataSourceId"]
    assert made["status"] == "AVAILABLE" and made["dataDeletionPolicy"] == "DELETE"
    got = agent.get_data_source(knowledgeBaseId=kb, dataSourceId=ds)["dataSource"]
    assert got["vectorIngestionConfiguration"] == fixed["vectorIngestionConfiguration"] and got["name"] == "s3-docs"
    raises(lambda: source(agent, kb, "s3-docs"), "ConflictException", "DataSource with name s3-docs already exists.", 409)
    same = {"knowledgeBaseId": kb, "dataSourceId": ds, "name": "other",
            "dataSourceConfiguration": bucket_source("my-docs-bucket")}
    raises(lambda: agent.update_data_source(**same), "ValidationException",
           "chunkingConfiguration cannot be updated once created")
    updated = agent.update_data_source(**same, **fixed, dataDeletionPolicy="RETAIN")["dataSource"]
    assert updated["name"] == "other" and updated["dataDeletionPolicy"] == "RETAIN"
    assert [one["name"] for one in agent.list_data_sources(knowledgeBaseId=kb)["dataSourceSummaries"]] == ["other"]
    assert agent.delete_data_source(knowledgeBaseId=kb, dataSourceId=ds)["status"] == "DELETING"
    knowledge.gone(lambda: agent.get_data_source(knowledgeBaseId=kb, dataSourceId=ds))


def test_a_knowledge_base_has_five_sources(agent):
    kb = base(agent, ACCOUNT)
    made = [source(agent, kb, f"source-{number}") for number in range(5)]
    raises(lambda: source(agent, kb, "source-5"), "ServiceQuotaExceededException", "5 data sources", 402)
    agent.delete_data_source(knowledgeBaseId=kb, dataSourceId=made[0])
    knowledge.gone(lambda: agent.get_data_source(knowledgeBaseId=kb, dataSourceId=made[0]))
    source(agent, kb, "source-5")


def test_sources_that_are_not_built_say_so(agent):
    kb = base(agent, ACCOUNT)
    redshift = {"type": "REDSHIFT_METADATA"}
    raises(lambda: source(agent, kb, configuration=redshift), "NotImplementedException", "REDSHIFT_METADATA", 501)


def test_tags(agent):
    kb = base(agent, ACCOUNT, tags={"team": "search"})
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/{kb}"
    assert agent.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "search"}
    agent.tag_resource(resourceArn=arn, tags={"stage": "test", "team": "docs"})
    agent.untag_resource(resourceArn=arn, tagKeys=["stage"])
    assert agent.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "docs"}
    raises(lambda: agent.list_tags_for_resource(resourceArn=arn[:-10] + UNKNOWN), "ResourceNotFoundException", status=404)


def test_the_command_line_of_article_two(server, agent):
    made = cli(
        server.url, "bedrock-agent", "create-knowledge-base", "--name", "engineering-docs", "--role-arn", role(ACCOUNT),
        "--knowledge-base-configuration", json.dumps(VECTOR), "--storage-configuration", json.dumps(STORE), key=(ACCOUNT, "test"),
    )
    kb = made["knowledgeBase"]["knowledgeBaseId"]
    got = cli(server.url, "bedrock-agent", "get-knowledge-base", "--knowledge-base-id", kb, key=(ACCOUNT, "test"))
    assert got["knowledgeBase"]["status"] == "ACTIVE"


STRICT = """
[knowledge]
strict = true
"""


def test_the_strict_switch_refuses_what_the_store_cannot(fresh):
    server = fresh(config=STRICT)
    server.start()
    agent = client(server.url, "bedrock-agent", account=ACCOUNT)
    vectors = {"type": "S3_VECTORS", "s3VectorsConfiguration": {
        "indexArn": f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/b/index/i"}}
    asked = given(ACCOUNT, "bits", knowledgeBaseConfiguration=model(embeddingDataType="BINARY"))
    raises(
        lambda: agent.create_knowledge_base(**{**asked, "storageConfiguration": vectors}),
        "ValidationException", "The embedding type provided BINARY is invalid for storage type S3_VECTORS",
    )
    agent.create_knowledge_base(**asked)
