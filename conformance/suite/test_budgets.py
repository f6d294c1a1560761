"""Budgets: a runaway loop is stopped on every path into a model, and what was spent outlives the process."""

import json
import threading
import urllib.error
import urllib.request

import pytest
from anthropic import Anthropic
from botocore.exceptions import ClientError, EventStreamError

from support import openai
from support.ask import HAIKU, TITAN_EMBED, anthropic, invoke, invoke_stream, user
from support.clients import client, raises
from support.keys import api_key
from support.media import Media
from support.server import Server, outcrop
from support.waiting import until

NOVA = "amazon.nova-lite-v1:0"
MISTRAL = "mistral.mistral-large-2402-v1:0"
RERANK = "cohere.rerank-v3-5:0"
IMAGES = "amazon.titan-image-generator-v2:0"
# What every call takes that is answered by the script: 500 tokens, and at the price below 0.05 dollars.
SCRIPT = """
[[rules]]
contains = "for long"
text = "And on it goes and on it goes and on it goes and on it goes and on it goes and on it goes."
chunk = 1
chunk_delay_ms = 5
usage = { input = 10, output = 90 }

[[rules]]
text = "Once more."
chunk = 4
usage = { input = 300, output = 200 }
"""
PRICE = "[[prices]]\ninput = 100\noutput = 100\nimage = 0.05\nquery = 0.05\n"
# The script is the model behind the server that is asked, and behind the servers that this one asks.
MODELS = '["anthropic.*", "amazon.nova-*", "mistral.*"]'
TEXT = "again and again " * 100


def budget(limit, period="day", **more):
    lines = [f"{key} = {value}" for key, value in more.items()]
    return "\n".join([f'[[budgets]]\nname = "loop"\nlimit = "{limit}"\nperiod = "{period}"', *lines]) + "\n"


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("script") / "script.toml"
    path.write_text(SCRIPT)
    return f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{path}'\nserves = {MODELS}\n"


@pytest.fixture(scope="module")
def upstream(script):
    """Whoever answers behind providers."""
    with Server(config=script) as running:
        yield running


@pytest.fixture(scope="module")
def media():
    with Media() as running:
        yield running


@pytest.fixture(scope="module")
def providers(upstream, media):
    """Everybody who may be asked, each in its own protocol."""
    url = upstream.url
    return f"""
[[providers]]
name = "bedrock"
kind = "bedrock"
url = "{url}"
region = "us-east-1"
serves = ["amazon.nova-*"]

[[providers]]
name = "openai"
kind = "openai"
url = "{url}/v1"
api_key = "any"
[providers.models]
"{MISTRAL}" = "{MISTRAL}"

[[providers]]
name = "anthropic"
kind = "anthropic"
url = "{url}/anthropic"
api_key = "any"
[providers.models]
"{HAIKU}" = "{HAIKU}"

[[providers]]
name = "media"
kind = "openai"
url = "{media.url}"
serves = ["cohere.rerank-*", "amazon.titan-image-*"]
"""


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "any"}


def runtime(server):
    return client(server.url, "bedrock-runtime")


def converse(model):
    return lambda server: runtime(server).converse(modelId=model, messages=[user(TEXT)], inferenceConfig={"maxTokens": 300})


def converse_stream(server):
    answer = runtime(server).converse_stream(modelId=HAIKU, messages=[user(TEXT)], inferenceConfig={"maxTokens": 300})
    return list(answer["stream"])


def nova(server):
    body = {"messages": [user(TEXT)], "inferenceConfig": {"maxTokens": 300}}
    return invoke(runtime(server), NOVA, body)


def reranked(server):
    return invoke(runtime(server), RERANK, {"query": "again", "documents": [TEXT, "never"], "api_version": 2})


def drawn(server):
    body = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": TEXT[:400]}}
    return invoke(runtime(server), IMAGES, body)


def said(door, **more):
    return door(model=HAIKU, messages=[{"role": "user", "content": TEXT}], max_tokens=300, **more)


def chat_stream(server):
    return list(said(openai.of(server.url).chat.completions.create, stream=True))


def messages(server):
    door = Anthropic(base_url=server.url + "/anthropic", api_key="any", max_retries=0).messages
    return said(door.create)


def message_stream(server):
    door = Anthropic(base_url=server.url + "/anthropic", api_key="any", max_retries=0).messages
    return list(said(door.create, stream=True))


PATHS = {
    "Converse": converse(HAIKU),
    "Converse through OpenAI": converse(MISTRAL),
    "Converse through Bedrock": converse(NOVA),
    "ConverseStream": converse_stream,
    "InvokeModel": lambda server: invoke(runtime(server), HAIKU, anthropic(TEXT, 300)),
    "InvokeModel passed through Bedrock": nova,
    "InvokeModelWithResponseStream": lambda server: invoke_stream(runtime(server), HAIKU, anthropic(TEXT, 300)),
    "embeddings": lambda server: invoke(runtime(server), TITAN_EMBED, {"inputText": TEXT}),
    "rerank": reranked,
    "images": drawn,
    "OpenAI chat": lambda server: said(openai.of(server.url).chat.completions.create),
    "OpenAI chat streamed": chat_stream,
    "OpenAI responses": lambda server: openai.of(server.url).responses.create(
        model=HAIKU, input=TEXT, max_output_tokens=300
    ),
    "OpenAI embeddings": lambda server: openai.of(server.url).embeddings.create(model=TITAN_EMBED, input=TEXT),
    "Anthropic messages": messages,
    "Anthropic messages streamed": message_stream,
}


def looped(server, call):
    """Calls until it is refused; how often it was answered, and the words of the refusal."""
    for answered in range(200):
        try:
            call(server)
        except Exception as error:
            return answered, str(error)
    raise AssertionError("nothing stops the loop")


def standing(server, *args):
    done = outcrop("budgets", "--json", "--data", str(server.data), *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["budgets"]


class TestARunawayLoop:
    # Who draws takes no tokens.
    @pytest.mark.parametrize("path", [path for path in PATHS if path != "images"])
    def test_is_stopped_at_its_tokens(self, fresh, providers, path):
        server = fresh(config=providers + budget("1500 tokens"), env=CREDENTIALS).start()
        answered, refusal = looped(server, PATHS[path])
        assert answered >= 1 and "the budget `loop` has spent" in refusal and "1500 tokens" in refusal, refusal
        row = standing(server)[0]
        # No more than one call over it.
        assert 1500 <= float(row["spent"]) <= 1500 + 4500 and float(row["reserved"]) == 0, row
        assert row["state"] in ("reached", "cut")

    @pytest.mark.parametrize("path", PATHS)
    def test_is_stopped_at_its_dollar(self, fresh, providers, path):
        server = fresh(config=providers + PRICE + budget("1.00 USD"), env=CREDENTIALS).start()
        answered, refusal = looped(server, PATHS[path])
        assert answered >= 2 and "has spent" in refusal and "its limit of 1 USD a day" in refusal, refusal
        row = standing(server)[0]
        assert 1 <= float(row["spent"]) <= 1.2, row


class TestRefusals:
    def test_all_spent_is_no_access_and_says_until_when(self, fresh, script):
        server = fresh(config=script + budget("100 tokens")).start()
        here = runtime(server)
        here.converse(modelId=HAIKU, messages=[user("hi")])
        message = raises(
            lambda: here.converse(modelId=HAIKU, messages=[user("hi")]), "AccessDeniedException", status=403
        )
        assert message.startswith("You have reached a limit: the budget `loop` has spent 500 tokens of its limit of 100")
        assert "T00:00:00Z, or until the limit is raised" in message

    def test_what_calls_in_flight_have_reserved_is_a_throttle_with_a_time(self, fresh, script):
        server = fresh(config=script + budget("600 tokens")).start()
        here = runtime(server)
        long = here.converse_stream(
            modelId=HAIKU, messages=[user("for long")], inferenceConfig={"maxTokens": 500}
        )["stream"]
        events = iter(long)
        next(events)
        with pytest.raises(ClientError) as refused:
            here.converse(modelId=HAIKU, messages=[user("hi")], inferenceConfig={"maxTokens": 500})
        answer = refused.value.response
        assert answer["Error"]["Code"] == "ThrottlingException" and "reserved" in answer["Error"]["Message"]
        assert int(answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) >= 1
        list(events)
        here.converse(modelId=HAIKU, messages=[user("hi")], inferenceConfig={"maxTokens": 400})

    def test_a_model_without_a_price_is_told_as_that(self, fresh, script):
        server = fresh(config=script + budget("1.00 USD")).start()
        ask = lambda: runtime(server).converse(modelId=HAIKU, messages=[user("hi")])
        raises(ask, "AccessDeniedException", "has no price", status=403)
        allowing = fresh(config=script + budget("1.00 USD", unpriced='"allow"')).start()
        runtime(allowing).converse(modelId=HAIKU, messages=[user("hi")])
        assert standing(allowing)[0]["unpriced"] == 1

    def test_each_user_has_its_own(self, fresh, script):
        config = script + budget("100 tokens", match='{ metadata.user = "each" }')
        here = runtime(fresh(config=config).start())
        for who in ({"user": "ada"}, {"user": "bob"}, {"team": "neither"}):
            ask = lambda: here.converse(modelId=HAIKU, messages=[user("hi")], requestMetadata=who)
            ask()
            raises(ask, "AccessDeniedException", "has spent", status=403)

    def test_a_running_answer_is_cut_at_the_hard_limit(self, fresh, script):
        server = fresh(config=script + budget("40 tokens", hard_limit="1.0")).start()
        stream = runtime(server).converse_stream(
            modelId=HAIKU, messages=[user("for long")], inferenceConfig={"maxTokens": 500}
        )["stream"]
        with pytest.raises(EventStreamError) as cut:
            list(stream)
        assert "throttlingException" in str(cut.value) and "the hard limit for running calls" in str(cut.value)


class TestWhatLasts:
    def test_a_reload_raises_and_lowers_at_once_and_keeps_what_is_spent(self, fresh, script):
        server = fresh(config=script + budget("500 tokens")).start()
        ask = lambda: runtime(server).converse(modelId=HAIKU, messages=[user("hi")])
        ask()
        raises(ask, "AccessDeniedException", status=403)
        for limit, works in (("600 tokens", True), ("5000 tokens", True), ("700 tokens", False)):
            server.config_path.write_text(script + budget(limit))
            assert outcrop("config", "reload", "--data", str(server.data)).returncode == 0
            if works:
                ask()
            else:
                raises(ask, "AccessDeniedException", "1500 tokens of its limit of 700", status=403)
        assert float(standing(server)[0]["spent"]) == 1500

    def test_a_good_stop_counts_exactly_and_a_kill_never_less(self, fresh, script):
        server = fresh(config=script + budget("100000 tokens")).start()
        answered, stop = [], threading.Event()

        def burst():
            here = runtime(server)
            while not stop.is_set():
                try:
                    here.converse(modelId=HAIKU, messages=[user("hi")], inferenceConfig={"maxTokens": 300})
                    answered.append(500)
                except Exception:
                    return

        threads = [threading.Thread(target=burst) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(answered) >= 20, 30, "twenty answers")
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        spent = sum(answered)
        config = ("--config", str(server.config_path))
        left = float(standing(server, *config)[0]["spent"])
        assert left >= spent, "what the store knows without a server"
        server.start()
        after = float(standing(server)[0]["spent"])
        assert after >= spent
        runtime(server).converse(modelId=HAIKU, messages=[user("hi")], inferenceConfig={"maxTokens": 300})
        assert server.stop() == 0
        assert float(standing(server, *config)[0]["spent"]) == after + 500

    def test_a_loop_that_was_stopped_stays_stopped_after_a_kill(self, fresh, script):
        server = fresh(config=script + budget("1000 tokens")).start()
        looped(server, PATHS["Converse"])
        server.kill()
        server.start()
        raises(lambda: PATHS["Converse"](server), "AccessDeniedException", "has spent", status=403)


def listed(server, key):
    request = urllib.request.Request(server.url + "/outcrop/budgets", headers={"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class TestReports:
    def test_the_table_and_the_door(self, fresh, script):
        config = script + budget("5000 tokens", match='{ model = "each" }', warn_at="[0.1]")
        server = fresh(config=config).start()
        runtime(server).converse(modelId=HAIKU, messages=[user("hi")])
        done = outcrop("budgets", "--data", str(server.data))
        head, row = done.stdout.splitlines()
        assert head.split() == ["NAME", "SCOPE", "SPENT", "RESERVED", "LIMIT", "A", "UNTIL", "STATE"]
        assert row.split()[:6] == ["loop", f"model={HAIKU}", "500", "0", "5000", "tokens"]
        assert row.split()[-1] == "warned" and "a budget has passed a mark" in server.log_text
        assert listed(server, "any") == {"budgets": standing(server), "omitted": 0}

    def test_another_account_sees_what_is_its_own(self, fresh, script):
        server = fresh("serve", config=script + budget("5000 tokens", match='{ account = "each" }'))
        mine, others = (api_key(server.data, account, "--user", "root") for account in ("111111111111", "222222222222"))
        server.start()
        for key in (mine, others):
            openai.of(server.url, key=key).chat.completions.create(
                model=HAIKU, messages=[{"role": "user", "content": "hi"}]
            )
        rows = listed(server, mine)["budgets"]
        assert [row["scope"] for row in rows] == [{"account": "111111111111"}]
        assert len(standing(server)) == 2

    def test_who_may_not_list_them_is_refused(self, fresh, script):
        server = fresh("serve", config=script + budget("5000 tokens"))
        key = api_key(server.data, "111111111111", "--user", "ada")
        server.start()
        with pytest.raises(urllib.error.HTTPError) as refused:
            listed(server, key)
        assert refused.value.code == 403 and "outcrop:ListBudgets" in refused.value.read().decode()

    def test_a_folder_without_a_server_s_data_is_said_to_be_that(self, tmp_path):
        done = outcrop("budgets", "--data", str(tmp_path / "nowhere"))
        assert done.returncode == 1 and "no server has used" in done.stderr

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('limit = "1 EUR"', "budgets.limit (of loop)"),
            ('limit = "0 USD"', "budgets.limit (of loop)"),
            ("warn_at = [80]", "warn_at must be shares between 0 and 1"),
            ("hard_limit = 0.5", "hard_limit must be a share"),
            ("limt = 1", "Did you mean `limit`?"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, tmp_path, line, said):
        lines = {"name": 'name = "loop"', "limit": 'limit = "1.00 USD"', "period": 'period = "day"'}
        lines[line.split()[0]] = line
        path = tmp_path / "outcrop.toml"
        path.write_text("\n".join(["[[budgets]]", *lines.values()]))
        done = outcrop("config", "check", str(path))
        assert done.returncode == 1 and said in done.stdout + done.stderr, done.stdout + done.stderr
