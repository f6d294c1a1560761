"""S3 on the server's port, through boto3 and the AWS CLI: what they ask of a bucket, and what they must not get."""

import datetime
import gzip
import hashlib
import http.client
import json
import os
import threading
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from support import raw
from support.ask import HAIKU, user
from support.clients import CliError, cli, client
from support.keys import access_key
from support.server import Server
from support.sigv4 import Signer
from support.waiting import until

MIB = 1 << 20
OTHER = "222222222222"
TRAVERSALS = ["../escaped", "a/../../escaped", "..", ".", "a//b", "/leading", "trailing/", "a/./b", "\\windows", "a\nb", ".outcrop-x"]


def s3_client(url, key=("test", "test"), region="us-east-1", **config):
    # Without it boto3 presigns by Signature Version 2, which is refused.
    settings = Config(signature_version="s3v4", retries={"total_max_attempts": 1}, read_timeout=120, **config)
    access, secret = key
    return boto3.client(
        "s3", endpoint_url=url, region_name=region, aws_access_key_id=access, aws_secret_access_key=secret, config=settings
    )


@pytest.fixture(scope="module")
def s3(server):
    return s3_client(server.url)


@pytest.fixture
def bucket(s3, request):
    name = "b-" + hashlib.sha1(request.node.name.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


def refused(call, code, status):
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), answer
    return answer


def read(s3, bucket, key, **asked):
    return s3.get_object(Bucket=bucket, Key=key, **asked)["Body"].read()


def keys(s3, bucket, **asked):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **asked)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


class TestBuckets:
    def test_made_found_and_taken_away(self, s3):
        made = s3.create_bucket(Bucket="first-bucket")
        assert made["Location"] == "/first-bucket"
        assert s3.head_bucket(Bucket="first-bucket")["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert "first-bucket" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        assert s3.get_bucket_location(Bucket="first-bucket")["LocationConstraint"] is None
        s3.put_object(Bucket="first-bucket", Key="a/b/c", Body=b"x")
        refused(lambda: s3.delete_bucket(Bucket="first-bucket"), "BucketNotEmpty", 409)
        s3.delete_object(Bucket="first-bucket", Key="a/b/c")
        s3.delete_bucket(Bucket="first-bucket")
        refused(lambda: s3.head_bucket(Bucket="first-bucket"), "404", 404)
        refused(lambda: s3.list_objects_v2(Bucket="first-bucket"), "NoSuchBucket", 404)
        s3.create_bucket(Bucket="first-bucket")
        assert keys(s3, "first-bucket") == []

    def test_another_region(self, server):
        s3 = s3_client(server.url, region="eu-central-1")
        s3.create_bucket(Bucket="in-frankfurt", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        assert s3.get_bucket_location(Bucket="in-frankfurt")["LocationConstraint"] == "eu-central-1"

    def test_a_name_belongs_to_the_whole_server(self, server, s3, bucket):
        other = s3_client(server.url, (OTHER, "test"))
        refused(lambda: s3.create_bucket(Bucket=bucket), "BucketAlreadyOwnedByYou", 409)
        refused(lambda: other.create_bucket(Bucket=bucket), "BucketAlreadyExists", 409)

    @pytest.mark.parametrize("name", ["ab", "Upper", "under_score", "-dash", "dot..dot", "192.168.5.4"])
    def test_names_that_cannot_be(self, server, name):
        # boto3 itself refuses them.
        answer = raw.request(server, "PUT", f"/{name}", headers={}, signer=Signer(service="s3"))
        assert answer.status == 400 and b"<Code>InvalidBucketName</Code>" in answer.body

    def test_a_body_that_was_never_asked_for_is_not_waited_for(self, server):
        host, port = server.address
        target = "/no-such-bucket-here/key"
        sent = Signer(service="s3").headers("PUT", target, f"{host}:{port}", b"x", {"expect": "100-continue"})
        lines = [f"PUT {target} HTTP/1.1", f"host: {host}:{port}", "content-length: 1"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        answer = raw.exchange(server, "\r\n".join(lines).encode() + b"\r\n\r\n")
        # The client's next request would be read as the body of this one.
        assert (answer.status, answer.headers["connection"]) == (404, "close")

    def test_what_is_not_built_says_so(self, s3, bucket):
        refused(lambda: s3.get_bucket_versioning(Bucket=bucket), "NotImplemented", 501)
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="public-read"), "NotImplemented", 501)
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=b"), "NotImplemented", 501)
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms"), "NotImplemented", 501)


class TestObjects:
    def test_what_is_put_is_read(self, s3, bucket):
        put = s3.put_object(
            Bucket=bucket, Key="docs/a.md", Body=b"# Title\n", ContentType="text/markdown", Metadata={"team": "search"},
            CacheControl="no-store", ContentDisposition="inline", ContentLanguage="en", ContentEncoding="identity",
        )  # fmt: skip
        assert put["ETag"] == json.dumps(hashlib.md5(b"# Title\n").hexdigest())
        got = s3.get_object(Bucket=bucket, Key="docs/a.md")
        assert got["Body"].read() == b"# Title\n" and got["ETag"] == put["ETag"]
        head = s3.head_object(Bucket=bucket, Key="docs/a.md")
        for answer in (got, head):
            assert (answer["ContentType"], answer["Metadata"]) == ("text/markdown", {"team": "search"})
            assert (answer["CacheControl"], answer["ContentDisposition"]) == ("no-store", "inline")
            assert (answer["ContentLanguage"], answer["ContentEncoding"]) == ("en", "identity")
            assert answer["ContentLength"] == 8 and answer["AcceptRanges"] == "bytes"
            age = datetime.datetime.now(datetime.timezone.utc) - answer["LastModified"]
            assert abs(age) < datetime.timedelta(minutes=1)

    def test_what_is_not_there(self, s3, bucket):
        refused(lambda: s3.get_object(Bucket=bucket, Key="none"), "NoSuchKey", 404)
        refused(lambda: s3.head_object(Bucket=bucket, Key="none"), "404", 404)
        refused(lambda: s3.get_object(Bucket="no-such-bucket-here", Key="none"), "NoSuchBucket", 404)
        assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204

    def test_empty_and_overwritten(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"")
        assert read(s3, bucket, "k") == b""
        s3.put_object(Bucket=bucket, Key="k", Body=b"one", ContentType="text/plain")
        s3.put_object(Bucket=bucket, Key="k", Body=b"three")
        got = s3.get_object(Bucket=bucket, Key="k")
        assert got["Body"].read() == b"three" and got["ContentType"] == "binary/octet-stream"

    def test_ranges(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
        for asked, expected in [("bytes=0-0", b"0"), ("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-3", b"789"), ("bytes=8-99", b"89")]:
            got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
            assert got["Body"].read() == expected and got["ResponseMetadata"]["HTTPStatusCode"] == 206
            first = b"0123456789".index(expected)
            assert got["ContentRange"] == f"bytes {first}-{first + len(expected) - 1}/10"
        refused(lambda: s3.get_object(Bucket=bucket, Key="k", Range="bytes=10-"), "InvalidRange", 416)

    def test_conditions(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
        assert read(s3, bucket, "k", IfMatch=etag) == b"x"
        refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"'), "PreconditionFailed", 412)
        refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag), "304", 304)
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
        refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=later), "304", 304)
        earlier = later - datetime.timedelta(days=1)
        refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=earlier), "PreconditionFailed", 412)
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*"), "PreconditionFailed", 412)
        s3.put_object(Bucket=bucket, Key="k", Body=b"z", IfMatch=etag)
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"w", IfMatch=etag), "PreconditionFailed", 412)
        assert read(s3, bucket, "k") == b"z"

    def test_copies(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="from me", Body=b"copied", ContentType="text/plain", Metadata={"a": "b"})
        s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from me"})
        got = s3.get_object(Bucket=bucket, Key="to")
        assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"copied", "text/plain", {"a": "b"})
        s3.copy_object(
            Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "to"}, MetadataDirective="REPLACE", Metadata={"c": "d"}
        )
        assert s3.head_object(Bucket=bucket, Key="to")["Metadata"] == {"c": "d"}
        refused(lambda: s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "to"}), "InvalidRequest", 400)
        refused(lambda: s3.copy_object(Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "none"}), "NoSuchKey", 404)

    def test_many_are_deleted_at_once(self, s3, bucket):
        for n in range(20):
            s3.put_object(Bucket=bucket, Key=f"k{n}", Body=b"x")
        done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"k{n}"} for n in range(19)] + [{"Key": "none"}]})
        assert len(done["Deleted"]) == 20 and "Errors" not in done
        assert keys(s3, bucket) == ["k19"]
        quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k19"}], "Quiet": True})
        assert "Deleted" not in quiet and keys(s3, bucket) == []


class TestKeys:
    @pytest.mark.parametrize("key", TRAVERSALS + ["ü/日本語/🦀 +&?%.txt", "x" * 1024, "d/" + "y" * 300, "ä" * 512, "a b", "%2e%2e/x", "~"])
    def test_every_key_is_its_own(self, server, s3, bucket, key):
        body = key.encode()
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        assert read(s3, bucket, key) == body
        assert keys(s3, bucket) == [key]
        assert keys(s3, bucket, Prefix=key) == [key]
        # Nothing has left the bucket.
        assert not list(server.data.rglob("escaped")) and not (server.data / "buckets" / "escaped").exists()
        s3.delete_object(Bucket=bucket, Key=key)
        assert keys(s3, bucket) == []
        s3.delete_bucket(Bucket=bucket)

    def test_too_long(self, s3, bucket):
        refused(lambda: s3.put_object(Bucket=bucket, Key="x" * 1025, Body=b""), "KeyTooLongError", 400)

    def test_keys_that_a_file_system_confuses(self, s3, bucket):
        names = ["a", "a/b", "a/b/c", "A", "a.", "a/", "a//", "a/b/"]
        for name in names:
            s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
        assert keys(s3, bucket) == sorted(names)
        for name in reversed(names):
            assert read(s3, bucket, name) == name.encode()
            s3.delete_object(Bucket=bucket, Key=name)
            refused(lambda: s3.get_object(Bucket=bucket, Key=name), "NoSuchKey", 404)
        assert keys(s3, bucket) == []

    def test_keys_named_like_other_doors(self, s3, bucket):
        s3.create_bucket(Bucket="outcrop")
        s3.put_object(Bucket="outcrop", Key="health", Body=b"mine")
        assert read(s3, "outcrop", "health") == b"mine"


class TestLists:
    NAMES = [f"{a}/{b}" for a in "abc" for b in range(5)] + ["a", "b.txt", "c-", "top", "ü", "odd//key", "../out"]

    @pytest.fixture
    def filled(self, s3, bucket):
        for name in self.NAMES:
            s3.put_object(Bucket=bucket, Key=name, Body=b"12")
        return bucket

    def test_order_pages_and_prefixes(self, s3, filled):
        expected = sorted(self.NAMES, key=str.encode)
        assert keys(s3, filled) == expected
        for size in (1, 2, 3, 7):
            assert keys(s3, filled, PaginationConfig={"PageSize": size}) == expected
        for prefix in ("a", "a/", "a/3", "b", "c-", "odd/", "none", "ü"):
            assert keys(s3, filled, Prefix=prefix) == [name for name in expected if name.startswith(prefix)]
        for after in ("a/2", "b", "zzz", "a/"):
            assert keys(s3, filled, StartAfter=after) == [name for name in expected if name.encode() > after.encode()]
        first = s3.list_objects_v2(Bucket=filled, MaxKeys=1)["Contents"][0]
        assert first["Size"] == 2 and first["ETag"] == json.dumps(hashlib.md5(b"12").hexdigest()) and first["StorageClass"] == "STANDARD"

    @pytest.mark.parametrize("size", [1, 2, 1000])
    def test_delimiters(self, s3, filled, size):
        def folded(prefix, delimiter="/"):
            objects, prefixes = [], []
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=filled, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}
            )
            for page in pages:
                assert page["KeyCount"] <= size
                objects += [found["Key"] for found in page.get("Contents", [])]
                prefixes += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
            return objects, prefixes

        def expected(prefix, delimiter="/"):
            objects, prefixes = [], []
            for name in sorted(self.NAMES, key=str.encode):
                if name.startswith(prefix):
                    head, found, _ = name.removeprefix(prefix).partition(delimiter)
                    (prefixes if found else objects).append(prefix + head + found)
            return objects, sorted(set(prefixes), key=str.encode)

        for prefix in ("", "a", "a/", "odd/", "none"):
            assert folded(prefix) == expected(prefix), prefix
        assert folded("", ".") == expected("", ".")

    def test_the_first_version(self, s3, filled):
        pages = s3.get_paginator("list_objects").paginate(Bucket=filled, PaginationConfig={"PageSize": 4})
        assert [found["Key"] for page in pages for found in page["Contents"]] == sorted(self.NAMES, key=str.encode)
        page = s3.list_objects(Bucket=filled, Delimiter="/", MaxKeys=2)
        rest = s3.list_objects(Bucket=filled, Delimiter="/", Marker=page["NextMarker"])
        seen = [[p["Prefix"] for p in one.get("CommonPrefixes", [])] for one in (page, rest)]
        assert sorted(sum(seen, [])) == ["../", "a/", "b/", "c/", "odd/"]


class TestUploads:
    def test_twelve_megabytes_in_parts(self, s3, bucket, tmp_path):
        data = os.urandom(12 * MIB)
        (tmp_path / "big").write_bytes(data)
        s3.upload_file(str(tmp_path / "big"), bucket, "big", ExtraArgs={"ContentType": "application/x-big"})
        head = s3.head_object(Bucket=bucket, Key="big")
        parts = [data[at : at + 8 * MIB] for at in range(0, len(data), 8 * MIB)]
        whole = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
        assert head["ETag"] == f'"{whole}-2"' and head["ContentType"] == "application/x-big"
        s3.download_file(bucket, "big", str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == data

    def test_each_step(self, s3, bucket):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k", Metadata={"a": "b"})["UploadId"]
        asked = {"Bucket": bucket, "Key": "k", "UploadId": upload}
        assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
        first, second = os.urandom(5 * MIB), b"the end"
        s3.upload_part(**asked, PartNumber=7, Body=b"replaced")
        etags = {7: s3.upload_part(**asked, PartNumber=7, Body=second)["ETag"]}
        s3.put_object(Bucket=bucket, Key="source", Body=first + b"tail")
        copied = s3.upload_part_copy(
            **asked, PartNumber=2, CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange=f"bytes=0-{5 * MIB - 1}"
        )
        etags[2] = copied["CopyPartResult"]["ETag"]
        listed = s3.list_parts(**asked)["Parts"]
        assert [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed] == [(2, 5 * MIB, etags[2]), (7, 7, etags[7])]
        refused(lambda: s3.get_object(Bucket=bucket, Key="k"), "NoSuchKey", 404)
        parts = [{"PartNumber": n, "ETag": etags[n]} for n in (2, 7)]

        def complete(parts):
            return s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})

        refused(lambda: complete(parts[::-1]), "InvalidPartOrder", 400)
        refused(lambda: complete([{"PartNumber": 2, "ETag": '"0"'}]), "InvalidPart", 400)
        complete(parts)
        assert read(s3, bucket, "k") == first + second
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"a": "b"}
        refused(lambda: s3.list_parts(**asked), "NoSuchUpload", 404)

    def test_given_up_and_too_small(self, s3, bucket):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        asked = {"Bucket": bucket, "Key": "k", "UploadId": upload}
        etags = [s3.upload_part(**asked, PartNumber=n, Body=b"small")["ETag"] for n in (1, 2)]
        parts = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
        refused(lambda: s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts}), "EntityTooSmall", 400)
        s3.abort_multipart_upload(**asked)
        refused(lambda: s3.upload_part(**asked, PartNumber=1, Body=b"x"), "NoSuchUpload", 404)
        assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
        other = {**asked, "UploadId": "../../../../etc"}
        refused(lambda: s3.upload_part(**other, PartNumber=1, Body=b"x"), "NoSuchUpload", 404)


class TestBodies:
    @pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
    def test_checksums(self, s3, bucket, algorithm):
        s3.put_object(Bucket=bucket, Key="k", Body=b"summed", ChecksumAlgorithm=algorithm)
        assert read(s3, bucket, "k") == b"summed"
        wrong = {f"Checksum{algorithm}": "AAAAAA=="}
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"other", **wrong), "BadDigest", 400)
        assert read(s3, bucket, "k") == b"summed"

    def test_a_wrong_md5(self, s3, bucket):
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="), "BadDigest", 400)
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5="nonsense"), "InvalidDigest", 400)

    def test_a_presigned_url(self, s3, bucket):
        put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "ü k"}, ExpiresIn=60)
        with urllib.request.urlopen(urllib.request.Request(put, data=b"presigned", method="PUT")) as answer:
            assert answer.status == 200
        get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "ü k"}, ExpiresIn=60)
        assert urllib.request.urlopen(get).read() == b"presigned"
        typed = s3.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": "ü k", "ResponseContentType": "text/x"}, ExpiresIn=60
        )
        assert urllib.request.urlopen(typed).headers["content-type"] == "text/x"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(get.partition("?")[0] + "?AWSAccessKeyId=test&Signature=x&Expires=1")
        assert caught.value.code == 400 and b"Please use AWS4-HMAC-SHA256" in caught.value.read()


class TestCommandLine:
    def test_cp_ls_and_rm(self, server, tmp_path):
        def aws(*args):
            return cli(server.url, "s3", *args)

        (tmp_path / "docs" / "deep").mkdir(parents=True)
        (tmp_path / "docs" / "a.md").write_text("alpha")
        (tmp_path / "docs" / "deep" / "b.md").write_text("beta")
        (tmp_path / "docs" / "big.bin").write_bytes(os.urandom(12 * MIB))
        aws("mb", "s3://from-the-shell")
        aws("cp", str(tmp_path / "docs"), "s3://from-the-shell/docs", "--recursive", "--quiet")
        listed = aws("ls", "s3://from-the-shell/docs/")
        assert "PRE deep/" in listed and "a.md" in listed and str(12 * MIB) in listed
        assert "b.md" in aws("ls", "s3://from-the-shell", "--recursive")
        aws("cp", "s3://from-the-shell/docs", str(tmp_path / "back"), "--recursive", "--quiet")
        for name in ("a.md", "deep/b.md", "big.bin"):
            assert (tmp_path / "back" / name).read_bytes() == (tmp_path / "docs" / name).read_bytes()
        assert aws("sync", str(tmp_path / "docs"), "s3://from-the-shell/docs").strip() == ""
        aws("rm", "s3://from-the-shell/docs/a.md")
        assert "a.md" not in aws("ls", "s3://from-the-shell/docs/")
        aws("rb", "s3://from-the-shell", "--force")
        with pytest.raises(CliError, match="NoSuchBucket"):
            aws("ls", "s3://from-the-shell")

    def test_api(self, server, s3, bucket, tmp_path):
        (tmp_path / "k").write_text("from the shell")
        put = cli(server.url, "s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", str(tmp_path / "k"))
        assert json.loads(put["ETag"]) == hashlib.md5(b"from the shell").hexdigest()
        cli(server.url, "s3api", "get-object", "--bucket", bucket, "--key", "k", str(tmp_path / "back"))
        assert (tmp_path / "back").read_text() == "from the shell"
        listed = cli(server.url, "s3api", "list-objects-v2", "--bucket", bucket)
        assert [found["Key"] for found in listed["Contents"]] == ["k"]
        assert bucket in [found["Name"] for found in cli(server.url, "s3api", "list-buckets")["Buckets"]]


class TestAccounts:
    def test_another_account_s_bucket(self, server, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"secret")
        other = s3_client(server.url, (OTHER, "test"))
        for call in (
            lambda: other.get_object(Bucket=bucket, Key="k"),
            lambda: other.get_object(Bucket=bucket, Key="none"),
            lambda: other.put_object(Bucket=bucket, Key="k", Body=b"x"),
            lambda: other.delete_object(Bucket=bucket, Key="k"),
            lambda: other.list_objects_v2(Bucket=bucket),
            lambda: other.delete_bucket(Bucket=bucket),
            lambda: other.create_multipart_upload(Bucket=bucket, Key="k"),
            lambda: other.list_multipart_uploads(Bucket=bucket),
            lambda: other.get_bucket_location(Bucket=bucket),
        ):
            refused(call, "AccessDenied", 403)
        refused(lambda: other.head_bucket(Bucket=bucket), "403", 403)
        done = other.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
        assert [error["Code"] for error in done["Errors"]] == ["AccessDenied"]
        other.create_bucket(Bucket="of-the-other")
        copy = {"Bucket": bucket, "Key": "k"}
        refused(lambda: other.copy_object(Bucket="of-the-other", Key="k", CopySource=copy), "AccessDenied", 403)
        assert bucket not in [found["Name"] for found in other.list_buckets()["Buckets"]]
        assert read(s3, bucket, "k") == b"secret"


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
