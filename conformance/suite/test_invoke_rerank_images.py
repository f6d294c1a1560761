"""InvokeModel of models that rank and of models that draw, by a provider that is an OpenAI-compatible server."""

import base64

import pytest

from support.ask import invoke
from support.clients import client, raises
from support.media import Media
from support.server import Server

COHERE = "cohere.rerank-v3-5:0"
AMAZON = "amazon.rerank-v1:0"
TITAN = "amazon.titan-image-generator-v2:0"
CANVAS = "amazon.nova-canvas-v1:0"
STABILITY = "stability.stable-image-ultra-v1:1"

DOCUMENTS = ["a tree grows", "the ship sails far", "a ship in the harbour sails far"]
CONFIG = """
[[providers]]
name = "media"
kind = "openai"
url = "{url}"
serves = ["cohere.rerank-*", "amazon.rerank-*", "amazon.titan-image-*", "amazon.nova-canvas-*", "stability.*"]
models = {{ "cohere.rerank-v3-5:0" = "its-reranker" }}
"""


@pytest.fixture(scope="module")
def media():
    with Media() as running:
        yield running


@pytest.fixture(scope="module")
def served(media):
    with Server(config=CONFIG.format(url=media.url)) as running:
        yield running


@pytest.fixture(scope="module")
def here(served):
    return client(served.url, "bedrock-runtime", region="us-east-1")


@pytest.fixture(scope="module")
def west(served):
    return client(served.url, "bedrock-runtime", region="us-west-2")


def ship(task="TEXT_IMAGE", **config):
    text = {"text": "a ship", "negativeText": "waves"}
    return {"taskType": task, "textToImageParams": text, "imageGenerationConfig": config}


def files(images):
    return [base64.b64decode(image) for image in images]


class TestRanking:
    def test_cohere(self, here, media):
        body = {"query": "ship sails far", "documents": [*DOCUMENTS[:2], {"text": DOCUMENTS[2]}], "api_version": 2}
        out, headers = invoke(here, COHERE, body)
        assert sorted(out) == ["results"] and all(sorted(r) == ["index", "relevance_score"] for r in out["results"])
        assert [r["index"] for r in out["results"]] == [1, 2, 0]
        assert out["results"][0]["relevance_score"] == 1.0 and out["results"][2]["relevance_score"] == 0.0
        assert headers["x-amzn-bedrock-input-token-count"] == "11"
        assert headers["x-outcrop-served-by"] == "media"
        path, asked = media.asked[-1]
        assert path == "/v1/rerank"
        assert asked == {"model": "its-reranker", "query": "ship sails far", "documents": DOCUMENTS}

    def test_amazon(self, west, media):
        out, _ = invoke(west, AMAZON, {"query": "harbour", "documents": DOCUMENTS, "top_n": 1})
        assert out == {"results": [{"index": 2, "relevance_score": 1.0}]}
        assert media.asked[-1][1]["top_n"] == 1

    def test_refusals(self, here, west, media):
        before = len(media.asked)
        body = {"query": "a", "documents": ["b"]}
        for runtime, model, body, text in [
            (here, COHERE, body, "#: required key [api_version] not found"),
            (here, COHERE, {**body, "api_version": "2"}, "#/api_version: expected type: Integer, found: String"),
            (here, COHERE, {**body, "api_version": 2, "top_n": 0}, "#/top_n: 0 is not greater or equal to 1"),
            (west, AMAZON, {"query": "a", "documents": []}, "#/documents: expected minimum item count: 1, found: 0"),
            (west, AMAZON, {**body, "api_version": 2}, "#: extraneous key [api_version] is not permitted"),
        ]:
            raises(lambda: invoke(runtime, model, body), "ValidationException", text)
        assert len(media.asked) == before


class TestImages:
    @pytest.mark.parametrize("model", [TITAN, CANVAS])
    def test_titan_and_canvas(self, here, media, model):
        body = ship(numberOfImages=2, width=768, height=512, cfgScale=8.0, seed=7, quality="standard")
        out, headers = invoke(here, model, body)
        assert files(out["images"]) == [b"a ship 0", b"a ship 1"] and out["error"] is None and len(out) == 2
        assert headers["x-outcrop-served-by"] == "media"
        path, asked = media.asked[-1]
        assert path == "/v1/images/generations"
        assert (asked["prompt"], asked["negative_prompt"]) == ("a ship", "waves")
        assert (asked["n"], asked["size"], asked["seed"], asked["guidance_scale"]) == (2, "768x512", 7, 8.0)

    def test_stability(self, west, media):
        body = {"prompt": "a ship", "mode": "text-to-image", "aspect_ratio": "16:9", "seed": 9, "output_format": "png"}
        out, _ = invoke(west, STABILITY, body)
        assert files(out["images"]) == [b"a ship 0"]
        assert (out["seeds"], out["finish_reasons"]) == ([9], [None])
        assert (media.asked[-1][1]["size"], media.asked[-1][1]["seed"]) == ("1344x768", 9)

    def test_refusals(self, here, west, media):
        before = len(media.asked)
        for runtime, model, body, text in [
            (here, TITAN, {}, "#: required key [taskType] not found"),
            (here, TITAN, ship(numberOfImages=6), "#/imageGenerationConfig/numberOfImages: 6 is not less or equal to 5"),
            (here, CANVAS, ship(width=330), "#/imageGenerationConfig/width: 330 is not a multiple of 16"),
            (here, TITAN, ship("INPAINTING"), "The task INPAINTING is only done by the model itself"),
            (west, STABILITY, {"prompt": "a", "aspect_ratio": "4:3"}, "#/aspect_ratio: 4:3 is not a valid enum value"),
        ]:
            raises(lambda: invoke(runtime, model, body), "ValidationException", text)
        assert len(media.asked) == before


def test_no_local_model_stands_in(runtime):
    ranking = {"query": "a", "documents": ["b"], "api_version": 2}
    for model, body, what in [(COHERE, ranking, "ranks documents"), (TITAN, ship(), "makes IMAGE")]:
        text = f"No local model can stand in for {model}, which {what}."
        raises(lambda: invoke(runtime, model, body), "NotImplementedException", text, status=501)
