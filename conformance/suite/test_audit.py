"""The audit trail: what it says of calls and changes, and that nobody alters it unseen."""

import hashlib
import json
import re
import uuid

import pytest

from support import raw
from support.ask import HAIKU, HAIKU_ARN, user
from support.clients import CliError, cli, client
from support.identity import allow, policy, toml
from support.keys import access_key
from support.server import Server, outcrop
from support.waiting import until

ACCOUNT = "123456789012"
DENIED = f"arn:aws:iam::{ACCOUNT}:user/reader"


def trail(server):
    """All records, oldest first, as the command exports them."""
    done = outcrop("audit", "export", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def record(server, request_id):
    """The record of a request; it is written within a moment."""
    found = until(lambda: [r for r in trail(server) if r.get("requestID") == request_id], 10, "its record")
    assert len(found) == 1
    return found[0]


def request_id(answer):
    return answer["ResponseMetadata"]["RequestId"]


def refused(call):
    with pytest.raises(Exception) as caught:
        call()
    return request_id(caught.value.response)


def verify(data, *args):
    return outcrop("audit", "verify", "--data", str(data), *args)


def files(data):
    return sorted((data / "telemetry" / "audit").glob("*/*.jsonl"))


@pytest.fixture(scope="module")
def guarded():
    config = toml(
        access={"default_policies": []},
        access__policies__read={"json": policy(allow("bedrock:List*", Sid="Reading"), {**allow("bedrock:InvokeModel"), "Effect": "Deny"})},
        access__users=[{"account": ACCOUNT, "name": "reader", "policies": ["read"]}],
    )
    server = Server("serve", config=config)
    try:
        server.owner = access_key(server.data, ACCOUNT, "root")
        server.reader = access_key(server.data, ACCOUNT, "reader")
        with server:
            yield server
    finally:
        server.remove()


def test_an_answered_call(server, runtime):
    marker = uuid.uuid4().hex
    answer = runtime.converse(modelId=HAIKU, messages=[user(marker)], inferenceConfig={"maxTokens": 1})
    seen = record(server, request_id(answer))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen["eventTime"])
    assert seen["eventVersion"] == "1.11" and seen["eventSource"] == "bedrock.amazonaws.com"
    assert (seen["eventName"], seen["awsRegion"], seen["sourceIPAddress"]) == ("Converse", "us-east-1", "127.0.0.1")
    assert seen["requestParameters"] == {"modelId": HAIKU} and seen["responseElements"] is None
    assert "Boto3" in seen["userAgent"] and seen["readOnly"] is True and "errorCode" not in seen
    assert seen["userIdentity"]["type"] == "Root" and seen["userIdentity"]["accessKeyId"] == "test"
    assert seen["recipientAccountId"] == seen["userIdentity"]["accountId"]
    assert seen["additionalEventData"] == {"service": "bedrock-runtime", "decidedBy": {"kind": "account owner"}}
    assert marker not in json.dumps(trail(server))


def test_a_denied_call_names_the_statement(guarded):
    runtime = client(guarded.url, "bedrock-runtime", key=guarded.reader)
    ask = lambda: runtime.converse(modelId=HAIKU, messages=[user("hi")])
    seen = record(guarded, refused(ask))
    assert seen["errorCode"] == "AccessDeniedException"
    assert seen["errorMessage"].startswith(f"User: {DENIED} is not authorized to perform: bedrock:InvokeModel")
    assert seen["userIdentity"]["userName"] == "reader" and seen["userIdentity"]["arn"] == DENIED
    assert seen["additionalEventData"]["decidedBy"] == {
        "effect": "deny",
        "kind": "identity",
        "policy": "read",
        "statement": "Statement[1]",
        "action": "bedrock:InvokeModel",
        "resource": HAIKU_ARN,
    }
    assert seen["resources"] == [{"type": "AWS::Bedrock::Model", "ARN": HAIKU_ARN}]
    found = outcrop("audit", "search", "--data", str(guarded.data), "--policy", "read", "--error", "AccessDeniedException")
    assert DENIED in found.stdout and "deny read Statement[1]" in found.stdout


def test_an_allowed_call_names_the_statement(guarded):
    bedrock = client(guarded.url, "bedrock", key=guarded.reader)
    seen = record(guarded, request_id(bedrock.list_foundation_models()))
    decided = seen["additionalEventData"]["decidedBy"]
    assert (decided["effect"], decided["policy"], decided["statement"]) == ("allow", "read", "Reading")


def test_no_policy_at_all(guarded):
    bedrock = client(guarded.url, "bedrock", key=guarded.reader)
    seen = record(guarded, refused(lambda: bedrock.delete_inference_profile(inferenceProfileIdentifier="nothing")))
    decided = seen["additionalEventData"]["decidedBy"]
    assert seen["errorCode"] == "AccessDeniedException" and seen["readOnly"] is False
    assert seen["requestParameters"] == {"inferenceProfileIdentifier": "nothing"}
    assert (decided["effect"], decided["kind"]) == ("deny", "identity") and "policy" not in decided


def test_a_wrong_signature(guarded):
    bedrock = client(guarded.url, "bedrock", key=(guarded.reader[0], "wrong"))
    seen = record(guarded, refused(bedrock.list_foundation_models))
    assert seen["errorCode"] == "InvalidSignatureException"
    assert seen["userIdentity"] == {"type": "Unknown", "accessKeyId": guarded.reader[0]}
    assert "recipientAccountId" not in seen


def test_sts(guarded):
    sts = client(guarded.url, "sts", key=guarded.reader)
    seen = record(guarded, request_id(sts.get_caller_identity()))
    assert (seen["eventSource"], seen["eventName"]) == ("sts.amazonaws.com", "GetCallerIdentity")
    gone = lambda: sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="session")
    seen = record(guarded, refused(gone))
    assert (seen["eventName"], seen["errorCode"], seen["readOnly"]) == ("AssumeRole", "AccessDenied", False)


def test_keys_are_on_record_and_their_secrets_are_not(guarded):
    key, secret = access_key(guarded.data, ACCOUNT, "passing")
    assert outcrop("keys", "revoke", key, "--data", str(guarded.data)).returncode == 0
    changes = [r for r in trail(guarded) if r["additionalEventData"].get("keyId") == key]
    assert [r["eventName"] for r in changes] == ["CreateAccessKey", "DeleteAccessKey"]
    assert all(r["eventSource"] == "iam.amazonaws.com" and r["userIdentity"]["type"] == "Operator" for r in changes)
    assert {r["recipientAccountId"] for r in changes} == {ACCOUNT}
    assert secret not in json.dumps(trail(guarded))


def test_a_reload_names_the_keys_that_changed(fresh):
    server = fresh("serve", config="[limits]\nconnections = 100\n").start()
    server.config_path.write_text("[limits]\nconnections = 200\n[access]\ndefault_policies = []\n")
    done = outcrop("config", "reload", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    reload = until(lambda: [r for r in trail(server) if r["eventName"] == "ReloadConfiguration"], 10, "its record")[0]
    assert "limits.connections" in reload["additionalEventData"]["changedKeys"]


def test_the_chain_is_what_the_documentation_says(server, runtime):
    runtime.count_tokens(modelId=HAIKU, input={"converse": {"messages": [user("hi")]}})
    for file in files(server.data):
        before = None
        for line in file.read_bytes().splitlines():
            body, _, tail = line.rpartition(b',"hash":"')
            digest = hashlib.sha256(body).hexdigest()
            assert tail == digest.encode() + b'"}'
            chain = json.loads(line)["chain"]
            assert before is None or (chain["sequence"], chain["previous"]) == (before[0] + 1, before[1])
            assert chain["node"] == file.parent.name
            before = (chain["sequence"], digest)


def test_a_flipped_byte_is_found(fresh):
    server = fresh().start()
    answer = client(server.url, "bedrock").list_foundation_models()
    record(server, request_id(answer))
    assert server.stop() == 0
    done = verify(server.data)
    assert done.returncode == 0 and "whole" in done.stdout, done.stderr
    hash_ = done.stdout.split()[-1]
    assert verify(server.data, "--hash", hash_).returncode == 0
    file = files(server.data)[-1]
    whole = file.read_bytes()
    at = whole.index(b"ListFoundationModels")
    file.write_bytes(whole[:at] + b"l" + whole[at + 1 :])
    done = verify(server.data)
    line = whole[:at].count(b"\n") + 1
    assert done.returncode == 1 and f"line {line}: it was altered" in done.stderr, done.stderr
    # Cut off at its end, a chain is whole; whoever remembers the hash sees it.
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    assert verify(server.data).returncode == 0
    done = verify(server.data, "--hash", hash_)
    assert done.returncode == 1 and "no record has the hash" in done.stderr


def test_a_kill_leaves_a_chain_that_can_be_proven(fresh):
    server = fresh().start()
    bedrock = client(server.url, "bedrock")
    kept = request_id(bedrock.list_foundation_models())
    record(server, kept)
    for _ in range(50):
        bedrock.list_inference_profiles()
    server.kill()
    assert verify(server.data).returncode == 0
    # As if the kill had come in the middle of a line.
    file = files(server.data)[-1]
    with open(file, "ab") as torn:
        torn.write(b'{"eventVersion":"1.11","userIde')
    done = verify(server.data)
    assert done.returncode == 0 and "not finished" in done.stdout
    server.start()
    record(server, request_id(client(server.url, "bedrock").list_foundation_models()))
    done = verify(server.data)
    assert done.returncode == 0 and "not finished" not in done.stdout, done.stdout + done.stderr
    names = [r["eventName"] for r in trail(server)]
    assert names.count("StartServer") == 2 and names.count("RemoveTornRecord") == 1
    assert kept in {r.get("requestID") for r in trail(server)}


def test_off_is_off(fresh):
    server = fresh(config="[audit]\nenabled = false\n").start()
    answer = client(server.url, "bedrock").list_foundation_models()
    assert server.stop() == 0
    assert request_id(answer) not in {r.get("requestID") for r in trail(server)}


def test_a_door_names_its_model(server):
    body = json.dumps({"model": HAIKU, "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]})
    answer = raw.request(server, "POST", "/v1/chat/completions", body.encode())
    seen = record(server, answer.headers["x-amzn-requestid"])
    assert seen["requestParameters"] == {"modelId": HAIKU} and seen["eventName"] == "openai-chat-completions"


def looked_up(url, **attributes):
    one = client(url, "cloudtrail", **attributes.pop("who", {}))
    found = [{"AttributeKey": key, "AttributeValue": value} for key, value in attributes.items()]
    pages = one.get_paginator("lookup_events").paginate(LookupAttributes=found, PaginationConfig={"PageSize": 3})
    return [event for page in pages for event in page["Events"]]


class TestLookupEvents:
    @pytest.fixture(scope="class")
    def asked(self, server):
        """An account of its own, with five calls of two kinds."""
        account = "535353535353"
        bedrock = client(server.url, "bedrock", account=account)
        ids = [request_id(bedrock.list_inference_profiles()) for _ in range(4)]
        ids.append(refused(lambda: bedrock.get_inference_profile(inferenceProfileIdentifier="none")))
        record(server, ids[-1])
        return account, ids

    def test_newest_first_page_by_page(self, server, asked):
        account, ids = asked
        events = looked_up(server.url, who={"account": account}, EventName="ListInferenceProfiles")
        assert [json.loads(event["CloudTrailEvent"])["requestID"] for event in events] == ids[3::-1]
        assert {event["EventName"] for event in events} == {"ListInferenceProfiles"}
        assert events[0]["ReadOnly"] == "true" and events[0]["AccessKeyId"] == account and events[0]["Username"] == "root"
        times = [event["EventTime"] for event in events]
        assert times == sorted(times, reverse=True)

    def test_by_other_attributes(self, server, asked):
        account, ids = asked
        who = {"account": account}
        assert looked_up(server.url, who=who, Username="somebody") == []
        found = looked_up(server.url, who=who, AccessKeyId=account)
        assert len(found) >= 5
        (event,) = looked_up(server.url, who=who, EventName="GetInferenceProfile")
        assert looked_up(server.url, who=who, EventId=event["EventId"]) == [event]
        assert json.loads(event["CloudTrailEvent"])["errorCode"] == "ResourceNotFoundException"

    def test_another_account_and_another_region_see_nothing(self, server, asked):
        account, _ = asked
        wanted = {"EventName": "GetInferenceProfile"}
        assert looked_up(server.url, who={"account": "545454545454"}, **wanted) == []
        assert looked_up(server.url, who={"account": account, "region": "eu-west-1"}, **wanted) == []

    def test_by_the_command_line(self, server, asked):
        account, _ = asked
        attribute = "AttributeKey=EventName,AttributeValue=GetInferenceProfile"
        found = cli(server.url, "cloudtrail", "lookup-events", "--lookup-attributes", attribute, key=(account, "x"))
        assert [event["EventName"] for event in found["Events"]] == ["GetInferenceProfile"]
        with pytest.raises(CliError, match="InvalidTimeRangeException"):
            times = ["--start-time", "2026-01-02T00:00:00Z", "--end-time", "2026-01-01T00:00:00Z"]
            cli(server.url, "cloudtrail", "lookup-events", *times, key=(account, "x"))

    def test_a_denied_call_and_who_may_not_look(self, guarded):
        runtime = client(guarded.url, "bedrock-runtime", key=guarded.reader)
        id_ = refused(lambda: runtime.converse(modelId=HAIKU, messages=[user("hi")]))
        record(guarded, id_)
        events = looked_up(guarded.url, who={"key": guarded.owner}, Username="reader")
        seen = next(json.loads(e["CloudTrailEvent"]) for e in events if json.loads(e["CloudTrailEvent"])["requestID"] == id_)
        assert seen["errorCode"] == "AccessDeniedException" and seen["additionalEventData"]["decidedBy"]["policy"] == "read"
        with pytest.raises(Exception, match="AccessDenied"):
            looked_up(guarded.url, who={"key": guarded.reader}, EventName="Converse")
