"""The server beside what it is built on, in turn on one machine: llama-bench, the engine, the embedder, SQLite.

    cargo build --release -p outcrop-engine -p outcrop-store --examples
    python bench/direct.py [FOLDER OF LLAMA-BENCH]        # bench/llama_bench.sh builds it and prints the folder

With ONNX_PYTHON, an interpreter that has torch, transformers, onnx and onnxruntime, embeddings are also compared with
onnxruntime's. Prints tables for docs/benchmarks.md. Both sides of a row use the same model file and the same threads.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from measure import BUILT, MINILM, ROOT, TEXT, Raw, cpu_seconds, load, row, table, timed

from support.ask import TITAN_EMBED
from support.server import Server, environment

THREADS = 1  # the engine's own choice on two cores
ROUNDS = int(os.environ.get("ROUNDS", "5"))
MODEL = "outcrop.smollm2-135m-instruct"
STORY = "Write a long story about a ship that sails to an island where nobody has ever been."
SENTENCE = "The quick brown fox jumps over the lazy dog near the river bank while rain falls. "


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=environment()).stdout


def generate(*options):
    out = run(BUILT / "generate", TEXT, "--threads", THREADS, *options)
    return {name: float(re.search(rf"^{name}: ([\d.]+)", out, re.M)[1]) for name in FIGURES}


FIGURES = ("prompt", "first text", "prefill", "decode", "together")


def llama_bench(folder, *options):
    options = ("-m", TEXT, "-t", THREADS, "-r", 3, "-o", "json", *options)
    return json.loads(run(folder / "llama-bench", *options))[0]["avg_ts"]


def batched_bench(folder, prompt, tokens, parallel):
    options = ("-t", THREADS, "-tb", THREADS, "-c", 8192, "-npp", prompt, "-ntg", tokens, "-npl", parallel)
    out = run(folder / "llama-batched-bench", "-m", TEXT, *options, "--output-format", "jsonl")
    answer = json.loads(next(line for line in out.splitlines() if line.startswith("{")))
    return parallel * tokens / answer["t"]


def beside(name, theirs, ours):
    """Their turn, our turn, so that the machine's mood is the same for both; ratios of neighbours, and their median."""
    a, b = [], []
    for _ in range(ROUNDS):
        a.append(theirs())
        b.append(ours())
    ratios = sorted(y / x for x, y in zip(a, b))
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    row(name, f"{statistics.median(a):.1f}", f"{statistics.median(b):.1f}", spread)


def engine(folder):
    table("tokens/s, 1 thread", "llama.cpp's programs", "outcrop engine", "ratio")
    long = ("--prompt-tokens", 480, "--tokens", 1, "--repeat", 3)
    prompt = int(generate(*long)["prompt"])
    prefill = lambda: generate(*long)["prefill"]  # noqa: E731
    beside(f"prefill, {prompt} tokens", lambda: llama_bench(folder, "-p", prompt, "-n", 0), prefill)
    small = ("-p", prompt, "-n", 0, "-b", 64, "-ub", 64)
    beside("the same; llama-bench in chunks of 64 too", lambda: llama_bench(folder, *small), prefill)
    decode = ("--prompt", STORY, "--tokens", 129, "--repeat", 3)
    depth = int(generate(*decode)["prompt"])
    theirs = lambda: llama_bench(folder, "-p", 0, "-n", 128, "-d", depth)  # noqa: E731
    beside(f"decode, 128 tokens after {depth}", theirs, lambda: generate(*decode)["decode"])
    eight = ("--prompt", STORY, "--tokens", 129, "--repeat", 3, "--parallel", 8)
    theirs = lambda: batched_bench(folder, depth, 129, 8)  # noqa: E731
    beside("8 answers together, prompts included", theirs, lambda: generate(*eight)["together"])
    print(f"\n{load()}\n")


def latency(server):
    """The first delta through signature, HTTP, gateway and framing, and the same prompt given to the engine."""
    raw = Raw(server)
    body = {"messages": [{"role": "user", "content": [{"text": STORY}]}]}
    ask = json.dumps({**body, "inferenceConfig": {"maxTokens": 2, "temperature": 0}}).encode()
    through = lambda: raw.first_text(f"/model/{MODEL}/converse-stream", ask)  # noqa: E731
    through()
    counted = json.loads(raw("POST", f"/model/{MODEL}/converse", ask))["usage"]["inputTokens"]
    alone, http = [], []
    for _ in range(ROUNDS):
        engine = generate("--prompt", STORY, "--tokens", 2, "--repeat", 30)
        assert engine["prompt"] == counted, (engine, counted)
        alone.append(engine["first text"])
        http.append(statistics.median(through() for _ in range(30)) * 1000)
    added = sorted(b - a for a, b in zip(alone, http))
    middle = statistics.median(added)
    table("first text of a ConverseStream", "engine alone", "through HTTP", "added")
    how = f"medians of 30, {ROUNDS} times in turn"
    figures = f"{statistics.median(alone):.2f} ms", f"{statistics.median(http):.2f} ms"
    row(how, *figures, f"{middle:.2f} ms ({added[0]:.2f} to {added[-1]:.2f})")
    print(f"\n{load()}\n")


def embeddings(server):
    """Per CPU second of the process: other work on the machine counts for neither."""
    raw = Raw(server)
    text = "".join(re.findall(r"\S+ ", SENTENCE * 10)[:126])
    ask = json.dumps({"inputText": text}).encode()
    through = lambda: raw("POST", f"/model/{TITAN_EMBED}/invoke", ask)  # noqa: E731
    tokens = json.loads(through())["inputTextTokenCount"]
    alone, http, wall, onnx = [], [], [], []
    for _ in range(ROUNDS):
        if python := os.environ.get("ONNX_PYTHON"):
            rate = run(python, ROOT / "bench" / "onnx_rate.py", MINILM, text)
            onnx.append(float(rate.splitlines()[-1]))
        alone.append(float(re.search(r"^126-token texts, 1 a call: (\d+)", run(BUILT / "embed_rate"), re.M)[1]))
        before, began = cpu_seconds(server.pid), time.perf_counter()
        timed(through, 200)
        wall.append(200 / (time.perf_counter() - began))
        http.append(200 / (cpu_seconds(server.pid) - before))
    ratio = statistics.median(b / a for a, b in zip(alone, http))
    table("embeddings, one text a call", "embedder alone", "InvokeModel", "ratio")
    figures = f"{statistics.median(alone):.0f} per CPU-s", f"{statistics.median(http):.0f} per CPU-s"
    row(f"{tokens} tokens", *figures, f"{ratio:.2f} ({statistics.median(wall):.0f} a second by the clock)")
    if onnx:
        ratios = sorted(b / a for a, b in zip(onnx, http))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        row("InvokeModel beside onnxruntime", f"{statistics.median(onnx):.0f} per CPU-s", figures[1], spread)
    print(f"\n{load()}\n")


def resources(server):
    """One client, one connection, each write made durable before it is answered."""
    raw, rates = Raw(server), {"write": [], "read": []}
    source = {"copyFrom": "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1"}
    for turn in range(ROUNDS):
        names = iter(range(400))
        create = lambda: json.loads(  # noqa: E731
            raw("POST", "/inference-profiles", json.dumps(
                {"inferenceProfileName": f"bench-{turn}-{next(names)}", "modelSource": source}).encode()))
        arns = []
        rates["write"].append(400 / sum(timed(lambda: arns.append(create()["inferenceProfileArn"]), 400)))
        ids = iter(arn.rsplit("/", 1)[1] for arn in arns)
        rates["read"].append(400 / sum(timed(lambda: raw("GET", f"/inference-profiles/{next(ids)}"), 400)))
    with tempfile.TemporaryDirectory() as folder:
        out = run(BUILT / "figures", folder)
    table("resources, one client", "SQLite alone", "store", "through HTTP")
    for kind, name in (("write", "CreateInferenceProfile"), ("read", "GetInferenceProfile")):
        direct = re.search(rf"^direct SQLite, 1 client, {kind}s +(\d+)", out, re.M)[1]
        store = re.search(rf"^store, 1 client, {kind}s +(\d+)", out, re.M)[1]
        row(name, f"{direct} a second", f"{store} a second", f"{statistics.median(rates[kind]):.0f} a second")
    print("\n" + "\n".join(line for line in out.splitlines() if "page" in line) + f"\n{load()}\n")


def main():
    if len(sys.argv) > 1:
        engine(pathlib.Path(sys.argv[1]))
    with Server() as server:
        latency(server)
        embeddings(server)
        resources(server)


if __name__ == "__main__":
    main()
