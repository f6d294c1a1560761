"""STS GetCallerIdentity: what everybody tries first."""

import pytest

from support import raw
from support.clients import cli, client
from support.sigv4 import Signer

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize("account", ["123123123123", "321321321321"])
def test_boto3(server, account):
    answer = client(server.url, "sts", account=account).get_caller_identity()
    assert answer["Account"] == account and answer["UserId"]
    assert answer["Arn"].startswith(f"arn:aws:iam::{account}:")


def test_a_key_that_is_no_account_has_the_default_one(server):
    answers = [client(server.url, "sts", key=(key, "x")).get_caller_identity()["Account"] for key in ("test", "AKIAOTHER")]
    assert answers[0] == answers[1] and answers[0].isdigit() and len(answers[0]) == 12


def test_the_aws_cli(server):
    assert cli(server.url, "sts", "get-caller-identity")["Arn"].startswith("arn:aws:")


def test_another_action_is_refused_in_its_own_protocol(server):
    body = b"Action=GetFederationToken&Version=2011-06-15"
    answer = raw.request(server, "POST", "/", body, headers=FORM, signer=Signer(service="sts"))
    assert answer.status == 501 and b"<Code>NotImplemented</Code>" in answer.body, answer.body
