"""Starting and stopping what is measured: each program on a core of its own, by its configuration."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "conformance"))

from support.server import environment  # noqa: E402
from support.waiting import until  # noqa: E402

# The gateway has the first core to itself; upstream and load generator share the second.
GATEWAY, OTHERS = "0", "1"
START_SECONDS = 180
# A model of the catalogue for each kind of target.
CHAT_MODEL, MESSAGES_MODEL = "openai.gpt-oss-120b-1:0", "anthropic.claude-3-haiku-20240307-v1:0"


# All that may keep a call out, and never does.
LIMITS = """
[quotas]
tokens_per_minute = 4_000_000_000
requests_per_minute = 4_000_000
[[quotas.rules]]
name = "keys"
by = "key"
requests_per_minute = 4_000_000
[loops]
calls = 4_000_000
[[prices]]
provider = "up"
input = 1
output = 5
[[budgets]]
name = "all"
limit = "1000000 USD"
period = "month"
[[budgets]]
name = "keys"
limit = "1000000 USD"
period = "day"
match = { key = "each" }
"""

class NotMeasured(Exception):
    """A figure that could not be taken, and why."""


class Program:
    """One running program, its process id and the address it listens on."""

    def __init__(self, command, core, env=None, url=None, cwd=None):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["taskset", "-c", core, *map(str, command)],
            stdout=subprocess.PIPE if url is None else self.log,
            stderr=self.log,
            text=True,
            env=environment(env),
            cwd=cwd,
        )
        self.pid = self.process.pid
        self.url = url or self._listening()

    def _listening(self):
        for line in self.process.stdout:
            if found := re.match(r"listening on (?:http://)?(\S+)", line):
                return f"http://{found[1]}"
        raise SystemExit(f"{self.process.args} did not start:\n{self.said()}")

    def said(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def wait_until_answers(self, path):
        def answers():
            if self.process.poll() is not None:
                raise NotMeasured(f"{self.process.args[3]} did not start: {self.said()}")
            try:
                urllib.request.urlopen(self.url + path, timeout=2)
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False
            return True

        try:
            until(answers, START_SECONDS, f"{self.process.args[3]} to answer")
        except AssertionError as late:
            self.stop()
            raise NotMeasured(str(late)) from late
        return self

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bench:
    """The upstream, the load generator, and the ways to start what stands between them."""

    def __init__(self, built, peers, outcrop):
        self.built, self.peers, self.outcrop = pathlib.Path(built), pathlib.Path(peers), outcrop
        self.upstream = Program([self.built / "upstream"], OTHERS)

    @contextlib.contextmanager
    def running(self, program):
        try:
            yield program
        finally:
            program.stop()

    def pace(self, words, milliseconds):
        request = urllib.request.Request(f"{self.upstream.url}/pace/{words}/{milliseconds}", method="PUT")
        urllib.request.urlopen(request, timeout=5).read()

    def load(self, target, kind, concurrency, seconds, *, pid=None, model="bench", words=100, **more):
        """One run of the load generator; a run in which an answer was not whole gives no figure."""
        command = ["taskset", "-c", OTHERS, str(self.built / "load"), "--url", target, "--kind", kind]
        command += ["--concurrency", str(concurrency), "--seconds", str(seconds), "--model", model, "--words", str(words)]
        if pid:
            command += ["--pid", str(pid)]
        for name, value in more.items():
            for each in value if isinstance(value, list) else [value]:
                command += [f"--{name}", str(each)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}:\n{done.stderr}")
        result = json.loads(done.stdout)
        if result["failed"] or not result["calls"]:
            raise NotMeasured(f"{result['failed']} calls failed, {result['calls']} were whole: {result['why']}")
        return result

    def minimal(self, name, *args):
        return Program([self.built / name, "--upstream", self.upstream.url, *args], GATEWAY)

    def configuration(self, folder, limited):
        port = self.upstream.url.rsplit(":", 1)[1]
        path = pathlib.Path(folder) / "outcrop.toml"
        path.write_text(
            f"""
[limits]
requests = 4096
connections = 8192

[[providers]]
name = "up"
kind = "openai"
url = "http://127.0.0.1:{port}/v1"
[providers.models]
"{CHAT_MODEL}" = "bench"

[[providers]]
name = "claude"
kind = "anthropic"
url = "http://127.0.0.1:{port}"
api_key = "bench"
[providers.models]
"{MESSAGES_MODEL}" = "bench"
{LIMITS if limited else ""}"""
        )
        return path

    @contextlib.contextmanager
    def gateway(self, mode, limited=False):
        """`outcrop dev`, or `outcrop serve` with one key, left in `key` as ID:SECRET; with quotas, budgets and loops."""
        with tempfile.TemporaryDirectory() as folder:
            data = f"{folder}/data"
            key = None
            if mode == "serve":
                made = subprocess.run(
                    [self.outcrop, "keys", "create", "--data", data, "--account", "123456789012", "--json"],
                    capture_output=True, text=True, env=environment(), check=True,
                )  # fmt: skip
                made = {name.lower().replace("_", ""): value for name, value in json.loads(made.stdout).items()}
                key = f"{made['accesskeyid']}:{made['secretaccesskey']}"
            config = self.configuration(folder, limited)
            command = [self.outcrop, mode, "--listen", "127.0.0.1:0", "--data", data, "--config", config]
            with self.running(Program(command, GATEWAY)) as program:
                program.key = key
                yield program

    def portkey(self):
        start = self.peers / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
        if not start.exists():
            return None
        command = ["node", start, "--port=18787", "--headless"]
        return Program(command, GATEWAY, {"NODE_ENV": "production"}, "http://127.0.0.1:18787").wait_until_answers("/")

    def litellm(self, folder):
        binary = self.peers / "litellm/bin/litellm"
        if not binary.exists():
            return None
        config = pathlib.Path(folder) / "litellm.yaml"
        config.write_text(
            "model_list:\n  - model_name: bench\n    litellm_params:\n      model: openai/bench\n"
            f"      api_base: {self.upstream.url}/v1\n      api_key: bench\n"
            "litellm_settings:\n  telemetry: false\n"
        )
        command = [binary, "--config", config, "--port", "18788", "--host", "127.0.0.1", "--num_workers", "1"]
        env = {
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        }
        return Program(command, GATEWAY, env, "http://127.0.0.1:18788").wait_until_answers("/health/liveliness")

    def litellm_rs(self, folder):
        binary = self.peers / "litellm-rs/bin/gateway"
        if not binary.exists():
            return None
        config = pathlib.Path(folder) / "gateway.yaml"
        config.write_text((HERE / "litellm-rs.yaml").read_text().replace("UPSTREAM", self.upstream.url + "/v1"))
        return Program([binary, "--config", config], GATEWAY, {"RUST_LOG": "error"}, "http://127.0.0.1:18789").wait_until_answers("/health")


def busy(seconds=1.0):
    """The part of all cores that is busy just now, and the load average."""

    def ticks():
        fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    (all_before, idle_before), end = ticks(), time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, seconds + 5, "a second to pass")
    all_after, idle_after = ticks()
    part = 1 - (idle_after - idle_before) / max(1, all_after - all_before)
    return part, os.getloadavg()[0]
