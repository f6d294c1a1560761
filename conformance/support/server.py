"""The real binary as a child process, on a port of its own choosing."""

import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

from support.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = os.path.abspath(os.environ.get("OUTCROP_BIN", ROOT / "target" / "release" / "outcrop"))
START_SECONDS = 30
HIDDEN = (
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "OUTCROP_LISTEN",
    "OUTCROP_DATA",
    "OUTCROP_CONFIG",
)


def environment(extra=None):
    """This process's environment, less what would lead a client or the server astray."""
    env = {k: v for k, v in os.environ.items() if k not in HIDDEN}
    # What else runs on this machine is no part of a test, nor are the keys of whoever runs it.
    return {**env, "AWS_EC2_METADATA_DISABLED": "true", "OUTCROP_DISCOVER": "off", **(extra or {})}


def outcrop(*args, env=None, timeout=60, **kwargs):
    """Runs one `outcrop` command to its end."""
    return subprocess.run([BIN, *args], env=environment(env), capture_output=True, text=True, timeout=timeout, **kwargs)


def healthy(url):
    if url.startswith("unix:"):
        return _healthy_socket(url.removeprefix("unix:"))
    # Whether it answers is the question here, not who it is: the tests of TLS ask that.
    context = ssl._create_unverified_context() if url.startswith("https:") else None
    try:
        with urllib.request.urlopen(url + "/outcrop/health", timeout=5, context=context) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _healthy_socket(path):
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(path)
            connection.sendall(b"GET /outcrop/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


class Server:
    """One running server. `start` may be called again after `stop` or `kill`: the data stays."""

    def __init__(self, mode="dev", *, config=None, env=None, data=None, args=()):
        self.mode, self.config, self.env, self.args = mode, config, env, args
        self.own_data = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="outcrop-conformance-"))
        self.log_path = self.data.with_name(self.data.name + ".log")
        self.process = None
        self.url = None
        self.lines = []

    @property
    def config_path(self):
        return self.data.with_name(self.data.name + ".toml")

    def start(self, listen="127.0.0.1:0", wait=True):
        command = [BIN, self.mode, "--listen", listen, "--data", str(self.data), *self.args]
        if self.config is not None:
            self.config_path.write_text(self.config)
            command += ["--config", str(self.config_path)]
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, env=environment(self.env)
        )
        first = queue.Queue()
        threading.Thread(target=self._drain, args=(self.process.stdout, first), daemon=True).start()
        try:
            line = first.get(timeout=START_SECONDS)
        except queue.Empty:
            self.kill()
            raise AssertionError("the server said nothing: " + self.log_tail()) from None
        match = re.fullmatch(r"listening on ((?:https?://|unix:)\S+)", line)
        if not match:
            self.kill()
            raise AssertionError(f"the first line is {line!r}: {self.log_tail()}")
        self.url = match[1]
        if not wait:
            return self
        until(lambda: healthy(self.url) or self.process.poll() is not None, START_SECONDS, "a healthy server")
        assert self.process.poll() is None, self.log_tail()
        return self

    def _drain(self, stdout, first):
        """Reads standard output to its end, so that a chatty server never blocks on a full pipe."""
        self.lines = []
        for raw in stdout:
            line = raw.decode().rstrip("\n")
            self.lines.append(line)
            if len(self.lines) == 1:
                first.put(line)
        first.put("")

    @property
    def address(self):
        host, port = self.url.split("://")[1].rsplit(":", 1)
        return host, int(port)

    @property
    def pid(self):
        return self.process.pid

    @property
    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def log_tail(self):
        return self.log_text[-2000:]

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self, seconds=30):
        """Asks the server to end and returns its exit status."""
        return self._end(signal.SIGTERM, seconds)

    def _end(self, sig, seconds=30):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end within {seconds} s: {self.log_tail()}") from None
        finally:
            self.log.close()

    def remove(self):
        """Ends the server whatever its state, and removes what it left."""
        self.kill()
        for suffix in (".log", ".toml"):
            self.data.with_name(self.data.name + suffix).unlink(missing_ok=True)
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        panicked, tail = "panicked at" in self.log_path.read_text(errors="replace"), self.log_tail()
        self.remove()
        assert kind is not None or not panicked, "the server panicked: " + tail
