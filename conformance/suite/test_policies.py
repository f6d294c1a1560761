"""What users may by their policies, asked of `outcrop serve` by boto3 and the AWS CLI."""

import json

import pytest

from aws_bedrock_token_generator import provide_token
from botocore.credentials import Credentials

from support import raw
from support.ask import HAIKU, HAIKU_ARN, PROFILE, TITAN_EMBED, converse, stream, user
from support.clients import CliError, cli, client, raises
from support.keys import access_key, api_key
from support.server import Server, outcrop

ACCOUNT = "123456789012"
PROFILE_ARN = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{PROFILE}"
MODEL = PROFILE.removeprefix("us.")
REGIONS = ("us-east-1", "us-east-2", "us-west-2")
OWN_PROFILES = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/*"


def allow(action="*", resource="*", **rest):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def deny(action="*", resource="*", **rest):
    return {**allow(action, resource, **rest), "Effect": "Deny"}


def when(operator, key, value):
    return {"Condition": {operator: {key: value}}}


def model(region):
    return f"arn:aws:bedrock:{region}::foundation-model/{MODEL}"


INVOKE = "bedrock:InvokeModel"
USERS = {
    "nobody": [allow("s3:*")],
    "every-region": [allow(INVOKE, [PROFILE_ARN, *map(model, REGIONS)])],
    "one-region-short": [allow(INVOKE, [PROFILE_ARN, *map(model, REGIONS[:2])])],
    "models-only": [allow(INVOKE, [*map(model, REGIONS)])],
    "through-the-profile": [
        allow(INVOKE, PROFILE_ARN),
        allow(INVOKE, "arn:aws:bedrock:*::foundation-model/*", **when("ArnLike", "bedrock:InferenceProfileArn", PROFILE_ARN)),
    ],
    "no-haiku": [allow("bedrock:*"), deny(INVOKE, HAIKU_ARN)],
    "at-home": [allow("bedrock:*", **when("IpAddress", "aws:SourceIp", ["127.0.0.0/8", "::1"]))],
    "elsewhere": [allow("bedrock:*", **when("IpAddress", "aws:SourceIp", "198.51.100.0/24"))],
    "virginia": [allow("bedrock:*", **when("StringEquals", "aws:RequestedRegion", "us-east-1"))],
    "flex": [allow("bedrock:*"), deny("bedrock:Invoke*", **when("StringNotEqualsIfExists", "bedrock:ServiceTier", "flex"))],
    "team": [
        allow(INVOKE, "arn:aws:bedrock:*::foundation-model/*"),
        allow("bedrock:*", OWN_PROFILES, **when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}")),
        allow(["bedrock:CreateInferenceProfile", "bedrock:TagResource"], "*", **when("StringEquals", "aws:RequestTag/team", "red")),
    ],
    "named": [allow("bedrock:List*", **when("StringEquals", "aws:username", "named"))],
    "no-stream": [allow(INVOKE, "*")],
    "counter": [allow("bedrock:CountTokens", "arn:aws:bedrock:us-east-1::foundation-model/*")],
    "owner-like": [allow("bedrock:*")],
    "no-bearer": [allow("bedrock:*"), deny("bedrock:CallWithBearerToken")],
    # What every user has that is declared nowhere, those of long-term API keys among them.
    "default": [
        allow("bedrock:*"),
        deny("bedrock:CallWithBearerToken", "*", **when("StringEquals", "bedrock:bearerTokenType", "LONG_TERM")),
    ],
}


def config():
    parts = ['[stand_ins]\nmode = "on"\n[access]\ndefault_policies = ["default"]\n']
    for name, statements in USERS.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        parts.append(f"[access.policies.{name}]\njson = '''{document}'''\n")
        parts.append(
            f'[[access.users]]\naccount = "{ACCOUNT}"\nname = "{name}"\npolicies = ["{name}"]\ntags = {{ team = "red" }}\n'
        )
    return "".join(parts)


@pytest.fixture(scope="module")
def guarded():
    server = Server("serve", config=config())
    try:
        server.keys = {name: access_key(server.data, ACCOUNT, name) for name in [*USERS, "undeclared"]}
        server.long_term = api_key(server.data, ACCOUNT)
        with server:
            yield server
    finally:
        server.remove()


@pytest.fixture
def by(guarded):
    def make(name, service="bedrock-runtime", **options):
        return client(guarded.url, service, key=guarded.keys[name], **options)

    return make


def denied(call, action, resource, because):
    """Asserts AWS's text."""
    told = raises(call, "AccessDeniedException", status=403)
    on = f" on resource: {resource}" if resource else ""
    assert f" is not authorized to perform: {action}{on} {because}" in told, told
    assert told.startswith(f"User: arn:aws:iam::{ACCOUNT}:user/"), told


def silent(action):
    return f"because no identity-based policy allows the {action} action"


EXPLICIT = "with an explicit deny in an identity-based policy"


def test_who_may_nothing_is_told_so(by):
    nobody, streaming = by("nobody"), INVOKE + "WithResponseStream"
    native = {"modelId": HAIKU, "body": json.dumps({"anthropic_version": "bedrock-2023-05-31"})}
    denied(lambda: converse(nobody, tokens=1), INVOKE, HAIKU_ARN, silent(INVOKE))
    denied(lambda: stream(nobody, tokens=1), streaming, HAIKU_ARN, silent(streaming))
    denied(lambda: nobody.invoke_model(**native), INVOKE, HAIKU_ARN, silent(INVOKE))
    call = lambda: nobody.invoke_model_with_response_stream(**native)
    denied(call, streaming, HAIKU_ARN, silent(streaming))
    listing = "bedrock:ListFoundationModels"
    denied(lambda: by("nobody", "bedrock").list_foundation_models(), listing, None, silent(listing))


def test_a_profile_needs_its_model_in_every_region(by):
    call = lambda name: converse(by(name), model=PROFILE, tokens=1)
    assert call("every-region")["usage"]["outputTokens"] == 1
    assert call("through-the-profile")["usage"]["outputTokens"] == 1
    denied(lambda: call("one-region-short"), INVOKE, model("us-west-2"), silent(INVOKE))
    denied(lambda: call("models-only"), INVOKE, PROFILE_ARN, silent(INVOKE))
    # The model itself is not theirs to call.
    direct = lambda: converse(by("through-the-profile"), model=MODEL, tokens=1)
    denied(direct, INVOKE, model("us-east-1"), silent(INVOKE))


def test_an_explicit_deny_wins(by):
    denied(lambda: converse(by("no-haiku"), tokens=1), INVOKE, HAIKU_ARN, EXPLICIT)
    body = json.dumps({"inputText": "a river"})
    assert by("no-haiku").invoke_model(modelId=TITAN_EMBED, body=body)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_streams_are_an_action_of_their_own(by):
    action = "bedrock:InvokeModelWithResponseStream"
    denied(lambda: stream(by("no-stream"), tokens=1), action, HAIKU_ARN, silent(action))
    assert converse(by("no-stream"), tokens=1)["usage"]["outputTokens"] == 1


def test_counting_is_an_action_of_its_own(by):
    what = {"converse": {"messages": [user("a river")]}}
    assert by("counter").count_tokens(modelId=HAIKU, input=what)["inputTokens"] > 0
    denied(lambda: converse(by("counter"), tokens=1), INVOKE, HAIKU_ARN, silent(INVOKE))
    action = "bedrock:CountTokens"
    denied(lambda: by("no-stream").count_tokens(modelId=HAIKU, input=what), action, HAIKU_ARN, silent(action))


def test_where_the_call_comes_from(by):
    assert by("at-home", "bedrock").list_inference_profiles()["inferenceProfileSummaries"]
    action = "bedrock:ListInferenceProfiles"
    denied(lambda: by("elsewhere", "bedrock").list_inference_profiles(), action, None, silent(action))


def test_which_region_is_called(by):
    action = "bedrock:ListFoundationModels"
    assert by("virginia", "bedrock").list_foundation_models()["modelSummaries"]
    oregon = by("virginia", "bedrock", region="us-west-2")
    denied(oregon.list_foundation_models, action, None, silent(action))
    # A profile may run elsewhere, and that is asked too.
    denied(lambda: converse(by("virginia"), model=PROFILE, tokens=1), INVOKE, model("us-east-2"), silent(INVOKE))


def test_which_tier(by):
    assert converse(by("flex"), tokens=1, serviceTier={"type": "flex"})["usage"]["outputTokens"] == 1
    denied(lambda: converse(by("flex"), tokens=1, serviceTier={"type": "priority"}), INVOKE, HAIKU_ARN, EXPLICIT)


def test_tags_of_profiles_and_principals(by):
    bedrock, runtime = by("team", "bedrock"), by("team")

    def create(**tags):
        made = bedrock.create_inference_profile(
            inferenceProfileName="mine",
            modelSource={"copyFrom": HAIKU_ARN},
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        )
        return made["inferenceProfileArn"]

    denied(lambda: create(team="blue"), "bedrock:CreateInferenceProfile", OWN_PROFILES, "because")
    arn = create(team="red")
    assert converse(runtime, model=arn, tokens=1)["usage"]["outputTokens"] == 1
    boss = by("owner-like", "bedrock")
    boss.tag_resource(resourceARN=arn, tags=[{"key": "team", "value": "blue"}])
    denied(lambda: converse(runtime, model=arn, tokens=1), INVOKE, arn, silent(INVOKE))
    action = "bedrock:ListTagsForResource"
    denied(lambda: bedrock.list_tags_for_resource(resourceARN=arn), action, arn, silent(action))
    action = "bedrock:DeleteInferenceProfile"
    denied(lambda: bedrock.delete_inference_profile(inferenceProfileIdentifier=arn), action, arn, silent(action))
    boss.delete_inference_profile(inferenceProfileIdentifier=arn)


def test_every_built_control_operation_asks(by):
    bedrock = by("nobody", "bedrock")
    arn = OWN_PROFILES.replace("*", "abcdefabcdef")
    calls = {
        "ListFoundationModels": lambda: bedrock.list_foundation_models(),
        "GetFoundationModel": lambda: bedrock.get_foundation_model(modelIdentifier=HAIKU),
        "GetFoundationModelAvailability": lambda: bedrock.get_foundation_model_availability(modelId=HAIKU),
        "CreateInferenceProfile": lambda: bedrock.create_inference_profile(
            inferenceProfileName="x", modelSource={"copyFrom": HAIKU_ARN}
        ),
        "GetInferenceProfile": lambda: bedrock.get_inference_profile(inferenceProfileIdentifier=arn),
        "ListInferenceProfiles": lambda: bedrock.list_inference_profiles(),
        "DeleteInferenceProfile": lambda: bedrock.delete_inference_profile(inferenceProfileIdentifier=arn),
        "ListTagsForResource": lambda: bedrock.list_tags_for_resource(resourceARN=arn),
        "TagResource": lambda: bedrock.tag_resource(resourceARN=arn, tags=[{"key": "a", "value": "b"}]),
        "UntagResource": lambda: bedrock.untag_resource(resourceARN=arn, tagKeys=["a"]),
    }
    for name, call in calls.items():
        told = raises(call, "AccessDeniedException", status=403)
        assert f"because no identity-based policy allows the bedrock:{name} action" in told, told


class Provider:
    """The generator wants a provider that loads credentials."""

    def __init__(self, key):
        self.key = key

    def load(self):
        return Credentials(*self.key)


def bearer(server, token):
    headers = {"authorization": "Bearer " + token}
    answer = raw.request(server, "GET", "/foundation-models", headers=headers, signer=None)
    return answer.status, None if answer.status == 200 else answer.error("bedrock")[1]


def test_api_keys_need_an_action_of_their_own(guarded):
    def short_term(name):
        return provide_token(region="us-east-1", aws_credentials_provider=Provider(guarded.keys[name]))

    action = "bedrock:CallWithBearerToken on resource: *"
    assert bearer(guarded, short_term("owner-like")) == (200, None)
    status, told = bearer(guarded, short_term("no-bearer"))
    assert status == 403 and told.endswith(f"{action} {EXPLICIT}"), told
    status, told = bearer(guarded, short_term("named"))
    assert status == 403 and f"{action} because no identity-based policy" in told, told
    # The default policy tells the two kinds of keys apart.
    assert bearer(guarded, short_term("undeclared")) == (200, None)
    status, told = bearer(guarded, guarded.long_term)
    assert status == 403 and told.endswith(f"{action} {EXPLICIT}"), told
    assert "user/BedrockAPIKey-" in told


def test_conditions_on_who_calls(by):
    assert by("named", "bedrock").list_foundation_models()["modelSummaries"]


def test_resource_policies_need_permission_too(by):
    boss, nobody = by("owner-like", "bedrock"), by("nobody", "bedrock")
    arn = boss.create_inference_profile(inferenceProfileName="x", modelSource={"copyFrom": HAIKU_ARN})[
        "inferenceProfileArn"
    ]
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}
    document = {"Version": "2012-10-17", "Statement": {**allow(INVOKE, arn), "Principal": principal}}
    put = lambda one: one.put_resource_policy(resourceArn=arn, resourcePolicy=json.dumps(document))
    action = "bedrock:PutResourcePolicy"
    denied(lambda: put(nobody), action, arn, silent(action))
    put(boss)
    for action, call in [
        ("bedrock:GetResourcePolicy", nobody.get_resource_policy),
        ("bedrock:DeleteResourcePolicy", nobody.delete_resource_policy),
    ]:
        denied(lambda: call(resourceArn=arn), action, arn, silent(action))
    # The resource's policy lets the user through the profile, and what is behind it is another question.
    denied(lambda: converse(by("nobody"), model=arn, tokens=1), INVOKE, HAIKU_ARN, silent(INVOKE))
    boss.delete_inference_profile(inferenceProfileIdentifier=arn)


def test_the_command_line_shows_the_text(guarded):
    with pytest.raises(CliError) as caught:
        cli(guarded.url, "bedrock", "list-foundation-models", key=guarded.keys["nobody"])
    text = str(caught.value)
    assert "AccessDeniedException" in text
    assert f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: bedrock:ListFoundationModels" in text


def test_the_operator_can_ask_without_a_server(tmp_path):
    file = tmp_path / "outcrop.toml"
    file.write_text(config())

    def check(name, action, *rest):
        who = f"arn:aws:iam::{ACCOUNT}:{name}"
        return outcrop("access", "check", "--config", str(file), "--principal", who, "--action", action, *rest)

    done = check("user/no-stream", INVOKE, "--resource", HAIKU_ARN)
    assert (done.returncode, done.stdout) == (0, "allowed\n"), done
    assert check("root", "bedrock:DeleteInferenceProfile").returncode == 0
    done = check("user/no-haiku", INVOKE, "--resource", HAIKU_ARN)
    assert done.returncode == 1 and done.stderr.rstrip().endswith(f"on resource: {HAIKU_ARN} {EXPLICIT}"), done
    listing = "bedrock:ListInferenceProfiles"
    done = check("user/elsewhere", listing)
    assert done.returncode == 1 and done.stderr.rstrip().endswith(silent(listing)), done
    assert check("user/elsewhere", listing, "--key", "aws:SourceIp=198.51.100.9").returncode == 0
    assert check("user/virginia", listing).returncode == 0
    assert check("user/virginia", listing, "--region", "us-west-2").returncode == 1
    done = check("role/unknown", INVOKE)
    assert done.returncode == 1 and "nor a role of this configuration" in done.stderr, done
    shared = tmp_path / "policy.json"
    arn = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/abcdefabcdef"
    statement = {**allow(INVOKE, arn), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}}
    shared.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    options = ["--resource", arn, "--resource-policy", str(shared)]
    assert check("user/nobody", INVOKE, *options).returncode == 0
    assert check("user/nobody", "bedrock:CountTokens", *options).returncode == 1
