"""GET /metrics: who may read it, and that it counts what was done."""

import dataclasses

import pytest
from botocore.exceptions import ClientError
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from support import raw
from support.ask import HAIKU, user
from support.clients import client
from support.keys import access_key, api_key
from support.server import outcrop
from support.sigv4 import Signer
from support.waiting import until

SCRIPT = """
[[rules]]
contains = "slow down"
error = { code = "ThrottlingException", message = "Slow down." }

[[rules]]
text = "Hello from the script."
chunk = 4
usage = { input = 7, output = 5 }
"""
OPEN = "application/openmetrics-text; version=1.0.0"
OWNER = "111122223333"


def scripted(folder, more=""):
    path = folder / "script.toml"
    path.write_text(SCRIPT)
    return f"{more}\n[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{path}'\nserves = ['anthropic.*']\n"


def get(server, headers=None, signer=None):
    return raw.request(server, "GET", "/metrics", signer=signer, headers=headers or {})


def scrape(server, accept=None, **rest):
    answer = get(server, {"accept": accept} if accept else {}, **rest)
    assert answer.status == 200, answer.body
    parse = open_metrics if accept else plain
    assert answer.headers["content-type"].startswith("application/openmetrics-text" if accept else "text/plain; version=0.0.4")
    return {family.name: family for family in parse(answer.body.decode())}


def total(families, name, sample=None, **labels):
    samples = families[name].samples if name in families else []
    return sum(
        one.value
        for one in samples
        if (sample is None or one.name == sample) and labels.items() <= one.labels.items()
    )


def test_it_counts_what_was_done(fresh, tmp_path):
    server = fresh(config=scripted(tmp_path)).start()
    runtime = client(server.url, "bedrock-runtime")
    for _ in range(3):
        runtime.converse(modelId=HAIKU, messages=[user("hi")])
    list(runtime.converse_stream(modelId=HAIKU, messages=[user("hi")])["stream"])
    with pytest.raises(ClientError):
        runtime.converse(modelId=HAIKU, messages=[user("slow down")])
    until(lambda: total(scrape(server), "outcrop_calls") == 5, 20, "five calls")
    for accept in (None, OPEN):
        found = scrape(server, accept)
        assert total(found, "outcrop_calls", outcome="answered", gen_ai_request_model=HAIKU) == 4
        assert total(found, "outcrop_calls", outcome="throttled") == 1
        assert total(found, "outcrop_throttles") == 1
        assert total(found, "gen_ai_client_token_usage", "gen_ai_client_token_usage_sum", gen_ai_token_type="output") >= 20
        duration = "gen_ai_server_request_duration_seconds"
        assert found[duration].type == "histogram"
        assert total(found, duration, duration + "_count") == 5
        assert total(found, duration, duration + "_count", error_type="ThrottlingException") == 1
        assert total(found, duration, duration + "_bucket", le="+Inf") == 5
        first = "gen_ai_server_time_to_first_token_seconds"
        assert total(found, first, first + "_count", gen_ai_provider_name="script") == 1
        assert total(found, "outcrop_target_attempts", outcrop_target="script") >= 5
        assert {one.labels["outcrop_target"] for one in found["outcrop_target_healthy"].samples} == {"script"}
        assert total(found, "outcrop_requests_in_flight") >= 1
        assert total(found, "process_resident_memory_bytes") > 1e6 and total(found, "process_open_fds") > 5
        assert total(found, "outcrop_usage_dropped_records") == 0
    text = get(server).body.decode()
    # Neither who called nor anything that was said: those who may read this need not know.
    # As a label's value: numbers may have as many zeros.
    assert '"000000000000"' not in text and "Hello" not in text and "arn:" not in text


def test_labels_are_asked_for_and_capped(fresh, tmp_path):
    more = "[metrics]\nlabels = ['account', 'metadata:feature']\nlabel_values = 2\n"
    server = fresh(config=scripted(tmp_path, more)).start()
    runtime = client(server.url, "bedrock-runtime")
    for n in range(5):
        runtime.converse(modelId=HAIKU, messages=[user("hi")], requestMetadata={"feature": f"f{n}"})
    until(lambda: total(scrape(server), "outcrop_calls") == 5, 20, "five calls")
    found = scrape(server)
    assert total(found, "outcrop_calls", outcrop_metadata_feature="f0", outcrop_account="000000000000") == 1
    assert total(found, "outcrop_calls", outcrop_metadata_feature="other") == 3


def test_dev_keeps_web_pages_away(server):
    assert get(server).status == 200
    assert get(server, {"origin": "https://evil.example"}).status == 403
    assert raw.request(server, "POST", "/metrics", signer=None).status in (403, 405)


class TestServe:
    @pytest.fixture(scope="class")
    def serving(self):
        from support.server import Server

        server = Server("serve", config="[metrics]\ntoken = 'a-token-of-its-own'\n")
        server.owner = Signer(*access_key(server.data, OWNER))
        server.api_key = api_key(server.data, OWNER)
        with server:
            yield server

    def test_nothing_without_credentials(self, serving):
        assert get(serving).status in (401, 403)
        assert get(serving, {"authorization": "Bearer a-token-of-its-ow"}).status in (401, 403)

    def test_the_token_opens_it(self, serving):
        answer = get(serving, {"authorization": "Bearer a-token-of-its-own"})
        assert answer.status == 200 and b"process_start_time_seconds" in answer.body

    def test_no_account_s_credentials_do(self, serving):
        answer = get(serving, signer=dataclasses.replace(serving.owner, service="bedrock"))
        code, message = answer.error()
        assert (answer.status, code) == (403, "AccessDeniedException") and "metrics.token" in message
        assert get(serving, {"authorization": f"Bearer {serving.api_key}"}).status == 403

    def test_the_token_opens_nothing_else(self, serving):
        answer = raw.request(serving, "GET", "/foundation-models", signer=None, headers={"authorization": "Bearer a-token-of-its-own"})
        assert answer.status in (401, 403)

    def test_a_program_of_this_machine_where_that_is_wanted(self, fresh):
        server = fresh("serve", config="[metrics]\nopen_on_loopback = true\n").start()
        assert get(server).status == 200
        assert get(server, {"x-forwarded-for": "192.0.2.1"}).status in (401, 403)
        (server.config_path).write_text("")
        done = outcrop("config", "reload", "--data", str(server.data))
        assert done.returncode == 0, done.stderr
        assert get(server).status in (401, 403)
