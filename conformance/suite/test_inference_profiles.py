"""Inference profiles: create, get, list, delete; who sees them; what survives."""

import base64
import datetime
import re

import pytest

from support.ask import HAIKU_ARN, PROFILE
from support.clients import client, raises

ACCOUNT = "555555555555"
UNKNOWN_ID = "abcdefabcdef"


@pytest.fixture
def mine(server):
    """A client of an account of its own, left without profiles."""
    made = client(server.url, "bedrock", account=ACCOUNT)
    yield made
    for profile in made.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]:
        made.delete_inference_profile(inferenceProfileIdentifier=profile["inferenceProfileId"])


def create(bedrock, name="search", source=HAIKU_ARN, **rest):
    return bedrock.create_inference_profile(inferenceProfileName=name, modelSource={"copyFrom": source}, **rest)


def names(bedrock, **filters):
    pages = bedrock.get_paginator("list_inference_profiles").paginate(typeEquals="APPLICATION", **filters)
    return [profile["inferenceProfileName"] for page in pages for profile in page["inferenceProfileSummaries"]]


def test_create_then_get(mine):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    made = create(mine, description="For search")
    arn = made["inferenceProfileArn"]
    assert re.fullmatch(rf"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/[a-z0-9]{{12}}", arn), arn
    assert made["status"] == "ACTIVE"
    for identifier in (arn, arn.rsplit("/", 1)[1]):
        got = mine.get_inference_profile(inferenceProfileIdentifier=identifier)
        assert (got["inferenceProfileName"], got["description"]) == ("search", "For search")
        assert (got["inferenceProfileArn"], got["type"]) == (arn, "APPLICATION")
        assert got["inferenceProfileId"] == arn.rsplit("/", 1)[1]
        assert [model["modelArn"] for model in got["models"]] == [HAIKU_ARN]
        assert before <= got["createdAt"] <= got["updatedAt"]


def test_a_copy_of_a_system_profile_has_its_models(mine):
    system = mine.get_inference_profile(inferenceProfileIdentifier=PROFILE)
    arn = create(mine, source=system["inferenceProfileArn"])["inferenceProfileArn"]
    assert mine.get_inference_profile(inferenceProfileIdentifier=arn)["models"] == system["models"]


@pytest.mark.parametrize(
    ("geography", "region"),
    [
        ("us", "us-east-1"),
        ("eu", "eu-central-1"),
        ("apac", "ap-northeast-1"),
        ("jp", "ap-northeast-1"),
        ("au", "ap-southeast-2"),
        ("global", "us-east-1"),
    ],
)
def test_system_profiles_of_a_geography(server, geography, region):
    bedrock = client(server.url, "bedrock", region=region)
    pages = bedrock.get_paginator("list_inference_profiles").paginate(typeEquals="SYSTEM_DEFINED")
    found = [p for page in pages for p in page["inferenceProfileSummaries"]]
    here = [p for p in found if p["inferenceProfileId"].startswith(geography + ".")]
    assert here, {p["inferenceProfileId"].split(".")[0] for p in found}
    got = bedrock.get_inference_profile(inferenceProfileIdentifier=here[0]["inferenceProfileId"])
    assert got["type"] == "SYSTEM_DEFINED" and got["models"] == here[0]["models"]
    assert all(":foundation-model/" in model["modelArn"] for model in got["models"])


def test_delete(mine):
    arn = create(mine)["inferenceProfileArn"]
    mine.delete_inference_profile(inferenceProfileIdentifier=arn)
    for call in (mine.get_inference_profile, mine.delete_inference_profile):
        raises(lambda: call(inferenceProfileIdentifier=arn), "ResourceNotFoundException", status=404)
    assert names(mine) == []


def test_a_system_profile_cannot_be_deleted(mine):
    with pytest.raises(mine.exceptions.ClientError) as error:
        mine.delete_inference_profile(inferenceProfileIdentifier=PROFILE)
    assert error.value.response["Error"]["Code"] in ("ValidationException", "AccessDeniedException")
    assert mine.get_inference_profile(inferenceProfileIdentifier=PROFILE)["status"] == "ACTIVE"


def test_what_does_not_exist(mine):
    raises(
        lambda: mine.get_inference_profile(inferenceProfileIdentifier=UNKNOWN_ID),
        "ResourceNotFoundException",
        status=404,
    )
    with pytest.raises(mine.exceptions.ClientError) as error:
        create(mine, source="arn:aws:bedrock:us-east-1::foundation-model/anthropic.no-such-model-v9:0")
    assert error.value.response["Error"]["Code"] in ("ValidationException", "ResourceNotFoundException")


class TestIdempotency:
    TOKEN = "4b3a0f5e-1111-2222-3333-444455556666"

    def test_the_same_request_twice_is_one_profile(self, mine):
        one, two = (create(mine, clientRequestToken=self.TOKEN) for _ in "ab")
        assert one["inferenceProfileArn"] == two["inferenceProfileArn"]
        assert names(mine) == ["search"]

    def test_another_request_under_the_same_token_is_refused(self, mine):
        create(mine, clientRequestToken=self.TOKEN)
        with pytest.raises(mine.exceptions.ClientError) as error:
            create(mine, name="other", clientRequestToken=self.TOKEN)
        assert error.value.response["Error"]["Code"] in ("ConflictException", "ValidationException")
        assert names(mine) == ["search"]


class TestPages:
    @pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 1000])
    def test_every_size_lists_everything_once(self, mine, size):
        for i in range(5):
            create(mine, name=f"profile {i}")
        assert sorted(names(mine, PaginationConfig={"PageSize": size})) == [f"profile {i}" for i in range(5)]

    def test_pages_keep_their_order(self, mine):
        for i in range(5):
            create(mine, name=f"profile {i}")
        assert names(mine, PaginationConfig={"PageSize": 2}) == names(mine)

    def token(self, bedrock):
        for i in range(2):
            create(bedrock, name=f"profile {i}")
        return bedrock.list_inference_profiles(maxResults=1, typeEquals="APPLICATION")["nextToken"]

    def test_a_token_of_another_account_is_refused(self, mine, server):
        token = self.token(mine)
        other = client(server.url, "bedrock", account="666666666666")
        raises(
            lambda: other.list_inference_profiles(nextToken=token, maxResults=1, typeEquals="APPLICATION"),
            "ValidationException",
        )

    def test_a_changed_token_is_refused(self, mine):
        token = self.token(mine)
        middle = len(token) // 2
        flipped = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
        made_up = base64.urlsafe_b64encode(b'{"after":"profile 0"}').decode()
        for forged in (flipped, token[:-4], token + "AAAA", made_up, "x"):
            raises(
                lambda: mine.list_inference_profiles(nextToken=forged, maxResults=1, typeEquals="APPLICATION"),
                "ValidationException",
            )


class TestIsolation:
    @pytest.mark.parametrize(
        "stranger", [{"account": "777777777777"}, {"account": ACCOUNT, "region": "eu-west-1"}], ids=["account", "region"]
    )
    def test_another_sees_nothing(self, mine, server, stranger):
        arn = create(mine)["inferenceProfileArn"]
        other = client(server.url, "bedrock", **stranger)
        assert names(other) == []
        for identifier in (arn, arn.rsplit("/", 1)[1]):
            for call in (other.get_inference_profile, other.delete_inference_profile):
                with pytest.raises(other.exceptions.ClientError) as error:
                    call(inferenceProfileIdentifier=identifier)
                code = error.value.response["Error"]["Code"]
                assert code in ("ResourceNotFoundException", "AccessDeniedException", "ValidationException"), code
        assert names(mine) == ["search"]

    def test_the_same_name_may_exist_twice_apart(self, mine, server):
        other = client(server.url, "bedrock", account="888888888888")
        arns = {create(one)["inferenceProfileArn"] for one in (mine, other)}
        assert len(arns) == 2
