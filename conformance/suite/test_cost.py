"""What calls cost: the ledger, prices by configuration, reports by HTTP and on the command line, outcomes of tasks."""

import csv
import io
import json
import threading
import time
import xml.etree.ElementTree
from decimal import Decimal

import pytest

from support import raw
from support.ask import HAIKU, user
from support.clients import client
from support.server import outcrop
from support.sigv4 import Signer
from support.waiting import until

ACCOUNT = "111122223333"
SIGNER = Signer(key=ACCOUNT)
SCRIPT = """
models = ["one"]

[[rules]]
contains = "big"
text = "A big answer."
usage = { input = 1000, output = 200 }

[[rules]]
text = "A small answer."
usage = { input = 7, output = 5 }
"""
PRICES = f"""
[[prices]]
provider = "script"
model = "{HAIKU}"
input = 3
output = 15

[[prices]]
provider = "script"
model = "{HAIKU}"
from = 2999-01-01
input = 300
output = 1500
"""


@pytest.fixture
def priced(fresh, tmp_path):
    def make(prices=PRICES):
        (tmp_path / "script.toml").write_text(SCRIPT)
        provider = f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{tmp_path}/script.toml'\n"
        return fresh(config=provider + 'serves = ["anthropic.*"]\n' + prices).start()

    return make


def runtime(server, account=ACCOUNT):
    return client(server.url, "bedrock-runtime", account=account)


def ask(one, text, **metadata):
    told = {"requestMetadata": metadata} if metadata else {}
    answer = one.converse(modelId=HAIKU, messages=[user(text)], **told)
    return answer["ResponseMetadata"]["RequestId"]


def cost(server, query="", signer=SIGNER):
    answer = raw.request(server, "GET", "/outcrop/cost" + ("?" + query if query else ""), signer=signer)
    assert answer.status == 200, answer.body
    return answer.json


def mark(server, signer=SIGNER, **outcome):
    return raw.request(server, "POST", "/outcrop/outcomes", outcome, signer=signer)


def written(server, calls, query=""):
    until(lambda: cost(server, query)["total"]["calls"] == calls, 20, f"{calls} calls in the ledger")
    return cost(server, query)


def test_fifty_calls_cost_what_the_arithmetic_says(priced, tmp_path):
    server = priced()
    one = runtime(server)
    for n in range(50):
        ask(one, "big" if n % 5 < 2 else "small", feature="search" if n % 5 < 2 else "chat")
    told = written(server, 50, "by=metadata:feature")
    # 20 calls of 1000 x $3 and 200 x $15 a million; 30 calls of 7 x $3 and 5 x $15.
    search, chat = Decimal("0.12"), Decimal("0.00288")
    assert [row["group"]["metadata:feature"] for row in told["rows"]] == ["search", "chat"]
    assert [Decimal(row["cost"]) for row in told["rows"]] == [search, chat]
    assert Decimal(told["total"]["cost"]) == search + chat and told["currency"] == "USD"
    assert (told["total"]["inputTokens"], told["total"]["outputTokens"]) == (20_210, 4_150)
    assert told["total"]["unpriced"] == {"calls": 0, "tokens": 0, "unitHours": 0}

    place = ["--data", str(server.data), "--config", str(server.config_path)]
    # Beside the running server, and without it.
    for stopped in (False, True):
        if stopped:
            server.stop()
        done = outcrop("cost", "--by", "metadata:feature", "--csv", *place)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert {row["metadata:feature"]: Decimal(row["cost_usd"]) for row in rows} == {"search": search, "chat": chat}
    table = outcrop("cost", "--by", "model,principal", *place).stdout
    assert HAIKU in table and "$0.122880" in table, table
    picture, focus = tmp_path / "spend.svg", tmp_path / "focus.csv"
    assert outcrop("cost", "--by", "day,metadata:feature", "--svg", str(picture), *place).returncode == 0
    assert xml.etree.ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert outcrop("cost", "--focus", str(focus), *place).returncode == 0
    rows = list(csv.DictReader(focus.open()))
    assert sum(Decimal(row["BilledCost"]) for row in rows) == search + chat
    assert {row["ProviderName"] for row in rows} == {"script"} and {row["SubAccountId"] for row in rows} == {ACCOUNT}
    filtered = outcrop("cost", "--json", "--filter", "metadata:feature=search", *place)
    assert Decimal(json.loads(filtered.stdout)["total"]["cost"]) == search


def test_no_price_is_told_and_never_nothing(priced):
    server = priced(prices="")
    ask(runtime(server), "big")
    total = written(server, 1)["total"]
    assert total["cost"] == "0" and total["unpriced"] == {"calls": 1, "tokens": 1200, "unitHours": 0}
    table = outcrop("cost", "--data", str(server.data)).stdout
    assert "no price: 1 calls, 1200 tokens" in table, table


def test_a_share_of_the_list_price(priced):
    server = priced('[[prices]]\nprovider = "script"\nlist = 0.5\n')
    ask(runtime(server), "big")
    # Claude 3 Haiku: $0.25 and $1.25 a million.
    assert Decimal(written(server, 1)["total"]["cost"]) == Decimal("0.00025")


def test_this_machine_costs_nothing_unless_it_is_said(fresh):
    server = fresh(config="").start()
    local = {"modelId": HAIKU, "messages": [user("Hi.")], "inferenceConfig": {"maxTokens": 3}}
    runtime(server).converse(**local)
    told = written(server, 1, "by=provider")
    assert told["rows"][0]["group"] == {"provider": "local"} and told["total"]["cost"] == "0"
    assert told["total"]["unpriced"]["calls"] == 0
    paid = fresh(config='[[prices]]\nprovider = "local"\nmachine_hour = 3600\n').start()
    runtime(paid).converse(**local)
    # A dollar a second.
    assert 0 < Decimal(written(paid, 1)["total"]["cost"]) < 60


def test_an_account_sees_its_own_calls_only(priced):
    server = priced()
    ask(runtime(server), "big")
    written(server, 1)
    stranger = Signer(key="444455556666")
    assert cost(server, "by=account", stranger)["rows"] == []
    answer = raw.request(server, "GET", f"/outcrop/cost?filter=account%3D{ACCOUNT}", signer=stranger)
    assert answer.status == 403 and "your own account" in answer.json["message"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("by=colour", "nothing to group or filter by"),
        ("from=yesteryear", "is no time"),
        ("from=2026-11-02&to=2026-11-01", "is not after"),
        ("filter=team", "NAME=VALUE"),
        ("colour=red", "no parameter colour"),
    ],
)
def test_a_question_that_is_none(server, query, told):
    answer = raw.request(server, "GET", "/outcrop/cost?" + query)
    assert answer.status == 400 and told in answer.json["message"], answer.body


@pytest.mark.parametrize(
    "outcome",
    [
        {},
        {"success": True},
        {"requestId": "a"},
        {"requestId": "", "success": True},
        {"requestId": "a" * 300, "success": True},
        {"requestId": "a", "metadata": {"key": "k", "value": "v"}, "success": True},
        {"metadata": {"key": "k"}, "success": True},
        {"requestId": "a", "succes": True},
    ],
)
def test_an_outcome_that_is_none(server, outcome):
    answer = mark(server, **outcome)
    assert answer.status == 400 and answer.headers["x-amzn-errortype"] == "ValidationException", answer.body


def test_cost_per_successful_task_survives_a_crash(priced):
    server = priced()
    one = runtime(server)
    first = [ask(one, "big", ticket="1"), ask(one, "big", ticket="1"), ask(one, "small", ticket="2")]
    ask(one, "small")
    written(server, 4)
    assert mark(server, metadata={"key": "ticket", "value": "1"}, success=True, task="answer").status == 200
    assert mark(server, requestId=first[2], success=False, task="answer").json == {}
    server.kill()
    server.start()
    told = cost(server, "tasks=true&by=task")
    total = told["total"]
    assert (total["succeeded"], total["failed"], total["unmarked"]["calls"]) == (1, 1, 1)
    # Two big calls and a small one for one success.
    assert Decimal(total["costPerSuccess"]) == 2 * Decimal("0.006") + Decimal("0.000096")
    assert [row["group"]["task"] for row in told["rows"]] == ["answer", "(none)"]
    table = outcrop("cost", "tasks", "--by", "task", "--data", str(server.data)).stdout
    assert "$0.012096" in table, table


def test_a_crash_loses_less_than_the_last_second(priced):
    server = priced()
    ended, stop = [], threading.Event()

    def burst():
        one = runtime(server)
        while not stop.is_set():
            try:
                ask(one, "small")
            except Exception:
                return
            ended.append(time.monotonic())

    writers = [threading.Thread(target=burst) for _ in range(2)]
    for writer in writers:
        writer.start()
    until(lambda: ended and ended[-1] - ended[0] > 2.5, 60, "a burst of some seconds")
    server.kill()
    killed = time.monotonic()
    stop.set()
    for writer in writers:
        writer.join()
    sure = sum(1 for at in ended if at < killed - 1)
    server.start()
    total = cost(server)["total"]
    assert sure > 5 and sure <= total["calls"] <= len(ended) + 2, (sure, total["calls"], len(ended))
    assert Decimal(total["cost"]) == total["calls"] * Decimal("0.000096")


def test_a_stop_loses_nothing(priced):
    server = priced()
    one = runtime(server)
    for _ in range(5):
        ask(one, "small")
    assert server.stop() == 0
    done = outcrop("cost", "--json", "--data", str(server.data))
    assert json.loads(done.stdout)["total"]["calls"] == 5


def test_advice_needs_traffic(priced):
    server = priced()
    ask(runtime(server), "small")
    written(server, 1)
    answer = raw.request(server, "GET", "/outcrop/cost/advise", signer=SIGNER)
    assert answer.json["findings"] == [] and "Too little traffic" in answer.json["tooLittle"]
    assert "Too little traffic" in outcrop("cost", "advise", "--data", str(server.data)).stdout


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("provider = 'x'", "with a price"),
        ("input = -1", "dollars"),
        ("tier = 'fast'\ninput = 1", "one of default, flex"),
        ("from = 2026-13-01\ninput = 1", "line"),
        ("from = 'soon'\ninput = 1", "is no day"),
        ("list = 0.9\ninput = 1", "takes the place"),
    ],
)
def test_prices_that_cannot_be(fresh, row, told):
    with pytest.raises(AssertionError, match=told):
        fresh(config="[[prices]]\n" + row + "\n").start()
