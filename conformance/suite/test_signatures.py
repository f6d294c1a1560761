"""`outcrop serve` believes nobody: Signature Version 4 in the header and in the query."""

import dataclasses
import datetime

import pytest

from support import raw
from support.ask import HAIKU, converse
from support.clients import client, cli, raises
from support.keys import access_key, guarded_server
from support.server import outcrop
from support.sigv4 import Signer

ACCOUNT = "123456789012"
LIST = "/foundation-models"
ASK = {"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 1}}
WRONG = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


@pytest.fixture(scope="module")
def guarded():
    with guarded_server(ACCOUNT, "alice") as server:
        yield server


@pytest.fixture
def signer(guarded):
    return Signer(*guarded.key)


def send(guarded, signer, method="GET", target=LIST, **kwargs):
    return raw.request(guarded, method, target, signer=signer, **kwargs)


def refused(answer, code, said=None):
    found, message = answer.error("bedrock")
    assert (answer.status, found) == (403, code), message
    assert said is None or said in message, message


def test_boto3_and_the_aws_cli_are_believed(guarded):
    bedrock = client(guarded.url, "bedrock", key=guarded.key)
    assert bedrock.list_inference_profiles(maxResults=5)["inferenceProfileSummaries"]
    out = cli(guarded.url, "bedrock", "list-foundation-models", "--by-provider", "meta", key=guarded.key)
    assert "modelSummaries" in out


def test_the_key_tells_the_account(guarded):
    identity = client(guarded.url, "sts", key=guarded.key).get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"


def test_stand_ins_are_off(guarded):
    runtime = client(guarded.url, "bedrock-runtime", key=guarded.key)
    with pytest.raises(runtime.exceptions.ClientError) as error:
        converse(runtime, model=HAIKU, tokens=1)
    assert error.value.response["Error"]["Code"] in ("ValidationException", "AccessDeniedException")


def test_a_local_model_answers(guarded):
    runtime = client(guarded.url, "bedrock-runtime", key=guarded.key)
    models = client(guarded.url, "bedrock", key=guarded.key).list_foundation_models(byOutputModality="TEXT")
    local = [m["modelId"] for m in models["modelSummaries"] if m["modelId"].startswith("outcrop.")]
    assert converse(runtime, model=local[0], tokens=1)["usage"]["outputTokens"] == 1


def test_an_encoded_path_is_encoded_once_more(guarded, signer):
    for segment in (HAIKU.replace(":", "%3A"), HAIKU, "arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2F" + HAIKU):
        answer = send(guarded, signer, target=f"/foundation-models/{segment}")
        assert answer.status == 200, answer.body


def test_a_query_is_sorted(guarded, signer):
    answer = send(guarded, signer, target="/inference-profiles?type=APPLICATION&maxResults=2")
    assert answer.status == 200, answer.body


def test_a_service_prefix_is_part_of_the_signed_path(guarded):
    assert client(guarded.url + "/bedrock", "bedrock", key=guarded.key).list_foundation_models()["modelSummaries"]


def test_botocore_signs_a_path_without_doubled_slashes(guarded):
    """botocore sends `//` and signs the path with the slashes merged; the answer must be about the empty label."""
    loose = client(guarded.url, "bedrock-runtime", key=guarded.key, parameter_validation=False)
    raises(lambda: loose.converse(modelId="", messages=ASK["messages"]), "ValidationException")


def test_no_credentials(guarded):
    refused(send(guarded, None), "MissingAuthenticationTokenException", "Missing Authentication Token")


def test_an_unknown_key(guarded, signer):
    stranger = dataclasses.replace(signer, key="AKIAABCDEFGHIJKLMNOP")
    refused(send(guarded, stranger), "UnrecognizedClientException", "The security token included in the request is invalid.")


def test_a_wrong_secret(guarded, signer):
    wrong = dataclasses.replace(signer, secret=signer.secret[:-1] + ("a" if signer.secret[-1] != "a" else "b"))
    refused(send(guarded, wrong), "InvalidSignatureException", WRONG)


def test_a_changed_request(guarded, signer):
    host = ":".join(map(str, guarded.address))
    signed = signer.headers("POST", f"/model/{HAIKU}/converse", host, b'{"messages": []}', raw.JSON)
    changed = raw.request(guarded, "POST", f"/model/{HAIKU}/converse", b'{"messages": [1]}', signed, signer=None)
    refused(changed, "InvalidSignatureException")
    for method, target in (("POST", "/model/x/converse"), ("GET", LIST)):
        headers = signer.headers("GET", "/inference-profiles", host)
        refused(raw.request(guarded, method, target, headers=headers, signer=None), "InvalidSignatureException")


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24])
def test_a_clock_outside_the_window(guarded, signer, minutes):
    late = dataclasses.replace(signer, offset=datetime.timedelta(minutes=minutes))
    refused(send(guarded, late), "InvalidSignatureException", "Signature")


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_inside_the_window(guarded, signer, minutes):
    near = dataclasses.replace(signer, offset=datetime.timedelta(minutes=minutes))
    assert send(guarded, near).status == 200


def test_a_body_hash_that_is_sent_must_be_true(guarded, signer):
    host = ":".join(map(str, guarded.address))
    headers = signer.headers("GET", LIST, host, b"other", send_hash=True)
    answer = raw.request(guarded, "GET", LIST, headers=headers, signer=None)
    assert answer.status == 403 or answer.status == 400, answer.body
    answer.error("bedrock")


def test_a_scope_of_another_service(guarded, signer):
    answer = send(guarded, dataclasses.replace(signer, service="kms"))
    assert answer.status == 403, answer.body
    answer.error("bedrock")


@pytest.mark.parametrize(
    "value",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request",
        "AWS4-HMAC-SHA512 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0",
        "Basic dXNlcjpwYXNz",
        "Bearer",
        "",
        "AWS4-HMAC-SHA256 " + "A" * 9000,
    ],
)
def test_a_malformed_header(guarded, value):
    answer = raw.request(guarded, "GET", LIST, headers={"authorization": value}, signer=None)
    assert answer.status in (400, 403), answer.status
    answer.error("bedrock")


class TestPresigned:
    def target(self, guarded, signer, **kwargs):
        return signer.presigned("GET", LIST, ":".join(map(str, guarded.address)), **kwargs)

    def test_it_is_believed(self, guarded, signer):
        answer = raw.request(guarded, "GET", self.target(guarded, signer), headers={}, signer=None)
        assert answer.status == 200, answer.body

    def test_a_changed_one_is_not(self, guarded, signer):
        target = self.target(guarded, signer)
        for changed in (target[:-1] + ("0" if target[-1] != "0" else "1"), target + "&byProvider=meta"):
            refused(raw.request(guarded, "GET", changed, headers={}, signer=None), "InvalidSignatureException")

    def test_an_expired_one_is_not(self, guarded, signer):
        early = dataclasses.replace(signer, offset=datetime.timedelta(minutes=-10))
        answer = raw.request(guarded, "GET", self.target(guarded, early, expires=60), headers={}, signer=None)
        code, message = answer.error("bedrock")
        assert (answer.status, code) in ((403, "InvalidSignatureException"), (403, "ExpiredTokenException")), message

    def test_one_from_the_future_is_not(self, guarded, signer):
        ahead = dataclasses.replace(signer, offset=datetime.timedelta(minutes=20))
        answer = raw.request(guarded, "GET", self.target(guarded, ahead), headers={}, signer=None)
        refused(answer, "InvalidSignatureException", "Signature not yet current")

    @pytest.mark.parametrize("expires", ["604801", "0", "-1", "x", ""])
    def test_a_life_that_nobody_may_ask_is_not(self, guarded, signer, expires):
        target = self.target(guarded, signer, expires=expires)
        answer = raw.request(guarded, "GET", target, headers={}, signer=None)
        assert answer.status in (400, 403), answer.body
        answer.error("bedrock")

    def test_replayed_it_is_the_same_request_or_none(self, guarded, signer):
        """A presigned request may be sent again while it lives, as in AWS; it is good for that request alone."""
        target = self.target(guarded, signer)
        for _ in range(2):
            assert raw.request(guarded, "GET", target, headers={}, signer=None).status == 200
        for method, changed, body in (
            ("POST", target, b""),
            ("GET", target.replace(LIST, "/inference-profiles"), b""),
            ("GET", "/bedrock" + target, b""),
            ("GET", target, b"{}"),
            ("GET", target.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"), b""),
        ):
            answer = raw.request(guarded, method, changed, body, headers={}, signer=None)
            assert (answer.status, answer.error()[0]) == (403, "InvalidSignatureException"), (method, changed, answer.body)

    def test_replayed_to_another_host_it_is_not(self, guarded, signer):
        target = signer.presigned("GET", LIST, "another.example.com")
        refused(raw.request(guarded, "GET", target, headers={}, signer=None), "InvalidSignatureException")


class TestRegions:
    """The scope says which Region a caller is in; a host name that says another is told so."""

    def ask(self, guarded, signer, host):
        headers = signer.headers("GET", LIST, host)
        lines = [f"GET {LIST} HTTP/1.1", f"host: {host}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return raw.exchange(guarded, "\r\n".join(lines).encode() + b"\r\n\r\n")

    def test_of_the_host(self, guarded, signer):
        west = dataclasses.replace(signer, region="us-west-2")
        assert self.ask(guarded, west, "bedrock.us-west-2.amazonaws.com").status == 200
        refused(self.ask(guarded, west, "bedrock.us-east-1.amazonaws.com"), "InvalidSignatureException", "valid region")

    def test_a_scope_cannot_be_moved(self, guarded, signer):
        host = ":".join(map(str, guarded.address))
        headers = signer.headers("GET", LIST, host)
        headers["authorization"] = headers["authorization"].replace("us-east-1", "us-west-2")
        refused(raw.request(guarded, "GET", LIST, headers=headers, signer=None), "InvalidSignatureException")

    @pytest.mark.parametrize("region", ["", "US-EAST-1", "us east 1", "x" * 33])
    def test_what_is_no_region(self, guarded, signer, region):
        answer = send(guarded, dataclasses.replace(signer, region=region))
        assert answer.status == 403, answer.body
        answer.error("bedrock")


def test_a_revoked_key_is_refused_at_once(guarded):
    """Whatever was signed by it before: a request, a presigned one."""
    key = Signer(*access_key(guarded.data, ACCOUNT, "bob"))
    other = Signer(*access_key(guarded.data, ACCOUNT, "bob"))
    presigned = key.presigned("GET", LIST, ":".join(map(str, guarded.address)), expires=3600)
    assert send(guarded, key).status == 200
    assert raw.request(guarded, "GET", presigned, headers={}, signer=None).status == 200
    done = outcrop("keys", "revoke", "--data", str(guarded.data), key.key)
    assert done.returncode == 0, done.stderr
    refused(send(guarded, key), "UnrecognizedClientException")
    refused(raw.request(guarded, "GET", presigned, headers={}, signer=None), "UnrecognizedClientException")
    assert send(guarded, other).status == 200
