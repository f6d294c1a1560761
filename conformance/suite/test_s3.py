"""S3 on the server's port, through boto3 and the AWS CLI: what they ask of a bucket, and what they must not get."""

import datetime
import hashlib
import json
import os
import urllib.error
import urllib.request

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from support import raw
from support.clients import CliError, cli
from support.s3 import MIB, OTHER, keys, read, refused, s3_client
from support.sigv4 import Signer

TRAVERSALS = ["../escaped", "a/../../escaped", "..", ".", "a//b", "/leading", "trailing/", "a/./b", "\\windows", "a\nb", ".outcrop-x"]

BUILT = {
    "CreateBucket", "HeadBucket", "DeleteBucket", "ListBuckets", "GetBucketLocation", "PutObject", "GetObject", "HeadObject",
    "CopyObject", "DeleteObject", "DeleteObjects", "ListObjects", "ListObjectsV2", "CreateMultipartUpload", "UploadPart",
    "UploadPartCopy", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts", "ListMultipartUploads",
}  # fmt: skip
# Calls of other hosts: the one has a path that is no bucket's, the other is ListBuckets on the wire.
ELSEWHERE = {"WriteGetObjectResponse", "ListDirectoryBuckets"}


def filled(shape, names, name=""):
    """The least input that a shape allows."""
    match shape.type_name:
        case "structure":
            return {at: filled(one, names, at) for at, one in shape.members.items() if at in shape.required_members}
        case "list":
            return [filled(shape.member, names, name)]
        case "map":
            return {"a": "b"}
        case "string":
            return names.get(name) or (shape.enum[0] if shape.enum else "x1")
        case "boolean":
            return True
        case "timestamp":
            return datetime.datetime(2026, 1, 1)
        case "blob":
            return b"x"
    return 1


@pytest.fixture(scope="module")
def s3(server):
    return s3_client(server.url)


@pytest.fixture
def bucket(s3, request):
    name = "b-" + hashlib.sha1(request.node.name.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


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
        there = {"LocationConstraint": "eu-central-1"}
        for again in (
            lambda: s3.create_bucket(Bucket="in-frankfurt", CreateBucketConfiguration=there),
            lambda: s3_client(server.url).create_bucket(Bucket="in-frankfurt"),
        ):
            refused(again, "BucketAlreadyOwnedByYou", 409)

    def test_a_script_that_runs_twice(self, server, s3, bucket):
        """In North Virginia, and there alone, S3 answers 200 to whoever makes its own bucket again."""
        s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
        assert s3.create_bucket(Bucket=bucket)["Location"] == f"/{bucket}"
        cli(server.url, "s3", "mb", f"s3://{bucket}")
        assert read(s3, bucket, "k") == b"kept"

    def test_a_name_belongs_to_the_whole_server(self, server, s3, bucket):
        other = s3_client(server.url, (OTHER, "test"))
        refused(lambda: other.create_bucket(Bucket=bucket), "BucketAlreadyExists", 409)

    @pytest.mark.parametrize("name", ["ab", "Upper", "under_score", "-dash", "dot..dot", "192.168.5.4"])
    def test_names_that_cannot_be(self, server, name):
        # boto3 itself refuses them.
        answer = raw.request(server, "PUT", f"/{name}", headers={}, signer=Signer(service="s3"))
        assert answer.status == 400 and b"<Code>InvalidBucketName</Code>" in answer.body
        assert b"<Message>The specified bucket is not valid.</Message>" in answer.body

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

    def test_nothing_that_is_not_built_is_taken_for_something_else(self, server, s3, bucket):
        """S3 tells many of its operations apart by a parameter alone: DELETE /BUCKET/KEY?annotation."""
        s3.put_object(Bucket=bucket, Key="k", Body=b"precious")
        unchecked = s3_client(server.url, parameter_validation=False)
        model = botocore.session.get_session().get_service_model("s3")
        wrong = {}
        for name in set(model.operation_names) - BUILT - ELSEWHERE:
            shape = model.operation_model(name).input_shape
            asked = filled(shape, {"Bucket": bucket, "Key": "k"}) if shape else {}
            try:
                getattr(unchecked, xform_name(name))(**asked)
                wrong[name] = "done"
            except ClientError as error:
                if error.response["Error"]["Code"] != "NotImplemented":
                    wrong[name] = error.response["Error"]
            assert read(s3, bucket, "k") == b"precious", name
        assert wrong == {}
        assert keys(s3, bucket) == ["k"]
        s3.delete_object(Bucket=bucket, Key="k")
        refused(lambda: s3.delete_bucket_metadata_configuration(Bucket=bucket), "NotImplemented", 501)
        s3.head_bucket(Bucket=bucket)
        refused(lambda: s3.put_object(Bucket=bucket, Key="k", GrantReadACP="id=x"), "NotImplemented", 501)


class TestObjects:
    def test_what_is_put_is_read(self, s3, bucket):
        put = s3.put_object(
            Bucket=bucket, Key="docs/a.md", Body=b"# Title\n", ContentType="text/markdown", Metadata={"team": "search"},
            CacheControl="no-store", ContentDisposition="inline", ContentLanguage="en", ContentEncoding="identity",
            Expires=datetime.datetime(2035, 10, 21, 7, 28),
        )  # fmt: skip
        assert put["ETag"] == json.dumps(hashlib.md5(b"# Title\n").hexdigest())
        got = s3.get_object(Bucket=bucket, Key="docs/a.md")
        assert got["Body"].read() == b"# Title\n" and got["ETag"] == put["ETag"]
        head = s3.head_object(Bucket=bucket, Key="docs/a.md")
        for answer in (got, head):
            assert (answer["ContentType"], answer["Metadata"]) == ("text/markdown", {"team": "search"})
            assert (answer["CacheControl"], answer["ContentDisposition"]) == ("no-store", "inline")
            assert (answer["ContentLanguage"], answer["ContentEncoding"]) == ("en", "identity")
            assert answer["ResponseMetadata"]["HTTPHeaders"]["expires"] == "Sun, 21 Oct 2035 07:28:00 GMT"
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
        for odd in ("bytes=4-2", "bytes=0-1,4-5", "bytes=x", "lines=1-2"):
            got = s3.get_object(Bucket=bucket, Key="k", Range=odd)
            assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (200, b"0123456789"), odd

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

    def test_what_is_deleted_is_what_is_meant(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
        refused(lambda: s3.delete_object(Bucket=bucket, Key="k", IfMatch='"other"'), "PreconditionFailed", 412)
        refused(lambda: s3.delete_object(Bucket=bucket, Key="k", VersionId="3HL4kqtJlcpXroDTDmJ"), "NoSuchVersion", 404)
        refused(lambda: s3.delete_object(Bucket=bucket, Key="k", IfMatchSize=7), "NotImplemented", 501)
        asked = [
            {"Key": "k", "ETag": '"other"'},
            {"Key": "k", "VersionId": "3HL4kqtJlcpXroDTDmJ"},
            {"Key": "k", "Size": 7},
        ]
        done = s3.delete_objects(Bucket=bucket, Delete={"Objects": asked})
        codes = [(error["Key"], error["Code"]) for error in done["Errors"]]
        assert codes == [("k", "PreconditionFailed"), ("k", "NoSuchVersion"), ("k", "NotImplemented")]
        assert "Deleted" not in done and read(s3, bucket, "k") == b"x"
        s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag, VersionId="null")
        assert keys(s3, bucket) == []
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"y")["ETag"]
        assert s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "ETag": etag}]})["Deleted"] == [{"Key": "k"}]

    def test_a_copy_overwrites_what_is_meant(self, s3, bucket):
        source = {"Bucket": bucket, "Key": "from"}
        s3.put_object(Bucket=bucket, Key="from", Body=b"new")
        etag = s3.put_object(Bucket=bucket, Key="to", Body=b"old")["ETag"]
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
            refused(lambda on=condition: s3.copy_object(Bucket=bucket, Key="to", CopySource=source, **on), "PreconditionFailed", 412)
        assert read(s3, bucket, "to") == b"old"
        s3.copy_object(Bucket=bucket, Key="to", CopySource=source, IfMatch=etag)
        assert read(s3, bucket, "to") == b"new"


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
        answer = refused(lambda: s3.put_object(Bucket=bucket, Key="x" * 1025, Body=b""), "KeyTooLongError", 400)
        assert answer["Error"]["Message"] == "Your key is too long"

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
    def test_parts_are_read_one_by_one(self, s3, bucket):
        data = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"the end"]
        asked = dict(Bucket=bucket, Key="k", UploadId=s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"])
        for n, part in enumerate(data, 1):
            s3.upload_part(**asked, PartNumber=n, Body=part)
        parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in s3.list_parts(**asked)["Parts"]]
        s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})
        at = 0
        for n, part in enumerate(data, 1):
            end = f"bytes {at}-{at + len(part) - 1}/{sum(map(len, data))}"
            for ask in (s3.get_object, s3.head_object):
                got = ask(Bucket=bucket, Key="k", PartNumber=n)
                assert (got["ContentLength"], got["ContentRange"], got["PartsCount"]) == (len(part), end, 3)
                assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert s3.get_object(Bucket=bucket, Key="k", PartNumber=n)["Body"].read() == part
            at += len(part)
        assert "PartsCount" not in s3.head_object(Bucket=bucket, Key="k")
        refused(lambda: s3.get_object(Bucket=bucket, Key="k", PartNumber=4), "InvalidPartNumber", 416)
        refused(lambda: s3.head_object(Bucket=bucket, Key="k", PartNumber=4), "416", 416)
        refused(lambda: s3.get_object(Bucket=bucket, Key="k", PartNumber=1, Range="bytes=0-1"), "InvalidRequest", 400)
        # What came whole is its only part; so is what has nothing in it.
        for body in (b"whole", b""):
            s3.put_object(Bucket=bucket, Key="whole", Body=body)
            got = s3.get_object(Bucket=bucket, Key="whole", PartNumber=1)
            assert got["Body"].read() == body and "PartsCount" not in got
            refused(lambda: s3.get_object(Bucket=bucket, Key="whole", PartNumber=2), "InvalidPartNumber", 416)
        # A copy is put anew, in one piece.
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
        assert s3.head_object(Bucket=bucket, Key="copy", PartNumber=1)["ContentLength"] == at

    def test_a_completed_upload_is_completed_again(self, s3, bucket):
        asked = dict(Bucket=bucket, Key="k", UploadId=s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"])
        part = {"PartNumber": 1, "ETag": s3.upload_part(**asked, PartNumber=1, Body=b"part")["ETag"]}
        complete = lambda parts: s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        first = complete([part])
        again = complete([part])
        assert (first["ETag"], first["Location"]) == (again["ETag"], again["Location"])
        refused(lambda: complete([{**part, "ETag": '"' + "0" * 32 + '"'}]), "NoSuchUpload", 404)
        refused(lambda: s3.upload_part(**asked, PartNumber=2, Body=b"late"), "NoSuchUpload", 404)
        # The object is another one by now.
        s3.put_object(Bucket=bucket, Key="k", Body=b"other")
        refused(lambda: complete([part]), "NoSuchUpload", 404)
        assert read(s3, bucket, "k") == b"other"

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

    def test_a_large_object_is_copied_in_parts_of_one_source(self, s3, bucket):
        data = os.urandom(10 * MIB)
        etag = s3.put_object(Bucket=bucket, Key="big", Body=data, ContentType="text/x-big", Metadata={"a": "b"})["ETag"]
        # As boto3 and the command line do it: every part on the condition that the source is still the same.
        s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copied")
        got = s3.get_object(Bucket=bucket, Key="copied")
        assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (data, "text/x-big", {"a": "b"})
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]

        def part(**condition):
            source = {"Bucket": bucket, "Key": "big"}
            return s3.upload_part_copy(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, CopySource=source, **condition)

        now = datetime.datetime.now(datetime.timezone.utc)
        for failing in (
            {"CopySourceIfMatch": '"other"'},
            {"CopySourceIfNoneMatch": etag},
            {"CopySourceIfModifiedSince": now + datetime.timedelta(minutes=1)},
            {"CopySourceIfUnmodifiedSince": now - datetime.timedelta(days=1)},
        ):
            refused(lambda failing=failing: part(**failing), "PreconditionFailed", 412)
        assert "Parts" not in s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)
        part(CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince=now - datetime.timedelta(days=1))


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
        aws("mv", "s3://from-the-shell/docs/big.bin", "s3://from-the-shell/moved.bin", "--quiet")
        assert "big.bin" not in aws("ls", "s3://from-the-shell/docs/")
        aws("cp", "s3://from-the-shell/moved.bin", str(tmp_path / "back" / "moved.bin"), "--quiet")
        assert (tmp_path / "back" / "moved.bin").read_bytes() == (tmp_path / "docs" / "big.bin").read_bytes()
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

    def test_a_bucket_of_which_another_owner_is_expected(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        source, theirs = {"Bucket": bucket, "Key": "k"}, {"ExpectedBucketOwner": OTHER}
        for call in (
            lambda: s3.get_object(Bucket=bucket, Key="k", **theirs),
            lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"y", **theirs),
            lambda: s3.delete_object(Bucket=bucket, Key="k", **theirs),
            lambda: s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]}, **theirs),
            lambda: s3.list_objects_v2(Bucket=bucket, **theirs),
            lambda: s3.copy_object(Bucket=bucket, Key="to", CopySource=source, ExpectedSourceBucketOwner=OTHER),
        ):
            refused(call, "AccessDenied", 403)
        assert keys(s3, bucket) == ["k"] and read(s3, bucket, "k", ExpectedBucketOwner="000000000000") == b"x"
