"""Start, stop, going away: what happens at the edges of a server's and a client's life."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import EventStreamError

from support import raw
from support.ask import HAIKU, converse, text, user
from support.clients import client
from support.server import healthy, outcrop
from support.sigv4 import Signer
from support.waiting import until

LONG = "Write a very long story about a ship and its crew, with many chapters. Begin with chapter one."
TICK = os.sysconf("SC_CLK_TCK")


def long_stream(url, tokens=600):
    """An open stream of a generation that takes far longer than a test looks at it."""
    answer = client(url, "bedrock-runtime").converse_stream(
        modelId=HAIKU,
        messages=[user(LONG)],
        inferenceConfig={"maxTokens": tokens, "temperature": 0.9},
    )
    return answer["stream"]


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def idle(pid, seconds=0.4):
    """Whether the process used next to no processor over the last moment."""
    before, end = cpu_seconds(pid), time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, seconds + 5, "a moment to pass")
    return cpu_seconds(pid) - before < seconds * 0.15


class TestStart:
    def test_the_first_line_says_where(self, server):
        assert server.lines[0] == "listening on " + server.url
        assert server.address[0] == "127.0.0.1" and server.address[1] > 0

    def test_a_port_in_use_is_a_plain_sentence(self, server, fresh):
        data = fresh().data
        listen = ":".join(map(str, server.address))
        done = outcrop("dev", "--listen", listen, "--data", str(data), timeout=60)
        assert done.returncode not in (0, 101)
        assert str(server.address[1]) in done.stderr and "in use" in done.stderr, done.stderr
        assert "panicked" not in done.stderr and "Os {" not in done.stderr, done.stderr
        assert healthy(server.url)

    def test_dev_refuses_an_address_that_others_can_reach(self, tmp_path):
        done = outcrop("dev", "--listen", "0.0.0.0:0", "--data", str(tmp_path), timeout=60)
        assert done.returncode not in (0, 101) and "0.0.0.0" in done.stderr and "127.0.0.1" in done.stderr, done.stderr

    def test_a_data_folder_that_cannot_be_made(self, tmp_path):
        blocked = tmp_path / "file"
        blocked.write_text("not a folder")
        done = outcrop("dev", "--listen", "127.0.0.1:0", "--data", str(blocked / "data"), timeout=60)
        assert done.returncode not in (0, 101)
        assert str(blocked) in done.stderr and "panicked" not in done.stderr, done.stderr

    @pytest.mark.parametrize(
        ("config", "said"),
        [
            ("no toml", "outcrop.toml"),
            ("[limits]\nconnections = 'many'", "line 2"),
            ('lissten = "127.0.0.1:0"', "listen"),
            ("[limits]\nbody_byte = 7", "body_bytes"),
        ],
    )
    def test_a_wrong_configuration_is_told_its_place_and_the_nearest_key(self, tmp_path, config, said):
        path = tmp_path / "outcrop.toml"
        path.write_text(config)
        args = ("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--config", str(path))
        done = outcrop("dev", *args, timeout=60)
        assert done.returncode not in (0, 101)
        assert "outcrop.toml" in done.stderr and said in done.stderr, done.stderr

    def test_a_second_start_finds_what_the_first_left(self, fresh):
        server = fresh().start()
        client(server.url, "bedrock").create_inference_profile(
            inferenceProfileName="kept", modelSource={"copyFrom": f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}"}
        )
        assert server.stop() == 0
        kept = client(server.start().url, "bedrock").list_inference_profiles(typeEquals="APPLICATION")
        assert [p["inferenceProfileName"] for p in kept["inferenceProfileSummaries"]] == ["kept"]


class TestStop:
    def test_an_idle_server_ends_at_once(self, fresh):
        server = fresh().start()
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5

    def test_a_running_stream_is_finished(self, fresh):
        server = fresh().start()
        events = iter(long_stream(server.url, tokens=150))
        seen = [next(events), next(events)]
        server.process.terminate()
        until(lambda: _refuses(server), 10, "new connections are refused")
        seen += list(events)
        kinds = [next(iter(event)) for event in seen]
        assert kinds[-2:] == ["messageStop", "metadata"], kinds[-3:]
        assert server.process.wait(30) == 0

    def test_a_stream_that_outlasts_the_grace_ends_in_an_exception(self, fresh):
        server = fresh(config="[limits]\ngrace_seconds = 2\n").start()
        events = iter(long_stream(server.url, tokens=4000))
        next(events)
        server.process.terminate()
        with pytest.raises(EventStreamError) as told:
            for _ in events:
                pass
        code = told.value.response["Error"]["Code"]
        assert code in ("serviceUnavailableException", "internalServerException"), told.value
        assert server.process.wait(30) == 0

    def test_ctrl_c_after_that_does_not_wait(self, fresh):
        server = fresh().start()
        events = iter(long_stream(server.url, tokens=4000))
        next(events)
        server.process.terminate()
        until(lambda: _refuses(server), 10, "new connections are refused")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(3) == 130


def _refuses(server):
    try:
        socket.create_connection(server.address, timeout=5).close()
        return False
    except OSError:
        return True


class TestClientsThatGoAway:
    def test_their_generation_ends(self, fresh):
        server = fresh().start()
        converse(client(server.url, "bedrock-runtime"), tokens=1)  # the model is loaded
        until(lambda: idle(server.pid), 30, "an idle server after loading")
        events = long_stream(server.url, tokens=4000)
        next(iter(events))
        assert not idle(server.pid), "the generation was over before the client left"
        events.close()
        until(lambda: idle(server.pid), 3, "an idle server after the client left")

    def test_one_that_waits_for_a_whole_answer(self, fresh):
        server = fresh().start()
        converse(client(server.url, "bedrock-runtime"), tokens=1)
        body = json.dumps(
            {"messages": [user(LONG)], "inferenceConfig": {"maxTokens": 4000, "temperature": 0.9}}
        ).encode()
        host, port = server.address
        target = f"/model/{HAIKU}/converse"
        headers = Signer().headers("POST", target, f"{host}:{port}", body, raw.JSON)
        head = [f"POST {target} HTTP/1.1", f"host: {host}:{port}", f"content-length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        with socket.create_connection(server.address, timeout=60) as connection:
            connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
            until(lambda: not idle(server.pid), 10, "a generation that runs")
        until(lambda: idle(server.pid), 3, "an idle server after the client left")


class TestLoad:
    def test_an_idle_server_uses_no_processor(self, server, runtime):
        converse(runtime, tokens=1)
        until(lambda: idle(server.pid), 30, "an idle server")

    def test_beyond_its_limits_it_throttles_and_recovers(self, fresh):
        server = fresh(config="[engine]\nmax_sequences = 2\nmax_waiting = 2\n").start()

        def one(_):
            runtime = client(server.url, "bedrock-runtime")
            try:
                return converse(runtime, tokens=8)["usage"]["outputTokens"]
            except runtime.exceptions.ThrottlingException:
                return "throttled"

        assert one(0) != "throttled"
        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(one, range(32)))
        assert set(outcomes) <= {*range(1, 9), "throttled"}, outcomes
        assert "throttled" in outcomes and set(outcomes) != {"throttled"}, outcomes
        assert one(0) != "throttled"

    def test_many_at_once_say_what_one_says(self, server):
        def one(_):
            return text(converse(client(server.url, "bedrock-runtime"), tokens=4))

        with ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(one, range(8)))
        assert all(answers) and len(answers) <= 2, "another batch may flip a near tie, never more"
