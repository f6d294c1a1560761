"""Guardrails: create, get, list, update, delete; versions; what an account enforces; what survives."""

import datetime
import json
import re

import pytest

from support.clients import client, raises

ACCOUNT = "666655554444"
OTHER = "666655553333"
UNKNOWN_ID = "abcdefabcdef"
IN, OUT = "not to the model", "not to the caller"
WORDS = {"wordsConfig": [{"text": "cactus"}]}


@pytest.fixture
def mine(server):
    """A client of an account of its own, left without guardrails."""
    made = client(server.url, "bedrock", account=ACCOUNT)
    yield made
    for config in made.list_enforced_guardrails_configuration()["guardrailsConfig"]:
        made.delete_enforced_guardrail_configuration(configId=config["configId"])
    for one in made.list_guardrails()["guardrails"]:
        made.delete_guardrail(guardrailIdentifier=one["id"])


def given(name="mine", **policies):
    policies = policies or {"wordPolicyConfig": WORDS}
    return {"name": name, "blockedInputMessaging": IN, "blockedOutputsMessaging": OUT, **policies}


def create(bedrock, name="mine", **rest):
    return bedrock.create_guardrail(**given(name, **rest))


def got(bedrock, identifier, version=None):
    which = {"guardrailVersion": version} if version else {}
    return bedrock.get_guardrail(guardrailIdentifier=identifier, **which)


def listed(bedrock, **which):
    pages = bedrock.get_paginator("list_guardrails").paginate(**which)
    return [one for page in pages for one in page["guardrails"]]


EVERYTHING = {
    "topicPolicyConfig": {
        "topicsConfig": [
            {"name": "Stocks", "type": "DENY", "definition": "What to buy", "examples": ["Should I buy gold?"]},
            {"name": "Law", "type": "DENY", "definition": "Legal advice", "inputAction": "NONE", "outputEnabled": False},
        ],
    },
    "contentPolicyConfig": {
        "filtersConfig": [
            {"type": "HATE", "inputStrength": "HIGH", "outputStrength": "LOW", "inputModalities": ["TEXT", "IMAGE"]},
            {"type": "PROMPT_ATTACK", "inputStrength": "MEDIUM", "outputStrength": "NONE"},
        ],
    },
    "wordPolicyConfig": {**WORDS, "managedWordListsConfig": [{"type": "PROFANITY", "outputAction": "NONE"}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [
            {"type": "EMAIL", "action": "ANONYMIZE"},
            {"type": "NAME", "action": "BLOCK", "inputAction": "ANONYMIZE", "inputEnabled": True},
        ],
        "regexesConfig": [{"name": "Ticket", "pattern": r"T-\d+", "description": "A ticket", "action": "NONE"}],
    },
    "contextualGroundingPolicyConfig": {
        "filtersConfig": [{"type": "GROUNDING", "threshold": 0.75}, {"type": "RELEVANCE", "threshold": 0.5, "action": "NONE"}]
    },
    "crossRegionConfig": {"guardrailProfileIdentifier": "us.guardrail.v1:0"},
}


def test_create_then_get(mine):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    made = create(mine, description="For search", **EVERYTHING)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert re.fullmatch(r"[a-z0-9]{12}", made["guardrailId"]), made
    assert made["guardrailArn"] == f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/{made['guardrailId']}"
    assert made["version"] == "DRAFT"
    for identifier in (made["guardrailArn"], made["guardrailId"]):
        told = got(mine, identifier)
        assert (told["name"], told["description"], told["status"]) == ("mine", "For search", "READY")
        assert (told["version"], told["blockedInputMessaging"], told["blockedOutputsMessaging"]) == ("DRAFT", IN, OUT)
        assert before <= told["createdAt"] == told["updatedAt"] == made["createdAt"]
    defaults = {"inputAction": "BLOCK", "outputAction": "BLOCK", "inputEnabled": True, "outputEnabled": True}
    topics = told["topicPolicy"]
    assert topics["tier"] == {"tierName": "CLASSIC"}
    first, second = topics["topics"]
    assert first == {
        "name": "Stocks", "type": "DENY", "definition": "What to buy", "examples": ["Should I buy gold?"], **defaults,
    }
    assert {key: second[key] for key in defaults} == {**defaults, "inputAction": "NONE", "outputEnabled": False}
    hate, attack = told["contentPolicy"]["filters"]
    assert (hate["inputModalities"], hate["outputModalities"]) == (["TEXT", "IMAGE"], ["TEXT"])
    assert (attack["inputStrength"], attack["outputStrength"], attack["inputAction"]) == ("MEDIUM", "NONE", "BLOCK")
    assert told["wordPolicy"]["words"] == [{"text": "cactus", **defaults}]
    assert told["wordPolicy"]["managedWordLists"] == [{"type": "PROFANITY", **defaults, "outputAction": "NONE"}]
    email, name = told["sensitiveInformationPolicy"]["piiEntities"]
    # Masking by the older action alone is for answers, and is not told as more.
    assert email == {"type": "EMAIL", "action": "ANONYMIZE", "outputAction": "ANONYMIZE", "outputEnabled": True}
    assert (name["action"], name["inputAction"], name["outputAction"]) == ("BLOCK", "ANONYMIZE", "BLOCK")
    [regex] = told["sensitiveInformationPolicy"]["regexes"]
    assert (regex["name"], regex["pattern"], regex["description"], regex["inputAction"]) == ("Ticket", r"T-\d+", "A ticket", "NONE")
    grounding, relevance = told["contextualGroundingPolicy"]["filters"]
    assert grounding == {"type": "GROUNDING", "threshold": 0.75, "action": "BLOCK", "enabled": True}
    assert (relevance["type"], relevance["action"]) == ("RELEVANCE", "NONE")
    assert told["crossRegionDetails"] == {
        "guardrailProfileId": "us.guardrail.v1:0",
        "guardrailProfileArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail-profile/us.guardrail.v1:0",
    }
    assert "tags" not in told and "kmsKeyArn" not in told and "automatedReasoningPolicy" not in told


def test_an_update_replaces_everything(mine):
    made = create(mine, description="first", **EVERYTHING)
    identifier = made["guardrailId"]
    answer = mine.update_guardrail(guardrailIdentifier=identifier, **given("other", wordPolicyConfig=WORDS))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (answer["guardrailId"], answer["guardrailArn"], answer["version"]) == (
        identifier, made["guardrailArn"], "DRAFT",
    )
    told = got(mine, identifier)
    assert told["name"] == "other" and told["updatedAt"] > told["createdAt"]
    gone = {"description", "topicPolicy", "contentPolicy", "sensitiveInformationPolicy", "contextualGroundingPolicy", "crossRegionDetails"}
    assert not gone & told.keys() and told["wordPolicy"]["words"][0]["text"] == "cactus"
    refused = lambda: mine.update_guardrail(guardrailIdentifier=identifier, **given("other", wordPolicyConfig={}))  # noqa: E731
    raises(refused, "ValidationException", "Guardrail must have at least one policy")
    assert got(mine, identifier)["updatedAt"] == told["updatedAt"]


def test_versions_are_immutable_and_counted(mine):
    identifier = create(mine)["guardrailId"]
    first = mine.create_guardrail_version(guardrailIdentifier=identifier, description="one")
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (first["guardrailId"], first["version"]) == (identifier, "1")
    policy = {"wordsConfig": [{"text": "thistle"}]}
    mine.update_guardrail(guardrailIdentifier=identifier, **given("renamed", wordPolicyConfig=policy))
    assert mine.create_guardrail_version(guardrailIdentifier=identifier)["version"] == "2"
    words = {version: got(mine, identifier, version)["wordPolicy"]["words"][0]["text"] for version in ("1", "2", "DRAFT")}
    assert words == {"1": "cactus", "2": "thistle", "DRAFT": "thistle"}
    told = got(mine, identifier, "1")
    assert (told["version"], told["name"], told["description"]) == ("1", "mine", "one")
    assert "description" not in got(mine, identifier, "2")

    mine.delete_guardrail(guardrailIdentifier=identifier, guardrailVersion="2")
    assert mine.create_guardrail_version(guardrailIdentifier=identifier)["version"] == "3"
    raises(lambda: got(mine, identifier, "2"), "ResourceNotFoundException", status=404)
    versions = [one["version"] for one in listed(mine, guardrailIdentifier=identifier)]
    assert versions == ["DRAFT", "3", "1"]
    for size in (1, 2, 1000):
        paged = listed(mine, guardrailIdentifier=identifier, PaginationConfig={"PageSize": size})
        assert [one["version"] for one in paged] == versions
    assert [one["version"] for one in listed(mine)] == ["DRAFT"]
    mine.delete_guardrail(guardrailIdentifier=identifier)
    raises(lambda: got(mine, identifier, "1"), "ResourceNotFoundException", status=404)


def test_the_twenty_first_version_is_one_too_many(mine):
    identifier = create(mine)["guardrailId"]
    for number in range(20):
        assert mine.create_guardrail_version(guardrailIdentifier=identifier)["version"] == str(number + 1)
    more = lambda: mine.create_guardrail_version(guardrailIdentifier=identifier)  # noqa: E731
    raises(more, "ServiceQuotaExceededException", "20 versions")


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_list_page_by_page(mine, size):
    for name in ("a", "b", "c", "d"):
        create(mine, name)
    assert [one["name"] for one in listed(mine, PaginationConfig={"PageSize": size})] == ["d", "c", "b", "a"]


def test_a_name_is_taken_once(mine, server):
    create(mine)
    taken = "Another guardrail in your account already has this name."
    raises(lambda: create(mine), "ConflictException", taken)
    other = create(mine, "other")["guardrailId"]
    rename = lambda: mine.update_guardrail(guardrailIdentifier=other, **given("mine"))  # noqa: E731
    raises(rename, "ConflictException", taken)
    elsewhere = client(server.url, "bedrock", account=ACCOUNT, region="eu-west-1")
    made = create(elsewhere)["guardrailId"]
    elsewhere.delete_guardrail(guardrailIdentifier=made)


def test_a_client_token_makes_one(mine):
    first = create(mine, clientRequestToken="once", wordPolicyConfig=WORDS)
    assert create(mine, clientRequestToken="once", wordPolicyConfig=WORDS)["guardrailId"] == first["guardrailId"]
    raises(lambda: create(mine, "other", clientRequestToken="once", wordPolicyConfig=WORDS), "ConflictException")
    version = {"guardrailIdentifier": first["guardrailId"], "clientRequestToken": "once"}
    assert [mine.create_guardrail_version(**version)["version"] for _ in range(2)] == ["1", "1"]


def test_another_account_and_region_see_nothing(mine, server):
    made = create(mine)
    for other in (client(server.url, "bedrock", account=OTHER), client(server.url, "bedrock", account=ACCOUNT, region="eu-west-1")):
        for identifier in (made["guardrailId"], made["guardrailArn"]):
            raises(lambda: got(other, identifier), "ResourceNotFoundException", status=404)
            raises(lambda: other.delete_guardrail(guardrailIdentifier=identifier), "ResourceNotFoundException", status=404)
            raises(
                lambda: other.update_guardrail(guardrailIdentifier=identifier, **given()),
                "ResourceNotFoundException", status=404,
            )
            raises(
                lambda: other.create_guardrail_version(guardrailIdentifier=identifier),
                "ResourceNotFoundException", status=404,
            )
        assert not listed(other)
    raises(lambda: got(mine, UNKNOWN_ID), "ResourceNotFoundException", status=404)


def filters(*filters):
    return {"contentPolicyConfig": {"filtersConfig": [
        {"type": kind, "inputStrength": "HIGH", "outputStrength": output} for kind, output in filters
    ]}}


def topic(definition, tier=None):
    policy = {"topicsConfig": [{"name": "a", "type": "DENY", "definition": definition}]}
    return {"topicPolicyConfig": {**policy, **({"tierConfig": {"tierName": tier}} if tier else {})}}


def regexes(*pairs):
    return {"sensitiveInformationPolicyConfig": {"regexesConfig": [
        {"name": name, "pattern": pattern, "action": "BLOCK"} for name, pattern in pairs
    ]}}


@pytest.mark.parametrize(
    ("policies", "text"),
    [
        ({"wordPolicyConfig": {}}, "Guardrail must have at least one policy"),
        (filters(("PROMPT_ATTACK", "LOW")), "PROMPT ATTACK content filter strength for response must be NONE"),
        (filters(("HATE", "LOW"), ("HATE", "HIGH")), "Content policy must not include duplicate filters"),
        (
            {"topicPolicyConfig": {"topicsConfig": [{"name": "a", "type": "DENY", "definition": d} for d in "xy"]}},
            "Topic policy topic names are not unique",
        ),
        (
            {"sensitiveInformationPolicyConfig": {"piiEntitiesConfig": [{"type": "EMAIL", "action": "BLOCK"}] * 2}},
            "The PII entity configs cannot have duplicates",
        ),
        ({"wordPolicyConfig": {"managedWordListsConfig": [{"type": "PROFANITY"}] * 2}}, "Managed words cannot have duplicates"),
        ({"wordPolicyConfig": {"wordsConfig": [{"text": "a"}, {"text": "A"}]}}, "Custom words cannot have case-insensitive duplicates"),
        ({"wordPolicyConfig": {"wordsConfig": [{"text": "x" * 101}]}}, "The custom word length in this Word policy exceeds quota limit"),
        (regexes(("a", "x"), ("a", "y")), "All regex names must be unique"),
        (regexes(("a", "x"), ("b", "x")), "All regex patterns must be unique"),
        (regexes(("a", "x" * 501)), "Regex length in sensitive information policy exceeds quota limit"),
        (regexes(("Ticket", "(?=x)y")), "Ticket"),
        (regexes(("Ticket", r"(a)\1")), "Ticket"),
        (regexes(("Ticket", "(")), "Ticket"),
        (topic("x" * 201), "One or more of your guardrail topic definitions exceeds the maximum allowed length"),
        (topic("x", "STANDARD"), "Enable cross-Region inference for your guardrail to use Standard tier"),
        (
            {"contextualGroundingPolicyConfig": {"filtersConfig": [{"type": "GROUNDING", "threshold": 1.0}]}},
            "grounding threshold cannot be greater than or equal to 1",
        ),
        (
            {"wordPolicyConfig": WORDS, "crossRegionConfig": {"guardrailProfileIdentifier": "eu.guardrail.v1:0"}},
            "Guardrail cross-Region profile ID is invalid. Specify a guardrail profile ID that's supported in your current AWS Region",
        ),
        (
            {"automatedReasoningPolicyConfig": {"policies": [
                f"arn:aws:bedrock:us-east-1:{ACCOUNT}:automated-reasoning-policy/abcdefghij12:1"
            ]}},
            "To use Automated Reasoning checks, your guardrail must have a cross-Region inference profile",
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused(mine, policies, text):
    raises(lambda: create(mine, **policies), "ValidationException", text)
    assert not listed(mine)


def test_a_standard_definition_may_be_long(mine):
    profile = {"guardrailProfileIdentifier": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail-profile/us.guardrail.v1:0"}
    definition = "Advice about stocks. " * 40
    made = create(mine, **topic(definition, "STANDARD"), crossRegionConfig=profile)
    policy = got(mine, made["guardrailId"])["topicPolicy"]
    assert policy["tier"] == {"tierName": "STANDARD"} and policy["topics"][0]["definition"] == definition


def test_a_reasoning_policy_that_does_not_exist(mine):
    arn = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:automated-reasoning-policy/abcdefghij12:1"
    policies = {
        "automatedReasoningPolicyConfig": {"policies": [arn]},
        "crossRegionConfig": {"guardrailProfileIdentifier": "us.guardrail.v1:0"},
    }
    raises(lambda: create(mine, **policies), "ResourceNotFoundException", arn, status=404)


def test_tags(mine):
    arn = create(mine, tags=[{"key": "team", "value": "search"}], wordPolicyConfig=WORDS)["guardrailArn"]
    mine.tag_resource(resourceARN=arn, tags=[{"key": "cost", "value": "7"}])
    mine.untag_resource(resourceARN=arn, tagKeys=["team"])
    assert mine.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "cost", "value": "7"}]
    mine.delete_guardrail(guardrailIdentifier=arn)
    raises(lambda: mine.list_tags_for_resource(resourceARN=arn), "ResourceNotFoundException", status=404)


def test_a_policy_shares_it(mine, server):
    arn = create(mine)["guardrailArn"]
    statement = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "bedrock:ApplyGuardrail", "Resource": arn}
    mine.put_resource_policy(resourceArn=arn, resourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    other = client(server.url, "bedrock-runtime", account=OTHER)
    ask = {"guardrailVersion": "DRAFT", "source": "INPUT", "content": [{"text": {"text": "a cactus"}}]}
    said = other.apply_guardrail(guardrailIdentifier=arn, **ask)
    assert said["action"] == "GUARDRAIL_INTERVENED"
    assert said["assessments"][0]["appliedGuardrailDetails"]["guardrailOwnership"] == "CROSS_ACCOUNT"
    # What the policy does not say stays shut.
    raises(lambda: got(client(server.url, "bedrock", account=OTHER), arn), "AccessDeniedException", status=403)


class TestEnforced:
    def test_one_configuration_holds_its_version(self, mine):
        first, second = create(mine, "first")["guardrailId"], create(mine, "second")["guardrailId"]
        for one in (first, second):
            mine.create_guardrail_version(guardrailIdentifier=one)
        assert mine.list_enforced_guardrails_configuration()["guardrailsConfig"] == []

        def put(guardrail, **rest):
            config = {
                "guardrailIdentifier": guardrail,
                "guardrailVersion": "1",
                "selectiveContentGuarding": {"messages": "SELECTIVE"},
                "modelEnforcement": {"includedModels": ["ALL"], "excludedModels": ["amazon.titan-text-lite-v1"]},
            }
            return mine.put_enforced_guardrail_configuration(guardrailInferenceConfig=config, **rest)

        made = put(first)
        [config] = mine.list_enforced_guardrails_configuration()["guardrailsConfig"]
        assert (config["configId"], config["guardrailId"], config["guardrailVersion"]) == (made["configId"], first, "1")
        assert config["guardrailArn"].endswith(f":guardrail/{first}") and config["owner"] == "ACCOUNT"
        assert config["selectiveContentGuarding"] == {"messages": "SELECTIVE"}
        assert config["modelEnforcement"] == {"includedModels": ["ALL"], "excludedModels": ["amazon.titan-text-lite-v1"]}
        assert config["createdAt"] == config["updatedAt"] and ACCOUNT in config["createdBy"]
        for version in ({}, {"guardrailVersion": "1"}):
            raises(lambda: mine.delete_guardrail(guardrailIdentifier=first, **version), "ResourceInUseException")
        assert put(second, configId=made["configId"])["configId"] == made["configId"]
        mine.delete_guardrail(guardrailIdentifier=first)
        raises(lambda: put(second, configId="nobody"), "ResourceNotFoundException", status=404)
        raises(lambda: put(first), "ResourceNotFoundException", status=404)
        gone = lambda name: mine.delete_enforced_guardrail_configuration(configId=name)  # noqa: E731
        raises(lambda: gone("nobody"), "ResourceNotFoundException", status=404)
        gone(made["configId"])
        assert mine.list_enforced_guardrails_configuration()["guardrailsConfig"] == []
        mine.delete_guardrail(guardrailIdentifier=second)


class TestDurability:
    def test_what_was_acknowledged_survives_a_kill(self, fresh):
        server = fresh().start()
        bedrock = client(server.url, "bedrock")
        kept = {}
        for number in range(30):
            made = create(bedrock, f"guardrail-{number}", tags=[{"key": "n", "value": str(number)}], wordPolicyConfig=WORDS)
            kept[made["guardrailId"]] = f"guardrail-{number}"
        identifier, name = next(iter(kept.items()))
        bedrock.create_guardrail_version(guardrailIdentifier=identifier)
        policy = {"wordsConfig": [{"text": "thistle"}]}
        bedrock.update_guardrail(guardrailIdentifier=identifier, **given(name, wordPolicyConfig=policy))
        config = {"guardrailIdentifier": identifier, "guardrailVersion": "1"}
        bedrock.put_enforced_guardrail_configuration(guardrailInferenceConfig=config)
        server.kill()
        server.start()
        bedrock = client(server.url, "bedrock")
        assert {one["id"]: one["name"] for one in listed(bedrock)} == kept
        words = [got(bedrock, identifier, version)["wordPolicy"]["words"][0]["text"] for version in ("1", "DRAFT")]
        assert words == ["cactus", "thistle"]
        [enforced] = bedrock.list_enforced_guardrails_configuration()["guardrailsConfig"]
        assert enforced["guardrailId"] == identifier
        raises(lambda: bedrock.delete_guardrail(guardrailIdentifier=identifier), "ResourceInUseException")
        runtime = client(server.url, "bedrock-runtime")
        said = runtime.apply_guardrail(
            guardrailIdentifier=identifier, guardrailVersion="1", source="INPUT", content=[{"text": {"text": "a cactus"}}]
        )
        assert said["action"] == "GUARDRAIL_INTERVENED"
