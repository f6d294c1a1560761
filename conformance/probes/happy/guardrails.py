"""Recipes of guardrails."""

import uuid

from probes.happy.common import call, same


def new_guardrail(connection=None):
    """One that blocks `cactus`, whichever way it goes."""
    if connection:
        make_room(connection)
    words = [{"text": "cactus"}]
    members = {
        "name": f"probe-{uuid.uuid4().hex[:12]}",
        "blockedInputMessaging": "not to the model",
        "blockedOutputsMessaging": "not to the caller",
        "wordPolicyConfig": {"wordsConfig": words},
    }

    def check(answer):
        got = guardrail_of(connection, answer.json["guardrailId"])
        assert (got["name"], got["guardrailArn"]) == (members["name"], answer.json["guardrailArn"]), got
        assert [word["text"] for word in got["wordPolicy"]["words"]] == ["cactus"], got

    return members, check


def make_room(connection):
    """An account has a hundred: all but the latest that were made here go."""
    older = call(connection, "bedrock", "ListGuardrails", {}).json["guardrails"]
    for one in [one for one in older if one["name"].startswith("probe-")][20:]:
        call(connection, "bedrock", "DeleteGuardrail", {"guardrailIdentifier": one["id"]})


def guardrail(connection):
    """The id of a new guardrail."""
    make_room(connection)
    answer = call(connection, "bedrock", "CreateGuardrail", new_guardrail()[0])
    assert answer.status == 202, answer.body
    return answer.json["guardrailId"]


def guardrail_of(connection, guardrail_id, version="DRAFT"):
    members = {"guardrailIdentifier": guardrail_id, "guardrailVersion": version}
    answer = call(connection, "bedrock", "GetGuardrail", members)
    return answer.json if answer.status == 200 else answer.status


def get_guardrail(connection):
    made, other = guardrail(connection), guardrail(connection)

    def check(answer):
        assert (answer.json["guardrailId"], answer.json["status"]) == (made, "READY"), answer.json
        assert guardrail_of(connection, other)["guardrailId"] == other

    return {"guardrailIdentifier": made}, check


def list_guardrails(connection):
    made = guardrail(connection)

    def check(answer):
        assert made in [one["id"] for one in answer.json["guardrails"]], answer.json

    return {}, check


def update_guardrail(connection):
    members = {**new_guardrail()[0], "guardrailIdentifier": guardrail(connection), "description": "other"}

    def check(answer):
        got = guardrail_of(connection, members["guardrailIdentifier"])
        assert (got["name"], got["description"]) == (members["name"], "other"), got
        assert answer.json["version"] == "DRAFT", answer.json

    return members, check


def delete_guardrail(connection):
    made = guardrail(connection)
    return {"guardrailIdentifier": made}, lambda _: same(guardrail_of(connection, made), 404)


def guardrail_version(connection):
    """The id of a new guardrail with a version 1."""
    made = guardrail(connection)
    call(connection, "bedrock", "CreateGuardrailVersion", {"guardrailIdentifier": made})
    return made


def new_version(connection):
    made = guardrail(connection)

    def check(answer):
        assert answer.json == {"guardrailId": made, "version": "1"}, answer.json
        assert guardrail_of(connection, made, "1")["version"] == "1"

    return {"guardrailIdentifier": made}, check


def enforcement(connection):
    """Enforces a guardrail on calls of a model that nobody calls."""
    config = {
        "guardrailIdentifier": guardrail_version(connection),
        "guardrailVersion": "1",
        "modelEnforcement": {"includedModels": ["nobody.calls-it"], "excludedModels": []},
    }
    return {"guardrailInferenceConfig": config}


def enforced(connection):
    return call(connection, "bedrock", "ListEnforcedGuardrailsConfiguration", {}).json["guardrailsConfig"]


def put_enforced(connection):
    members = enforcement(connection)

    def check(answer):
        [config] = enforced(connection)
        assert config["configId"] == answer.json["configId"], config
        assert config["guardrailId"] == members["guardrailInferenceConfig"]["guardrailIdentifier"], config

    return members, check


def list_enforced(connection):
    members = enforcement(connection)
    config_id = call(connection, "bedrock", "PutEnforcedGuardrailConfiguration", members).json["configId"]

    def check(answer):
        [config] = answer.json["guardrailsConfig"]
        assert (config["configId"], config["guardrailVersion"]) == (config_id, "1"), config

    return {}, check


def delete_enforced(connection):
    members = enforcement(connection)
    config_id = call(connection, "bedrock", "PutEnforcedGuardrailConfiguration", members).json["configId"]
    return {"configId": config_id}, lambda _: same(enforced(connection), [])


def apply_guardrail(connection):
    members = {
        "guardrailIdentifier": guardrail(connection),
        "guardrailVersion": "DRAFT",
        "source": "INPUT",
        "content": [{"text": {"text": "Water the cactus."}}],
    }

    def check(answer):
        assert answer.json["action"] == "GUARDRAIL_INTERVENED", answer.json
        assert answer.json["outputs"] == [{"text": "not to the model"}], answer.json

    return members, check


def guardrail_checks(_):
    text = "Write to jane.doe@example.com today."
    members = {
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "checks": {"sensitiveInformation": {"entities": [{"type": "EMAIL"}]}},
    }

    def check(answer):
        [found] = answer.json["results"]["sensitiveInformation"]["results"]
        assert text[found["beginOffset"] : found["endOffset"]] == "jane.doe@example.com", found

    return members, check


RECIPES = {
    "bedrock:CreateGuardrail": new_guardrail,
    "bedrock:GetGuardrail": get_guardrail,
    "bedrock:ListGuardrails": list_guardrails,
    "bedrock:UpdateGuardrail": update_guardrail,
    "bedrock:DeleteGuardrail": delete_guardrail,
    "bedrock:CreateGuardrailVersion": new_version,
    "bedrock:PutEnforcedGuardrailConfiguration": put_enforced,
    "bedrock:ListEnforcedGuardrailsConfiguration": list_enforced,
    "bedrock:DeleteEnforcedGuardrailConfiguration": delete_enforced,
    "bedrock-runtime:ApplyGuardrail": apply_guardrail,
    "bedrock-runtime:InvokeGuardrailChecks": guardrail_checks,
}
