"""STS AssumeRoleWithWebIdentity with an issuer on loopback: what a pod or a CI job does, and every way to cheat."""

import hashlib
import hmac
import os
import urllib.parse
import uuid

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from support import raw
from support.clients import REGION, cli, raises
from support.identity import ACCOUNT, arn, client_of, toml, trust
from support.issuer import AUDIENCE, Issuer, Key, coded

from support.waiting import until

ACTIONS = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
SUBJECT = "repo:acme/app:ref:main"


def config(issuer, **more):
    federated = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.name}"}
    condition = {"StringEquals": {f"{issuer.name}:aud": AUDIENCE}, "StringLike": {f"{issuer.name}:sub": "repo:acme/*"}}
    role = {"account": ACCOUNT, "policies": ["AmazonBedrockReadOnly"]}
    return toml(
        access__roles=[
            {"name": "ci", "trust": trust(federated, ACTIONS, condition), **role},
            {"name": "other", "trust": trust({"AWS": ACCOUNT}), **role},
        ],
        access__oidc=[{"issuer": issuer.url, "audiences": [AUDIENCE], "tags": {"team": "team"}, **more}],
    )


@pytest.fixture
def issuer():
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def server(fresh, issuer):
    return fresh("serve", config=config(issuer)).start()


def assume(server, token, role="ci", **more):
    sts = boto3.client(
        "sts",
        endpoint_url=server.url,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=60),
    )
    return sts.assume_role_with_web_identity(
        RoleArn=arn(role), RoleSessionName="job", WebIdentityToken=token, **more
    )


def refused(server, token, code, said=None, status=400, role="ci"):
    message = raises(lambda: assume(server, token, role), code, said, status)
    log = server.log_path.read_text()
    secret = token.rsplit(".", 1)[-1]
    assert len(secret) < 20 or secret not in log, "the log shows a token"
    return message


def test_a_token_becomes_a_session(server, issuer):
    answer = assume(server, issuer.token())
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT and answer["Audience"] == AUDIENCE
    assert answer["Provider"] == issuer.url
    who = client_of(server.url, "sts", answer["Credentials"]).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/job" == answer["AssumedRoleUser"]["Arn"]
    bedrock = client_of(server.url, "bedrock", answer["Credentials"])
    assert bedrock.list_foundation_models()["modelSummaries"]
    source = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
    make = lambda: bedrock.create_inference_profile(inferenceProfileName="x", modelSource={"copyFrom": source})
    raises(make, "AccessDeniedException", status=403)
    assert len(issuer.asked) == 2, issuer.asked
    assume(server, issuer.token())
    assert len(issuer.asked) == 2, "keys are kept"


def test_boto3_finds_the_token_by_its_environment(server, issuer, tmp_path, monkeypatch):
    """As in a pod: a file, a role, an endpoint, and a client that is told nothing."""
    (tmp_path / "token").write_text(issuer.token())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ROLE_ARN": arn("ci"),
        "AWS_ROLE_SESSION_NAME": "pod",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    assert session.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/ci/pod")
    assert session.client("bedrock").list_foundation_models()["modelSummaries"]
    env = {name: os.environ[name] for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME")}
    env |= {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    assert cli(server.url, "bedrock", "list-foundation-models", env=env)["modelSummaries"]


@pytest.mark.parametrize(
    ("changed", "code", "said", "status"),
    [
        ({"aud": "another"}, "InvalidIdentityToken", "Incorrect token audience", 400),
        ({"aud": None}, "InvalidIdentityToken", "aud", 400),
        ({"iss": "https://evil.example.com"}, "InvalidIdentityToken", "No OpenIDConnect provider found", 400),
        ({"sub": None}, "InvalidIdentityToken", "sub", 400),
        ({"exp": 1_700_000_000}, "ExpiredTokenException", "Token expired: ", 400),
        ({"exp": None}, "InvalidIdentityToken", "exp", 400),
        ({"nbf": 4_000_000_000}, "InvalidIdentityToken", "nbf", 400),
        ({"iat": 4_000_000_000}, "InvalidIdentityToken", "iat", 400),
        ({"sub": "repo:evil/app"}, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403),
        ({"team": {"a": 1}}, "InvalidIdentityToken", "team", 400),
    ],
)
def test_claims_that_do_not_do(server, issuer, changed, code, said, status):
    refused(server, issuer.token(**changed), code, said, status)


def test_a_trust_policy_for_others_and_a_role_that_is_not(server, issuer):
    for role in ("other", "absent"):
        refused(server, issuer.token(), "AccessDenied", "Not authorized", 403, role)


def test_signatures_that_are_none(server, issuer):
    claims, jwk = issuer.claims(), issuer.key.jwk
    none = coded({"alg": "none", "kid": "first"}) + "." + coded(claims) + "."
    head = coded({"alg": "HS256", "kid": "first"}) + "." + coded(claims)
    # The classic: the public key taken for an HMAC's secret.
    confused = head + "." + coded(hmac.new(jwk["n"].encode(), head.encode(), hashlib.sha256).digest())
    body = issuer.token().split(".")
    for token in (
        none,
        confused,
        Key("first").sign(claims),
        ".".join([body[0], coded(issuer.claims(sub="repo:acme/root")), body[2]]),
        ".".join(body[:2]) + ".",
        "not a token",
        "a.b.c",
        "....",
        "x" * 19_000,
    ):
        refused(server, token, "InvalidIdentityToken")
    refused(server, "x" * 20_001, "ValidationError")


def test_a_token_without_a_key_id(server, issuer):
    assume(server, issuer.key.sign(issuer.claims(), kid=None))
    refused(server, Key("second").sign(issuer.claims()), "InvalidIdentityToken", "verification key")


def test_an_issuer_changes_its_key(server, issuer):
    assume(server, issuer.token())
    issuer.key = Key("second")
    issuer.keys.append(issuer.key)

    def taken():
        try:
            return assume(server, issuer.token())
        except Exception as error:
            assert "verification key" in str(error), error
            return None

    until(taken, 20, "the new key is found")
    # A flood of invented key ids does not reach the issuer.
    before = len(issuer.asked)
    stranger = Key(str(uuid.uuid4()))
    for _ in range(30):
        refused(server, stranger.sign(issuer.claims()), "InvalidIdentityToken", "verification key")
    assert len(issuer.asked) - before <= 4, issuer.asked


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        (200, {}, b'{"keys": []}'),
        (404, {}, b""),
        (302, {"location": "http://127.0.0.1:1/"}, b""),
        (200, {}, b"[" * 600_000),
        (200, {}, b'{"issuer": "https://evil.example.com", "jwks_uri": "https://evil.example.com/keys"}'),
    ],
    ids=["html", "empty", "absent", "redirect", "huge", "another"],
)
def test_an_issuer_that_answers_nonsense(server, issuer, answer):
    issuer.answer = lambda path: answer
    refused(server, issuer.token(), "InvalidIdentityToken", "Couldn't retrieve verification key")
    assert len(issuer.asked) == 1, issuer.asked


def test_an_issuer_that_is_slow_or_down(server, issuer):
    issuer.answer = issuer.never
    refused(server, issuer.token(), "IDPCommunicationError")
    issuer.answer = lambda path: (503, {}, b"")
    refused(server, issuer.token(), "IDPCommunicationError")
    issuer.answer = issuer.well

    def taken():
        try:
            return assume(server, issuer.token())
        except Exception as error:
            assert "IDPCommunicationError" in str(error), error
            return None

    until(taken, 20, "the issuer is asked again")


def test_a_claim_may_have_to_name_the_role(fresh, issuer):
    server = fresh("serve", config=config(issuer, role_claim="roles")).start()
    assume(server, issuer.token(roles=["ci", "x"]))
    assume(server, issuer.token(roles=arn("ci")))
    refused(server, issuer.token(roles=["x"]), "IDPRejectedClaim", "does not name the role ci", 403)
    refused(server, issuer.token(), "IDPRejectedClaim", None, 403)


def test_only_this_action_needs_no_signature(server):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for action in ("GetCallerIdentity", "AssumeRole", "GetSessionToken", "AssumeRoleWithSAML", "Nothing"):
        form = urllib.parse.urlencode({"Action": action, "Version": "2011-06-15"}).encode()
        answer = raw.request(server, "POST", "/", form, headers, signer=None)
        assert answer.status == 403 and b"<Code>MissingAuthenticationToken</Code>" in answer.body, answer.body
    answer = raw.request(server, "POST", "/", b"x" * 200_000, headers, signer=None)
    assert answer.status in (400, 413) and b"<Code>" in answer.body, answer.body
