"""A cross-encoder of this machine: what it says of pairs is in the engine's golden files."""

import json
import re

import pytest

from support.ask import invoke
from support.clients import client, raises
from support.server import ROOT, Server, outcrop

GOLDEN = ROOT / "crates" / "engine" / "golden"
PAIRS = [pair for pair in json.loads((GOLDEN / "rank.json").read_text()) if pair["query"] == "is the sea deep?"]
DOCUMENTS = [pair["document"] for pair in PAIRS]
EXPECTED = sorted(enumerate(pair["score"] for pair in PAIRS), key=lambda one: -one[1])
NAMED = "arn:aws:bedrock:us-east-1::foundation-model/"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The tiny model of the golden files, with the head that ranks in place of the mean."""
    file = (GOLDEN / "bert.gguf").read_bytes()
    key = b"bert.pooling_type"
    at = file.index(key) + len(key) + 4
    path = tmp_path_factory.mktemp("models") / "tiny-rank.gguf"
    path.write_bytes(file[:at] + (4).to_bytes(4, "little") + file[at + 4 :])
    return path


@pytest.fixture(scope="module")
def served(model):
    config = f'[[local_models]]\nname = "tiny-rank"\nkind = "rerank"\nfile = "{model}"\n'
    with Server(config=config) as running:
        yield running


def ranked(served, name, documents=DOCUMENTS, **more):
    sources = [
        {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
        for text in documents
    ]
    configuration = {"modelConfiguration": {"modelArn": NAMED + name}, **more}
    return client(served.url, "bedrock-agent-runtime", region="us-east-1").rerank(
        queries=[{"type": "TEXT", "textQuery": {"text": "is the sea deep?"}}],
        sources=sources,
        rerankingConfiguration={
            "type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": configuration
        },
    )  # fmt: skip


@pytest.mark.parametrize("name", ["outcrop.tiny-rank", "amazon.rerank-v1:0", "cohere.rerank-v3-5:0"])
def test_rerank_is_answered_by_it(served, name):
    answer = ranked(served, name)
    assert [result["index"] for result in answer["results"]] == [index for index, _ in EXPECTED]
    for result, (_, score) in zip(answer["results"], EXPECTED):
        assert result["relevanceScore"] == pytest.approx(score, abs=1e-3)
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("x-outcrop-served-by")
    assert told == (None if name.startswith("outcrop.") else "outcrop.tiny-rank")
    assert len(ranked(served, name, numberOfResults=1)["results"]) == 1


def test_invoke_model_speaks_the_model_s_own_format(served):
    runtime = client(served.url, "bedrock-runtime", region="us-east-1")
    body, headers = invoke(runtime, "amazon.rerank-v1:0", {"query": "is the sea deep?", "documents": DOCUMENTS})
    assert [result["index"] for result in body["results"]] == [index for index, _ in EXPECTED]
    assert headers["x-outcrop-served-by"] == "outcrop.tiny-rank"


def test_it_is_listed_and_is_no_model_for_anything_else(served):
    models = client(served.url, "bedrock", region="us-east-1").list_foundation_models()["modelSummaries"]
    assert [one["modelName"] for one in models if one["modelId"] == "outcrop.tiny-rank"] == ["tiny-rank"]
    runtime = client(served.url, "bedrock-runtime", region="us-east-1")
    message = [{"role": "user", "content": [{"text": "hello"}]}]
    raises(lambda: runtime.converse(modelId="outcrop.tiny-rank", messages=message), "ValidationException", "", 400)
    raises(lambda: ranked(served, "outcrop.all-minilm-l6-v2"), "ValidationException", "ranks no documents", 400)


def test_the_command_line_takes_it(model, tmp_path):
    env = {"OUTCROP_MODELS": str(tmp_path)}
    assert outcrop("models", "pull", str(model), "--name", "mine", env=env).returncode == 0
    listed = outcrop("models", "list", env=env).stdout
    assert re.search(r"^mine\s+rerank\s", listed, re.MULTILINE), listed
