"""What stands around guardrails: units and cost, metrics, quotas, explanations in traces, languages, models as judges."""

import datetime
import json
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal

import pytest

from support import raw
from support.ask import HAIKU, TITAN_EMBED, user
from support.clients import client, raises
from support.sigv4 import Signer
from support.waiting import until

ACCOUNT = "777766661111"
SIGNER = Signer(key=ACCOUNT)
IN, OUT = "Not to the model.", "Not to the caller."
CONVERSE = f"/model/{urllib.parse.quote(HAIKU)}/converse"
GERMAN = "Wie kann ich bei der Bank ein Konto eröffnen, und was muss ich zu dem Termin mitbringen?"

SCRIPT = """
[[rules]]
model = "*nova*"
contains = "an umbrella"
text = '{"VIOLENCE": "HIGH", "topic_0": false}'
usage = { input = 50, output = 9 }

[[rules]]
model = "*nova*"
contains = "the weather"
text = "I would rather not say."

[[rules]]
model = "*nova*"
contains = "too slow"
delay_ms = 20000
text = '{}'

[[rules]]
model = "*nova*"
text = '{"VIOLENCE": "NONE", "topic_0": false}'

[[rules]]
contains = "gear"
text = "Take an umbrella with you, and a coat for the evening, and do not forget your shoes."
chunk = 3

[[rules]]
text = "Hello from the script."
usage = { input = 7, output = 5 }
"""

CONFIG = """
[[providers]]
name = "script"
kind = "scripted"
script = "{script}"
serves = ["anthropic.*", "amazon.nova*"]

[[prices]]
provider = "guardrails"
list = 1

[[guardrails.judges]]
guardrail = "{judged}"
model = "amazon.nova-lite-v1:0"
timeout_ms = 1500
on_failure = "{on_failure}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("around")
    (folder / "script.toml").write_text(SCRIPT)
    return folder


@pytest.fixture(scope="module")
def running(folder):
    from support.server import Server

    with Server(config=configured(folder)) as server:
        yield server


def configured(folder, judged="nobody", on_failure="built_in", more=""):
    return CONFIG.format(script=folder / "script.toml", judged=judged, on_failure=on_failure) + more


def clients(server, account=ACCOUNT):
    return (client(server.url, service, account=account) for service in ("bedrock", "bedrock-runtime"))


def make(bedrock, name, **policies):
    made = bedrock.create_guardrail(name=name, blockedInputMessaging=IN, blockedOutputsMessaging=OUT, **policies)
    return made["guardrailId"]


def words(*texts):
    return {"wordPolicyConfig": {"wordsConfig": [{"text": text} for text in texts]}}


def violence(**rest):
    filters = [{"type": "VIOLENCE", "inputStrength": "HIGH", "outputStrength": "HIGH", **rest}]
    return {"contentPolicyConfig": {"filtersConfig": filters}}


def by(guardrail, trace="enabled"):
    return {"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT", "trace": trace}


def ask(one, text, guardrail, **more):
    return one.converse(modelId=HAIKU, messages=[user(text)], guardrailConfig=by(guardrail, **more))


def said(answer):
    return answer["output"]["message"]["content"][0]["text"]


def apply(one, guardrail, *texts, source="INPUT", **rest):
    content = [{"text": {"text": text}} for text in texts]
    return one.apply_guardrail(
        guardrailIdentifier=guardrail, guardrailVersion="DRAFT", source=source, content=content, **rest
    )


def total(server, query=""):
    answer = raw.request(server, "GET", "/outcrop/cost" + query, signer=SIGNER)
    assert answer.status == 200, answer.body
    return answer.json


class TestUnits:
    def test_in_the_ledger_with_what_they_cost_and_in_the_metrics(self, fresh, folder):
        server = fresh(config=configured(folder)).start()
        bedrock, one = clients(server)
        pii = {"sensitiveInformationPolicyConfig": {"piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]}}
        guardrail = make(bedrock, "counted", **words("cactus"), **pii)
        ask(one, "hello", guardrail)
        apply(one, guardrail, "x" * 1500, source="OUTPUT")
        until(lambda: total(server)["total"]["calls"] == 2, 20, "both in the ledger")
        told = total(server, "?by=operation")
        rows = {row["group"]["operation"]: row for row in told["rows"]}
        # Words on both sides, for nothing; PII is masked in answers only, at $0.10 for 1,000.
        assert rows["Converse"]["textUnits"] == 3 and Decimal(rows["Converse"]["guardrailsCost"]) == Decimal("0.0001")
        assert rows["ApplyGuardrail"]["textUnits"] == 4 and rows["ApplyGuardrail"]["inputTokens"] == 0
        assert Decimal(told["total"]["guardrailsCost"]) == Decimal("0.0003")
        watch = client(server.url, "cloudwatch", account=ACCOUNT)
        arn = bedrock.get_guardrail(guardrailIdentifier=guardrail)["guardrailArn"]

        def counted(name, *dimensions):
            now = datetime.datetime.now(datetime.timezone.utc)
            points = watch.get_metric_statistics(
                Namespace="AWS/Bedrock/Guardrails",
                MetricName=name,
                Dimensions=[{"Name": key, "Value": value} for key, value in dimensions],
                StartTime=now - datetime.timedelta(hours=1),
                EndTime=now + datetime.timedelta(minutes=2),
                Period=60,
                Statistics=["Sum"],
            )
            return sum(point["Sum"] for point in points["Datapoints"])

        until(lambda: counted("Invocations") == 3, 20, "two judgements of the call and one without a model")
        assert counted("Invocations", ("GuardrailContentSource", "Output")) == 2
        assert counted("TextUnitCount", ("GuardrailArn", arn), ("GuardrailVersion", "DRAFT")) == 7

    def test_the_judgement_of_an_answer_belongs_to_its_call(self, fresh, folder):
        server = fresh(config=configured(folder)).start()
        bedrock, one = clients(server)
        guardrail = make(bedrock, "answers", **words("umbrella"))
        assert said(ask(one, "which gear", guardrail)) == OUT
        events = list(
            one.converse_stream(modelId=HAIKU, messages=[user("which gear")], guardrailConfig=by(guardrail))["stream"]
        )
        assert any("messageStop" in event for event in events)
        until(lambda: total(server)["total"]["calls"] == 2, 20, "both calls in the ledger")
        assert total(server)["total"]["textUnits"] == 4

    def test_more_a_second_than_there_may_be(self, fresh, folder):
        more = "[quotas.guardrails]\nword_units_per_second = 3\n"
        server = fresh(config=configured(folder, more=more)).start()
        bedrock, one = clients(server)
        guardrail = make(bedrock, "limited", **words("cactus"))
        apply(one, guardrail, "x" * 60_000)
        throttled = "Too many requests sent to ApplyGuardrail: On-demand ApplyGuardrail word filter policy text units"
        raises(lambda: apply(one, guardrail, "hello"), "ThrottlingException", throttled, status=429)
        raises(lambda: ask(one, "hello", guardrail), "ThrottlingException", throttled, status=429)
        _, other = clients(server, "777766662222")
        assert other.converse(modelId=HAIKU, messages=[user("hello")])["stopReason"] == "end_turn"


class TestExplanations:
    def raw(self, server, body):
        return raw.request(server, "POST", CONVERSE, body, signer=SIGNER).json

    def test_a_trace_has_them_where_clients_do_not_look(self, running):
        bedrock, one = clients(running)
        guardrail = make(bedrock, "explained", **words("cactus"), **violence())
        body = {
            "messages": [{"role": "user", "content": [{"text": "It is a cactus."}]}],
            "guardrailConfig": by(guardrail),
        }
        told = self.raw(running, body)["trace"]["guardrail"]["inputAssessment"][guardrail]
        [entry] = told["outcropExplanation"]
        assert entry["policy"] == "wordPolicy" and entry["at"] == {"start": 8, "end": 14, "text": "cactus"}
        assert entry["because"] == ['the guardrail\'s own word "cactus"']
        full = {**body, "guardrailConfig": by(guardrail, "enabled_full")}
        told = self.raw(running, full)["trace"]["guardrail"]["inputAssessment"][guardrail]
        assert {entry["name"] for entry in told["outcropExplanation"]} == {"cactus", "VIOLENCE"}
        # boto3 drops what its model does not know.
        answer = ask(one, "It is a cactus.", guardrail)
        assert "outcropExplanation" not in answer["trace"]["guardrail"]["inputAssessment"][guardrail]
        del body["guardrailConfig"]["trace"]
        assert "outcropExplanation" not in json.dumps(self.raw(running, body))

    def test_apply_guardrail_has_them_in_the_full_scope(self, running):
        bedrock, _ = clients(running)
        guardrail = make(bedrock, "applied", **words("cactus"))
        body = {"source": "INPUT", "content": [{"text": {"text": "a cactus"}}]}
        path = f"/guardrail/{guardrail}/version/DRAFT/apply"
        plain = raw.request(running, "POST", path, body, signer=SIGNER).json
        assert "outcropExplanation" not in plain["assessments"][0]
        full = raw.request(running, "POST", path, {**body, "outputScope": "FULL"}, signer=SIGNER).json
        assert full["assessments"][0]["outcropExplanation"][0]["name"] == "cactus"


class TestLanguages:
    def marks(self, server, one, guardrail):
        body = {
            "messages": [{"role": "user", "content": [{"text": GERMAN}]}],
            "guardrailConfig": by(guardrail),
        }
        told = raw.request(server, "POST", CONVERSE, body, signer=SIGNER).json
        assessment = told["trace"]["guardrail"]["inputAssessment"][guardrail]
        return told["stopReason"], [entry["name"] for entry in assessment.get("outcropExplanation", [])]

    def test_a_text_that_nobody_measured_is_marked_and_goes_by_the_setting(self, running, fresh, folder):
        bedrock, one = clients(running)
        guardrail = make(bedrock, "languages", **violence())
        assert self.marks(running, one, guardrail) == ("end_turn", ["LANGUAGE"])
        more = '[guardrails]\nunmeasured_languages = "block"\n'
        server = fresh(config=configured(folder).replace("[[guardrails.judges]]", more + "[[guardrails.judges]]"))
        server.start()
        bedrock, one = clients(server)
        guardrail = make(bedrock, "languages", **violence())
        assert self.marks(server, one, guardrail) == ("guardrail_intervened", ["LANGUAGE"])
        assert ask(one, "How do I open an account?", guardrail)["stopReason"] == "end_turn"


class TestJudges:
    TOPIC = {"topicPolicyConfig": {"topicsConfig": [
        {"name": "Sails", "definition": "Advice on the sails of ships", "type": "DENY"}]}}

    def started(self, fresh, folder, on_failure):
        server = fresh(config=configured(folder, "*", on_failure)).start()
        bedrock, one = clients(server)
        return server, one, make(bedrock, "judged", **violence(), **self.TOPIC)

    def test_the_stricter_of_both_holds(self, fresh, folder):
        server, one, guardrail = self.started(fresh, folder, "built_in")
        answer = ask(one, "Shall I take an umbrella?", guardrail)
        assert said(answer) == IN and answer["stopReason"] == "guardrail_intervened"
        [found] = answer["trace"]["guardrail"]["inputAssessment"][guardrail]["contentPolicy"]["filters"]
        assert found["type"] == "VIOLENCE" and found["confidence"] == "HIGH" and found["action"] == "BLOCKED"
        assert ask(one, "hello", guardrail)["stopReason"] == "end_turn"
        assert apply(one, guardrail, "an umbrella")["action"] == "GUARDRAIL_INTERVENED"
        # The calls of the judge are the caller's: input and output of the second call, the input of the first.
        judged = lambda: [  # noqa: E731
            row for row in total(server, "?by=operation")["rows"] if row["group"]["operation"] == "GuardrailJudge"
        ]
        until(lambda: judged() and judged()[0]["calls"] == 4, 20, "the judge's calls in the ledger")

    def test_a_stream_waits_for_it(self, fresh, folder):
        _, one, guardrail = self.started(fresh, folder, "built_in")
        answer = one.converse_stream(modelId=HAIKU, messages=[user("which gear")], guardrailConfig=by(guardrail))
        events = list(answer["stream"])
        text = "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e)
        stop = next(e["messageStop"]["stopReason"] for e in events if "messageStop" in e)
        assert (text, stop) == (OUT, "guardrail_intervened")

    def test_one_that_says_nothing_of_use(self, fresh, folder):
        server, one, guardrail = self.started(fresh, folder, "built_in")
        for text in ("the weather", "you are too slow"):
            assert ask(one, text, guardrail)["stopReason"] == "end_turn"
        assert "a judge said nothing: the built-in judgement stands" in server.log_tail()
        _, one, guardrail = self.started(fresh, folder, "block")
        for text in ("the weather", "you are too slow"):
            assert said(ask(one, text, guardrail)) == IN
        assert ask(one, "hello", guardrail)["stopReason"] == "end_turn"


class TestOtherModels:
    """Guardrails that are enforced judge what goes to models that hold no conversation."""

    def test_vectors(self, fresh, folder):
        server = fresh(config=configured(folder)).start()
        bedrock, one = clients(server)
        pii = {"sensitiveInformationPolicyConfig": {"piiEntitiesConfig": [
            {"type": "EMAIL", "action": "ANONYMIZE", "inputAction": "ANONYMIZE", "inputEnabled": True}]}}
        guardrail = make(bedrock, "vectors", **words("cactus"), **pii)
        version = bedrock.create_guardrail_version(guardrailIdentifier=guardrail)["version"]
        config = {"guardrailIdentifier": guardrail, "guardrailVersion": version}

        def vector(text):
            answer = one.invoke_model(modelId=TITAN_EMBED, body=json.dumps({"inputText": text}))
            return json.loads(answer["body"].read())["embedding"]

        masked = vector("Write to {EMAIL} today.")
        plain = vector("Write to jane@example.com today.")
        assert vector("a cactus") and masked != plain
        bedrock.put_enforced_guardrail_configuration(guardrailInferenceConfig=config)
        raises(lambda: vector("a cactus"), "ValidationException", IN)
        assert vector("Write to jane@example.com today.") == masked
        body = {"model": TITAN_EMBED, "input": "a cactus"}
        request = urllib.request.Request(
            server.url + "/v1/embeddings",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "authorization": "Bearer any"},
        )
        # The door's caller is of another account, for which nothing is enforced.
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200


class TestDoors:
    def test_a_body_may_mark_what_is_judged(self, running):
        bedrock, _ = clients(running, "000000000000")
        guardrail = make(bedrock, "door", **words("cactus"))
        headers = {"X-Amzn-Bedrock-GuardrailIdentifier": guardrail, "X-Amzn-Bedrock-GuardrailVersion": "DRAFT"}

        def post(content, **headers):
            body = {
                "model": HAIKU,
                "messages": [{"role": "user", "content": content}],
                "amazon-bedrock-guardrailConfig": {"tagSuffix": "xyz"},
            }
            request = urllib.request.Request(
                running.url + "/v1/chat/completions",
                data=json.dumps(body).encode(),
                headers={"content-type": "application/json", "authorization": "Bearer any", **headers},
            )
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read())["choices"][0]["message"]["content"]

        tag = "amazon-bedrock-guardrails-guardContent_xyz"
        assert post(f"a cactus <{tag}>hello</{tag}>", **headers) == "Hello from the script."
        assert post(f"hello <{tag}>a cactus</{tag}>", **headers) == IN
        with pytest.raises(urllib.error.HTTPError) as error:
            post("hello")
        assert error.value.code == 400
