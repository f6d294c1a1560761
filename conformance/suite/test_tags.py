"""Tags of inference profiles, through the bedrock service's own three operations."""

import pytest

from support.ask import HAIKU_ARN
from support.clients import client, raises

ACCOUNT = "121212121212"
ABSENT = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/abcdefabcdef"


@pytest.fixture
def tagged(server):
    bedrock = client(server.url, "bedrock", account=ACCOUNT)
    arn = bedrock.create_inference_profile(
        inferenceProfileName="tagged",
        modelSource={"copyFrom": HAIKU_ARN},
        tags=[{"key": "team", "value": "search"}, {"key": "stage", "value": ""}],
    )["inferenceProfileArn"]
    yield bedrock, arn
    bedrock.delete_inference_profile(inferenceProfileIdentifier=arn)


def tags(bedrock, arn):
    return {tag["key"]: tag["value"] for tag in bedrock.list_tags_for_resource(resourceARN=arn)["tags"]}


def test_tags_of_the_create_call(tagged):
    assert tags(*tagged) == {"team": "search", "stage": ""}


def test_a_tag_is_added_or_replaced(tagged):
    bedrock, arn = tagged
    bedrock.tag_resource(resourceARN=arn, tags=[{"key": "team", "value": "ads"}, {"key": "cost", "value": "7"}])
    assert tags(bedrock, arn) == {"team": "ads", "stage": "", "cost": "7"}


def test_a_tag_is_removed_and_an_absent_one_ignored(tagged):
    bedrock, arn = tagged
    bedrock.untag_resource(resourceARN=arn, tagKeys=["team", "nobody"])
    assert tags(bedrock, arn) == {"stage": ""}


def test_a_resource_that_does_not_exist(tagged):
    bedrock, _ = tagged
    for call in (
        lambda: bedrock.list_tags_for_resource(resourceARN=ABSENT),
        lambda: bedrock.tag_resource(resourceARN=ABSENT, tags=[{"key": "a", "value": "b"}]),
        lambda: bedrock.untag_resource(resourceARN=ABSENT, tagKeys=["a"]),
    ):
        raises(call, "ResourceNotFoundException", status=404)


def test_another_account_cannot_tag(tagged, server):
    bedrock, arn = tagged
    other = client(server.url, "bedrock", account="131313131313")
    for call in (
        lambda: other.list_tags_for_resource(resourceARN=arn),
        lambda: other.tag_resource(resourceARN=arn, tags=[{"key": "a", "value": "b"}]),
    ):
        with pytest.raises(other.exceptions.ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] in ("ResourceNotFoundException", "AccessDeniedException")
    assert "a" not in tags(bedrock, arn)


def test_more_than_two_hundred_tags(tagged):
    bedrock, arn = tagged
    many = [{"key": f"k{i}", "value": ""} for i in range(201)]
    with pytest.raises(bedrock.exceptions.ClientError) as error:
        bedrock.tag_resource(resourceARN=arn, tags=many)
    assert error.value.response["Error"]["Code"] in ("ValidationException", "TooManyTagsException")


def test_the_limit_counts_what_is_there(tagged):
    bedrock, arn = tagged
    bedrock.tag_resource(resourceARN=arn, tags=[{"key": f"k{i}", "value": ""} for i in range(40)])
    raises(
        lambda: bedrock.tag_resource(resourceARN=arn, tags=[{"key": f"more{i}", "value": ""} for i in range(200)]),
        "TooManyTagsException",
        f"The resource {arn} would have ",
    )


def test_the_limit_of_what_is_made_names_no_resource(tagged):
    bedrock, _ = tagged
    many = [{"key": f"k{i}", "value": ""} for i in range(51)]
    made = lambda: bedrock.create_guardrail(  # noqa: E731
        name="tagged", blockedInputMessaging="no", blockedOutputsMessaging="no", tags=many,
        wordPolicyConfig={"wordsConfig": [{"text": "x"}]},
    )
    raises(made, "TooManyTagsException", "The resource would have 51 tags, more than the 50 that it may have.")
