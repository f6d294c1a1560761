"""Figures of one server as its clients see them: start, rest, latency, rates. Prints a table for docs/benchmarks.md.

Run it on a quiet machine, with a release build:  python bench/serve.py [runs]
"""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from measure import Raw, awake, load, memory_mb, milliseconds, row, table, timed

from support.ask import HAIKU, converse, input_tokens, user
from support.clients import client
from support.server import BIN, Server, environment
from support.waiting import until

REST_SECONDS = 20


def start(runs):
    """From the process's start to its first line, when the socket takes connections."""

    def once(data):
        command = [BIN, "dev", "--listen", "127.0.0.1:0", "--data", data]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as process:
            assert process.stdout.readline().startswith(b"listening on ")
            seconds = time.perf_counter() - began
            process.kill()
        return seconds

    new, again = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as data:
            new.append(once(data))
            again.append(once(data))
    row("start to listening, new data folder", milliseconds(new), f"{runs} starts")
    row("start to listening, data folder of an earlier start", milliseconds(again), f"{runs} starts after `kill -9`")


def rest(server, name):
    before, end = awake(server.pid), time.monotonic() + REST_SECONDS
    until(lambda: time.monotonic() >= end, REST_SECONDS + 5, "the rest to end")
    used = sum(after - before.get(thread, 0) for thread, after in awake(server.pid).items())
    row(f"memory, {name}", f"{memory_mb(server.pid):.0f} MB", "VmRSS")
    row(f"processor, {name}", f"{used / 1e6:.1f} ms in {REST_SECONDS} s", "/proc/PID/task/*/schedstat")


def latency(server, runs):
    raw = Raw(server)
    row("GetInferenceProfile", milliseconds(timed(lambda: raw("GET", f"/inference-profiles/us.{HAIKU}"), runs)), "one connection")
    row("ListFoundationModels", milliseconds(timed(lambda: raw("GET", "/foundation-models"), runs)), "one connection")
    ask = json.dumps({"input": {"converse": {"messages": [user("hi")]}}}).encode()
    row("CountTokens", milliseconds(timed(lambda: raw("POST", f"/model/{HAIKU}/count-tokens", ask), runs)), "one connection")
    ask = json.dumps({"messages": [user("hi")], "inferenceConfig": {"maxTokens": 1}}).encode()
    row("Converse, 1 token", milliseconds(timed(lambda: raw("POST", f"/model/{HAIKU}/converse", ask), runs)), "prompt of one word")


def rates(server, runs):
    runtime = client(server.url, "bedrock-runtime")
    decode, first = [], []
    for i in range(runs):
        began = time.perf_counter()
        answer = runtime.converse_stream(
            modelId=HAIKU,
            messages=[user(f"Write a long story about ship number {i}.")],
            inferenceConfig={"maxTokens": 200, "temperature": 0.8},
        )
        arrivals, tokens = [], 0
        for event in answer["stream"]:
            if "contentBlockDelta" in event:
                arrivals.append(time.perf_counter())
            tokens = event.get("metadata", {}).get("usage", {}).get("outputTokens", tokens)
        first.append(arrivals[0] - began)
        decode.append((tokens - 1) / (arrivals[-1] - arrivals[0]))
    row("first token", milliseconds(first), "ConverseStream, boto3")
    row("decode", f"{statistics.median(decode):.0f} tokens/s", "ConverseStream, one at a time")

    prefill = []
    for i in range(runs):  # another first word each time, so that no prefix is reused
        asked = [user(f"{i} " + "the harbour lies beyond the old stone bridge and " * 100)]
        began = time.perf_counter()
        usage = converse(runtime, asked, tokens=1)["usage"]
        prefill.append(input_tokens(usage) / (time.perf_counter() - began))
    row("prefill", f"{statistics.median(prefill):.0f} tokens/s", "Converse, about 1,000 tokens in, 1 out")


def prefix(server, runs):
    """The same long system prompt before another question, and a system prompt never seen."""
    raw, cold, warm = Raw(server), [], []

    def ask(system, question):
        body = {"system": [{"text": system}], "messages": [user(question)], "inferenceConfig": {"maxTokens": 2}}
        return raw.first_text(f"/model/{HAIKU}/converse-stream", json.dumps(body).encode())

    for i in range(runs):
        system = f"{i} " + "the harbour lies beyond the old stone bridge and " * 100
        cold.append(ask(system, "Where is it?"))
        warm.append(ask(system, "Who goes there?"))
    row("first text after 1,000 tokens, cold", milliseconds(cold), "ConverseStream, one connection")
    row("the same system prompt, another question", milliseconds(warm), "the prefix was seen before")
    ratio = statistics.median(a / b for a, b in zip(cold, warm))
    row("cold / seen before", f"{ratio:.1f} times", "median of pairs")


def together(server, runs):
    """Tokens a second of eight streams beside those of one; prompts of a line, 128 tokens each."""

    def tokens(name, found):
        body = {"messages": [user(f"Write a long story about ship number {name}.")]}
        ask = json.dumps({**body, "inferenceConfig": {"maxTokens": 128, "temperature": 0.8}}).encode()
        found.append(json.loads(Raw(server)("POST", f"/model/{HAIKU}/converse", ask))["usage"]["outputTokens"])

    def rate(streams, turn):
        found, began = [], time.perf_counter()
        threads = [threading.Thread(target=tokens, args=(f"{turn}-{i}", found)) for i in range(streams)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == streams
        return sum(found) / (time.perf_counter() - began)

    pairs = [(rate(1, turn), rate(8, turn)) for turn in range(runs)]
    one, eight = (statistics.median(side) for side in zip(*pairs))
    row("one stream", f"{one:.0f} tokens/s", "Converse, 128 tokens, prompt included")
    row("eight streams", f"{eight:.0f} tokens/s together, {statistics.median(b / a for a, b in pairs):.2f} times one", "")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    table("", "figure", "how")
    start(max(runs, 20))
    with Server() as server:
        rest(server, "no model loaded")
        converse(client(server.url, "bedrock-runtime"), tokens=1)
        rest(server, "text model loaded")
        latency(server, runs * 20)
        rates(server, runs)
        prefix(server, runs)
        together(server, runs)
        row("memory, highest", f"{memory_mb(server.pid, 'VmHWM'):.0f} MB", "VmHWM")
    print(f"\n{load()}")


main()
