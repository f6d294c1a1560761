"""STS AssumeRole and GetSessionToken, through boto3 and the AWS CLI."""

import datetime
import urllib.parse

import pytest

from support import raw
from support.clients import CliError, cli, raises
from support.identity import ACCOUNT, OTHER, allow, arn, client_of, policy, toml, trust
from support.keys import access_key
from support.server import Server, outcrop
from support.sigv4 import Signer

USER = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}
ALL = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
READ_ONE = policy(allow("bedrock:ListFoundationModels"))


def roles():
    made = [
        ("reader", trust(USER, ALL)),
        ("external", trust(USER, condition={"StringEquals": {"sts:ExternalId": "4711"}})),
        ("account", trust({"AWS": [ACCOUNT, f"arn:aws:iam::{OTHER}:root"]})),
        ("next", trust({"AWS": arn("reader")}, ALL)),
    ]
    common = {"account": ACCOUNT, "policies": ["AmazonBedrockReadOnly"], "max_session_seconds": 7200}
    return [{"name": name, "trust": document, **common} for name, document in made]


CONFIG = toml(
    access__policies__sts={"json": policy(allow("sts:AssumeRole"))},
    access__users=[
        {"account": ACCOUNT, "name": "ada", "policies": []},
        {"account": ACCOUNT, "name": "may", "policies": ["sts"]},
        {"account": OTHER, "name": "may", "policies": ["sts"]},
    ],
    access__roles=roles(),
)


@pytest.fixture(scope="module")
def server():
    server = Server("serve", config=CONFIG)
    try:
        server.keys = {
            (account, user): access_key(server.data, account, user)
            for account, user in ((ACCOUNT, "ada"), (ACCOUNT, "may"), (ACCOUNT, "eve"), (OTHER, "may"), (OTHER, "eve"))
        }
        with server:
            yield server
    finally:
        server.remove()


def sts(server, user="ada", account=ACCOUNT):
    return client_of(server.url, "sts", server.keys[account, user])


def assume(client, role="reader", **more):
    return client.assume_role(RoleArn=arn(role), RoleSessionName="s1", **more)


def test_a_session_is_the_role(server):
    answer = assume(sts(server), DurationSeconds=900)
    credentials, user = answer["Credentials"], answer["AssumedRoleUser"]
    assert credentials["AccessKeyId"].startswith("ASIA") and user["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/s1"
    assert user["AssumedRoleId"].endswith(":s1") and answer["PackedPolicySize"] == 0
    left = credentials["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert 800 < left.total_seconds() <= 900
    who = client_of(server.url, "sts", credentials).get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (user["Arn"], user["AssumedRoleId"])
    bedrock = client_of(server.url, "bedrock", credentials)
    assert bedrock.list_foundation_models()["modelSummaries"]
    source = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
    make = lambda: bedrock.create_inference_profile(inferenceProfileName="x", modelSource={"copyFrom": source})
    raises(make, "AccessDeniedException", f"User: {user['Arn']} is not authorized to perform", status=403)
    # Ada herself may nothing.
    raises(lambda: client_of(server.url, "bedrock", server.keys[ACCOUNT, "ada"]).list_foundation_models(),
           "AccessDeniedException", status=403)


def test_a_session_policy_narrows(server):
    for more in ({"Policy": READ_ONE}, {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/AmazonBedrockMantleFullAccess"}]}):
        bedrock = client_of(server.url, "bedrock", assume(sts(server), **more)["Credentials"])
        raises(lambda: bedrock.list_inference_profiles(), "AccessDeniedException", status=403)
        if "Policy" in more:
            assert bedrock.list_foundation_models()["modelSummaries"]


@pytest.mark.parametrize(
    ("account", "user", "role", "more"),
    [
        (ACCOUNT, "eve", "reader", {}),
        (ACCOUNT, "may", "reader", {}),
        (ACCOUNT, "eve", "account", {}),
        (OTHER, "eve", "account", {}),
        (ACCOUNT, "ada", "external", {}),
        (ACCOUNT, "ada", "external", {"ExternalId": "4712"}),
        (ACCOUNT, "ada", "absent", {}),
        (ACCOUNT, "ada", "external", {"ExternalId": "4711", "Tags": [{"Key": "a", "Value": "b"}]}),
    ],
)
def test_who_may_not(server, account, user, role, more):
    said = f"User: arn:aws:iam::{account}:user/{user} is not authorized to perform: sts:"
    raises(lambda: assume(sts(server, user, account), role, **more), "AccessDenied", said, status=403)


def test_who_may(server):
    assume(sts(server), "external", ExternalId="4711")
    assume(sts(server, "may"), "account")
    assume(sts(server, "may", OTHER), "account")


def test_tags_and_source_identity_go_along(server):
    answer = assume(sts(server), SourceIdentity="ada", Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"])
    assert answer["SourceIdentity"] == "ada"
    chained = client_of(server.url, "sts", answer["Credentials"])
    assert assume(chained, "next")["SourceIdentity"] == "ada"
    said = "1 hour session limit for roles assumed by role chaining"
    raises(lambda: assume(chained, "next", DurationSeconds=7200), "ValidationError", said)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"RoleSessionName": "a b"}, "ValidationError"),
        ({"RoleSessionName": "a"}, "ValidationError"),
        ({"DurationSeconds": 899}, "ValidationError"),
        ({"DurationSeconds": 7201}, "ValidationError"),
        ({"DurationSeconds": "x"}, "ValidationError"),
        ({"RoleArn": ""}, "ValidationError"),
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"Policy": "x" * 30_000}, "ValidationError"),
        ({"PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/Nope"}, "ValidationError"),
        ({"Tags.member.1.Key": "aws:x", "Tags.member.1.Value": "y"}, "ValidationError"),
        ({"SerialNumber": "123456789", "TokenCode": "123456"}, "ValidationError"),
    ],
)
def test_bad_input_is_refused_in_sts_s_form(server, more, code):
    form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": arn("reader"), "RoleSessionName": "s1", **more}
    signer = Signer(*server.keys[ACCOUNT, "ada"], service="sts")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = raw.request(server, "POST", "/", urllib.parse.urlencode(form).encode(), headers, signer=signer)
    assert answer.status == 400 and f"<Code>{code}</Code>".encode() in answer.body, answer.body


def test_a_session_needs_its_own_token(server):
    one, two = (assume(sts(server))["Credentials"] for _ in range(2))
    for token in (two["SessionToken"], one["SessionToken"][:-4] + "AAAA", "x"):
        stolen = client_of(server.url, "bedrock", {**one, "SessionToken": token})
        raises(lambda: stolen.list_foundation_models(), "UnrecognizedClientException", status=403)
    log = server.log_path.read_text()
    assert one["SessionToken"] not in log and one["SecretAccessKey"] not in log


def test_another_process_and_a_restart_know_the_session(fresh):
    server = fresh("serve", config=CONFIG)
    key = access_key(server.data, ACCOUNT, "ada")
    server.start()
    credentials = assume(client_of(server.url, "sts", key))["Credentials"]
    server.kill()
    server.start()
    assert client_of(server.url, "bedrock", credentials).list_foundation_models()["modelSummaries"]
    # It outlives its key, unless it is said that it must not.
    outcrop("keys", "revoke", key[0], "--data", str(server.data))
    assert client_of(server.url, "bedrock", credentials).list_foundation_models()["modelSummaries"]
    done = outcrop("keys", "revoke", key[0], "--sessions", "--data", str(server.data))
    assert done.returncode == 0 and "1" in done.stdout, done.stdout + done.stderr
    raises(lambda: client_of(server.url, "bedrock", credentials).list_foundation_models(),
           "UnrecognizedClientException", status=403)


def test_a_role_that_is_not_declared_any_more_is_gone_with_its_sessions(fresh):
    server = fresh("serve", config=CONFIG)
    key = access_key(server.data, ACCOUNT, "ada")
    server.start()
    credentials = assume(client_of(server.url, "sts", key))["Credentials"]
    server.data.with_name(server.data.name + ".toml").write_text("")
    done = outcrop("config", "reload", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    raises(lambda: client_of(server.url, "bedrock", credentials).list_foundation_models(),
           "UnrecognizedClientException", status=403)


def test_get_session_token(server):
    credentials = sts(server, "may").get_session_token(DurationSeconds=900)["Credentials"]
    temporary = client_of(server.url, "sts", credentials)
    assert temporary.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/may"
    assume(temporary, "account")
    raises(lambda: temporary.get_session_token(), "AccessDenied", "session credentials", status=403)


def test_the_aws_cli_and_its_profiles(server, tmp_path):
    key = server.keys[ACCOUNT, "ada"]
    out = cli(server.url, "sts", "assume-role", "--role-arn", arn("reader"), "--role-session-name", "cli", key=key)
    assert out["AssumedRoleUser"]["Arn"].endswith(":assumed-role/reader/cli")
    (tmp_path / "config").write_text(
        f"[profile reader]\nrole_arn = {arn('reader')}\nsource_profile = ada\n"
        f"[profile external]\nrole_arn = {arn('external')}\nsource_profile = ada\nexternal_id = 4711\n"
    )
    (tmp_path / "credentials").write_text(f"[ada]\naws_access_key_id = {key[0]}\naws_secret_access_key = {key[1]}\n")
    env = {
        "HOME": str(tmp_path),  # the CLI keeps sessions of roles there, and would offer this server another one's
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
    }
    for role in ("reader", "external"):
        who = cli(server.url, "sts", "get-caller-identity", env={**env, "AWS_PROFILE": role})
        assert f":assumed-role/{role}/" in who["Arn"], who
    models = cli(server.url, "bedrock", "list-foundation-models", env={**env, "AWS_PROFILE": "reader"})
    assert models["modelSummaries"]
    with pytest.raises(CliError, match="AccessDenied"):
        cli(server.url, "sts", "assume-role", "--role-arn", arn("next"), "--role-session-name", "cli", key=key)


def test_dev_gives_a_declared_role_its_permissions(fresh):
    server = fresh("dev", config=toml(access__roles=roles())).start()
    dev = client_of(server.url, "sts", (ACCOUNT, "x"))
    credentials = dev.assume_role(RoleArn=arn("account"), RoleSessionName="s1")["Credentials"]
    assert ":assumed-role/account/s1" in client_of(server.url, "sts", credentials).get_caller_identity()["Arn"]
    bedrock = client_of(server.url, "bedrock", credentials)
    assert bedrock.list_foundation_models()["modelSummaries"]
    source = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
    make = lambda: bedrock.create_inference_profile(inferenceProfileName="x", modelSource={"copyFrom": source})
    raises(make, "AccessDeniedException", status=403)
