"""Bedrock API keys: long-term ones of `outcrop keys create`, short-term ones of Amazon's own generator."""

import base64
import datetime
import json

import pytest
from aws_bedrock_token_generator import provide_token
from botocore.credentials import Credentials

from support import raw
from support.clients import CliError, cli
from support.keys import access_key, guarded_server
from support.server import outcrop
from support.sigv4 import Signer
from support.waiting import until

ACCOUNT = "123456789012"
LIST = "/foundation-models"


@pytest.fixture(scope="module")
def guarded():
    with guarded_server(ACCOUNT) as server:
        yield server


class Provider:
    """The generator wants a provider that loads credentials."""

    def __init__(self, *key, token=None):
        self.credentials = Credentials(*key, token)

    def load(self):
        return self.credentials


def short_term(key, region="us-east-1", **kwargs):
    return provide_token(region=region, aws_credentials_provider=Provider(*key), **kwargs)


def bearer(server, token, target=LIST):
    return raw.request(server, "GET", target, headers={"authorization": "Bearer " + token}, signer=None)


def refused(answer):
    code, message = answer.error("bedrock")
    assert answer.status == 403, (code, message)
    return code


def test_a_long_term_key_has_bedrocks_form(guarded):
    inner = base64.b64decode(guarded.api_key.removeprefix("ABSK")).decode()
    name, secret = inner.split(":", 1)
    assert name.startswith("BedrockAPIKey-") and name.endswith("-at-" + ACCOUNT) and len(secret) > 20


def test_a_long_term_key_is_believed(guarded):
    assert bearer(guarded, guarded.api_key).status == 200


def test_a_short_term_key_is_believed(guarded):
    assert bearer(guarded, short_term(guarded.key)).status == 200


def test_the_aws_cli_sends_one(guarded):
    for token in (guarded.api_key, short_term(guarded.key)):
        out = cli(guarded.url, "bedrock", "list-foundation-models", env={"AWS_BEARER_TOKEN_BEDROCK": token})
        assert out["modelSummaries"]
    with pytest.raises(CliError, match="UnrecognizedClientException|AccessDeniedException"):
        cli(guarded.url, "bedrock", "list-foundation-models", env={"AWS_BEARER_TOKEN_BEDROCK": guarded.api_key[:-8]})


@pytest.mark.parametrize(
    "token", ["ABSKQmVkcm9ja0FQSUtleS1hYmNkLWF0LTEyMzQ1Njc4OTAxMjpub3RoaW5n", "bedrock-api-key-", "bedrock-api-key-%%%", "x"]
)
def test_an_unknown_or_malformed_key(guarded, token):
    refused(bearer(guarded, token))


def test_a_short_term_key_of_a_wrong_secret(guarded):
    refused(bearer(guarded, short_term((guarded.key[0], "x" * 40))))


def test_a_short_term_key_of_another_region(guarded):
    """The region is in the credential scope; a server of another region must not take it."""
    west = bearer(guarded, short_term(guarded.key, region="us-west-2"))
    # One server answers for every region: the scope decides which one the caller is in.
    if west.status == 200:
        arns = {model["modelArn"].split(":")[3] for model in west.json["modelSummaries"]}
        assert arns == {"us-west-2"}
    else:
        refused(west)


def test_a_changed_short_term_key(guarded):
    raw_text = base64.b64decode(short_term(guarded.key).removeprefix("bedrock-api-key-")).decode()
    changed = raw_text.replace("X-Amz-Expires=43200", "X-Amz-Expires=43199")
    assert changed != raw_text
    refused(bearer(guarded, "bedrock-api-key-" + base64.b64encode(changed.encode()).decode()))


def test_a_short_term_key_expires(guarded):
    token = short_term(guarded.key, expiry=datetime.timedelta(seconds=1))
    expired = until(lambda: (a := bearer(guarded, token)).status != 200 and a, 10, "the key has expired")
    assert refused(expired) == "ExpiredTokenException"


def presigned(signer, expires=43200, action="CallWithBearerToken"):
    """A short-term key written out: the generator makes none that is late, early or for another Region's host."""
    url = signer.presigned("POST", f"/?Action={action}", "bedrock.amazonaws.com", expires=expires)
    return "bedrock-api-key-" + base64.b64encode(f"bedrock.amazonaws.com{url}&Version=1".encode()).decode()


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (16, 403), (-14, 200), (-59, 200), (-61, 403)])
def test_the_clock_of_a_short_term_keys_maker(guarded, minutes, status):
    signer = Signer(*guarded.key, offset=datetime.timedelta(minutes=minutes))
    answer = bearer(guarded, presigned(signer, expires=3600))
    assert answer.status == status, answer.body
    if status != 200:
        assert refused(answer) == ("ExpiredTokenException" if minutes < 0 else "UnrecognizedClientException")


def test_a_short_term_key_for_longer_than_aws_admits(guarded):
    refused(bearer(guarded, presigned(Signer(*guarded.key), expires=43201)))


def test_what_was_presigned_for_something_else_is_no_key(guarded):
    assert bearer(guarded, presigned(Signer(*guarded.key))).status == 200
    refused(bearer(guarded, presigned(Signer(*guarded.key), action="GetCallerIdentity")))


def test_a_short_term_key_at_the_host_of_another_region(guarded):
    token = short_term(guarded.key, region="us-west-2")
    for host, status in (("bedrock.us-west-2.amazonaws.com", 200), ("bedrock.us-east-1.amazonaws.com", 403)):
        head = f"GET {LIST} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        answer = raw.exchange(guarded, head.encode())
        assert answer.status == status, (host, answer.body)
        assert status == 200 or refused(answer) == "InvalidSignatureException"


def test_revoked_keys_are_refused_at_once(guarded):
    """A long-term key, and a short-term one when the access key behind it goes."""
    data = str(guarded.data)
    made = json.loads(outcrop("keys", "create", "--data", data, "--account", ACCOUNT, "--api-key", "--json").stdout)
    key = access_key(guarded.data, ACCOUNT)
    tokens = {made["Id"]: made["ApiKey"], key[0]: short_term(key)}
    for key_id, token in tokens.items():
        assert bearer(guarded, token).status == 200
        done = outcrop("keys", "revoke", "--data", data, key_id)
        assert done.returncode == 0, done.stderr
        assert refused(bearer(guarded, token)) == "UnrecognizedClientException"


def test_dev_takes_any_of_them(server):
    for token in ("bedrock-api-key-test", short_term(("AKIAABCDEFGHIJKLMNOP", "secret"))):
        assert bearer(server, token).status == 200
