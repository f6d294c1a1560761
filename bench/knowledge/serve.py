"""Knowledge bases through the server: Retrieve beside embedding the question alone, ingestion beside the embedder's own
rate, and what a change to 10 of many documents costs. Prints tables for docs/benchmarks.md.

    python bench/knowledge/serve.py --data DIR --xtask XTASK [--cache FILE] [--only retrieve|ingest] [--documents 500]

OUTCROP_BIN names the server's binary. Both sides of a figure take turns.
"""

import argparse
import collections
import json
import pathlib
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--xtask", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--only", choices=("retrieve", "ingest"))
    parser.add_argument("--documents", type=int, default=500)
    given = parser.parse_args()
    for part in (retrieve, ingest):
        if given.only in (None, part.__name__):
            with tempfile.TemporaryDirectory() as data:
                server = Server(data=data)
                try:
                    part(server, given)
                finally:
                    server.kill()


main()
