"""Configurations of users and roles, and clients with the credentials of one."""

import json

import boto3
from botocore.config import Config

from support.clients import REGION

ACCOUNT = "123456789012"
OTHER = "210987654321"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal, action="sts:AssumeRole", condition=None):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return policy(statement | ({"Condition": condition} if condition else {}))


def arn(role, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{role}"


def toml(**tables):
    """TOML of lists of tables and tables; JSON's strings, lists and numbers are TOML's too."""
    text = ""
    for name, value in tables.items():
        for table in value if isinstance(value, list) else [value]:
            name_ = name.replace("__", ".")
            text += f"[[{name_}]]\n" if isinstance(value, list) else f"[{name_}]\n"
            for key, member in table.items():
                if isinstance(member, dict):
                    member = "{ " + ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in member.items()) + " }"
                    text += f"{key} = {member}\n"
                else:
                    text += f"{key} = {json.dumps(member)}\n"
            text += "\n"
    return text


def client_of(url, service, credentials=None, session=None):
    """A plain boto3 client: with a key and secret, with what STS answered, or with what the session finds itself."""
    given = {}
    if isinstance(credentials, dict):
        given = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
    elif credentials:
        given = dict(zip(("aws_access_key_id", "aws_secret_access_key"), credentials, strict=True))
    config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
    return (session or boto3.Session()).client(service, endpoint_url=url, region_name=REGION, config=config, **given)
