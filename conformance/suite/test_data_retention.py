"""What an account lets others keep: GetAccountDataRetention and PutAccountDataRetention."""

import datetime

import pytest

from support.clients import CliError, cli, client, raises

ACCOUNT = "393939393939"
MODES = ["none", "default", "aws_review", "provider_data_share", "inherit"]


@pytest.fixture
def mine(server):
    made = client(server.url, "bedrock", account=ACCOUNT)
    yield made
    made.put_account_data_retention(mode="inherit")


def test_nothing_was_decided(server):
    got = client(server.url, "bedrock", account="404040404040").get_account_data_retention()
    assert got["mode"] == "inherit" and "updatedAt" not in got


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_kept(mine, mode):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    put = mine.put_account_data_retention(mode=mode)
    assert put["mode"] == mode and put["updatedAt"] >= before
    got = mine.get_account_data_retention()
    assert (got["mode"], got["updatedAt"]) == (mode, put["updatedAt"])


@pytest.mark.parametrize("mode", ["", "zero", "None", "NONE"])
def test_what_is_no_mode(mine, mode):
    mine.put_account_data_retention(mode="none")
    raises(lambda: mine.put_account_data_retention(mode=mode), "ValidationException")
    assert mine.get_account_data_retention()["mode"] == "none"


@pytest.mark.parametrize(
    "stranger", [{"account": "414141414141"}, {"account": ACCOUNT, "region": "eu-west-1"}], ids=["account", "region"]
)
def test_a_mode_is_of_one_account_in_one_region(mine, server, stranger):
    mine.put_account_data_retention(mode="none")
    assert client(server.url, "bedrock", **stranger).get_account_data_retention()["mode"] == "inherit"


def test_by_the_command_line(mine, server):
    def run(*args):
        return cli(server.url, "bedrock", *args, key=(ACCOUNT, "test"))

    assert run("put-account-data-retention", "--mode", "none")["mode"] == "none"
    assert run("get-account-data-retention")["mode"] == "none"
    with pytest.raises(CliError, match="ValidationException"):
        run("put-account-data-retention", "--mode", "some")


def test_a_mode_outlives_a_kill(fresh):
    server = fresh().start()
    client(server.url, "bedrock").put_account_data_retention(mode="provider_data_share")
    client(server.url, "bedrock").put_account_data_retention(mode="none")
    server.kill()
    assert client(server.start().url, "bedrock").get_account_data_retention()["mode"] == "none"
