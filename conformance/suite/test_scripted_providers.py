"""Providers that answer from a file, recordings of providers, and the way from a provider that fails to the next."""

import pytest

from support.ask import HAIKU, user
from support.clients import client, raises

SCRIPT = """
models = ["one"]

[[rules]]
contains = "slow down"
error = { code = "ThrottlingException", message = "Slow down." }

[[rules]]
tool_result = true
text = "It is 18 degrees."

[[rules]]
contains = "weather"
tool_calls = [{ name = "get_weather", input = { city = "Paris" } }]

[[rules]]
contains = "cut"
text = "This will not be whole."
chunk = 5
cut_after = 10

[[rules]]
text = "Hello from the script."
chunk = 4
usage = { input = 7, output = 5 }
"""


def runtime(server):
    return client(server.url, "bedrock-runtime")


def ask(one, text, **rest):
    return one.converse(modelId=HAIKU, messages=[user(text)], **rest)


def text(answer):
    return answer["output"]["message"]["content"][0]["text"]


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.toml"
    path.write_text(SCRIPT)
    return path


def provider(name, path, more=""):
    return f"[[providers]]\nname = '{name}'\nkind = 'scripted'\nscript = '{path}'\n{more}\n"


@pytest.fixture
def scripted(fresh, script):
    return fresh(config=provider("script", script, 'serves = ["anthropic.*"]')).start()


class TestScripts:
    def test_text_and_usage(self, scripted):
        answer = ask(runtime(scripted), "hi")
        assert text(answer) == "Hello from the script." and answer["stopReason"] == "end_turn"
        assert answer["usage"] == {"inputTokens": 7, "outputTokens": 5, "totalTokens": 12}

    def test_streams_in_the_chunks_that_it_says(self, scripted):
        events = list(runtime(scripted).converse_stream(modelId=HAIKU, messages=[user("hi")])["stream"])
        texts = [e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e]
        assert texts == ["Hell", "o fr", "om t", "he s", "crip", "t."]
        assert events[-1]["metadata"]["usage"]["outputTokens"] == 5

    def test_a_tool_is_called_and_its_result_read(self, scripted):
        one = runtime(scripted)
        tools = {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": {"type": "object"}}}}]}
        first = ask(one, "the weather?", toolConfig=tools)
        assert first["stopReason"] == "tool_use"
        message = first["output"]["message"]
        call = message["content"][0]["toolUse"]
        assert (call["name"], call["input"]) == ("get_weather", {"city": "Paris"})
        result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "18"}]}}
        messages = [user("the weather?"), message, {"role": "user", "content": [result]}]
        assert text(one.converse(modelId=HAIKU, messages=messages, toolConfig=tools)) == "It is 18 degrees."

    def test_a_stream_that_breaks_off_ends_in_an_exception(self, scripted):
        from botocore.exceptions import EventStreamError

        stream = runtime(scripted).converse_stream(modelId=HAIKU, messages=[user("cut")])["stream"]
        texts = []
        with pytest.raises(EventStreamError) as broken:
            for event in stream:
                texts.append(event.get("contentBlockDelta", {}).get("delta", {}).get("text", ""))
        assert "".join(texts) == "This will " and "modelStreamErrorException" in str(broken.value)

    def test_no_rule_is_an_error_that_shows_what_was_asked(self, fresh, tmp_path):
        path = tmp_path / "narrow.toml"
        path.write_text("[[rules]]\ncontains = 'this'\ntext = 'that'\n")
        server = fresh(config=provider("script", path, 'serves = ["*"]')).start()
        raises(lambda: ask(runtime(server), "something else"), "ValidationException", "something else")


class TestTheNextAnswers:
    def config(self, tmp_path, first):
        (tmp_path / "first.toml").write_text(first)
        (tmp_path / "second.toml").write_text("[[rules]]\ntext = 'The second.'\n")
        return (
            provider("first", tmp_path / "first.toml")
            + provider("second", tmp_path / "second.toml")
            + f"[[routes]]\nmodel = '{HAIKU}'\n"
            + "[[routes.targets]]\nprovider = 'first'\nmodel = 'm'\npriority = 1\n"
            + "[[routes.targets]]\nprovider = 'second'\nmodel = 'm'\npriority = 2\n"
        )

    @pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailableException", "ModelTimeoutException"])
    def test_when_the_first_fails(self, fresh, tmp_path, code):
        first = f"[[rules]]\nerror = {{ code = '{code}', message = 'no' }}\n"
        server = fresh(config=self.config(tmp_path, first)).start()
        answer = ask(runtime(server), "hi")
        assert text(answer) == "The second."
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-outcrop-served-by"].startswith("second") and int(headers["x-outcrop-attempts"]) >= 2

    def test_but_not_when_the_request_is_at_fault(self, fresh, tmp_path):
        first = "[[rules]]\nerror = { code = 'ValidationException', message = 'Such a request.' }\n"
        server = fresh(config=self.config(tmp_path, first)).start()
        raises(lambda: ask(runtime(server), "hi"), "ValidationException", "Such a request.")

    def test_and_never_after_bytes_were_sent(self, fresh, tmp_path):
        from botocore.exceptions import EventStreamError

        first = "[[rules]]\ntext = 'The first, cut.'\nchunk = 3\ncut_after = 5\n"
        server = fresh(config=self.config(tmp_path, first)).start()
        stream = runtime(server).converse_stream(modelId=HAIKU, messages=[user("hi")])["stream"]
        with pytest.raises(EventStreamError):
            seen = [event for event in stream]
            assert not seen

    def test_a_throttle_of_all_is_told_as_one(self, fresh, tmp_path, script):
        server = fresh(config=provider("script", script, 'serves = ["*"]')).start()
        raises(lambda: ask(runtime(server), "slow down"), "ThrottlingException", "Slow down.", status=429)


class TestRecordings:
    def test_recorded_once_replayed_offline(self, server, fresh, tmp_path):
        folder = tmp_path / "recordings"

        def config(record):
            return (
                f"[outbound]\noffline = {'false' if record else 'true'}\n"
                f"[[providers]]\nname = 'up'\nkind = 'openai'\nurl = '{server.url}/v1'\napi_key = 'sk-secret-key'\n"
                f"recordings = '{folder}'\nrecord = {'true' if record else 'false'}\n"
                f"[providers.models]\n'{HAIKU}' = '{HAIKU}'\n"
            )

        inference = {"maxTokens": 12, "temperature": 0}
        live = fresh(config=config(True)).start()
        first = ask(runtime(live), "Name three rivers.", inferenceConfig=inference)
        streamed = list(
            runtime(live).converse_stream(
                modelId=HAIKU, messages=[user("Name three rivers.")], inferenceConfig=inference
            )["stream"]
        )
        live.stop()
        files = [path.read_text() for path in folder.glob("*.json")]
        # Beside the two answers, the provider's list of models.
        assert sum('"POST"' in one for one in files) == 2 and not any("sk-secret-key" in one for one in files)

        kept = fresh(config=config(False).replace(server.url, "https://models.example.com")).start()
        again = ask(runtime(kept), "Name three rivers.", inferenceConfig=inference)
        assert text(again) == text(first) and again["usage"] == first["usage"]
        replayed = list(
            runtime(kept).converse_stream(
                modelId=HAIKU, messages=[user("Name three rivers.")], inferenceConfig=inference
            )["stream"]
        )
        deltas = [[e for e in events if "contentBlockDelta" in e] for events in (streamed, replayed)]
        assert deltas[0] == deltas[1] != []
        one = runtime(kept)
        raises(lambda: ask(one, "Something new."), "ResourceNotFoundException", "record = true", status=404)


class TestRefusedConfigurations:
    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ("[[providers]]\nname = 'x'\nkind = 'telepathy'\n", "telepathy"),
            ("[[providers]]\nname = 'local'\nkind = 'openai'\n", "providers.name"),
            ("[[providers]]\nname = 'x'\nkind = 'scripted'\nscript = '/nowhere.toml'\n", "/nowhere.toml"),
            ("[[providers]]\nname = 'x'\nkind = 'bedrock'\n", "region"),
            ("[[providers]]\nname = 'x'\nkind = 'openai'\nurl = 'ftp://x'\n", "https"),
            (f"[[routes]]\nmodel = '{HAIKU}'\n[[routes.targets]]\nprovider = 'nobody'\nmodel = 'm'\n", "nobody"),
        ],
    )
    def test_it_does_not_start_and_says_why(self, fresh, more, told):
        with pytest.raises(AssertionError, match=told):
            fresh(config=more).start()
