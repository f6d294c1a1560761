"""S3 clients, and what their answers are held to."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1 << 20
OTHER = "222222222222"


def s3_client(url, key=("test", "test"), region="us-east-1", **config):
    # Without it boto3 presigns by Signature Version 2, which is refused.
    settings = Config(signature_version="s3v4", retries={"total_max_attempts": 1}, read_timeout=120, **config)
    access, secret = key
    return boto3.client(
        "s3", endpoint_url=url, region_name=region, aws_access_key_id=access, aws_secret_access_key=secret, config=settings
    )


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
