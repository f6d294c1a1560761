"""Document blocks for models that read no files: their text, what lies in buckets, citations, limits."""

import json

import pytest

from support import files
from support.ask import HAIKU, text
from support.clients import client, raises

ACCOUNT = "555544443377"
BUCKET = "papers-of-tests"
FACT = "The lighthouse of Brannock was built in 1874."
SCRIPT = """
[[rules]]
contains = "built in 1874"
text = "I have read it. The lighthouse of Brannock was built in 1874. It burned down in 1990."
chunk = 7

[[rules]]
text = "I see nothing."
"""


def asking(*blocks, said="When was it built?"):
    return [{"role": "user", "content": [{"text": said}, *blocks]}]


def document(source, kind="pdf", name="Coast guide", **rest):
    return {"document": {"name": name, "format": kind, "source": source, **rest}}


FILES = [
    ("pdf", files.pdf("A guide to the coast.", FACT)),
    ("docx", files.docx("A guide to the coast.", FACT)),
    ("doc", b"{\\rtf1\\ansi{\\fonttbl{\\f0 Times;}}A guide to the coast.\\par " + FACT.encode() + b"\\par}"),
    ("html", f"<html><body><nav>Menu</nav><main><h1>Coast</h1><p>{FACT}</p></main></body></html>".encode()),
    ("csv", b"name,fact\nBrannock," + FACT.encode() + b"\n"),
    ("md", b"# Coast\n\n" + FACT.encode()),
    ("txt", FACT.encode("utf-16")),
]


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    from support.server import Server

    script = tmp_path_factory.mktemp("script") / "script.toml"
    script.write_text(SCRIPT)
    config = f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{script}'\nserves = ['anthropic.*']\n"
    with Server(config=config) as running:
        yield running


@pytest.fixture
def runtime(scripted):
    return client(scripted.url, "bedrock-runtime", account=ACCOUNT)


@pytest.fixture
def s3(scripted):
    made = client(scripted.url, "s3", account=ACCOUNT)
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.mark.parametrize("kind,data", FILES, ids=[kind for kind, _ in FILES])
def test_a_file_reaches_the_model_as_text(runtime, kind, data):
    answer = runtime.converse(modelId=HAIKU, messages=asking(document({"bytes": data}, kind)))
    assert "built in 1874" in text(answer), answer
    nothing = runtime.converse(modelId=HAIKU, messages=asking())
    assert text(nothing) == "I see nothing."


def test_the_embedded_model_reads_and_counts_what_it_reads(server):
    local = client(server.url, "bedrock-runtime")
    long = files.pdf(*[f"Page {n}. {FACT}" for n in range(20)])
    messages = asking(document({"bytes": long}))
    answer = local.converse(modelId=HAIKU, messages=messages, inferenceConfig={"maxTokens": 8})
    counted = local.count_tokens(modelId=HAIKU, input={"converse": {"messages": messages}})["inputTokens"]
    assert answer["usage"]["inputTokens"] == counted > 20 * 10
    huge = "word " * 200_000
    raises(
        lambda: local.converse(modelId=HAIKU, messages=asking(document({"text": huge}, "txt"))),
        "ValidationException", "Input is too long for requested model.",
    )


def cited(answer):
    """The citations, beside the text that each is of."""
    blocks = answer["output"]["message"]["content"]
    found = [block["citationsContent"] for block in blocks if "citationsContent" in block]
    return [("".join(part["text"] for part in one["content"]), one["citations"][0]) for one in found]


def test_sentences_cite_the_place_that_supports_them(runtime):
    on = {"citations": {"enabled": True}}
    whole = "A guide to the coast. " + FACT
    ((said, citation),) = cited(
        runtime.converse(modelId=HAIKU, messages=asking(document({"text": whole}, "txt", **on)))
    )
    place = citation["location"]["documentChar"]
    assert said.strip() == FACT and citation["title"] == "Coast guide"
    assert whole[place["start"]:place["end"]] == citation["sourceContent"][0]["text"] == FACT
    assert place["documentIndex"] == 0

    data = files.pdf("A guide to the coast.", FACT)
    ((_, citation),) = cited(
        runtime.converse(modelId=HAIKU, messages=asking(document({"bytes": data}, **on)))
    )
    assert citation["location"]["documentPage"] == {"documentIndex": 0, "start": 2, "end": 3}

    parts = {"content": [{"text": "Nothing."}, {"text": FACT}]}
    other = document({"text": "Another one."}, "txt", "Other")
    ((_, citation),) = cited(
        runtime.converse(modelId=HAIKU, messages=asking(other, document(parts, "txt", **on)))
    )
    assert citation["location"]["documentChunk"] == {"documentIndex": 1, "start": 1, "end": 2}

    # Without being asked for, there is none.
    answer = runtime.converse(modelId=HAIKU, messages=asking(document({"text": whole}, "txt")))
    assert cited(answer) == []


def test_citations_stream_beside_their_text(runtime):
    block = document({"text": FACT}, "txt", citations={"enabled": True})
    events = list(runtime.converse_stream(modelId=HAIKU, messages=asking(block))["stream"])
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    texts = {}
    for one in deltas:
        texts[one["contentBlockIndex"]] = texts.get(one["contentBlockIndex"], "") + one["delta"].get("text", "")
    places = [one["contentBlockIndex"] for one in deltas if "citation" in one["delta"]]
    assert len(places) == 1 and texts[places[0]].strip() == FACT
    assert "".join(texts.values()) == f"I have read it. {FACT} It burned down in 1990."
    stops = [event["contentBlockStop"]["contentBlockIndex"] for event in events if "contentBlockStop" in event]
    assert stops == sorted(texts)


def test_an_object_is_read_under_the_callers_rights(scripted, runtime, s3):
    s3.put_object(Bucket=BUCKET, Key="guide.pdf", Body=files.pdf(FACT))
    at = {"s3Location": {"uri": f"s3://{BUCKET}/guide.pdf", "bucketOwner": ACCOUNT}}
    answer = runtime.converse(modelId=HAIKU, messages=asking(document(at)))
    assert "built in 1874" in text(answer)
    wrong = {"s3Location": {**at["s3Location"], "bucketOwner": "999988887777"}}
    raises(
        lambda: runtime.converse(modelId=HAIKU, messages=asking(document(wrong))), "AccessDeniedException", status=403,
    )
    none = {"s3Location": {"uri": f"s3://{BUCKET}/none.pdf"}}
    raises(
        lambda: runtime.converse(modelId=HAIKU, messages=asking(document(none))),
        "ValidationException", f"s3://{BUCKET}/none.pdf",
    )
    other = client(scripted.url, "bedrock-runtime", account="555544443378")
    raises(lambda: other.converse(modelId=HAIKU, messages=asking(document(at))), "AccessDeniedException", status=403)
    image = {"image": {"format": "png", "source": {"s3Location": {"uri": f"s3://{BUCKET}/none.png"}}}}
    raises(
        lambda: runtime.converse(modelId=HAIKU, messages=asking(image)), "ValidationException", "messages.0.content.1.image",
    )


BROKEN = [
    ([document({"bytes": b"%PDF-1.4 and nothing else"})], "could not be read"),
    ([document({"bytes": b"PK\x03\x04 no archive"}, "docx")], "could not be read"),
    ([document({"text": "x"}, "txt")] * 6, "at most 5 are allowed"),
    ([document({"bytes": b"x" * 4_500_001}, "txt")], "at most 4.5 MB"),
    ([document({"text": "x"}, "txt", "guide.txt")], "The document file name can only contain"),
]


@pytest.mark.parametrize("blocks,said", BROKEN, ids=[said for _, said in BROKEN])
def test_what_is_wrong_with_a_document_is_said(runtime, blocks, said):
    raises(lambda: runtime.converse(modelId=HAIKU, messages=asking(*blocks)), "ValidationException", said)


def test_invoke_model_takes_them_too(runtime):
    import base64

    data = base64.b64encode(files.pdf(FACT)).decode()
    body = {
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
        "messages": [{"role": "user", "content": [
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}},
            {"type": "text", "text": "When?"},
        ]}],
    }
    answer = json.loads(runtime.invoke_model(modelId=HAIKU, body=json.dumps(body))["body"].read())
    assert "built in 1874" in answer["content"][0]["text"]
