"""Eight streams at a time through HTTP: `outcrop` beside `llama-server --parallel 8`, same file, same threads, in turn.

    python bench/streams.py "$(bench/llama_bench.sh)"

Both stream; what is counted are the tokens that each server itself reports. Prints a row for docs/benchmarks.md.
"""

import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from botocore.eventstream import EventStreamBuffer
from measure import TEXT, Raw, load, row, table

from support.ask import user
from support.server import Server, environment
from support.waiting import until

STREAMS = 8
TOKENS = 128
THREADS = int(os.environ.get("OUTCROP_THREADS", "1"))  # the engine's own choice on two cores
ROUNDS = int(os.environ.get("ROUNDS", "5"))
MODEL = "outcrop.smollm2-135m-instruct"


def story(turn, stream):
    return f"Write a long story about ship number {turn}-{stream} that sails to an island where nobody has ever been."


def at_once(ask, turn):
    """Tokens a second of all streams together, from the first request to the last byte."""
    found = []
    threads = [threading.Thread(target=lambda i=i: found.append(ask(story(turn, i)))) for i in range(STREAMS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == STREAMS, "a stream failed"
    return sum(found) / (time.perf_counter() - began)


class Peer:
    """`llama-server`, with room for every stream and no more threads than ours."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [folder / "llama-server", "-m", TEXT, "-t", THREADS, "-tb", THREADS, "--parallel", STREAMS]
        command += ["-c", STREAMS * 2048, "--host", "127.0.0.1", "--port", self.port, "--jinja"]
        self.process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
        )
        until(self.healthy, 60, "llama-server to load its model")

    def healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def ask(self, text):
        body = {"messages": [{"role": "user", "content": text}], "max_tokens": TOKENS, "temperature": 0.8}
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
        lines = connection.getresponse().read().decode().splitlines()
        chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        return next(chunk["usage"]["completion_tokens"] for chunk in reversed(chunks) if chunk.get("usage"))


def ours(server):
    def ask(text):
        body = {"messages": [user(text)], "inferenceConfig": {"maxTokens": TOKENS, "temperature": 0.8}}
        answer = Raw(server).open("POST", f"/model/{MODEL}/converse-stream", json.dumps(body).encode()).read()
        frames = EventStreamBuffer()
        frames.add_data(answer)
        last = next(frame for frame in frames if frame.headers[":event-type"] == "metadata")
        return json.loads(last.payload)["usage"]["outputTokens"]

    return ask


def main():
    peer = Peer(pathlib.Path(sys.argv[1]))
    try:
        with Server(env={"OUTCROP_THREADS": str(THREADS)}) as server:
            ask = ours(server)
            peer.ask(story("first", 0))
            ask(story("first", 0))
            theirs, own = [], []
            for turn in range(ROUNDS):
                theirs.append(at_once(peer.ask, turn))
                own.append(at_once(ask, turn))
    finally:
        peer.process.kill()
        peer.process.wait()
    ratios = sorted(b / a for a, b in zip(theirs, own))
    table(f"tokens/s, {STREAMS} streams, {THREADS} thread", "llama-server", "outcrop", "ratio")
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    row("together, prompts included", f"{statistics.median(theirs):.1f}", f"{statistics.median(own):.1f}", spread)
    print(f"\n{load()}")


if __name__ == "__main__":
    main()
