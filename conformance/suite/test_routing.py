"""Routes of the configuration: order, fallback, variants, kept answers, and what `outcrop routes` tells of them."""

import json

import pytest
from botocore.exceptions import ClientError

from support.ask import HAIKU, user
from support.clients import client
from support.server import outcrop


def provider(folder, name, rules, more=""):
    path = folder / f"{name}.toml"
    path.write_text(rules)
    return f"[[providers]]\nname = '{name}'\nkind = 'scripted'\nscript = '{path}'\n{more}\n"


def says(text):
    return f"[[rules]]\ntext = '{text}'\nusage = {{ input = 1000, output = 100 }}\n"


THROTTLED = '[[rules]]\nerror = { code = "ThrottlingException", message = "Slow down.", retry_after_seconds = 20 }\n'


def route(*targets, more=""):
    tables = "".join(f"[[routes.targets]]\n{target}\n" for target in targets)
    return f"[[routes]]\nmodel = '{HAIKU}'\n{more}\n{tables}"


def ask(server, **rest):
    runtime = client(server.url, "bedrock-runtime")
    answer = runtime.converse(modelId=HAIKU, messages=[user("hi")], **rest)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return answer["output"]["message"]["content"][0]["text"], headers


def routes(server):
    done = outcrop("routes", "--json", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    return {report["model"]: report["targets"] for report in json.loads(done.stdout)}


def test_the_next_target_answers_and_the_report_says_so(fresh, tmp_path):
    config = provider(tmp_path, "first", THROTTLED) + provider(tmp_path, "second", says("from the second"))
    config += f"[[prices]]\nprovider = 'second'\nmodel = '{HAIKU}'\ninput = 0.25\noutput = 1.25\n"
    server = fresh(config=config + route("provider = 'first'", "provider = 'second'\npriority = 1")).start()
    text, headers = ask(server)
    assert text == "from the second"
    assert (headers["x-outcrop-served-by"], headers["x-outcrop-attempts"]) == ("second", "2")
    first, second = routes(server)[HAIKU]
    assert (first["attempts"], first["failures"], first["health"]) == (1, 1, "resting")
    assert (second["calls"], second["answered"], second["failures"]) == (1, 1, 0)
    # A thousand tokens at $0.25 and a hundred at $1.25 a million.
    assert second["cost"] == pytest.approx(0.000375)
    table = outcrop("routes", "--data", str(server.data)).stdout
    assert "MODEL" in table and "second" in table and "100.0 %" in table


def test_when_nobody_answers_the_caller_is_told_when_to_come_back(fresh, tmp_path):
    server = fresh(config=provider(tmp_path, "only", THROTTLED, f"serves = ['{HAIKU}']")).start()
    with pytest.raises(ClientError) as refused:
        ask(server)
    response = refused.value.response
    assert response["Error"]["Code"] == "ThrottlingException"
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "20"


def test_a_user_keeps_the_variant_through_a_reload(fresh, tmp_path):
    config = provider(tmp_path, "old", says("old")) + provider(tmp_path, "new", says("new"))
    config += route("provider = 'old'", "provider = 'new'", more="sticky = 'user'")
    server = fresh(config=config).start()
    users = [f"user-{n}" for n in range(24)]
    seen = {name: ask(server, requestMetadata={"user": name})[0] for name in users}
    assert set(seen.values()) == {"old", "new"}
    done = outcrop("config", "reload", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    assert seen == {name: ask(server, requestMetadata={"user": name})[0] for name in users}
    # Health and counts outlive it.
    assert sum(target["calls"] for target in routes(server)[HAIKU]) == 2 * len(users)


def test_kept_answers_say_so_and_end_with_the_account(fresh, tmp_path):
    config = provider(tmp_path, "one", says("first").replace("[[rules]]", "[[rules]]\ntimes = 1") + says("later"))
    server = fresh(config=config + route("provider = 'one'", more="cache_ttl_seconds = 600")).start()
    assert ask(server)[0] == "first"
    text, headers = ask(server)
    assert (text, headers["x-outcrop-cache"]) == ("first", "hit")
    text, headers = ask(server, requestMetadata={"outcrop-cache": "refresh"})
    assert text == "later" and "x-outcrop-cache" not in headers
    assert ask(server)[0] == "later"


def test_a_route_that_cannot_be_is_refused_by_its_key(fresh, tmp_path):
    file = tmp_path / "outcrop.toml"
    file.write_text(route("provider = 'nobody'"))
    done = outcrop("config", "check", str(file))
    assert done.returncode != 0 and "routes.targets.provider" in done.stderr
