"""Provisioned throughput: its life, its lists, who sees it, and the capacity that is reserved by it."""

import datetime
import re
import threading

import pytest
from botocore.exceptions import ClientError

from support.ask import HAIKU, HAIKU_ARN, converse, text, user
from support.server import Server
from support.clients import CliError, cli, client, raises

ACCOUNT = "555500001111"
WINDOW = HAIKU + ":200k"
WINDOW_ARN = HAIKU_ARN + ":200k"
UNKNOWN = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/abcdefabcdef"
CONFIG = f"""
[provisioned]
units = 4
tokens_per_minute_per_unit = 100
concurrency_per_unit = 1
[provisioned.models."{HAIKU}"]
concurrency = 2
"""


def delete_all(bedrock):
    for one in bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]:
        bedrock.delete_provisioned_model_throughput(provisionedModelId=one["provisionedModelArn"])


@pytest.fixture(scope="session")
def server():
    """One that nobody else has bought from."""
    with Server() as running:
        yield running


@pytest.fixture
def mine(server):
    """A client of an account of its own, left without reservations."""
    made = client(server.url, "bedrock", account=ACCOUNT)
    yield made
    delete_all(made)


@pytest.fixture
def small(fresh):
    """A server that has four model units to sell, one call and 100 tokens a minute each."""
    return fresh(config=CONFIG).start()


def create(bedrock, name="search", units=1, model=WINDOW, **rest):
    made = bedrock.create_provisioned_model_throughput(
        provisionedModelName=name, modelUnits=units, modelId=model, **rest
    )
    return made["provisionedModelArn"]


def get(bedrock, identifier):
    return bedrock.get_provisioned_model_throughput(provisionedModelId=identifier)


def names(bedrock, **filters):
    pages = bedrock.get_paginator("list_provisioned_model_throughputs").paginate(**filters)
    return [one["provisionedModelName"] for page in pages for one in page["provisionedModelSummaries"]]


class TestLife:
    def test_create_then_get(self, mine):
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
        arn = create(mine, units=2)
        assert re.fullmatch(rf"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/[a-z0-9]{{12}}", arn), arn
        for identifier in (arn, "search"):
            got = get(mine, identifier)
            assert (got["provisionedModelName"], got["provisionedModelArn"]) == ("search", arn)
            assert (got["modelUnits"], got["desiredModelUnits"], got["status"]) == (2, 2, "InService")
            arns = {got[key] for key in ("modelArn", "desiredModelArn", "foundationModelArn")}
            assert arns == {WINDOW_ARN}, got
            assert before <= got["creationTime"] <= got["lastModifiedTime"]
            assert "commitmentDuration" not in got and "commitmentExpirationTime" not in got

    def test_by_arn_of_the_model(self, mine):
        assert get(mine, create(mine, model=WINDOW_ARN))["modelArn"] == WINDOW_ARN

    def test_delete(self, mine):
        arn = create(mine)
        mine.delete_provisioned_model_throughput(provisionedModelId="search")
        for identifier in (arn, "search"):
            raises(lambda: get(mine, identifier), "ResourceNotFoundException", status=404)
            raises(
                lambda: mine.delete_provisioned_model_throughput(provisionedModelId=identifier),
                "ResourceNotFoundException",
                status=404,
            )
        assert names(mine) == []

    def test_rename(self, mine):
        arn = create(mine)
        mine.update_provisioned_model_throughput(provisionedModelId="search", desiredProvisionedModelName="find")
        assert get(mine, arn)["provisionedModelName"] == "find"
        raises(lambda: get(mine, "search"), "ResourceNotFoundException", status=404)

    def test_a_base_model_is_not_exchanged_for_another(self, mine):
        arn = create(mine)
        mine.update_provisioned_model_throughput(provisionedModelId=arn, desiredModelId=WINDOW)
        change = lambda: mine.update_provisioned_model_throughput(
            provisionedModelId=arn, desiredModelId="amazon.nova-pro-v1:0:300k"
        )
        raises(change, "ValidationException")
        assert get(mine, arn)["modelArn"] == WINDOW_ARN

    @pytest.mark.parametrize(("term", "days"), [("OneMonth", (28, 31)), ("SixMonths", (181, 184))])
    def test_a_commitment_is_kept(self, fresh, term, days):
        # On a server of its own: what is committed cannot be deleted afterwards.
        bedrock = client(fresh().start().url, "bedrock")
        arn = create(bedrock, commitmentDuration=term)
        got = get(bedrock, arn)
        lasts = got["commitmentExpirationTime"] - got["creationTime"]
        assert got["commitmentDuration"] == term and days[0] <= lasts.days <= days[1], lasts
        raises(lambda: bedrock.delete_provisioned_model_throughput(provisionedModelId=arn), "ConflictException")
        assert get(bedrock, arn)["status"] == "InService"

    def test_it_outlives_the_server(self, fresh):
        server = fresh().start()
        arn = create(client(server.url, "bedrock"))
        server.kill()
        server.start()
        assert get(client(server.url, "bedrock"), arn)["status"] == "InService"
        assert text(converse(client(server.url, "bedrock-runtime"), model=arn, tokens=1)) is not None

    def test_through_the_aws_cli(self, server):
        run = lambda *args: cli(server.url, "bedrock", *args)
        made = run(
            "create-provisioned-model-throughput", "--provisioned-model-name", "typed", "--model-units", "1",
            "--model-id", WINDOW, "--tags", "key=team,value=search",
        )  # fmt: skip
        arn = made["provisionedModelArn"]
        listed = run("list-provisioned-model-throughputs", "--name-contains", "typ", "--status-equals", "InService")
        assert [one["provisionedModelArn"] for one in listed["provisionedModelSummaries"]] == [arn]
        assert run("list-tags-for-resource", "--resource-arn", arn)["tags"] == [{"key": "team", "value": "search"}]
        run("delete-provisioned-model-throughput", "--provisioned-model-id", "typed")
        with pytest.raises(CliError, match="ResourceNotFoundException"):
            run("get-provisioned-model-throughput", "--provisioned-model-id", arn)


class TestWhatIsSold:
    @pytest.mark.parametrize(
        ("model", "code", "said"),
        [
            ("amazon.rerank-v1:0", "ValidationException", "amazon.rerank-v1:0"),
            ("anthropic.no-such-model-v9:0", "ValidationException", "invalid"),
            (WINDOW_ARN.replace("us-east-1", "eu-west-1"), "ValidationException", "invalid"),
        ],
    )
    def test_what_is_not(self, mine, model, code, said):
        assert said in raises(lambda: create(mine, model=model), code)
        assert names(mine) == []

    def test_a_local_model(self, mine, bedrock):
        local = bedrock.list_foundation_models(byProvider="Outcrop")["modelSummaries"][0]
        assert get(mine, create(mine, model=local["modelId"]))["modelArn"] == local["modelArn"]

    def test_no_more_units_than_there_are(self, small):
        bedrock, other = client(small.url, "bedrock"), client(small.url, "bedrock", account=ACCOUNT)
        create(bedrock, "a", units=3)
        raises(lambda: create(other, "b", units=2), "ServiceQuotaExceededException")
        create(other, "b", units=1)
        raises(lambda: create(bedrock, "c"), "ServiceQuotaExceededException")
        bedrock.delete_provisioned_model_throughput(provisionedModelId="a")
        create(other, "c", units=3)

    def test_names_are_unique(self, mine):
        create(mine)
        raises(lambda: create(mine), "ValidationException", "Provisioned model with name search already exists.")

    def test_a_token_makes_one(self, mine):
        one, two = (create(mine, clientRequestToken="token-1") for _ in "ab")
        assert one == two and names(mine) == ["search"]
        raises(lambda: create(mine, "other", clientRequestToken="token-1"), "ValidationException")


class TestLists:
    def test_filters_and_order(self, mine):
        for name in ("search-1", "chat-1", "search-2"):
            create(mine, name, model=WINDOW if name != "search-2" else HAIKU + ":48k")
        assert names(mine) == names(mine, sortBy="CreationTime", sortOrder="Ascending")
        assert names(mine) == ["search-1", "chat-1", "search-2"]
        assert names(mine, sortOrder="Descending") == ["search-2", "chat-1", "search-1"]
        assert names(mine, nameContains="search") == ["search-1", "search-2"]
        assert names(mine, modelArnEquals=HAIKU_ARN + ":48k") == ["search-2"]
        assert len(names(mine, statusEquals="InService")) == 3 and names(mine, statusEquals="Failed") == []
        middle = get(mine, "chat-1")["creationTime"]
        assert "search-1" not in names(mine, creationTimeAfter=middle)
        assert "search-2" not in names(mine, creationTimeBefore=middle)

    @pytest.mark.parametrize("order", ["Ascending", "Descending"])
    @pytest.mark.parametrize("size", [1, 2, 3, 1000])
    def test_every_size_lists_everything_once(self, mine, size, order):
        made = [f"m{i}" for i in range(4)]
        for name in made:
            create(mine, name)
        found = names(mine, sortOrder=order, PaginationConfig={"PageSize": size})
        assert found == (made if order == "Ascending" else made[::-1])

    def test_a_token_is_good_for_its_own_list(self, mine):
        for name in ("a", "b"):
            create(mine, name)
        token = mine.list_provisioned_model_throughputs(maxResults=1)["nextToken"]
        for other in ({"sortOrder": "Descending"}, {"nameContains": "a"}):
            raises(lambda: mine.list_provisioned_model_throughputs(nextToken=token, **other), "ValidationException")

    @pytest.mark.parametrize(
        "stranger", [{"account": "777700001111"}, {"account": ACCOUNT, "region": "eu-west-1"}], ids=["account", "region"]
    )
    def test_another_sees_nothing(self, mine, server, stranger):
        arn = create(mine)
        other, runtime = (client(server.url, service, **stranger) for service in ("bedrock", "bedrock-runtime"))
        assert names(other) == []
        for identifier in (arn, "search"):
            raises(lambda: get(other, identifier), "ResourceNotFoundException", status=404)
            with pytest.raises(ClientError) as error:
                converse(runtime, model=identifier, tokens=1)
            code = error.value.response["Error"]["Code"]
            assert code in ("ResourceNotFoundException", "ValidationException"), code
        assert names(mine) == ["search"]


class TestCapacity:
    def test_calls_by_arn_and_by_name(self, mine, server):
        arn = create(mine)
        runtime = client(server.url, "bedrock-runtime", account=ACCOUNT)
        for identifier in (arn, "search"):
            assert converse(runtime, model=identifier, tokens=2)["usage"]["outputTokens"] == 2
        for identifier in (UNKNOWN, "no-such-name"):
            with pytest.raises(ClientError):
                converse(runtime, model=identifier, tokens=1)

    def test_tokens_are_those_that_were_reserved(self, small):
        bedrock, runtime = client(small.url, "bedrock"), client(small.url, "bedrock-runtime")
        arn = create(bedrock)
        # More than a minute has: it gets in while all of that is there, and what it took beyond is owed.
        long = [user("word " * 400)]
        converse(runtime, long, model=arn, tokens=1)
        with pytest.raises(ClientError) as error:
            converse(runtime, long, model=arn, tokens=1)
        answer = error.value.response
        assert answer["Error"]["Code"] == "ThrottlingException" and "tokens" in answer["Error"]["Message"], answer
        assert int(answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) >= 60, answer
        # On-demand calls have theirs, and another provisioned model has its own.
        converse(runtime, long, model=HAIKU, tokens=1)
        converse(runtime, long, model=create(bedrock, "other"), tokens=1)

    def test_on_demand_calls_cannot_take_what_is_reserved(self, small):
        bedrock, runtime = client(small.url, "bedrock"), client(small.url, "bedrock-runtime")
        arn = create(bedrock)  # One of the two calls at a time that the model has.
        stream = runtime.converse_stream(
            modelId=HAIKU, messages=[user("Write a long story.")], inferenceConfig={"maxTokens": 400}
        )["stream"]
        next(iter(stream))
        said = raises(lambda: converse(runtime, model=HAIKU, tokens=1), "ThrottlingException", status=429)
        assert "requests" in said, said
        assert converse(runtime, model=arn, tokens=1)["usage"]["outputTokens"] == 1
        stream.close()

    def test_one_unit_has_one_call_at_a_time(self, small):
        runtime = client(small.url, "bedrock-runtime")
        arn = create(client(small.url, "bedrock"))
        stream = runtime.converse_stream(
            modelId=arn, messages=[user("Write a long story.")], inferenceConfig={"maxTokens": 400}
        )["stream"]
        next(iter(stream))
        said = raises(lambda: converse(runtime, model=arn, tokens=1), "ThrottlingException", status=429)
        assert "requests" in said, said
        stream.close()

    def test_many_at_once_are_never_more_than_there_is(self, small):
        runtime = client(small.url, "bedrock-runtime", max_pool_connections=12)
        arn = create(client(small.url, "bedrock"), units=2)
        codes = []

        def ask():
            try:
                codes.append(converse(runtime, [user("Count.")], model=arn, tokens=64)["ResponseMetadata"]["HTTPStatusCode"])
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(codes) == {200, "ThrottlingException"} and len(codes) == 12, codes
