"""S3 of a server with principals, folders and other services behind it: who may what, what lasts, what is on record."""

import gzip
import hashlib
import http.client
import json
import os
import threading
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support.ask import HAIKU, user
from support.clients import client
from support.keys import access_key
from support.s3 import MIB, OTHER, keys, read, refused, s3_client
from support.server import Server
from support.waiting import until

READER = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/public/*"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::reports",
            "Condition": {"StringLike": {"s3:prefix": "public/*"}},
        },
    ],
}
SERVED = f"""
[s3]
enabled = true
[access.policies.reader]
json = '{json.dumps(READER)}'
[[access.users]]
account = "123456789012"
name = "reader"
policies = ["reader"]
"""


class TestServe:
    @pytest.fixture(scope="class")
    def served(self):
        server = Server("serve", config=SERVED)
        try:
            server.owner = access_key(server.data, user="root")
            server.reader = access_key(server.data, user="reader")
            with server:
                yield server
        finally:
            server.remove()

    @pytest.fixture(scope="class")
    def owner(self, served):
        s3 = s3_client(served.url, served.owner)
        s3.create_bucket(Bucket="reports")
        s3.put_object(Bucket="reports", Key="public/a", Body=b"open")
        s3.put_object(Bucket="reports", Key="private/a", Body=b"closed")
        return s3

    def test_policies_decide(self, served, owner):
        reader = s3_client(served.url, served.reader)
        assert read(reader, "reports", "public/a") == b"open"
        assert keys(reader, "reports", Prefix="public/") == ["public/a"]
        answer = refused(lambda: reader.get_object(Bucket="reports", Key="private/a"), "AccessDenied", 403)
        assert "s3:GetObject on resource: arn:aws:s3:::reports/private/a" in answer["Error"]["Message"]
        refused(lambda: reader.list_objects_v2(Bucket="reports"), "AccessDenied", 403)
        refused(lambda: reader.put_object(Bucket="reports", Key="public/b", Body=b""), "AccessDenied", 403)
        refused(lambda: reader.delete_object(Bucket="reports", Key="public/a"), "AccessDenied", 403)
        refused(lambda: reader.create_bucket(Bucket="its-own"), "AccessDenied", 403)
        refused(lambda: reader.list_buckets(), "AccessDenied", 403)

    def test_wrong_signatures(self, served, owner):
        wrong = s3_client(served.url, (served.owner[0], "x" * 40))
        refused(lambda: wrong.get_object(Bucket="reports", Key="public/a"), "SignatureDoesNotMatch", 403)
        refused(lambda: wrong.put_object(Bucket="reports", Key="k", Body=b"x"), "SignatureDoesNotMatch", 403)
        unknown = s3_client(served.url, ("AKIAABCDEFGHIJKLMNOP", "x" * 40))
        refused(lambda: unknown.list_buckets(), "InvalidAccessKeyId", 403)

    def test_every_way_of_signing(self, served, owner):
        key = "ä (1)+'~!*/$ ü&=.txt"
        for config in ({}, {"payload_signing_enabled": True}, {"payload_signing_enabled": False}):
            s3 = s3_client(served.url, served.owner, s3=config)
            s3.put_object(Bucket="reports", Key=key, Body=repr(config).encode())
            assert read(s3, "reports", key) == repr(config).encode()
        get = owner.generate_presigned_url("get_object", Params={"Bucket": "reports", "Key": key}, ExpiresIn=60)
        assert urllib.request.urlopen(get).status == 200
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(get.replace("%C3%A4", "%C3%B6", 1))
        assert caught.value.code == 403 and b"SignatureDoesNotMatch" in caught.value.read()

    def test_a_body_that_was_changed_on_the_way(self, served, owner):
        request = {}

        def steal(request_, **_):
            request["it"] = request_

        s3 = s3_client(served.url, served.owner)
        s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: steal(request))
        s3.put_object(Bucket="reports", Key="signed", Body=b"as it was")
        sent = request["it"]
        headers = {name: value if isinstance(value, str) else value.decode() for name, value in sent.headers.items()}
        host, port = served.address
        connection = http.client.HTTPConnection(host, port)
        headers.pop("Expect", None)
        connection.request("PUT", "/reports/signed", b"as it isn", headers)
        answer = connection.getresponse()
        assert answer.status == 400 and (b"XAmzContentSHA256Mismatch" in (body := answer.read()) or b"BadDigest" in body)
        assert read(owner, "reports", "signed") == b"as it was"

    def test_a_credential_for_another_service(self, served, owner):
        bedrock = client(served.url, "bedrock", key=served.owner)
        assert bedrock.list_foundation_models()["modelSummaries"]
        status = raw_status(served, "GET", "/reports/public/a")
        assert status == 403


def raw_status(server, method, path):
    host, port = server.address
    connection = http.client.HTTPConnection(host, port)
    connection.request(method, path)
    return connection.getresponse().status


def test_serve_speaks_it_only_where_it_is_switched_on():
    server = Server("serve")
    try:
        key = access_key(server.data, user="root")
        with server:
            refused(lambda: s3_client(server.url, key).list_buckets(), "NotImplemented", 501)
    finally:
        server.remove()


def test_what_was_acknowledged_survives_a_kill(fresh):
    server = fresh().start()
    s3_client(server.url).create_bucket(Bucket="durable")
    acknowledged, lock = {}, threading.Lock()

    def write(number):
        s3 = s3_client(server.url)
        for n in range(number, 400, 4):
            body = os.urandom(1000)
            try:
                s3.put_object(Bucket="durable", Key=f"{n % 50}/{n}", Body=body, Metadata={"n": str(n)})
            except Exception:  # the server is gone: this one was not acknowledged
                return
            with lock:
                acknowledged[f"{n % 50}/{n}"] = (body, str(n))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) >= 60, 60, "sixty acknowledged writes")
    server.kill()
    for thread in threads:
        thread.join()
    assert len(acknowledged) < 400, "the kill came after the last write"
    server.start()
    s3 = s3_client(server.url)
    assert set(acknowledged) <= set(keys(s3, "durable"))
    for key, (body, n) in acknowledged.items():
        got = s3.get_object(Bucket="durable", Key=key)
        assert (got["Body"].read(), got["Metadata"]) == (body, {"n": n})
        assert got["ETag"] == json.dumps(hashlib.md5(body).hexdigest())


class TestFolders:
    @pytest.fixture
    def folder(self, fresh, tmp_path):
        docs, outside = tmp_path / "docs", tmp_path / "outside"
        (docs / "deep").mkdir(parents=True)
        outside.mkdir()
        (docs / "a.md").write_text("alpha")
        (docs / "deep" / "b.md").write_text("beta")
        (outside / "secret").write_text("secret")
        (docs / "link").symlink_to(outside / "secret")
        (docs / "way-out").symlink_to(outside)
        (docs / "loop").symlink_to(docs)
        config = f'[buckets.docs]\nfolder = "{docs}"\n[buckets.sealed]\nfolder = "{docs}"\nread_only = true\n'
        server = fresh(config=config + f'[buckets.theirs]\nfolder = "{docs}"\naccount = "{OTHER}"\n').start()
        return s3_client(server.url), docs, server

    def test_a_folder_is_a_bucket(self, folder):
        s3, docs, _ = folder
        assert keys(s3, "docs") == ["a.md", "deep/b.md"] and read(s3, "docs", "deep/b.md") == b"beta"
        before = s3.head_object(Bucket="docs", Key="a.md")["ETag"]
        s3.put_object(Bucket="docs", Key="new/c.md", Body=b"gamma", ContentType="text/markdown")
        assert (docs / "new" / "c.md").read_text() == "gamma"
        assert s3.head_object(Bucket="docs", Key="new/c.md")["ContentType"] == "text/markdown"
        (docs / "a.md").write_text("alpha, changed")
        assert s3.head_object(Bucket="docs", Key="a.md")["ETag"] != before
        (docs / "new" / "c.md").write_text("changed by hand")
        assert s3.head_object(Bucket="docs", Key="new/c.md")["ContentType"] == "binary/octet-stream"
        s3.delete_object(Bucket="docs", Key="new/c.md")
        assert sorted(path.name for path in docs.iterdir()) == ["a.md", "deep", "link", "loop", "new", "way-out"]
        refused(lambda: s3.delete_bucket(Bucket="docs"), "AccessDenied", 403)

    def test_nothing_outside_is_reached(self, folder):
        s3, docs, _ = folder
        for key in ("link", "way-out/secret", "../outside/secret", "loop/a.md", "deep/../../outside/secret"):
            refused(lambda: s3.get_object(Bucket="docs", Key=key), "NoSuchKey", 404)
        for key in ("way-out/new", "../new", "deep/../x", "a//b", "end/", "a.md/below", "deep"):
            refused(lambda: s3.put_object(Bucket="docs", Key=key, Body=b"x"), "InvalidArgument", 400)
        s3.put_object(Bucket="docs", Key="link", Body=b"mine")
        assert (docs.parent / "outside" / "secret").read_text() == "secret" and (docs / "link").read_text() == "mine"
        assert [path.name for path in (docs.parent / "outside").iterdir()] == ["secret"]

    def test_what_a_killed_write_left_goes(self, fresh, tmp_path):
        server = fresh(config=f'[buckets.docs]\nfolder = "{tmp_path}"\n').start()
        url = s3_client(server.url).generate_presigned_url("put_object", Params={"Bucket": "docs", "Key": "k"}, ExpiresIn=600)
        connection = http.client.HTTPConnection(*server.address)
        connection.putrequest("PUT", url.removeprefix(server.url))
        connection.putheader("content-length", "1000")
        connection.endheaders(b"half of it")
        (left,) = until(lambda: list(tmp_path.iterdir()), 10, "a half-written file")
        server.kill()
        recent = tmp_path / (".outcrop-" + "0" * 32)
        recent.write_bytes(b"another server may be writing this")
        os.utime(left, (0, 0))
        server.start()
        assert list(tmp_path.iterdir()) == [recent]

    def test_read_only_and_other_accounts(self, folder):
        s3, _, server = folder
        assert read(s3, "sealed", "a.md") == b"alpha"
        refused(lambda: s3.put_object(Bucket="sealed", Key="x", Body=b""), "AccessDenied", 403)
        refused(lambda: s3.get_object(Bucket="theirs", Key="a.md"), "AccessDenied", 403)
        assert read(s3_client(server.url, (OTHER, "test")), "theirs", "a.md") == b"alpha"


class TestServices:
    """A bucket in another service that speaks S3: here, in another Outcrop."""

    @pytest.fixture
    def both(self, fresh):
        far = fresh().start()
        there = s3_client(far.url)
        there.create_bucket(Bucket="far-away")
        config = f"""
[buckets.near]
kind = "s3"
url = "{far.url}"
bucket = "far-away"
prefix = "some/"
access_key_id = "test"
secret_access_key = "a-secret-of-the-operator"
[buckets.gone]
kind = "s3"
url = "http://127.0.0.1:1"
"""
        near = fresh(config=config).start()
        return s3_client(near.url), there, near

    def test_it_is_a_bucket_like_others(self, both):
        here, there, _ = both
        here.put_object(Bucket="near", Key="docs/ü a.md", Body=b"text", ContentType="text/markdown", Metadata={"a": "b"})
        assert read(there, "far-away", "some/docs/ü a.md") == b"text"
        got = here.get_object(Bucket="near", Key="docs/ü a.md")
        assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"text", "text/markdown", {"a": "b"})
        assert here.head_object(Bucket="near", Key="docs/ü a.md")["ETag"] == got["ETag"]
        assert read(here, "near", "docs/ü a.md", Range="bytes=1-2") == b"ex"
        refused(lambda: here.get_object(Bucket="near", Key="docs/ü a.md", Range="bytes=9-"), "InvalidRange", 416)
        refused(lambda: here.get_object(Bucket="near", Key="none"), "NoSuchKey", 404)
        refused(lambda: here.put_object(Bucket="near", Key="docs/ü a.md", Body=b"", IfNoneMatch="*"), "PreconditionFailed", 412)
        refused(lambda: here.put_object(Bucket="near", Key="../x", Body=b""), "InvalidArgument", 400)
        here.delete_object(Bucket="near", Key="docs/ü a.md")
        assert keys(there, "far-away") == []

    def test_lists(self, both):
        here, there, _ = both
        names = sorted([f"{a}/{b}" for a in "ab" for b in range(5)] + ["top", "zz"])
        for name in names:
            there.put_object(Bucket="far-away", Key="some/" + name, Body=b"1")
        there.put_object(Bucket="far-away", Key="other", Body=b"1")
        for size in (1, 3, 1000):
            assert keys(here, "near", PaginationConfig={"PageSize": size}) == names
            pages = list(here.get_paginator("list_objects_v2").paginate(Bucket="near", Delimiter="/", PaginationConfig={"PageSize": size}))
            assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == ["a/", "b/"]
            assert [o["Key"] for page in pages for o in page.get("Contents", [])] == ["top", "zz"]
        assert keys(here, "near", Prefix="a/3") == ["a/3"] and keys(here, "near", StartAfter="b/2") == ["b/3", "b/4", "top", "zz"]

    def test_large_objects_go_in_parts(self, both, tmp_path):
        here, there, _ = both
        data = os.urandom(40 * MIB)
        (tmp_path / "big").write_bytes(data)
        here.upload_file(str(tmp_path / "big"), "near", "big")
        assert there.head_object(Bucket="far-away", Key="some/big")["ETag"].endswith('-3"')
        assert read(here, "near", "big") == data

    def test_one_that_does_not_answer(self, both):
        here, _, server = both
        refused(lambda: here.get_object(Bucket="gone", Key="k"), "InternalError", 500)
        assert "a-secret-of-the-operator" not in server.log_text


class TestInvocationLogs:
    def test_a_log_is_an_object_of_a_bucket_made_here(self, fresh):
        server = fresh().start()
        s3, bedrock = s3_client(server.url), client(server.url, "bedrock")
        s3.create_bucket(Bucket="the-logs")
        where = {"s3Config": {"bucketName": "the-logs", "keyPrefix": "p"}}
        bedrock.put_model_invocation_logging_configuration(loggingConfig=where)
        asked = client(server.url, "bedrock-runtime").converse(modelId=HAIKU, messages=[user("Hi")], inferenceConfig={"maxTokens": 2})
        found = until(lambda: keys(s3, "the-logs", Prefix="p/AWSLogs/"), 10, "a log")
        line = json.loads(gzip.decompress(read(s3, "the-logs", found[0])))
        assert line["requestId"] == asked["ResponseMetadata"]["RequestId"]

    def test_another_account_s_bucket_takes_no_logs(self, fresh):
        server = fresh().start()
        s3_client(server.url, (OTHER, "test")).create_bucket(Bucket="their-logs")
        bedrock = client(server.url, "bedrock")
        with pytest.raises(ClientError) as caught:
            bedrock.put_model_invocation_logging_configuration(loggingConfig={"s3Config": {"bucketName": "their-logs"}})
        assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_calls_are_on_record(fresh):
    server = fresh().start()
    s3 = s3_client(server.url)
    s3.create_bucket(Bucket="recorded")
    s3.put_object(Bucket="recorded", Key="k", Body=b"x")

    def events():
        lines = [line for file in (server.data / "telemetry" / "audit").rglob("*.jsonl") for line in file.read_text().splitlines()]
        return {(e["eventSource"], e["eventName"]) for e in map(json.loads, lines) if "eventSource" in e}

    wanted = {("s3.amazonaws.com", "CreateBucket"), ("s3.amazonaws.com", "PutObject")}
    until(lambda: wanted <= events(), 10, "both records")
