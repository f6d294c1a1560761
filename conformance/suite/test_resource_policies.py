"""Policies of resources: put, get, delete in both services; who may then use what; what survives."""

import json

import pytest

from support.ask import HAIKU_ARN, converse
from support.clients import cli, client, raises

OWNER = "666666666666"
FRIEND = "777777777777"
STRANGER = "888888888888"
KNOWLEDGE_BASE = f"arn:aws:bedrock:us-east-1:{OWNER}:knowledge-base/ABCDEFGHIJ"


def policy(principal=FRIEND, effect="Allow", action="bedrock:InvokeModel", **rest):
    statement = {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": "*", **rest}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def owner(server):
    return client(server.url, "bedrock", account=OWNER)


@pytest.fixture
def profile(owner):
    made = owner.create_inference_profile(inferenceProfileName="shared", modelSource={"copyFrom": HAIKU_ARN})
    yield made["inferenceProfileArn"]
    owner.delete_inference_profile(inferenceProfileIdentifier=made["inferenceProfileArn"])


def test_put_get_delete(owner, profile):
    raises(lambda: owner.get_resource_policy(resourceArn=profile), "ResourceNotFoundException", status=404)
    raises(lambda: owner.delete_resource_policy(resourceArn=profile), "ResourceNotFoundException", status=404)
    put = owner.put_resource_policy(resourceArn=profile, resourcePolicy=policy())
    assert put["resourceArn"] == profile and put["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert owner.get_resource_policy(resourceArn=profile)["resourcePolicy"] == policy()
    owner.put_resource_policy(resourceArn=profile, resourcePolicy=policy(STRANGER))
    assert owner.get_resource_policy(resourceArn=profile)["resourcePolicy"] == policy(STRANGER)
    owner.delete_resource_policy(resourceArn=profile)
    raises(lambda: owner.get_resource_policy(resourceArn=profile), "ResourceNotFoundException", status=404)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("not JSON", "Syntax errors in policy."),
        ('{"Version":"2012-10-17","Statement":[]}', "Syntax errors in policy."),
        (policy(effect="Perhaps"), "The effect is Allow or Deny. (at Statement[0].Effect)"),
        (policy(action="Invoke"), "Actions/Conditions must be prefaced by a vendor"),
        (policy("somebody"), 'Invalid principal in policy: "AWS":"somebody"'),
        (policy(Condition={"StringIs": {"aws:userid": "x"}}), "Invalid Condition type : StringIs."),
        (policy(Resource="profile"), 'Resource profile must be in ARN format or "*".'),
    ],
)
def test_a_bad_policy_is_told_and_changes_nothing(owner, profile, document, told):
    owner.put_resource_policy(resourceArn=profile, resourcePolicy=policy())
    raises(
        lambda: owner.put_resource_policy(resourceArn=profile, resourcePolicy=document), "ValidationException", told
    )
    assert owner.get_resource_policy(resourceArn=profile)["resourcePolicy"] == policy()


def test_only_a_resource_that_exists_here_has_one(owner, profile, server):
    elsewhere = client(server.url, "bedrock", account=OWNER, region="us-west-2")
    stranger = client(server.url, "bedrock", account=STRANGER)
    for one, arn in [(owner, profile + "x"), (elsewhere, profile), (stranger, profile), (owner, HAIKU_ARN)]:
        raises(lambda: one.put_resource_policy(resourceArn=arn, resourcePolicy=policy()), "ValidationException")
        raises(lambda: one.get_resource_policy(resourceArn=arn), "ResourceNotFoundException", status=404)
        raises(lambda: one.delete_resource_policy(resourceArn=arn), "ResourceNotFoundException", status=404)


def test_another_account_uses_what_is_shared_with_it(owner, profile, server):
    friend = client(server.url, "bedrock-runtime", account=FRIEND)
    stranger = client(server.url, "bedrock-runtime", account=STRANGER)
    raises(lambda: converse(friend, model=profile, tokens=1), "ResourceNotFoundException", status=404)
    owner.put_resource_policy(resourceArn=profile, resourcePolicy=policy())
    assert converse(friend, model=profile, tokens=1)["usage"]["outputTokens"] == 1
    told = raises(lambda: converse(stranger, model=profile, tokens=1), "AccessDeniedException", status=403)
    assert told == (
        f"User: arn:aws:iam::{STRANGER}:root is not authorized to perform: bedrock:InvokeModel on resource: {profile}"
        " because no resource-based policy allows the bedrock:InvokeModel action"
    )
    # InvokeModel was shared, and nothing else.
    shown = client(server.url, "bedrock", account=FRIEND)
    look = lambda: shown.get_inference_profile(inferenceProfileIdentifier=profile)
    raises(look, "AccessDeniedException", "bedrock:GetInferenceProfile", status=403)
    owner.put_resource_policy(resourceArn=profile, resourcePolicy=policy(action="bedrock:Get*"))
    assert look()["inferenceProfileArn"] == profile
    raises(lambda: converse(friend, model=profile, tokens=1), "AccessDeniedException", status=403)
    owner.delete_resource_policy(resourceArn=profile)
    raises(lambda: converse(friend, model=profile, tokens=1), "ResourceNotFoundException", status=404)


def test_a_deny_holds_for_the_owner_too_who_can_take_it_back(owner, profile, server):
    runtime = client(server.url, "bedrock-runtime", account=OWNER)
    owner.put_resource_policy(resourceArn=profile, resourcePolicy=policy("*", effect="Deny", action="*"))
    told = raises(lambda: converse(runtime, model=profile, tokens=1), "AccessDeniedException", status=403)
    assert told.endswith(f"on resource: {profile} with an explicit deny in a resource-based policy"), told
    owner.delete_resource_policy(resourceArn=profile)
    assert converse(runtime, model=profile, tokens=1)["usage"]["outputTokens"] == 1


def test_a_policy_goes_with_its_resource(owner, server):
    made = owner.create_inference_profile(inferenceProfileName="brief", modelSource={"copyFrom": HAIKU_ARN})
    arn = made["inferenceProfileArn"]
    owner.put_resource_policy(resourceArn=arn, resourcePolicy=policy())
    owner.delete_inference_profile(inferenceProfileIdentifier=arn)
    friend = client(server.url, "bedrock-runtime", account=FRIEND)
    raises(lambda: converse(friend, model=arn, tokens=1), "ResourceNotFoundException", status=404)
    raises(lambda: owner.get_resource_policy(resourceArn=arn), "ResourceNotFoundException", status=404)


def test_what_was_acknowledged_survives_kill(fresh):
    server = fresh().start()
    owner = client(server.url, "bedrock", account=OWNER)
    arn = owner.create_inference_profile(inferenceProfileName="kept", modelSource={"copyFrom": HAIKU_ARN})[
        "inferenceProfileArn"
    ]
    owner.put_resource_policy(resourceArn=arn, resourcePolicy=policy(action="bedrock:GetInferenceProfile"))
    server.kill()
    server.start()
    friend = client(server.url, "bedrock", account=FRIEND)
    assert friend.get_inference_profile(inferenceProfileIdentifier=arn)["inferenceProfileName"] == "kept"


def test_knowledge_bases_are_not_there_yet(server):
    agent = client(server.url, "bedrock-agent", account=OWNER)
    calls = [
        lambda: agent.put_resource_policy(resourceArn=KNOWLEDGE_BASE, policy=policy()),
        lambda: agent.get_resource_policy(resourceArn=KNOWLEDGE_BASE),
        lambda: agent.delete_resource_policy(resourceArn=KNOWLEDGE_BASE, expectedRevisionId="1"),
    ]
    for call in calls:
        told = raises(call, "ResourceNotFoundException", status=404)
        assert KNOWLEDGE_BASE in told


def test_by_the_command_line(owner, profile, server):
    key = (OWNER, "test")
    args = ("--resource-arn", profile)
    put = cli(server.url, "bedrock", "put-resource-policy", *args, "--resource-policy", policy(), key=key)
    assert put["resourceArn"] == profile
    got = cli(server.url, "bedrock", "get-resource-policy", *args, key=key)
    assert json.loads(got["resourcePolicy"]) == json.loads(policy())
    cli(server.url, "bedrock", "delete-resource-policy", *args, key=key)
