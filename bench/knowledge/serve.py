"""Knowledge bases through the server: Retrieve beside embedding the question alone, ingestion beside the embedder's own
rate, what a change to 10 of many documents costs, and 40,000 documents. Prints tables for docs/benchmarks.md.

    python bench/knowledge/serve.py --data DIR --xtask XTASK [--cache FILE] [--only retrieve|ingest|many]
        [--documents 500]

OUTCROP_BIN names the server's binary. Both sides of a figure take turns. `many` runs only where it is asked for: it takes
half an hour of a processor.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from measure import Raw, cpu_seconds, load, memory_mb, row, table  # noqa: E402
from support import knowledge  # noqa: E402
from support.clients import client  # noqa: E402
from support.server import Server  # noqa: E402

ACCOUNT = "555544443331"
MODEL = "outcrop.all-minilm-l6-v2"
ARN = f"arn:aws:bedrock:{knowledge.REGION}::foundation-model/{MODEL}"
VECTOR = {"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": ARN}}


def rows(path, field):
    return [json.loads(line)[field] for line in path.read_text().splitlines()]


def made(server, name):
    agent = client(server.url, "bedrock-agent")
    kb = agent.create_knowledge_base(**knowledge.given(ACCOUNT, name, knowledgeBaseConfiguration=VECTOR))
    kb = kb["knowledgeBase"]["knowledgeBaseId"]
    while agent.get_knowledge_base(knowledgeBaseId=kb)["knowledgeBase"]["status"] != "ACTIVE":
        time.sleep(0.1)
    return agent, kb


def quantiles(samples):
    ordered = sorted(samples)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def retrieve(server, given):
    """Every question is embedded alone, then retrieved, on one kept connection."""
    server.start()
    _, kb = made(server, "many")
    server.stop()
    fill = [given.xtask, "fill-knowledge", "--data", given.data, "--folder", server.data / "knowledge", "--base", kb]
    fill += ["--cache", given.cache] if given.cache else []
    subprocess.run(list(map(str, fill)), check=True)
    server.start()
    raw, samples = Raw(server), collections.defaultdict(list)
    questions = rows(given.data / "squad-v1.1-dev" / "queries.jsonl", "text")[::6][:500]
    sides = {
        "embed": (f"/model/{MODEL}/invoke", lambda text: {"inputText": text}),
        "SEMANTIC": (f"/knowledgebases/{kb}/retrieve", lambda text: asked(text, "SEMANTIC")),
        "HYBRID": (f"/knowledgebases/{kb}/retrieve", lambda text: asked(text, "HYBRID")),
    }

    def asked(text, kind):
        search = {"vectorSearchConfiguration": {"numberOfResults": 5, "overrideSearchType": kind}}
        return {"retrievalQuery": {"text": text}, "retrievalConfiguration": search}

    for at, text in enumerate(questions):
        for name, (target, body) in sides.items():
            body = json.dumps(body(text)).encode()
            worked, began = cpu_seconds(server.pid), time.perf_counter()
            raw("POST", target, body)
            # The first ones load the model and open the index.
            if at >= 20:
                samples[name].append(time.perf_counter() - began)
                samples[name + " work"].append(cpu_seconds(server.pid) - worked)
    table(f"100,000 chunks, {len(questions) - 20} questions ({load()})", "p50", "p99", "processor, mean")
    alone = quantiles(samples["embed"])
    for name in sides:
        p50, p99 = quantiles(samples[name])
        more = "" if name == "embed" else f" (+ {(p50 - alone[0]) * 1e3:.2f})", f" (+ {(p99 - alone[1]) * 1e3:.2f})"
        more = ("", "") if name == "embed" else more
        work = statistics.mean(samples[name + " work"]) * 1e3
        row(name, f"{p50 * 1e3:.2f} ms{more[0]}", f"{p99 * 1e3:.2f} ms{more[1]}", f"{work:.2f} ms")
    server.stop()


def ingest(server, given):
    """A bucket's documents by an ingestion job, between two halves of the same texts through InvokeModel; then again
    with 10 of them changed. By processor time: whoever waits for the job costs none."""
    texts = rows(given.data / "squad-v1.1-dev" / "corpus.jsonl", "text")[: given.documents]
    server.start()
    agent, kb = made(server, "ingest")
    s3 = client(server.url, "s3")
    s3.create_bucket(Bucket="paragraphs")
    put = lambda at, text: s3.put_object(Bucket="paragraphs", Key=f"{at}.txt", Body=text.encode())  # noqa: E731
    for at, text in enumerate(texts):
        put(at, text)
    ds = knowledge.source(agent, kb, configuration=knowledge.bucket_source("paragraphs"))

    def embed(some):
        raw, before = Raw(server), cpu_seconds(server.pid)
        for text in some:
            raw("POST", f"/model/{MODEL}/invoke", json.dumps({"inputText": text}).encode())
        return cpu_seconds(server.pid) - before

    def sync():
        before, began = cpu_seconds(server.pid), time.perf_counter()
        job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]
        ask = dict(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=job)
        while (found := agent.get_ingestion_job(**ask)["ingestionJob"])["status"] != "COMPLETE":
            time.sleep(0.5)
        assert found["statistics"]["numberOfDocumentsFailed"] == 0, found
        return cpu_seconds(server.pid) - before, time.perf_counter() - began

    embed(texts[:1])
    half = len(texts) // 2
    alone = embed(texts[:half])
    worked, waited = sync()
    alone += embed(texts[half:])
    table(f"{len(texts)} paragraphs ({load()})", "processor")
    row("each embedded by InvokeModel", f"{alone:.2f} s")
    row("ingested, object to searchable", f"{worked:.2f} s; {waited:.0f} s on the clock")
    row("ratio", f"{alone / worked:.2f}")
    row("memory; at most", f"{memory_mb(server.pid):.0f} MB; {memory_mb(server.pid, 'VmHWM'):.0f} MB")
    worked, waited = sync()
    row("synced again, nothing changed", f"{worked:.2f} s; {waited:.1f} s on the clock")
    for at, text in enumerate(texts[:10]):
        put(at, text + " Changed.")
    worked, waited = sync()
    row("synced again, 10 changed", f"{worked:.2f} s; {waited:.1f} s on the clock")
    server.stop()


def documents(data, count):
    """So many different documents of 100 to 250 words: the collections' own texts first, then their sentences dealt
    anew, always in the same way."""
    own = [rows(data / name / "corpus.jsonl", "text") for name in ("squad-v1.1-dev", "scifact")]
    yield from (texts := list(dict.fromkeys(sum(own, []))))[:count]
    sentences = [one for text in texts for one in re.split(r"(?<=[.?!]) ", text)]
    deal = random.Random(1)
    for _ in range(count - len(texts)):
        yield " ".join(deal.sample(sentences, 6))


def many(server, given):
    """A folder of many documents into a knowledge base: what it takes, what a question costs then, and a change."""
    folder = server.data / "buckets" / "many"
    folder.mkdir(parents=True)
    for at, text in enumerate(documents(given.data, given.documents)):
        (folder / f"{at}.txt").write_text(text)
    server.start()
    agent, kb = made(server, "many")
    ds = knowledge.source(agent, kb, configuration=knowledge.bucket_source("many"))
    source = f"/knowledgebases/{kb}/datasources/{ds}/ingestionjobs/"

    def sync():
        worked, began = cpu_seconds(server.pid), time.perf_counter()
        job = json.loads(Raw(server)("PUT", source, b"{}"))["ingestionJob"]["ingestionJobId"]
        while (found := json.loads(Raw(server)("GET", source + job))["ingestionJob"])["status"] != "COMPLETE":
            assert found["status"] in ("STARTING", "IN_PROGRESS"), found
            time.sleep(0.2)
        assert found["statistics"]["numberOfDocumentsFailed"] == 0, found
        return f"{cpu_seconds(server.pid) - worked:.1f} s; {time.perf_counter() - began:.1f} s on the clock"

    def disk():
        kept = sum(path.stat().st_blocks * 512 for path in server.data.rglob("*") if path.is_file())
        return kept - sum(path.stat().st_blocks * 512 for path in folder.iterdir())

    before = disk()
    table(f"{given.documents} documents ({load()})", "processor")
    row("ingested", sync())
    row("memory; at most", f"{memory_mb(server.pid):.0f} MB; {memory_mb(server.pid, 'VmHWM'):.0f} MB")
    row("disk, without the documents themselves", f"{(disk() - before) / 1e6:.0f} MB")
    row("synced again, nothing changed", sync())
    for at in range(10):
        with (folder / f"{at}.txt").open("a") as file:
            file.write(" Changed.")
    row("synced again, 10 changed", sync())
    questions = rows(given.data / "squad-v1.1-dev" / "queries.jsonl", "text")[::50][:200]
    raw = Raw(server)
    for kind in ("SEMANTIC", "HYBRID"):
        search = {"vectorSearchConfiguration": {"numberOfResults": 5, "overrideSearchType": kind}}
        worked = cpu_seconds(server.pid)
        for text in questions:
            body = {"retrievalQuery": {"text": text}, "retrievalConfiguration": search}
            raw("POST", f"/knowledgebases/{kb}/retrieve", json.dumps(body).encode())
        row(f"a question, {kind}", f"{(cpu_seconds(server.pid) - worked) / len(questions) * 1e3:.1f} ms")
    server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--xtask", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--only", choices=("retrieve", "ingest", "many"))
    parser.add_argument("--documents", type=int)
    given = parser.parse_args()
    given.documents = given.documents or (40_000 if given.only == "many" else 500)
    for part in (retrieve, ingest, many):
        if given.only == part.__name__ or (given.only is None and part is not many):
            with tempfile.TemporaryDirectory() as data:
                server = Server(data=data)
                try:
                    part(server, given)
                finally:
                    server.kill()


main()
