"""InvokeModel with the embedding dialects: Titan v1 and v2, Cohere v3."""

import json
import math
import pathlib

import pytest

from support.ask import COHERE_EMBED, TITAN_EMBED, TITAN_EMBED_V1, invoke
from support.clients import raises


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def length(vector):
    return math.sqrt(sum(x * x for x in vector))


QUERY = "How do I restart the search service?"
NEAR = "To restart the search service, run systemctl restart search."
FAR = "The canteen serves lasagne on Thursdays."


class TestTitan:
    @pytest.mark.parametrize(("model", "size"), [(TITAN_EMBED_V1, 1536), (TITAN_EMBED, 1024)])
    def test_size_and_count(self, runtime, model, size):
        out, headers = invoke(runtime, model, {"inputText": "a ship"})
        assert len(out["embedding"]) == size and all(type(x) is float for x in out["embedding"][:9])
        assert out["inputTextTokenCount"] == int(headers["x-amzn-bedrock-input-token-count"]) > 0

    @pytest.mark.parametrize("size", [256, 512, 1024])
    def test_dimensions_keep_the_ranking(self, runtime, size):
        query, near, far = (
            invoke(runtime, TITAN_EMBED, {"inputText": text, "dimensions": size})[0]["embedding"]
            for text in (QUERY, NEAR, FAR)
        )
        assert len(query) == size
        assert cosine(query, near) > cosine(query, far) + 0.2

    def test_the_same_text_has_the_same_vector(self, runtime):
        one, two, other = (
            invoke(runtime, TITAN_EMBED, {"inputText": text})[0]["embedding"] for text in ("a ship", "a ship", "a river")
        )
        assert one == two != other

    def test_normalize(self, runtime):
        unit = invoke(runtime, TITAN_EMBED, {"inputText": NEAR})[0]["embedding"]
        plain = invoke(runtime, TITAN_EMBED, {"inputText": NEAR, "normalize": False})[0]["embedding"]
        assert abs(length(unit) - 1) < 1e-3
        assert cosine(unit, plain) > 0.999 and abs(length(plain) - 1) > 1e-3

    def test_types(self, runtime):
        both = invoke(runtime, TITAN_EMBED, {"inputText": NEAR, "embeddingTypes": ["float", "binary"]})[0]
        assert both["embedding"] == both["embeddingsByType"]["float"]
        binary = both["embeddingsByType"]["binary"]
        assert len(binary) == 1024 and set(binary) == {0, 1}
        only = invoke(runtime, TITAN_EMBED, {"inputText": NEAR, "embeddingTypes": ["binary"]})[0]
        assert "embedding" not in only and only["embeddingsByType"] == {"binary": binary}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"inputText": 7},
            {"inputText": ""},
            {"inputText": "x", "dimensions": 300},
            {"inputText": "x", "colour": "red"},
            {"inputText": "x", "embeddingTypes": ["int8"]},
            {"inputText": "x", "normalize": "yes"},
        ],
    )
    def test_a_bad_body(self, runtime, body):
        raises(lambda: runtime.invoke_model(modelId=TITAN_EMBED, body=json.dumps(body)), "ValidationException")


class TestCohere:
    def test_a_list_of_texts(self, runtime):
        out, _ = invoke(runtime, COHERE_EMBED, {"texts": [QUERY, NEAR, FAR], "input_type": "search_document"})
        assert [len(vector) for vector in out["embeddings"]] == [1024] * 3
        assert out["response_type"] == "embeddings_floats" and out["id"]
        query, near, far = out["embeddings"]
        assert cosine(query, near) > cosine(query, far) + 0.2

    def test_embedding_types_answer_by_type(self, runtime):
        body = {"texts": ["a"], "input_type": "search_query", "embedding_types": ["float", "int8"]}
        out, _ = invoke(runtime, COHERE_EMBED, body)
        assert out["response_type"] == "embeddings_by_type"
        assert set(out["embeddings"]) == {"float", "int8"}
        assert len(out["embeddings"]["float"][0]) == 1024
        assert all(type(x) is int and -128 <= x <= 127 for x in out["embeddings"]["int8"][0])

    @pytest.mark.parametrize(
        "body",
        [
            {"texts": ["a"]},
            {"input_type": "search_query"},
            {"texts": ["a"] * 97, "input_type": "search_query"},
            {"texts": ["a"], "input_type": "wish"},
            {"texts": "a", "input_type": "search_query"},
        ],
        ids=["type", "texts", "97", "wish", "string"],
    )
    def test_a_bad_body(self, runtime, body):
        raises(lambda: runtime.invoke_model(modelId=COHERE_EMBED, body=json.dumps(body)), "ValidationException")


class TestMiniLM:
    def test_vectors_are_the_models_own(self, runtime):
        """Those of onnxruntime with the original weights: an index that another program filled with them is searched
        rightly."""
        golden = pathlib.Path(__file__).parents[2] / "crates" / "engine" / "golden" / "minilm-onnx.json"
        for one in json.loads(golden.read_text()):
            out, _ = invoke(runtime, "outcrop.all-minilm-l6-v2", {"inputText": one["text"]})
            assert len(out["embedding"]) == 384
            assert cosine(out["embedding"], one["vector"]) > 0.999
