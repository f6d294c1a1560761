"""The gateway beside what it stands on and beside its peers, in one run: prints a table for docs/benchmarks.md.

python bench/gateway/run.py --outcrop BINARY [--quick] [--turns N] [--only WORD] [--samples FILE]

Sides are measured in turn, turn after turn; a ratio is the median of the turns' ratios, with their range. Peers that
peers.sh has not installed are left out and named.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from programs import CHAT_MODEL, HERE, MESSAGES_MODEL, Bench, NotMeasured, busy

KEY = "AKIDBENCHBENCHBENCH0:a-secret-of-the-bench"
CONCURRENCY = 32
# `outcrop dev` checks no credentials, but wants to see some.
SHOWN = {
    "converse": {"sign": KEY},
    "invoke": {"sign": KEY},
    "chat": {"header": "authorization: Bearer bench"},
    "messages": {"header": "x-api-key: bench"},
}


class Run:
    def __init__(self, bench, seconds, turns, only, product):
        self.bench, self.seconds, self.turns, self.only, self.product = bench, seconds, turns, only, product
        self.samples, self.rows = [], []

    def wanted(self, name):
        return self.only in name

    def take(self, name, side, *args, **kwargs):
        # Long enough for a just-in-time compiler to have done its work, where there is one.
        result = self.bench.load(*args, warm=min(2.0, self.seconds / 2), **kwargs)
        self.samples.append({"row": name, "side": side, "load": os.getloadavg()[0], **result})
        print(f"  {name}: {side}: {json.dumps(result)}", flush=True)
        return result

    def pairs(self, name, aim, sides, value, compare, unit):
        """Measures both sides, turn after turn; `sides` are (name, measure) and `compare` makes one figure of two."""
        if not self.wanted(name):
            return
        figures = {side: [] for side, _ in sides}
        try:
            for turn in range(self.turns):
                # Whoever goes first in one turn goes last in the next.
                for side, measure in sides if turn % 2 == 0 else reversed(sides):
                    figures[side].append(value(measure(name, side)))
        except NotMeasured as why:
            print(f"  {name}: {why}", flush=True)
            return self.rows.append((name, sides[1][0], aim, f"not measured: {why}", "", ""))
        (ours, peer), compared = list(figures), [compare(one, two) for one, two in zip(*figures.values())]
        self.rows.append((
            name, peer, aim,
            f"**{statistics.median(compared):.2f}**{unit} ({min(compared):.2f} to {max(compared):.2f})",
            f"{statistics.median(figures[ours]):.3g}", f"{statistics.median(figures[peer]):.3g}",
        ))  # fmt: skip

    # The sides.

    def minimal(self, program, kind, **more):
        def measure(name, side):
            args = ("--key", KEY) if program == "min-sig" else ()
            options = {"sign": KEY} if program == "min-sig" else {}
            with self.bench.running(self.bench.minimal(program, *args)) as running:
                return self.measured(name, side, running, kind, **options, **more)

        return program, measure

    def ours(self, mode, kind, model=CHAT_MODEL, label="outcrop", limited=False, **more):
        if not self.product:
            # Without a product the runner is tried on a program that is there.
            program = "min-sig" if mode == "serve" else "min-xlate" if kind.startswith("converse") else "min-pass"
            return label, self.minimal(program, kind, **{**more, "path": None})[1]

        def measure(name, side):
            with self.bench.gateway(mode, limited) as running:
                options = {"sign": running.key} if mode == "serve" else SHOWN[kind.split("-")[0]]
                return self.measured(name, side, running, kind, model=model, **options, **more)

        return label, measure

    def peer(self, label, start, kind, **more):
        def measure(name, side):
            with tempfile.TemporaryDirectory() as folder:
                program = start(folder)
                if program is None:
                    raise NotMeasured(f"{label} is not installed")
                with self.bench.running(program):
                    return self.measured(name, side, program, kind, **more)

        return label, measure

    def measured(self, name, side, running, kind, *, concurrency=CONCURRENCY, seconds=None, **more):
        more = {key: value for key, value in more.items() if value is not None}
        return self.take(name, side, running.url, kind, concurrency, seconds or self.seconds, pid=running.pid, **more)


def cpu(run):
    value, ratio = (lambda result: result["cpu_per_1000"]), (lambda ours, peer: ours / peer)
    run.pairs("CPU, Converse in, no authentication", "at most 2.0, aim 1.5",
              [run.ours("dev", "converse"), run.minimal("min-xlate", "converse")], value, ratio, " times")  # fmt: skip
    run.pairs("CPU, Converse in, SigV4", "at most 1.8, aim 1.4",
              [run.ours("serve", "converse"), run.minimal("min-sig", "converse")], value, ratio, " times")  # fmt: skip
    run.pairs("CPU, Converse in, SigV4, quotas, budgets and loops, against none of them", "at most 1.25",
              [run.ours("serve", "converse", label="all on", limited=True), run.ours("dev", "converse", label="all off")],
              value, ratio, " times")  # fmt: skip
    litellm_rs = run.bench.litellm_rs
    run.pairs("CPU, OpenAI in", "at most 0.5",
              [run.ours("dev", "chat"), run.peer("litellm-rs", litellm_rs, "chat")], value, ratio, " times")  # fmt: skip
    run.pairs("CPU, Messages in, OpenAI-compatible out", "at most 0.5",
              [run.ours("dev", "messages", path="/anthropic/v1/messages"),
               run.peer("litellm-rs", litellm_rs, "messages")], value, ratio, " times")  # fmt: skip
    run.pairs("CPU, pass-through, InvokeModel of Anthropic's form to Messages", "at most 1.6",
              [run.ours("dev", "invoke", MESSAGES_MODEL), run.minimal("min-pass", "messages")], value, ratio, " times")  # fmt: skip


def rates(run):
    value, ratio = (lambda result: result["per_second"]), (lambda ours, peer: ours / peer)
    headers = ["x-portkey-provider: openai", f"x-portkey-custom-host: {run.bench.upstream.url}/v1", "authorization: Bearer bench"]
    run.pairs("requests/s on one core, OpenAI in", "10",
              [run.ours("dev", "chat"), run.peer("Portkey", lambda _: run.bench.portkey(), "chat", header=headers)],
              value, ratio, " times")  # fmt: skip
    run.pairs("requests/s on one core, OpenAI in", "100",
              [run.ours("dev", "chat"), run.peer("LiteLLM proxy", run.bench.litellm, "chat")],
              value, ratio, " times")  # fmt: skip


def latency(run):
    added = lambda ours, peer: ours - peer  # noqa: E731
    run.pairs("time of a call, one at a time, p50", "within 0.1 ms",
              [run.ours("serve", "converse", concurrency=1), run.minimal("min-sig", "converse", concurrency=1)],
              lambda result: result["p50_ms"], added, " ms")  # fmt: skip
    run.bench.pace(5, 2)
    run.pairs("first streamed chunk, one at a time, p50", "within 0.15 ms",
              [run.ours("serve", "converse-stream", concurrency=1, words=5),
               run.minimal("min-sig", "converse-stream", concurrency=1, words=5)],
              lambda result: result["first_p50_ms"], added, " ms")  # fmt: skip
    run.bench.pace(20, 20)
    paced = {"concurrency": 200, "words": 20, "spread": 400}
    run.pairs("first streamed chunk, 200 paced streams, p50", "within 0.15 ms",
              [run.ours("serve", "converse-stream", **paced), run.minimal("min-sig", "converse-stream", **paced)],
              lambda result: result["first_p50_ms"], added, " ms")  # fmt: skip
    run.pairs("first streamed chunk, 200 paced streams, p99", "within 2 ms",
              [run.ours("serve", "converse-stream", **paced), run.minimal("min-sig", "converse-stream", **paced)],
              lambda result: result["first_p99_ms"], added, " ms")  # fmt: skip
    run.bench.pace(20, 0)


def memory(run):
    if not run.wanted("memory"):
        return
    streams = 2000
    run.bench.pace(20, 1000)
    many = {"concurrency": streams, "words": 20, "spread": 8000, "rounds": 1, "seconds": 60}
    for label, measure in [run.ours("serve", "converse-stream", **many), run.minimal("min-sig", "converse-stream", **many)]:
        try:
            result = measure("memory", label)
        except NotMeasured as why:
            run.rows.append((f"memory, {label}", "–", "", f"not measured: {why}", "", ""))
            continue
        run.rows.append((f"memory, {label}: idle, with {result['most_open']} open streams", "–",
                         "25 MB over the catalogue; 160 MB", f"{result['idle_mb']:.0f} / {result['open_mb']:.0f} MB", "", ""))  # fmt: skip
    run.bench.pace(20, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outcrop", help="the release binary; without it the runner tries itself on the minimal programs")
    parser.add_argument("--quick", action="store_true", help="one short turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--only", default="", help="the rows with this in their name")
    parser.add_argument("--samples", help="where to write every measurement, as JSON")
    parser.add_argument("--peers", default=os.environ.get("OUTCROP_PEERS", pathlib.Path("~/.cache/outcrop/peers").expanduser()))
    args = parser.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", target], cwd=HERE, check=True)
    before = busy()
    print(f"before: {before[0]:.0%} of the processor busy with other work, load average {before[1]:.1f} on {os.cpu_count()} cores")
    if before[0] > 0.1:
        print("the machine is not quiet: do not trust the figures")
    bench = Bench(target / "release", args.peers, args.outcrop)
    run = Run(bench, 1.0 if args.quick else args.seconds, 1 if args.quick else args.turns, args.only, args.outcrop)
    try:
        direct = run.take("direct", "upstream alone", bench.upstream.url, "chat", CONCURRENCY, run.seconds)
        for part in (cpu, rates, latency, memory):
            part(run)
    finally:
        bench.upstream.stop()
        if args.samples:
            pathlib.Path(args.samples).write_text(json.dumps(run.samples, indent=1))
    after = busy()
    if not args.outcrop:
        print("\nNo --outcrop: in its place stood a minimal program. These are no figures of the product.")
    print("\n| what | against | aim | measured | ours | theirs |\n|---|---|---|---|---|---|")
    for row in run.rows:
        print("| " + " | ".join(row) + " |")
    print(f"\nCPU: seconds of the gateway's process for 1,000 calls, {CONCURRENCY} at a time. Upstream and load generator alone: "
          f"{direct['per_second']:,.0f} calls/s. {run.turns} turns of {run.seconds:g} s. Load average {before[1]:.1f} before, "
          f"{after[1]:.1f} after.")  # fmt: skip


if __name__ == "__main__":
    main()
