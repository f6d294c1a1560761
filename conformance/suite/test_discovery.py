"""Models of providers by name, and model servers that `outcrop dev` finds by itself."""

import http.server
import json
import threading

import pytest

from support.ask import user
from support.clients import client
from support.server import outcrop
from support.waiting import until

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "Qwen/Qwen3-8B",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "From afar."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
MODELS = {"object": "list", "data": [{"id": "Qwen/Qwen3-8B", "object": "model", "max_model_len": 32768}]}


class Fake(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _say(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.keys.append(self.headers.get("authorization"))
        self._say(MODELS)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(asked["model"])
        self._say(ANSWER)

    def log_message(self, *_):
        pass


@pytest.fixture
def fake():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    server.asked, server.keys = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def names(server):
    return [m["modelId"] for m in client(server.url, "bedrock").list_foundation_models()["modelSummaries"]]


def test_a_providers_own_models_are_listed_and_answer(fresh, fake):
    url = f"http://127.0.0.1:{fake.server_port}/v1"
    server = fresh(config=f"[[providers]]\nname = 'vllm'\nkind = 'openai'\nurl = '{url}'\n").start()
    until(lambda: "vllm.qwen-qwen3-8b" in names(server), 20, "the provider's model")
    answer = client(server.url, "bedrock-runtime").converse(modelId="vllm.qwen-qwen3-8b", messages=[user("hi")])
    assert answer["output"]["message"]["content"] == [{"text": "From afar."}]
    assert fake.asked == ["Qwen/Qwen3-8B"]
    model = client(server.url, "bedrock").get_foundation_model(modelIdentifier="vllm.qwen-qwen3-8b")["modelDetails"]
    assert model["providerName"] == "vllm" and model["responseStreamingSupported"]


def test_a_key_in_the_environment_makes_a_provider_and_is_never_shown(fresh, fake):
    environment = {
        "OUTCROP_DISCOVER": "on",
        "OPENAI_API_KEY": "sk-from-the-environment",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{fake.server_port}/v1",
    }
    server = fresh(env=environment).start()
    until(lambda: "openai.qwen-qwen3-8b" in names(server), 20, "the found provider's model")
    assert "Bearer sk-from-the-environment" in fake.keys
    shown = server.log_text + "\n".join(server.lines)
    assert "sk-from-the-environment" not in shown and "openai" in "\n".join(server.lines)


def test_serve_and_whoever_turned_it_off_look_at_nothing(fresh, fake):
    environment = {
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{fake.server_port}/v1",
    }
    fresh("serve", env={**environment, "OUTCROP_DISCOVER": "on"}).start()
    server = fresh(env={**environment, "OUTCROP_DISCOVER": "off"}).start()
    assert not any(name.startswith("openai.qwen-qwen3") for name in names(server))
    assert fake.keys == []


def test_where_text_can_rest_is_told(tmp_path):
    config = tmp_path / "outcrop.toml"
    config.write_text("[[providers]]\nname = 'up'\nkind = 'openai'\nurl = 'http://127.0.0.1:9/v1'\n")
    done = outcrop("doctor", "--config", str(config), "--data")
    assert done.returncode == 0 and "provider up" in done.stdout and "kept responses" in done.stdout, done
