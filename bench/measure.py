"""What the benchmarks share: a table's row, medians, a process's cost, a connection without a client library."""

import http.client
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "conformance"))

from support.sigv4 import Signer  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
BUILT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "~/.cache/outcrop/target")).expanduser() / "release" / "examples"
MODELS = pathlib.Path(os.environ.get("OUTCROP_MODELS", "~/.cache/outcrop/models")).expanduser()
MINILM = MODELS / "all-minilm-l6-v2"
TEXT = MODELS / "smollm2-135m-instruct" / "SmolLM2-135M-Instruct.Q4_1.gguf"


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def awake(pid):
    """Nanoseconds that each present thread has run: finer than the clock ticks above."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return {task.parent.name: int(task.read_text().split()[0]) for task in tasks}


def memory_mb(pid, kind="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def table(*heads):
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads), flush=True)


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def load():
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


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


class Raw:
    """One kept connection and no client library: what is left is the server's own time."""

    def __init__(self, server):
        self.host = ":".join(map(str, server.address))
        self.connection = http.client.HTTPConnection(*server.address)

    def open(self, method, target, body=b""):
        headers = Signer().headers(method, target, self.host, body, {"content-type": "application/json"})
        self.connection.request(method, target, body, headers)
        answer = self.connection.getresponse()
        assert answer.status < 300, answer.read()
        return answer

    def __call__(self, method, target, body=b""):
        return self.open(method, target, body).read()

    def first_text(self, target, body):
        """Seconds until the first delta of a ConverseStream arrives; the rest is read and dropped."""
        began = time.perf_counter()
        answer = self.open("POST", target, body)
        seen = b""
        while b"contentBlockDelta" not in seen:
            piece = answer.read1()
            assert piece, seen
            seen += piece
        first = time.perf_counter() - began
        answer.read()
        return first
