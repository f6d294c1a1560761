"""ApplyGuardrail and InvokeGuardrailChecks, through boto3 and the AWS CLI."""

import json

import pytest

from support.clients import cli, client, raises

ACCOUNT = "777766665555"
IN, OUT = "not to the model", "not to the caller"
UNKNOWN = "The guardrail identifier or version provided in the request does not exist."
FORMAT = "Guardrail was enabled but input is in incorrect format."


@pytest.fixture(scope="module")
def bedrock(server):
    made = client(server.url, "bedrock", account=ACCOUNT)
    yield made
    for one in made.list_guardrails()["guardrails"]:
        made.delete_guardrail(guardrailIdentifier=one["id"])


@pytest.fixture(scope="module")
def runtime(server):
    return client(server.url, "bedrock-runtime", account=ACCOUNT)


@pytest.fixture(scope="module")
def masking(bedrock):
    """Blocks `cactus`, masks addresses and tickets in answers, and tells of URLs."""
    return bedrock.create_guardrail(
        name="masking",
        blockedInputMessaging=IN,
        blockedOutputsMessaging=OUT,
        wordPolicyConfig={"wordsConfig": [{"text": "cactus"}]},
        sensitiveInformationPolicyConfig={
            "piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}, {"type": "URL", "action": "NONE"}],
            "regexesConfig": [{"name": "Ticket", "pattern": r"T-\d+", "action": "ANONYMIZE"}],
        },
    )["guardrailId"]


def texts(*texts):
    return [{"text": text if isinstance(text, dict) else {"text": text}} for text in texts]


def marked(text, *qualifiers):
    return {"text": text, "qualifiers": list(qualifiers)}


@pytest.fixture
def apply(runtime, masking):
    def call(source, *content, **rest):
        return runtime.apply_guardrail(
            **{
                "guardrailIdentifier": masking,
                "guardrailVersion": "DRAFT",
                "source": source,
                "content": texts(*content),
                **rest,
            }
        )

    return call


COUNTERS = {
    "topicPolicyUnits", "contentPolicyUnits", "wordPolicyUnits", "sensitiveInformationPolicyUnits",
    "sensitiveInformationPolicyFreeUnits", "contextualGroundingPolicyUnits", "contentPolicyImageUnits",
    "automatedReasoningPolicyUnits", "automatedReasoningPolicies",
}  # fmt: skip


def test_nothing_found(apply, masking):
    said = apply("OUTPUT", "x" * 1001, "two")
    assert (said["action"], said["actionReason"], said["outputs"]) == ("NONE", "No action.", [])
    assert said["usage"].keys() == COUNTERS
    used = {name: count for name, count in said["usage"].items() if count}
    assert used == {"wordPolicyUnits": 2, "sensitiveInformationPolicyUnits": 2, "sensitiveInformationPolicyFreeUnits": 2}
    assert said["guardrailCoverage"] == {"textCharacters": {"guarded": 1004, "total": 1004}}
    [assessment] = said["assessments"]
    assert assessment.keys() == {"invocationMetrics", "appliedGuardrailDetails"}
    metrics = assessment["invocationMetrics"]
    assert metrics["usage"] == said["usage"] and metrics["guardrailCoverage"] == said["guardrailCoverage"]
    assert metrics["guardrailProcessingLatency"] >= 0
    details = assessment["appliedGuardrailDetails"]
    assert (details["guardrailId"], details["guardrailVersion"]) == (masking, "DRAFT")
    assert (details["guardrailOrigin"], details["guardrailOwnership"]) == (["REQUEST"], "SELF")


@pytest.mark.parametrize(("source", "message"), [("INPUT", IN), ("OUTPUT", OUT)])
def test_a_block(apply, source, message):
    said = apply(source, "Water the CACTUS.", "jane.doe@example.com")
    assert (said["action"], said["actionReason"]) == ("GUARDRAIL_INTERVENED", "Guardrail blocked.")
    assert said["outputs"] == [{"text": message}]
    [assessment] = said["assessments"]
    assert assessment["wordPolicy"] == {
        "customWords": [{"match": "CACTUS", "action": "BLOCKED", "detected": True}], "managedWordLists": [],
    }  # fmt: skip
    # What would have been masked is not told beside a block.
    assert "sensitiveInformationPolicy" not in assessment


def test_masks_stand_in_their_places(apply):
    said = apply("OUTPUT", "nothing", "ask jane.doe@example.com of T-17 and bob@example.com")
    assert (said["action"], said["actionReason"]) == ("GUARDRAIL_INTERVENED", "Guardrail masked.")
    assert said["outputs"] == [{"text": "nothing"}, {"text": "ask {EMAIL} of {Ticket} and {EMAIL}"}]
    policy = said["assessments"][0]["sensitiveInformationPolicy"]
    assert policy["piiEntities"] == [
        {"type": "EMAIL", "match": match, "action": "ANONYMIZED", "detected": True}
        for match in ("jane.doe@example.com", "bob@example.com")
    ]
    assert policy["regexes"] == [
        {"name": "Ticket", "regex": r"T-\d+", "match": "T-17", "action": "ANONYMIZED", "detected": True}
    ]
    # The older action masks answers only, so that nothing is looked for on the way in.
    assert apply("INPUT", "T-17")["action"] == "NONE"


def test_what_only_tells_changes_nothing(apply):
    said = apply("INPUT", "See https://www.example.com/a for more.")
    assert (said["action"], said["outputs"]) == ("NONE", [])
    [entity] = said["assessments"][0]["sensitiveInformationPolicy"]["piiEntities"]
    assert (entity["type"], entity["action"], entity["detected"]) == ("URL", "NONE", True)


def test_only_marked_texts_are_judged(apply):
    said = apply("OUTPUT", "a cactus", marked("T-1", "guard_content"), "T-2")
    assert said["outputs"] == texts_of("a cactus", "{Ticket}", "T-2")
    assert said["guardrailCoverage"]["textCharacters"] == {"guarded": 3, "total": 14}


def texts_of(*texts):
    return [{"text": text} for text in texts]


def test_the_full_scope(apply):
    said = apply("OUTPUT", "nothing", outputScope="FULL")
    [assessment] = said["assessments"]
    assert assessment["sensitiveInformationPolicy"] == {
        "piiEntities": [
            {"type": kind, "match": "", "action": "NONE", "detected": False} for kind in ("EMAIL", "URL")
        ],
        "regexes": [],
    }
    assert "wordPolicy" not in assessment


def test_a_version_keeps_judging_as_it_was(bedrock, runtime):
    messages = {"name": "versions", "blockedInputMessaging": IN, "blockedOutputsMessaging": OUT}
    words = lambda word: {"wordPolicyConfig": {"wordsConfig": [{"text": word}]}}  # noqa: E731
    made = bedrock.create_guardrail(**messages, **words("rose"))["guardrailId"]
    bedrock.create_guardrail_version(guardrailIdentifier=made)
    bedrock.update_guardrail(guardrailIdentifier=made, **messages, **words("tulip"))
    actions = {
        (version, word): runtime.apply_guardrail(
            guardrailIdentifier=made, guardrailVersion=version, source="INPUT", content=texts(f"a {word}")
        )["action"]
        for version in ("1", "DRAFT")
        for word in ("rose", "tulip")
    }
    stopped = [key for key, action in actions.items() if action == "GUARDRAIL_INTERVENED"]
    assert stopped == [("1", "rose"), ("DRAFT", "tulip")]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"guardrailVersion": "7"}, UNKNOWN),
        ({"guardrailIdentifier": "abcdefabcdef"}, UNKNOWN),
        ({"guardrailIdentifier": f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:guardrail/abcdefabcdef"}, UNKNOWN),
        ({"guardrailIdentifier": "1"}, "The provided guardrail identifier is invalid."),
        ({"content": []}, FORMAT),
        ({"content": [{"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}]}, FORMAT),
    ],
)
def test_what_cannot_be_applied(apply, changed, text):
    raises(lambda: apply("INPUT", "x", **changed), "ValidationException", text)


def test_a_million_characters_and_one_are_too_many(apply):
    text = "Input text size (1001 text units) exceeds the maximum allowed (1000 text units)"
    raises(lambda: apply("INPUT", "x" * 1_000_001), "ThrottlingException", text, status=429)
    assert apply("INPUT", "x" * 1_000_000)["usage"]["wordPolicyUnits"] == 1000


def test_grounding_needs_its_texts(bedrock, runtime):
    made = bedrock.create_guardrail(
        name="grounding",
        blockedInputMessaging=IN,
        blockedOutputsMessaging=OUT,
        contextualGroundingPolicyConfig={"filtersConfig": [{"type": "GROUNDING", "threshold": 0.5}]},
    )["guardrailId"]
    call = {"guardrailIdentifier": made, "guardrailVersion": "DRAFT"}
    answer = lambda **rest: runtime.apply_guardrail(**call, **rest)  # noqa: E731
    missing = lambda: answer(source="OUTPUT", content=texts("Paris is in France."))  # noqa: E731
    raises(missing, "ValidationException", "The provided request does not contain the grounding source.")
    assert answer(source="INPUT", content=texts("Paris is in France."))["action"] == "NONE"
    said = answer(
        source="OUTPUT",
        content=texts(
            marked("Paris is the capital of France. It lies on the Seine.", "grounding_source"),
            marked("Where is Paris?", "query"),
            "Paris is the capital of France.",
        ),
    )
    [score] = said["assessments"][0]["contextualGroundingPolicy"]["filters"]
    assert score["type"] == "GROUNDING" and score["threshold"] == 0.5 and 0 <= score["score"] <= 1
    assert said["usage"]["contextualGroundingPolicyUnits"] == 1


def test_a_policy_that_denies_it(server):
    """Nobody applies a guardrail without `bedrock:ApplyGuardrail`: the same rule as for every operation."""
    other = client(server.url, "bedrock-runtime", account="777766664444")
    call = {"guardrailIdentifier": "abcdefabcdef", "guardrailVersion": "DRAFT", "source": "INPUT", "content": texts("x")}
    raises(lambda: other.apply_guardrail(**call), "ValidationException", UNKNOWN)


class TestChecks:
    TEXT = "Zoë 😀 wrote to zoe@example.com and to max@example.org."

    def check(self, runtime, checks, *texts):
        messages = [{"role": "user", "content": [{"text": text} for text in texts]}]
        return runtime.invoke_guardrail_checks(messages=messages, checks=checks)

    def test_offsets_slice_the_text(self, runtime):
        checks = {"sensitiveInformation": {"entities": [{"type": "EMAIL"}]}}
        said = self.check(runtime, checks, "nothing", self.TEXT)
        assert said["results"].keys() == said["usage"].keys() == {"sensitiveInformation"}
        found = said["results"]["sensitiveInformation"]
        sliced = [self.TEXT[one["beginOffset"] : one["endOffset"]] for one in found["results"]]
        assert sliced == ["zoe@example.com", "max@example.org"] and found["truncated"] is False
        assert {(one["messageIndex"], one["contentIndex"]) for one in found["results"]} == {(0, 1)}

    def test_75_000_characters_are_75_units(self, runtime):
        checks = {"sensitiveInformation": {"entities": [{"type": "EMAIL"}]}}
        said = self.check(runtime, checks, ("a@b.example " * 6250)[:75_000])
        found = said["results"]["sensitiveInformation"]
        assert (len(found["results"]), found["truncated"]) == (1000, True)
        assert said["usage"]["sensitiveInformation"] == {"textUnits": 75}

    def test_results_mirror_what_is_asked(self, runtime):
        checks = {
            "contentFilter": {"categories": [{"category": "VIOLENCE"}, {"category": "HATE"}]},
            "promptAttack": {"categories": [{"category": "JAILBREAK"}]},
        }
        said = self.check(runtime, checks, "How do I bake bread?")
        assert said["results"].keys() == said["usage"].keys() == checks.keys()
        entries = said["results"]["contentFilter"]["results"]
        assert [entry["category"] for entry in entries] == ["VIOLENCE", "HATE"]
        entries += said["results"]["promptAttack"]["results"]
        assert all(round(entry["severityScore"] * 5, 9) in range(6) for entry in entries), entries

    def test_what_breaks_a_rule(self, runtime):
        raises(lambda: self.check(runtime, {}, "x"), "ValidationException", "at least one")
        checks = {"sensitiveInformation": {"entities": [{"type": "EMAIL"}]}}
        raises(lambda: self.check(runtime, checks, *["x"] * 11), "ValidationException", "10")


def test_through_the_cli(server, masking, tmp_path):
    content = tmp_path / "content.json"
    content.write_text(json.dumps(texts("ask jane.doe@example.com")))
    said = cli(
        server.url, "bedrock-runtime", "apply-guardrail", "--guardrail-identifier", masking,
        "--guardrail-version", "DRAFT", "--source", "OUTPUT", "--content", f"file://{content}", key=(ACCOUNT, "test"),
    )  # fmt: skip
    assert said["outputs"] == [{"text": "ask {EMAIL}"}]
