"""Prompt routers: create, get, list, delete; which model a prompt gets, and how the caller learns of it."""

import datetime
import json
import re

import pytest

from support.ask import HAIKU, HAIKU_ARN, anthropic, converse, invoke, invoke_stream, stream, text, user
from support.clients import CliError, cli, client, raises

ACCOUNT = "353535353535"
SONNET = "anthropic.claude-3-5-sonnet-20240620-v1:0"
SONNET_ARN = "arn:aws:bedrock:us-east-1::foundation-model/" + SONNET
NOVA_ARN = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
EMBED_ARN = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
EASY = "What is the capital of France?"
HARD = "Compare three ways to store this, explain step by step which one you would plan for, and prove that it holds."
DEFAULTS = {"anthropic.claude:1", "amazon.nova:1", "meta.llama:1"}


def target(arn):
    return {"modelArn": arn}


def create(bedrock, name="search", models=(HAIKU_ARN, SONNET_ARN), fallback=HAIKU_ARN, difference=0, **rest):
    return bedrock.create_prompt_router(
        promptRouterName=name,
        models=[target(arn) for arn in models],
        fallbackModel=target(fallback),
        routingCriteria={"responseQualityDifference": difference},
        **rest,
    )["promptRouterArn"]


def listed(bedrock, **filters):
    pages = bedrock.get_paginator("list_prompt_routers").paginate(**filters)
    return [router for page in pages for router in page["promptRouterSummaries"]]


def names(bedrock, **filters):
    return [router["promptRouterName"] for router in listed(bedrock, type="custom", **filters)]


def default(router, account=ACCOUNT, region="us-east-1"):
    return f"arn:aws:bedrock:{region}:{account}:default-prompt-router/{router}"


@pytest.fixture
def mine(server):
    """A client of an account of its own, left without routers."""
    made = client(server.url, "bedrock", account=ACCOUNT)
    yield made
    for router in listed(made, type="custom"):
        made.delete_prompt_router(promptRouterArn=router["promptRouterArn"])


@pytest.fixture
def asks(server):
    return client(server.url, "bedrock-runtime", account=ACCOUNT)


def test_create_then_get_then_delete(mine):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    arn = create(mine, difference=12.5, description="For search")
    assert re.fullmatch(rf"arn:aws:bedrock:us-east-1:{ACCOUNT}:prompt-router/[a-z0-9]{{12}}", arn), arn
    got = mine.get_prompt_router(promptRouterArn=arn)
    assert (got["promptRouterName"], got["description"], got["promptRouterArn"]) == ("search", "For search", arn)
    assert (got["models"], got["fallbackModel"]) == ([target(HAIKU_ARN), target(SONNET_ARN)], target(HAIKU_ARN))
    assert got["routingCriteria"] == {"responseQualityDifference": 12.5}
    assert (got["status"], got["type"]) == ("AVAILABLE", "custom")
    assert before <= got["createdAt"] <= got["updatedAt"]
    got.pop("ResponseMetadata")
    assert listed(mine, type="custom") == [got]
    mine.delete_prompt_router(promptRouterArn=arn)
    for call in (mine.get_prompt_router, mine.delete_prompt_router):
        raises(lambda: call(promptRouterArn=arn), "ResourceNotFoundException", status=404)


@pytest.mark.parametrize(
    ("models", "fallback"),
    [
        ((), HAIKU_ARN),
        ((HAIKU_ARN,), HAIKU_ARN),
        ((HAIKU_ARN,), SONNET_ARN),
        ((HAIKU_ARN, SONNET_ARN, NOVA_ARN), HAIKU_ARN),
        ((HAIKU_ARN, HAIKU_ARN), HAIKU_ARN),
        ((HAIKU_ARN, NOVA_ARN), HAIKU_ARN),
        ((NOVA_ARN, EMBED_ARN), NOVA_ARN),
        ((HAIKU_ARN, SONNET_ARN), NOVA_ARN),
        ((HAIKU_ARN, SONNET_ARN.replace("20240620", "20990620")), HAIKU_ARN),
        ((HAIKU_ARN, SONNET_ARN.replace("us-east-1", "eu-west-1")), HAIKU_ARN),
    ],
    ids="none one fallback-apart three twice other-family embedding foreign-fallback unknown elsewhere".split(),
)
def test_models_that_do_not_fit(mine, models, fallback):
    raises(lambda: create(mine, models=models, fallback=fallback), "ValidationException")
    assert names(mine) == []


@pytest.mark.parametrize("difference", [-1, 100.5])
def test_a_difference_out_of_bounds(server, difference):
    unchecked = client(server.url, "bedrock", account=ACCOUNT, parameter_validation=False)
    raises(lambda: create(unchecked, difference=difference), "ValidationException")


def test_a_name_is_taken_once(mine, server):
    create(mine)
    raises(lambda: create(mine, models=(SONNET_ARN, HAIKU_ARN)), "ConflictException", status=400)
    other = client(server.url, "bedrock", account="363636363636")
    other.delete_prompt_router(promptRouterArn=create(other))


def test_a_client_token_makes_one(mine):
    token = "4b3a0f5e-1111-2222-3333-444455556666"
    assert create(mine, clientRequestToken=token) == create(mine, clientRequestToken=token)
    raises(lambda: create(mine, name="other", clientRequestToken=token), "ConflictException", status=400)
    assert names(mine) == ["search"]


def test_tags_of_a_router(mine):
    arn = create(mine, tags=[{"key": "team", "value": "search"}])
    mine.tag_resource(resourceARN=arn, tags=[{"key": "cost", "value": "7"}])
    mine.untag_resource(resourceARN=arn, tagKeys=["team"])
    assert mine.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "cost", "value": "7"}]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_every_page_size_lists_everything_once(mine, size):
    for i in range(4):
        create(mine, name=f"router {i}")
    assert names(mine, PaginationConfig={"PageSize": size}) == [f"router {i}" for i in range(4)]
    everything = [router["promptRouterArn"] for router in listed(mine, PaginationConfig={"PageSize": size})]
    assert len(everything) == len(set(everything)) == 4 + len(listed(mine, type="default"))


def test_another_sees_nothing(mine, server):
    arn = create(mine)
    for stranger in ({"account": "373737373737"}, {"account": ACCOUNT, "region": "eu-west-1"}):
        other = client(server.url, "bedrock", **stranger)
        assert names(other) == []
        for call in (other.get_prompt_router, other.delete_prompt_router):
            raises(lambda: call(promptRouterArn=arn), "ResourceNotFoundException", status=404)
        asks = client(server.url, "bedrock-runtime", **stranger)
        raises(lambda: converse(asks, model=arn), "ResourceNotFoundException", status=404)
    assert names(mine) == ["search"]


class TestDefaults:
    def test_they_are_listed_and_told(self, mine):
        routers = listed(mine, type="default")
        assert {router["promptRouterArn"] for router in routers} == {default(one) for one in DEFAULTS}
        for router in routers:
            got = mine.get_prompt_router(promptRouterArn=router["promptRouterArn"])
            got.pop("ResponseMetadata")
            assert got == router and got["type"] == "default"
            assert len(got["models"]) == 2 and got["fallbackModel"] in got["models"]

    def test_they_cannot_be_deleted(self, mine):
        raises(lambda: mine.delete_prompt_router(promptRouterArn=default("meta.llama:1")), "ValidationException")
        assert mine.get_prompt_router(promptRouterArn=default("meta.llama:1"))["status"] == "AVAILABLE"

    def test_one_that_aws_does_not_define(self, mine):
        arn = default("meta.llama:7")
        raises(lambda: mine.get_prompt_router(promptRouterArn=arn), "ResourceNotFoundException", status=404)

    @pytest.mark.parametrize("router", sorted(DEFAULTS))
    def test_they_answer(self, mine, asks, router):
        models = [one["modelArn"] for one in mine.get_prompt_router(promptRouterArn=default(router))["models"]]
        invoked = [
            converse(asks, [user(question)], model=default(router))["trace"]["promptRouter"]["invokedModelId"]
            for question in (EASY, HARD)
        ]
        assert invoked == models, "the less costly model is the first of each"


class TestChoice:
    """The rule of docs/prompt-routers.md, as a caller sees it."""

    def invoked(self, asks, arn, *questions):
        return [converse(asks, [user(q)], model=arn)["trace"]["promptRouter"]["invokedModelId"] for q in questions]

    def test_an_easy_prompt_and_a_hard_one(self, mine, asks):
        assert self.invoked(asks, create(mine), EASY, HARD) == [HAIKU_ARN, SONNET_ARN]

    def test_the_fallback_may_be_the_capable_one(self, mine, asks):
        assert self.invoked(asks, create(mine, fallback=SONNET_ARN), EASY, HARD) == [HAIKU_ARN, SONNET_ARN]

    def test_a_difference_too_large_to_be_worth_it(self, mine, asks):
        assert self.invoked(asks, create(mine, difference=100), EASY, HARD) == [HAIKU_ARN, HAIKU_ARN]

    def test_a_stream_tells_it_too(self, mine, asks):
        events = stream(asks, [user(HARD)], model=create(mine))
        (metadata,) = [event["metadata"] for event in events if "metadata" in event]
        assert metadata["trace"]["promptRouter"] == {"invokedModelId": SONNET_ARN}

    def test_a_profile_is_told_by_its_own_arn(self, mine, asks):
        system = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.{HAIKU}"
        arn = create(mine, models=(system, SONNET_ARN), fallback=system)
        assert self.invoked(asks, arn, EASY) == [system]

    def test_a_model_without_a_router_tells_nothing(self, asks):
        assert "trace" not in converse(asks)

    def test_invoke_model_takes_the_family_s_body(self, mine, asks):
        arn = create(mine)
        body, _ = invoke(asks, arn, anthropic(HARD))
        assert body["type"] == "message" and body["model"] == SONNET
        body, _ = invoke(asks, arn, anthropic(EASY))
        assert body["model"] == HAIKU
        chunks = invoke_stream(asks, arn, anthropic(EASY))
        assert chunks[0]["message"]["model"] == HAIKU and "amazon-bedrock-invocationMetrics" in chunks[-1]

    def test_the_answer_is_that_of_the_model(self, mine, asks):
        arn = create(mine)
        assert text(converse(asks, [user(EASY)], model=arn)) == text(converse(asks, [user(EASY)], model=HAIKU))

    def test_tokens_are_counted_of_models_only(self, mine, asks):
        arn = create(mine)
        raises(
            lambda: asks.count_tokens(modelId=arn, input={"converse": {"messages": [user(EASY)]}}), "ValidationException"
        )

    def test_a_router_that_is_gone(self, mine, asks):
        arn = create(mine)
        mine.delete_prompt_router(promptRouterArn=arn)
        raises(lambda: converse(asks, model=arn), "ResourceNotFoundException", status=404)


def test_by_the_command_line(mine, server):
    def run(*args, service="bedrock"):
        return cli(server.url, service, *args, key=(ACCOUNT, "test"))

    models = json.dumps([target(HAIKU_ARN), target(SONNET_ARN)])
    arn = run(
        "create-prompt-router", "--prompt-router-name", "cli", "--models", models, "--fallback-model",
        json.dumps(target(SONNET_ARN)), "--routing-criteria", '{"responseQualityDifference": 5}',
    )["promptRouterArn"]  # fmt: skip
    assert run("get-prompt-router", "--prompt-router-arn", arn)["promptRouterName"] == "cli"
    assert [one["promptRouterArn"] for one in run("list-prompt-routers", "--type", "custom")["promptRouterSummaries"]] == [arn]
    answer = run(
        "converse", "--model-id", arn, "--messages", json.dumps([user(EASY)]), "--inference-config", "maxTokens=1",
        service="bedrock-runtime",
    )  # fmt: skip
    assert answer["trace"]["promptRouter"]["invokedModelId"] == HAIKU_ARN
    run("delete-prompt-router", "--prompt-router-arn", arn)
    with pytest.raises(CliError, match="ResourceNotFoundException"):
        run("get-prompt-router", "--prompt-router-arn", arn)


def test_routers_outlive_a_kill(fresh):
    server = fresh().start()
    bedrock = client(server.url, "bedrock", account=ACCOUNT)
    arn = create(bedrock)
    server.kill()
    bedrock = client(server.start().url, "bedrock", account=ACCOUNT)
    assert [router["promptRouterArn"] for router in listed(bedrock, type="custom")] == [arn]
