"""Guardrails under rules, faults and bad input: who must name one, who enforces one, what breaks, what is too much."""

import json
import os
import pathlib
import shutil

import pytest

from support import raw
from support.ask import HAIKU, user
from support.clients import client, raises
from support.keys import access_key
from support.server import Server, healthy
from support.sigv4 import Signer

ACCOUNT = "777766663333"
IN, OUT = "Not to the model.", "Not to the caller."

SCRIPT = """
[[rules]]
contains = "slowly"
text = "One after another the words come, and the CACTUS is among the last of them."
chunk = 4
chunk_delay_ms = 60

[[rules]]
contains = "both"
text = "Ask jane@example.com about T-4711, or jim@example.com."

[[rules]]
text = "Hello from the script."
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("hard") / "script.toml"
    path.write_text(SCRIPT)
    return f"[[providers]]\nname = 'script'\nkind = 'scripted'\nscript = '{path}'\nserves = ['anthropic.*']\n"


@pytest.fixture(scope="module")
def running(config):
    with Server(config=config) as server:
        yield server


def clients(server, account=ACCOUNT, **rest):
    return (client(server.url, service, account=account, **rest) for service in ("bedrock", "bedrock-runtime"))


def make(bedrock, name, **policies):
    made = bedrock.create_guardrail(name=name, blockedInputMessaging=IN, blockedOutputsMessaging=OUT, **policies)
    return made["guardrailId"]


def words(*texts):
    return {"wordPolicyConfig": {"wordsConfig": [{"text": text} for text in texts]}}


def masking(kind=None, pattern=None):
    policy = {}
    if kind:
        policy["piiEntitiesConfig"] = [{"type": kind, "action": "ANONYMIZE"}]
    if pattern:
        policy["regexesConfig"] = [{"name": "Ticket", "pattern": pattern, "action": "ANONYMIZE"}]
    return {"sensitiveInformationPolicyConfig": policy}


def by(guardrail, version="DRAFT", **more):
    return {"guardrailIdentifier": guardrail, "guardrailVersion": version, "trace": "enabled", **more}


def said(answer):
    return answer["output"]["message"]["content"][0]["text"]


def apply(one, guardrail, text, source="INPUT"):
    return one.apply_guardrail(
        guardrailIdentifier=guardrail,
        guardrailVersion="DRAFT",
        source=source,
        content=[{"text": {"text": text}}],
    )


class TestRules:
    def test_a_policy_denies_calls_that_name_no_guardrail(self, fresh, config):
        """The example of "Set up permissions to use guardrails" in the user guide."""
        server = fresh("serve", config=config)
        key = access_key(server.data, ACCOUNT)
        server.start()
        bedrock, _ = (client(server.url, service, key=key) for service in ("bedrock", "bedrock-runtime"))
        guardrail = make(bedrock, "must", **words("cactus"))
        version = bedrock.create_guardrail_version(guardrailIdentifier=guardrail)["version"]
        arn = bedrock.get_guardrail(guardrailIdentifier=guardrail)["guardrailArn"]
        server.stop()
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"bedrock:GuardrailIdentifier": f"{arn}:{version}"}},
                },
            ],
        }
        server.config = (
            config
            + f"[access.policies.must]\njson = '''{json.dumps(policy)}'''\n"
            + f"[[access.users]]\naccount = '{ACCOUNT}'\nname = 'bound'\npolicies = ['must']\n"
        )
        bound = access_key(server.data, ACCOUNT, "bound")
        server.start()
        one = client(server.url, "bedrock-runtime", key=bound)
        messages = [user("hello")]
        denied = lambda **rest: raises(  # noqa: E731
            lambda: one.converse(modelId=HAIKU, messages=messages, **rest), "AccessDeniedException", status=403
        )
        denied()
        denied(guardrailConfig=by(guardrail))  # the draft is another version
        assert one.converse(modelId=HAIKU, messages=messages, guardrailConfig=by(guardrail, version))["stopReason"] == "end_turn"
        # An ARN names the same guardrail.
        assert one.converse(modelId=HAIKU, messages=messages, guardrailConfig=by(arn, version))["stopReason"] == "end_turn"
        body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [
            {"role": "user", "content": "hello"}]})
        raises(lambda: one.invoke_model(modelId=HAIKU, body=body), "AccessDeniedException", status=403)
        one.invoke_model(modelId=HAIKU, body=body, guardrailIdentifier=guardrail, guardrailVersion=version)

    def test_the_operator_enforces_one_on_everybody(self, fresh, config):
        server = fresh(config=config).start()
        bedrock, _ = clients(server)
        guardrail = make(bedrock, "operator", **words("cactus"))
        version = bedrock.create_guardrail_version(guardrailIdentifier=guardrail)["version"]
        arn = bedrock.get_guardrail(guardrailIdentifier=guardrail)["guardrailArn"]
        server.stop()
        server.config = f"[guardrails]\nenforce = ['{arn}:{version}']\n" + config
        server.start()
        own, other = clients(server, "777766664444")
        answer = other.converse(modelId=HAIKU, messages=[user("a cactus")])
        assert said(answer) == IN and answer["stopReason"] == "guardrail_intervened"
        mine = make(own, "mine", **words("fern"))
        told = other.converse(modelId=HAIKU, messages=[user("hello")], guardrailConfig=by(mine))
        assessed = told["trace"]["guardrail"]["inputAssessment"]
        assert assessed[guardrail]["appliedGuardrailDetails"]["guardrailOrigin"] == ["ORGANIZATION_ENFORCED"]
        assert assessed[guardrail]["appliedGuardrailDetails"]["guardrailOwnership"] == "CROSS_ACCOUNT"
        # One that is gone stops every call, for nothing is let through.
        bedrock, one = clients(server)
        bedrock.delete_guardrail(guardrailIdentifier=guardrail)
        raises(
            lambda: one.converse(modelId=HAIKU, messages=[user("hello")]),
            "ServiceUnavailableException",
            "[guardrails] enforce",
            status=503,
        )

    def test_masks_of_several_stand_in_one_answer(self, fresh, config):
        server = fresh(config=config).start()
        bedrock, one = clients(server)
        everywhere, own = make(bedrock, "addresses", **masking("EMAIL")), make(bedrock, "tickets", **masking(pattern=r"T-\d+"))
        version = bedrock.create_guardrail_version(guardrailIdentifier=everywhere)["version"]
        bedrock.put_enforced_guardrail_configuration(
            guardrailInferenceConfig={"guardrailIdentifier": everywhere, "guardrailVersion": version}
        )
        expected = "Ask {EMAIL} about {Ticket}, or {EMAIL}."
        answer = one.converse(modelId=HAIKU, messages=[user("both")], guardrailConfig=by(own))
        assert said(answer) == expected and answer["stopReason"] == "guardrail_intervened"
        events = list(one.converse_stream(modelId=HAIKU, messages=[user("both")], guardrailConfig=by(own))["stream"])
        assert "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e) == expected
        trace = next(e["metadata"]["trace"] for e in events if "metadata" in e)
        assert set(trace["guardrail"]["outputAssessments"]) == {everywhere, own}


class TestFaults:
    @pytest.fixture
    def blind(self, tmp_path):
        """A folder of models without the one that judges."""
        named = os.environ.get("OUTCROP_MODELS")
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        folder = pathlib.Path(named) if named else cache / "outcrop" / "models"
        shutil.copytree(folder, tmp_path / "models", copy_function=os.symlink)
        (found,) = (tmp_path / "models").glob("*/*.safetensors")
        shutil.rmtree(found.parent)
        return {"OUTCROP_MODELS": str(tmp_path / "models")}

    POLICIES = {
        **words("cactus"),
        "topicPolicyConfig": {
            "topicsConfig": [{"name": "Sails", "definition": "Advice on the sails of ships", "type": "DENY"}]
        },
    }

    def test_what_cannot_be_judged_is_blocked(self, fresh, config, blind):
        server = fresh(config=config, env=blind).start()
        bedrock, one = clients(server)
        guardrail = make(bedrock, "blind", **self.POLICIES)
        messages = [user("hello")]
        call = lambda: one.converse(modelId=HAIKU, messages=messages, guardrailConfig=by(guardrail))  # noqa: E731
        raises(call, "ServiceUnavailableException", "nothing was let through", status=503)
        raises(lambda: apply(one, guardrail, "hello"), "ServiceUnavailableException", "could not judge", status=503)
        # Words need no model.
        plain = make(bedrock, "plain", **words("cactus"))
        assert apply(one, plain, "a cactus")["action"] == "GUARDRAIL_INTERVENED"
        assert one.converse(modelId=HAIKU, messages=messages)["stopReason"] == "end_turn"

    def test_or_goes_by_what_could_judge_where_that_is_wanted(self, fresh, config, blind):
        server = fresh(config='[guardrails]\non_failure = "allow"\n' + config, env=blind).start()
        bedrock, one = clients(server)
        guardrail = make(bedrock, "blind", **self.POLICIES)
        ask = lambda text: one.converse(modelId=HAIKU, messages=[user(text)], guardrailConfig=by(guardrail))  # noqa: E731
        assert ask("hello")["stopReason"] == "end_turn"
        assert said(ask("a cactus")) == IN
        assert "only words, PII and expressions are judged" in server.log_tail()

    def test_a_guardrail_is_deleted_while_a_stream_has_it(self, running):
        bedrock, one = clients(running)
        guardrail = make(bedrock, "leaving", **words("cactus"))
        config = by(guardrail, streamProcessingMode="sync")
        stream = iter(one.converse_stream(modelId=HAIKU, messages=[user("slowly")], guardrailConfig=config)["stream"])
        seen = [next(stream), next(stream)]
        bedrock.delete_guardrail(guardrailIdentifier=guardrail)
        seen.extend(stream)
        text = "".join(e["contentBlockDelta"]["delta"]["text"] for e in seen if "contentBlockDelta" in e)
        # The call keeps what it began with.
        assert text.endswith(OUT) and "CACTUS" not in text
        assert next(e["messageStop"]["stopReason"] for e in seen if "messageStop" in e) == "guardrail_intervened"
        raises(
            lambda: one.converse(modelId=HAIKU, messages=[user("hello")], guardrailConfig=by(guardrail)),
            "ValidationException",
            "does not exist",
        )


class TestMuch:
    def test_thirty_topics_with_five_examples_each(self, running):
        bedrock, one = clients(running)
        topics = [
            {
                "name": f"Topic {n}",
                "definition": f"Questions about the {n}. shelf of the library, and the books that stand there",
                "examples": [f"Which book is {m}. on shelf {n}?" for m in range(5)],
                "type": "DENY",
            }
            for n in range(30)
        ]
        guardrail = make(bedrock, "shelves", topicPolicyConfig={"topicsConfig": topics})
        kept = bedrock.get_guardrail(guardrailIdentifier=guardrail)["topicPolicy"]["topics"]
        assert [topic["name"] for topic in kept] == [topic["name"] for topic in topics]
        found = apply(one, guardrail, "Which book is 3. on shelf 17?")
        assert found["action"] == "GUARDRAIL_INTERVENED"
        more = {"topicPolicyConfig": {"topicsConfig": [*topics, {**topics[0], "name": "one more"}]}}
        with pytest.raises(bedrock.exceptions.ClientError) as error:
            make(bedrock, "too many", **more)
        assert error.value.response["Error"]["Code"] in ("ValidationException", "ServiceQuotaExceededException")

    def test_ten_megabytes(self, running):
        bedrock, one = clients(running)
        guardrail = make(bedrock, "long", **words("cactus"), **masking("EMAIL", r"T-\d+"))
        text = "The quick brown fox jumps over the lazy dog. " * 222_222
        answer = one.converse(modelId=HAIKU, messages=[user(text)], guardrailConfig=by(guardrail))
        assert answer["stopReason"] == "end_turn"
        coverage = answer["trace"]["guardrail"]["inputAssessment"][guardrail]["invocationMetrics"]["guardrailCoverage"]
        assert coverage["textCharacters"]["guarded"] == len(text)
        blocked = one.converse(modelId=HAIKU, messages=[user(text + "cactus")], guardrailConfig=by(guardrail))
        assert said(blocked) == IN
        limit = "exceeds the maximum allowed (1000 text units)"
        raises(lambda: apply(one, guardrail, text), "ThrottlingException", limit, status=429)
        assert healthy(running.url)

    def test_a_million_combining_marks(self, running):
        bedrock, one = clients(running)
        policies = {**words("cactus"), "contentPolicyConfig": {"filtersConfig": [
            {"type": "INSULTS", "inputStrength": "HIGH", "outputStrength": "HIGH"}]}}
        guardrail = make(bedrock, "marks", **policies)
        marks = "\u0301" * 999_990
        assert apply(one, guardrail, "a" + marks)["action"] == "NONE"
        assert apply(one, guardrail, "cactus a" + marks[:-20])["action"] == "GUARDRAIL_INTERVENED"
        # Right-to-left overrides and zero-width characters hide nothing.
        assert apply(one, guardrail, "\u202ec\u200bact\u200dus\u202c")["action"] == "GUARDRAIL_INTERVENED"

    def test_lone_surrogates(self, running):
        bedrock, _ = clients(running)
        guardrail = make(bedrock, "surrogates", **words("cactus"))
        body = b'{"source": "INPUT", "content": [{"text": {"text": "a cactus \\ud83d and more"}}]}'
        answer = raw.request(
            running, "POST", f"/guardrail/{guardrail}/version/DRAFT/apply", body, signer=Signer(key=ACCOUNT)
        )
        # Either it is judged, or it is refused in so many words: never let through.
        assert answer.status in (200, 400), answer.body
        if answer.status == 200:
            assert answer.json["action"] == "GUARDRAIL_INTERVENED"
        assert healthy(running.url)

    @pytest.mark.parametrize(
        "pattern", ["(", "a{2", "[z-a]", r"(?=ahead)x", r"(?<!behind)x", r"(a)\1", "a{1000}{1000}"],
        ids=["open", "brace", "range", "ahead", "behind", "back", "large"],
    )
    def test_an_expression_that_cannot_be(self, running, pattern):
        bedrock, _ = clients(running)
        with pytest.raises(bedrock.exceptions.ClientError) as error:
            make(bedrock, "expressions", **masking(pattern=pattern))
        told = error.value.response["Error"]
        assert told["Code"] == "ValidationException" and "Ticket" in told["Message"], told
        assert not [one for one in bedrock.list_guardrails()["guardrails"] if one["name"] == "expressions"]

    def test_an_expression_that_takes_others_forever(self, running):
        bedrock, one = clients(running)
        guardrail = make(bedrock, "catastrophic", **masking(pattern=r"(a+)+$"))
        assert apply(one, guardrail, "a" * 100_000 + "b", source="OUTPUT")["action"] == "NONE"
