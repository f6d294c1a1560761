"""Figures of one server as its clients see them: start, rest, latency, rates. Prints a table for docs/benchmarks.md.

Run it on a quiet machine, with a release build:  python bench/serve.py [runs]
"""

import http.client
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))

from support.ask import HAIKU, converse, input_tokens, user  # noqa: E402
from support.clients import client  # noqa: E402
from support.server import Server  # noqa: E402
from support.sigv4 import Signer  # noqa: E402
from support.waiting import until  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
REST_SECONDS = 10


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid, kind="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def row(name, value, how=""):
    print(f"| {name} | {value} | {how} |")


def milliseconds(samples):
    ordered = sorted(samples)
    p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms"


def timed(call, runs):
    samples = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        samples.append(time.perf_counter() - began)
    return samples


def start(runs):
    """From the process's start to its first answered health check."""
    samples = []
    for _ in range(runs):
        server = Server()
        began = time.perf_counter()
        server.start()
        samples.append(time.perf_counter() - began)
        server.remove()
    row("start to healthy", milliseconds(samples), f"{runs} starts, new data folder each")


def rest(server, name):
    before, end = cpu_seconds(server.pid), time.monotonic() + REST_SECONDS
    until(lambda: time.monotonic() >= end, REST_SECONDS + 5, "the rest to end")
    used = cpu_seconds(server.pid) - before
    row(f"memory, {name}", f"{memory_mb(server.pid):.0f} MB", "VmRSS")
    row(f"processor, {name}", f"{used * 1000:.0f} ms in {REST_SECONDS} s", "/proc/PID/stat")


class Raw:
    """One kept connection and no client library: what is left is the server's own time."""

    def __init__(self, server):
        self.host = ":".join(map(str, server.address))
        self.connection = http.client.HTTPConnection(*server.address)

    def __call__(self, method, target, body=b""):
        headers = Signer().headers(method, target, self.host, body, {"content-type": "application/json"})
        self.connection.request(method, target, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status < 300, content
        return content


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


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| | figure | how |\n|---|---|---|")
    start(runs)
    with Server() as server:
        rest(server, "no model loaded")
        converse(client(server.url, "bedrock-runtime"), tokens=1)
        latency(server, runs * 20)
        rates(server, runs)
        rest(server, "text model loaded")
        row("memory, highest", f"{memory_mb(server.pid, 'VmHWM'):.0f} MB", "VmHWM")


main()
