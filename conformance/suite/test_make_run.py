"""`make run` as a person types it, on a binary that is built: a first answer, a second terminal, Ctrl-C."""

import os
import signal
import socket
import subprocess

import pytest

from support.server import BIN, ROOT, environment


@pytest.fixture
def settings(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = "127.0.0.1:%d" % probe.getsockname()[1]
    return environment({"OUTCROP_BIN": BIN, "OUTCROP_LISTEN": listen, "OUTCROP_DATA": str(tmp_path / "data")})


def answered(text):
    return "asking through boto3" in text and "tokens in" in text and "Three things to try" in text


def test_it_answers_and_ends_with_ctrl_c(settings):
    command = ["bash", "scripts/run.sh"]
    first = subprocess.Popen(
        command, cwd=ROOT, env=settings, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # As on a terminal: what was started in the background ignores it, and a shell cannot trap what it was born ignoring.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        said = []
        for line in first.stdout:
            said.append(line)
            if "until Ctrl-C" in line:
                break
        assert answered("".join(said)), said
        assert any(line.startswith("[1] budgets.md") for line in said), said
        second = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120)
        assert second.returncode == 0 and "found a server" in second.stdout and answered(second.stdout), second
        os.killpg(first.pid, signal.SIGINT)
        rest, _ = first.communicate(timeout=180)
        assert first.returncode == 0 and "stopped" in rest, rest
    finally:
        if first.poll() is None:
            first.terminate()
            first.wait(30)
    with pytest.raises(OSError):
        socket.create_connection(tuple(settings["OUTCROP_LISTEN"].split(":")), timeout=5)


def test_a_port_that_somebody_else_has_is_said(settings):
    host, port = settings["OUTCROP_LISTEN"].split(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        done = subprocess.run(["bash", "scripts/run.sh"], cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0 and "in use" in done.stderr, done
