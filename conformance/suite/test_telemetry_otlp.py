"""Traces and metrics over OTLP, as a collector decodes them."""

import pytest
from botocore.exceptions import ClientError

from support import raw
from support.ask import HAIKU, user
from support.clients import client
from support.collector import Collector
from support.server import outcrop
from support.waiting import until

SECRET = "the-otters-sing-at-dawn"
ANSWER = "rivers-run-to-the-sea"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SCRIPT = f"""
[[rules]]
contains = "slow down"
error = {{ code = "ThrottlingException", message = "Slow down." }}

[[rules]]
text = "{ANSWER}"
chunk = 4
usage = {{ input = 7, output = 5 }}
"""
THROTTLED = '[[rules]]\nerror = { code = "ThrottlingException", message = "Slow down.", retry_after_seconds = 20 }\n'


@pytest.fixture
def collector():
    one = Collector()
    yield one
    one.close()


def config(collector, folder, more="", otlp=""):
    (folder / "script.toml").write_text(SCRIPT)
    (folder / "throttled.toml").write_text(THROTTLED)
    return (
        f"[otlp]\nendpoint = '{collector.url}'\ndelay_ms = 50\ninterval_ms = 100\n"
        f"headers = {{ x-key = 'secret-of-the-collector' }}\nresource = {{ 'deployment.environment.name' = 'test' }}\n{otlp}\n"
        f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{folder}/script.toml'\nserves = ['anthropic.*']\n"
        f"[[providers]]\nname = 'throttled'\nkind = 'scripted'\nscript = '{folder}/throttled.toml'\n{more}"
    )


def runtime(server):
    return client(server.url, "bedrock-runtime")


def one_call(collector, count=1):
    until(lambda: len(collector.calls()) >= count, 20, "the spans")
    assert len(collector.calls()) == count
    return collector.calls()[-1]


def test_a_call(fresh, tmp_path, collector):
    server = fresh(config=config(collector, tmp_path)).start()
    inference = {"maxTokens": 64, "temperature": 0.7, "topP": 0.5}
    answer = runtime(server).converse(modelId=HAIKU, messages=[user(SECRET)], inferenceConfig=inference)
    call = one_call(collector)
    assert (call.name, call.parent, call.failed) == (f"chat {HAIKU}", "", False)
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": HAIKU,
        "gen_ai.response.model": HAIKU,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.response.finish_reasons": ["end_turn"],
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.request.stream": False,
        "rpc.system": "aws-api",
        "rpc.service": "bedrock-runtime",
        "rpc.method": "Converse",
        "aws.request_id": answer["ResponseMetadata"]["RequestId"],
        "http.response.status_code": 200,
    }
    assert {name: call[name] for name in expected} == expected
    assert "error.type" not in call.attributes
    assert call.resource["service.name"] == "outcrop" and call.resource["deployment.environment.name"] == "test"
    (attempt,) = collector.below(call)
    assert (attempt.kind, attempt.trace, attempt.failed) == ("client", call.trace, False)
    assert attempt["outcrop.provider"] == "script" and attempt["gen_ai.operation.name"] == "chat"
    assert call.began <= attempt.began and attempt.ended <= call.ended
    assert all(headers["x-key"] == "secret-of-the-collector" for _, headers in collector.requests)


def test_a_stream_s_span_lasts_as_long_as_the_stream(fresh, tmp_path, collector):
    server = fresh(config=config(collector, tmp_path)).start()
    stream = runtime(server).converse_stream(modelId=HAIKU, messages=[user(SECRET)])["stream"]
    assert list(stream)[-1]["metadata"]["usage"]["outputTokens"] == 5
    call = one_call(collector)
    assert call["gen_ai.request.stream"] is True and call["rpc.method"] == "ConverseStream"
    assert call["gen_ai.usage.output_tokens"] == 5 and call["gen_ai.response.finish_reasons"] == ["end_turn"]
    first = call["gen_ai.response.time_to_first_chunk"]
    assert 0 < first <= (call.ended - call.began) / 1e9
    (attempt,) = collector.below(call)
    assert attempt["gen_ai.response.time_to_first_chunk"] <= first


def test_a_fallback_has_two_attempts(fresh, tmp_path, collector):
    route = f"[[routes]]\nmodel = '{HAIKU}'\n" + "".join(
        f"[[routes.targets]]\nprovider = '{name}'\nmodel = '{name}-model'\npriority = {at}\n"
        for at, name in enumerate(["throttled", "script"])
    )
    server = fresh(config=config(collector, tmp_path, route)).start()
    runtime(server).converse(modelId=HAIKU, messages=[user(SECRET)])
    call = one_call(collector)
    assert call["outcrop.attempts"] == 2 and not call.failed and call["outcrop.target"] == "script"
    first, second = collector.below(call)
    assert (first.name, first.failed, first["error.type"]) == ("chat throttled-model", True, "throttled")
    assert (second.name, second.failed, second["error.type"]) == ("chat script-model", False, None)
    assert first.trace == second.trace == call.trace and first.id != second.id


def test_an_error(fresh, tmp_path, collector):
    server = fresh(config=config(collector, tmp_path)).start()
    with pytest.raises(ClientError):
        runtime(server).converse(modelId=HAIKU, messages=[user("slow down " + SECRET)])
    call = one_call(collector)
    assert call.failed and call["error.type"] == "ThrottlingException" and call["http.response.status_code"] == 429
    assert all(attempt["error.type"] == "throttled" for attempt in collector.below(call))


def test_operations_without_a_model_are_spans_too(fresh, tmp_path, collector):
    server = fresh(config=config(collector, tmp_path)).start()
    client(server.url, "bedrock").list_foundation_models()
    call = one_call(collector)
    assert call.name == "ListFoundationModels" and call["rpc.service"] == "bedrock"
    assert not collector.below(call) and call["gen_ai.operation.name"] is None


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False)])
def test_the_callers_trace_goes_on(fresh, tmp_path, collector, flags, sampled):
    server = fresh(config=config(collector, tmp_path)).start()
    body = {"messages": [user(SECRET)]}
    headers = {"content-type": "application/json", "traceparent": PARENT[:-2] + flags, "tracestate": "vendor=1"}
    answer = raw.request(server, "POST", f"/model/{HAIKU}/converse", body, headers=headers)
    assert answer.status == 200, answer.body
    if not sampled:
        # Another, which says that the first would have come by now.
        raw.request(server, "GET", "/foundation-models")
        assert one_call(collector).name == "ListFoundationModels"
        return
    call = one_call(collector)
    assert (call.trace, call.parent) == (PARENT[3:35], PARENT[36:52])


def test_nothing_that_was_said_is_told(fresh, tmp_path, collector):
    server = fresh(config=config(collector, tmp_path)).start()
    one = runtime(server)
    one.converse(modelId=HAIKU, messages=[user(SECRET)], system=[{"text": SECRET}])
    list(one.converse_stream(modelId=HAIKU, messages=[user(SECRET)])["stream"])
    with pytest.raises(ClientError):
        one.converse(modelId=HAIKU, messages=[user("slow down " + SECRET)], requestMetadata={"note": SECRET})
    one_call(collector, 3)
    until(lambda: collector.points("outcrop.calls"), 20, "the metrics")
    assert server.stop() == 0
    assert SECRET.encode() not in collector.raw and ANSWER.encode() not in collector.raw
    assert b"gen_ai" in collector.raw


def test_metrics(fresh, tmp_path, collector):
    server = fresh(config=config(collector, tmp_path)).start()
    one = runtime(server)
    for _ in range(2):
        one.converse(modelId=HAIKU, messages=[user("hi")])
    list(one.converse_stream(modelId=HAIKU, messages=[user("hi")])["stream"])
    with pytest.raises(ClientError):
        one.converse(modelId=HAIKU, messages=[user("slow down")])

    def counted(name, **of):
        wanted = {key.replace("__", "."): value for key, value in of.items()}
        return [point for labels, point in collector.points(name) if wanted.items() <= labels.items()]

    def calls():
        return sum(point.as_double for point in counted("outcrop.calls"))

    until(lambda: calls() == 4, 20, "four calls")
    for name, unit in [
        ("gen_ai.client.token.usage", "{token}"),
        ("gen_ai.client.operation.duration", "s"),
        ("gen_ai.server.request.duration", "s"),
        ("gen_ai.server.time_to_first_token", "s"),
    ]:
        kind, found, points = collector.exports[-1][name]
        assert (kind, found) == ("histogram", unit) and points
        for labels, point in points:
            assert labels["gen_ai.operation.name"] == "chat" and labels["gen_ai.request.model"] == HAIKU
            assert sum(point.bucket_counts) == point.count and len(point.bucket_counts) == len(point.explicit_bounds) + 1
            assert 0 < point.start_time_unix_nano <= point.time_unix_nano
    (read,) = counted("gen_ai.client.token.usage", gen_ai__token__type="input")
    assert read.count >= 3 and read.sum >= 21
    assert sum(p.count for p in counted("gen_ai.server.time_to_first_token")) == 1
    (refused,) = counted("gen_ai.server.request.duration", error__type="ThrottlingException")
    assert refused.count == 1
    assert counted("process.resident_memory")[0].as_double > 1e6


def test_the_end_of_the_server_sends_what_there_is(fresh, tmp_path, collector):
    text = config(collector, tmp_path).replace("delay_ms = 50", "delay_ms = 600000")
    server = fresh(config=text.replace("interval_ms = 100", "interval_ms = 600000")).start()
    runtime(server).converse(modelId=HAIKU, messages=[user("hi")])
    assert not collector.calls()
    assert server.stop() == 0
    assert [call.name for call in collector.calls()] == [f"chat {HAIKU}"]
    assert sum(point.as_double for _, point in collector.points("outcrop.calls")) == 1


def test_a_collector_that_fails_costs_no_call(fresh, tmp_path):
    failing = Collector(answers=[503, 503])
    try:
        server = fresh(config=config(failing, tmp_path)).start()
        runtime(server).converse(modelId=HAIKU, messages=[user("hi")])
        until(lambda: failing.calls(), 30, "the span, sent again")
        assert server.log_text.count("does not take what it is sent") == 1
        assert "secret-of-the-collector" not in server.log_text
    finally:
        failing.close()


def test_the_environment_alone_is_enough(fresh, tmp_path, collector):
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url + "/base",
        "OTEL_SERVICE_NAME": "gateway",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    server = fresh(env=env).start()
    client(server.url, "bedrock").list_foundation_models()
    assert one_call(collector).resource["service.name"] == "gateway"
    assert collector.requests[0][0] == "/base/v1/traces"


def test_a_protocol_that_is_not_spoken_is_refused(tmp_path):
    file = tmp_path / "outcrop.toml"
    file.write_text("[otlp]\nendpoint = 'http://127.0.0.1:4317'\nprotocol = 'grpc'\n")
    done = outcrop("config", "check", str(file))
    assert done.returncode != 0 and "http/protobuf" in done.stderr
