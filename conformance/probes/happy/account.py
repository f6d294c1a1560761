"""Recipes of what an account sets: retention, logging, tags and policies."""

import json

from probes.happy.common import call, same
from probes.happy.models import profile
from support.ask import LOGS


def get_retention(connection):
    call(connection, "bedrock", "PutAccountDataRetention", {"mode": "aws_review"})
    return {}, lambda answer: same(answer.json["mode"], "aws_review")


def put_retention(connection):
    def check(_):
        same(call(connection, "bedrock", "GetAccountDataRetention", {}).json["mode"], "provider_data_share")

    return {"mode": "provider_data_share"}, check


def logged(connection):
    """A logging configuration that the test server has a folder for."""
    config = {"s3Config": {"bucketName": LOGS, "keyPrefix": "probes"}, "textDataDeliveryEnabled": True}
    call(connection, "bedrock", "PutModelInvocationLoggingConfiguration", {"loggingConfig": config})
    return config


def logging_of(connection):
    return call(connection, "bedrock", "GetModelInvocationLoggingConfiguration", {}).json


def put_logging(connection):
    config = {"s3Config": {"bucketName": LOGS}, "imageDataDeliveryEnabled": False}
    return {"loggingConfig": config}, lambda _: same(logging_of(connection)["loggingConfig"], config)


def get_logging(connection):
    config = logged(connection)
    return {}, lambda answer: same(answer.json["loggingConfig"], config)


def delete_logging(connection):
    logged(connection)
    return {}, lambda _: same(logging_of(connection), {})


def tags_of(connection, arn):
    tags = call(connection, "bedrock", "ListTagsForResource", {"resourceARN": arn}).json["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def list_tags(connection):
    arn = profile(connection)

    def check(answer):
        assert answer.json["tags"] == [], answer.json
        call(connection, "bedrock", "TagResource", {"resourceARN": arn, "tags": [{"key": "a", "value": "b"}]})
        assert tags_of(connection, arn) == {"a": "b"}

    return {"resourceARN": arn}, check


def tag(connection):
    arn = profile(connection)
    return {"resourceARN": arn, "tags": [{"key": "a", "value": "b"}]}, lambda _: same(tags_of(connection, arn), {"a": "b"})


def untag(connection):
    arn = profile(connection)
    call(connection, "bedrock", "TagResource", {"resourceARN": arn, "tags": [{"key": k, "value": "b"} for k in "ac"]})
    return {"resourceARN": arn, "tagKeys": ["a"]}, lambda _: same(tags_of(connection, arn), {"c": "b"})


POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
            "Action": "bedrock:GetInferenceProfile",
            "Resource": "*",
        },
    }
)


def policy_of(connection, arn):
    answer = call(connection, "bedrock", "GetResourcePolicy", {"resourceArn": arn})
    return json.loads(answer.json["resourcePolicy"]) if answer.status == 200 else answer.status


def put_policy(connection):
    arn = profile(connection)
    return {"resourceArn": arn, "resourcePolicy": POLICY}, lambda _: same(policy_of(connection, arn), json.loads(POLICY))


def get_policy(connection):
    arn = profile(connection)
    call(connection, "bedrock", "PutResourcePolicy", {"resourceArn": arn, "resourcePolicy": POLICY})
    return {"resourceArn": arn}, lambda answer: same(json.loads(answer.json["resourcePolicy"]), json.loads(POLICY))


def delete_policy(connection):
    arn = get_policy(connection)[0]["resourceArn"]
    return {"resourceArn": arn}, lambda _: same(policy_of(connection, arn), 404)


RECIPES = {
    "bedrock:GetAccountDataRetention": get_retention,
    "bedrock:PutAccountDataRetention": put_retention,
    "bedrock:PutModelInvocationLoggingConfiguration": put_logging,
    "bedrock:GetModelInvocationLoggingConfiguration": get_logging,
    "bedrock:DeleteModelInvocationLoggingConfiguration": delete_logging,
    "bedrock:ListTagsForResource": list_tags,
    "bedrock:TagResource": tag,
    "bedrock:UntagResource": untag,
    "bedrock:PutResourcePolicy": put_policy,
    "bedrock:GetResourcePolicy": get_policy,
    "bedrock:DeleteResourcePolicy": delete_policy,
}
