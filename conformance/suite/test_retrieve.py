"""Retrieve and Rerank: results and their shape, filters, types of search, refusals."""

import pytest

from support import knowledge
from support.clients import client, raises
from support.knowledge import REGION, base, source, text
from support.waiting import until

ACCOUNT = "555544447771"
OTHER = "555544447772"
RERANKER = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.rerank-v1:0"
FACTS = {
    "restart": ("To restart the indexing service run `systemctl restart indexer` on host ix-7.", "search", 2021),
    "oncall": ("The on-call rotation changes every Wednesday at 10:00 UTC. Priya Raman owns the schedule.", "ops", 2022),
    "queue": ("We chose NATS JetStream over Kafka in March 2024 because operations had two people only.", "ops", 2024),
}


def document(name, content, team, year):
    made = text(name, content, team=team)
    attributes = made["metadata"]["inlineAttributes"]
    attributes.append({"key": "year", "value": {"type": "NUMBER", "numberValue": year}})
    attributes.append({"key": "tags", "value": {"type": "STRING_LIST", "stringListValue": [team, "all"]}})
    return made


@pytest.fixture(scope="module")
def agent(server):
    made = client(server.url, "bedrock-agent", account=ACCOUNT)
    yield made
    knowledge.clean(made)


@pytest.fixture(scope="module")
def kb(agent):
    """A knowledge base with three documents."""
    made = base(agent, ACCOUNT, "retrieved")
    ds = source(agent, made)
    agent.ingest_knowledge_base_documents(
        knowledgeBaseId=made, dataSourceId=ds,
        documents=[document(name, *rest) for name, rest in FACTS.items()],
    )
    until(
        lambda: list(knowledge.statuses(agent, made, ds).values()) == ["INDEXED"] * len(FACTS), 60, "three documents"
    )
    return made


@pytest.fixture(scope="module")
def runtime(server):
    return client(server.url, "bedrock-agent-runtime", account=ACCOUNT)


def found(runtime, kb, query, **search):
    configuration = {"retrievalConfiguration": {"vectorSearchConfiguration": search}} if search else {}
    answer = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": query}, **configuration)
    return answer["retrievalResults"]


def ids(results):
    return [one["location"]["customDocumentLocation"]["id"] for one in results]


def test_a_result_has_text_place_attributes_and_score(runtime, kb):
    answer = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "who owns the on-call schedule"})
    assert set(answer) - {"ResponseMetadata"} == {"retrievalResults"}
    results = answer["retrievalResults"]
    assert len(results) == 3 and ids(results)[0] == "oncall"
    scores = [one["score"] for one in results]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    first = results[0]
    assert first["content"] == {"text": FACTS["oncall"][0], "type": "TEXT"}
    assert first["location"] == {"type": "CUSTOM", "customDocumentLocation": {"id": "oncall"}}
    assert first["metadata"]["year"] == 2022.0 and first["metadata"]["team"] == "ops"
    assert first["metadata"]["x-amz-bedrock-kb-source-uri"] == "oncall"
    assert len(first["metadata"]["x-amz-bedrock-kb-data-source-id"]) == 10


@pytest.mark.parametrize("kind", ["HYBRID", "SEMANTIC"])
def test_types_of_search_and_number_of_results(runtime, kb, kind):
    results = found(runtime, kb, "Why NATS and not Kafka?", numberOfResults=1, overrideSearchType=kind)
    assert ids(results) == ["queue"]


FILTERS = [
    ({"equals": {"key": "team", "value": "ops"}}, {"oncall", "queue"}),
    ({"notEquals": {"key": "team", "value": "ops"}}, {"restart"}),
    ({"notEquals": {"key": "nowhere", "value": "ops"}}, {"restart", "oncall", "queue"}),
    ({"greaterThan": {"key": "year", "value": 2022}}, {"queue"}),
    ({"greaterThanOrEquals": {"key": "year", "value": 2022}}, {"oncall", "queue"}),
    ({"lessThan": {"key": "year", "value": 2022}}, {"restart"}),
    ({"lessThanOrEquals": {"key": "year", "value": 2022}}, {"restart", "oncall"}),
    ({"in": {"key": "team", "value": ["search", "x"]}}, {"restart"}),
    ({"notIn": {"key": "team", "value": ["search"]}}, {"oncall", "queue"}),
    ({"startsWith": {"key": "team", "value": "sea"}}, {"restart"}),
    ({"stringContains": {"key": "team", "value": "ps"}}, {"oncall", "queue"}),
    ({"listContains": {"key": "tags", "value": "search"}}, {"restart"}),
    ({"andAll": [{"equals": {"key": "team", "value": "ops"}}, {"greaterThan": {"key": "year", "value": 2023}}]}, {"queue"}),
    ({"orAll": [
        {"equals": {"key": "team", "value": "search"}},
        {"andAll": [{"equals": {"key": "team", "value": "ops"}}, {"lessThan": {"key": "year", "value": 2023}}]},
    ]}, {"restart", "oncall"}),
]


@pytest.mark.parametrize("given, wanted", FILTERS, ids=[next(iter(one)) + str(at) for at, (one, _) in enumerate(FILTERS)])
def test_filters(runtime, kb, given, wanted):
    assert set(ids(found(runtime, kb, "what is it", filter=given))) == wanted


def nested(levels):
    leaf = {"equals": {"key": "team", "value": "ops"}}
    given = leaf
    for _ in range(levels - 1):
        given = {"andAll": [given, leaf]}
    return given


REFUSED = [
    ({"greaterThan": {"key": "year", "value": "2022"}}, "needs a number as its value, not a string"),
    ({"in": {"key": "team", "value": "ops"}}, "needs a list of strings as its value, not a string"),
    ({"equals": {"key": "team", "value": ["ops"]}}, "not a list"),
    ({"startsWith": {"key": "team", "value": 1}}, "needs a string"),
    (nested(40), "levels deep"),
    # Deeper than any JSON is read here.
    (nested(80), "levels deep"),
    ({"orAll": [{"equals": {"key": "a", "value": 1}}] * 1001}, "more than 1000 conditions"),
]


@pytest.mark.parametrize("given, words", REFUSED)
def test_malformed_filters_are_refused_by_name(runtime, kb, given, words):
    raises(lambda: found(runtime, kb, "x", filter=given), "ValidationException", words, 400)


def test_filters_may_have_conditions_to_a_bound(runtime, kb):
    assert ids(found(runtime, kb, "x y", filter={"orAll": [{"equals": {"key": "a", "value": 1}}] * 1000})) == []


def test_filters_may_be_nested_to_a_bound(runtime, kb):
    assert set(ids(found(runtime, kb, "x y", filter=nested(30)))) == {"oncall", "queue"}


def test_reranking_orders_and_cuts(runtime, kb):
    reranking = {
        "type": "BEDROCK_RERANKING_MODEL",
        "bedrockRerankingConfiguration": {
            "modelConfiguration": {"modelArn": RERANKER}, "numberOfRerankedResults": 2,
            "metadataConfiguration": {"selectionMode": "ALL"},
        },
    }
    results = found(runtime, kb, "restart the indexing service", numberOfResults=3, rerankingConfiguration=reranking)
    assert len(results) == 2 and ids(results)[0] == "restart" and results[0]["score"] > results[1]["score"]


def test_what_cannot_be_honoured_is_refused(runtime, kb, server):
    ask = lambda **more: runtime.retrieve(knowledgeBaseId=kb, **{"retrievalQuery": {"text": "x"}, **more})
    raises(lambda: ask(userContext={"userId": "me"}), "ValidationException", "userContext is not supported", 400)
    raises(
        lambda: ask(retrievalConfiguration={"managedSearchConfiguration": {}}),
        "ValidationException", "MANAGED knowledge bases", 400,
    )
    raises(lambda: ask(nextToken="0.0"), "ValidationException", "nextToken", 400)
    raises(lambda: ask(retrievalQuery={"text": " "}), "ValidationException", "not empty", 400)
    raises(lambda: ask(retrievalQuery={"text": "x" * 100_000}), "ValidationException", "20000", 400)
    raises(
        lambda: runtime.retrieve(knowledgeBaseId="ABCDEFGHIJ", retrievalQuery={"text": "x"}),
        "ResourceNotFoundException", "Knowledge Base with id ABCDEFGHIJ does not exist", 404,
    )
    other = client(server.url, "bedrock-agent-runtime", account=OTHER)
    raises(
        lambda: other.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "x"}),
        "ResourceNotFoundException", f"Knowledge Base with id {kb} does not exist", 404,
    )


def test_a_guardrail_judges_the_query(server, runtime, kb):
    bedrock = client(server.url, "bedrock", account=ACCOUNT)
    made = bedrock.create_guardrail(
        name="no-cactus", blockedInputMessaging="no", blockedOutputsMessaging="no",
        wordPolicyConfig={"wordsConfig": [{"text": "cactus"}]},
    )
    guardrail = {"guardrailId": made["guardrailId"], "guardrailVersion": "DRAFT"}
    ask = lambda words: runtime.retrieve(
        knowledgeBaseId=kb, retrievalQuery={"text": words}, guardrailConfiguration=guardrail
    )
    stopped = ask("where is the cactus")
    assert stopped["guardrailAction"] == "INTERVENED" and stopped["retrievalResults"] == []
    passed = ask("who owns the schedule")
    assert passed["guardrailAction"] == "NONE" and passed["retrievalResults"]
    bedrock.delete_guardrail(guardrailIdentifier=made["guardrailId"])


def rerank(runtime, query, sources, **more):
    return runtime.rerank(
        queries=[{"type": "TEXT", "textQuery": {"text": query}}],
        sources=[{"type": "INLINE", "inlineDocumentSource": one} for one in sources],
        rerankingConfiguration={
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": RERANKER}, **more},
        },
    )


def plain(words):
    return {"type": "TEXT", "textDocument": {"text": words}}


def test_rerank_orders_documents(runtime):
    sources = [plain(words) for words, *_ in FACTS.values()]
    sources.append({"type": "JSON", "jsonDocument": {"title": "Queue", "why": {"people": "operations had two"}}})
    answer = rerank(runtime, "Who owns the on-call schedule?", sources)
    assert [one["index"] for one in answer["results"]][0] == 1 and len(answer["results"]) == 4
    scores = [one["relevanceScore"] for one in answer["results"]]
    assert scores == sorted(scores, reverse=True) and all("document" not in one for one in answer["results"])
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-outcrop-served-by"] == "outcrop.lexical-semantic"
    assert len(rerank(runtime, "queue", sources, numberOfResults=2)["results"]) == 2


def test_rerank_refuses(runtime):
    wrong = {"type": "TEXT", "jsonDocument": {"a": 1}}
    raises(lambda: rerank(runtime, "x", [wrong]), "ValidationException", "textDocument", 400)


def test_a_model_writes_the_filter(fresh, tmp_path):
    condition = '{"attribute": "team", "operator": "equals", "value": "ops"}'
    path = tmp_path / "script.toml"
    path.write_text(f"[[rules]]\ntext = '{{\"conditions\": [{condition}]}}'\n")
    config = f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{path}'\nserves = ['amazon.nova-*']\n"
    server = fresh(config=config).start()
    agent, runtime = client(server.url, "bedrock-agent"), client(server.url, "bedrock-agent-runtime")
    made = base(agent, "123456789012", "filtered")
    ds = source(agent, made)
    documents = [document(name, *rest) for name, rest in FACTS.items()]
    agent.ingest_knowledge_base_documents(knowledgeBaseId=made, dataSourceId=ds, documents=documents)
    until(lambda: list(knowledge.statuses(agent, made, ds).values()) == ["INDEXED"] * 3, 60, "three documents")
    attribute = {"key": "team", "type": "STRING", "description": "the team that owns it"}
    implicit = {"modelArn": "amazon.nova-lite-v1:0", "metadataAttributes": [attribute]}
    results = found(runtime, made, "what is there of the team ops", implicitFilterConfiguration=implicit)
    assert set(ids(results)) == {"oncall", "queue"}
