"""Users, their policies and their keys: who may what, from the first key to the last use."""

import json
import re

import pytest

from support import raw
from support.clients import client, raises
from support.identity import ACCOUNT, allow, client_of, policy, toml
from support.keys import access_key, api_key
from support.server import outcrop
from support.sigv4 import Signer
from support.waiting import until


def config(bob="AmazonBedrockReadOnly", default="AmazonBedrockFullAccess"):
    return toml(
        access={"default_policies": [default]},
        access__policies__list_only={"json": policy(allow("bedrock:ListFoundationModels"))},
        access__users=[{"account": ACCOUNT, "name": "bob", "policies": [bob], "tags": {"team": "red"}}],
    ).replace("list_only", "list-only")


@pytest.fixture
def server(fresh):
    return fresh("serve", config=config())


def keys(server, *args, check=True):
    done = outcrop("keys", *args, "--data", str(server.data))
    assert not check or done.returncode == 0, done.stderr
    return done


def listed(server):
    return {key["Id"]: key for key in json.loads(keys(server, "list", "--json").stdout)}


def lists_models(server, key):
    return bool(client(server.url, "bedrock", key=key).list_foundation_models()["modelSummaries"])


def makes_profile(server, key, name="mine"):
    source = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
    made = client(server.url, "bedrock", key=key)
    return made.create_inference_profile(inferenceProfileName=name, modelSource={"copyFrom": source})


def test_declared_users_may_what_their_policies_say_and_others_the_default(server):
    bob, eve, root = (access_key(server.data, ACCOUNT, user) for user in ("bob", "eve", "root"))
    server.start()
    assert all(lists_models(server, key) for key in (bob, eve, root))
    assert makes_profile(server, eve)["status"] == "ACTIVE"
    raises(
        lambda: makes_profile(server, bob, "bobs"),
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: bedrock:CreateInferenceProfile on resource: ",
        status=403,
    )
    assert client_of(server.url, "sts", root).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_changed_policy_counts_after_a_reload(server):
    bob = access_key(server.data, ACCOUNT, "bob")
    server.start()
    raises(lambda: makes_profile(server, bob), "AccessDeniedException", status=403)
    file = server.data.with_name(server.data.name + ".toml")
    file.write_text(config(bob="AmazonBedrockFullAccess"))
    done = outcrop("config", "reload", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    assert makes_profile(server, bob)["status"] == "ACTIVE"
    # A file that cannot be changes nothing.
    file.write_text(config(bob="Nope"))
    done = outcrop("config", "reload", "--data", str(server.data))
    assert done.returncode != 0 and "Nope" in done.stderr and "access.policies" in done.stderr, done.stderr
    assert makes_profile(server, bob, "again")["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[access]\ndefault_policies = ["Nope"]', "Nope"),
        ('[access.policies.x]\nfile = "/absent.json"', "/absent.json"),
        ('[access.policies.x]\njson = "{"', "access.policies.x"),
        ('[access.policies.x]', "either `file` or `json`"),
        ('[[access.users]]\naccount = "12"\nname = "a"', "12 digits"),
        ('[[access.roles]]\naccount = "123456789012"\nname = "a"\ntrust = "[]"', "trust policy of role `a`"),
        ('[[access.oidc]]\nissuer = "http://idp.example.com"\naudiences = ["x"]', "https://"),
        ('[[access.user]]\nname = "a"', "Did you mean `users`?"),
    ],
)
def test_a_configuration_that_cannot_be_says_why(tmp_path, text, said):
    file = tmp_path / "outcrop.toml"
    file.write_text(text)
    done = outcrop("config", "check", str(file))
    assert done.returncode not in (0, 101) and said in done.stderr, done.stderr


def test_a_key_is_rotated_without_a_gap(server):
    old = access_key(server.data, ACCOUNT, "eve")
    server.start()
    assert lists_models(server, old)
    made = json.loads(keys(server, "rotate", old[0], "--json").stdout)
    new = made["AccessKeyId"], made["SecretAccessKey"]
    assert lists_models(server, old) and lists_models(server, new)
    # Two at most.
    for command in (("rotate", old[0]), ("create", "--account", ACCOUNT, "--user", "eve")):
        done = keys(server, *command, check=False)
        assert done.returncode != 0 and "2 active keys" in done.stderr, done.stderr
    keys(server, "revoke", old[0])
    raises(lambda: lists_models(server, old), "UnrecognizedClientException", status=403)
    assert lists_models(server, new)


def test_a_key_retires(server):
    old = access_key(server.data, ACCOUNT, "eve")
    server.start()
    said = keys(server, "rotate", old[0], "--retire-after", "0s").stdout
    assert f"outcrop keys revoke {old[0]}" in said, said
    raises(lambda: lists_models(server, old), "ExpiredTokenException", status=403)
    assert listed(server)[old[0]]["Active"] is False


def test_a_key_s_last_use_is_known_and_lasts(server):
    used, idle = access_key(server.data, ACCOUNT, "eve"), access_key(server.data, ACCOUNT, "bob")
    token = api_key(server.data, ACCOUNT, "--user", "eve")
    server.start()
    assert lists_models(server, used)
    answer = raw.request(server, "GET", "/foundation-models", headers={"authorization": "Bearer " + token}, signer=None)
    assert answer.status == 200, answer.body
    wrong = Signer(idle[0], "x" * 40)
    assert raw.request(server, "GET", "/foundation-models", signer=wrong).status == 403

    def both_used():
        known = listed(server)
        return known if sum(bool(key["LastUsedAt"]) for key in known.values()) == 2 else None

    last = until(both_used, 15, "two uses are written")
    assert last[used[0]]["LastUsedAt"] and last[idle[0]]["LastUsedAt"] is None
    server.kill()
    server.start()
    assert listed(server)[used[0]]["LastUsedAt"] == last[used[0]]["LastUsedAt"]
    people = keys(server, "list").stdout
    assert re.search(rf"{used[0]}.*eve.*\d\d:\d\d:\d\dZ\s*$", people, re.M), people


def test_an_api_key_may_belong_to_a_user(server):
    token = api_key(server.data, ACCOUNT, "--user", "bob", "--days", "1")
    server.start()
    bearer = {"authorization": "Bearer " + token}
    # Bob's policy reads, and does not let him call by API key.
    code, message = raw.request(server, "GET", "/foundation-models", headers=bearer, signer=None).error("bedrock")
    assert code == "AccessDeniedException" and "bedrock:CallWithBearerToken" in message, message
    assert "user/bob" in message, message
