"""Quotas: what a throttled call says, what counts, who is counted apart, and Service Quotas, which shows and raises."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from support.ask import HAIKU, converse, user
from support.clients import CliError, cli, client, raises
from support.server import outcrop
from support.waiting import until

ACCOUNT = "555500002222"
PROFILE = "us." + HAIKU
NAME = "On-demand model inference tokens per minute for Anthropic Claude 3 Haiku"
CODE = "L-8CE99163"
SONNET = "us.anthropic.claude-sonnet-4-20250514-v1:0"
CONFIG = """
[[providers]]
name = 'script'
kind = 'scripted'
script = '{script}'
serves = ['anthropic.*']

[quotas]
tokens_per_minute = {tokens}
{more}
"""


@pytest.fixture
def limited(fresh, tmp_path):
    """Makes servers on which a model has so many tokens a minute; each answer takes 100 in and 200 out."""
    script = tmp_path / "script.toml"
    script.write_text("[[rules]]\ntext = 'Yes.'\nusage = { input = 100, output = 200 }\n")

    def make(tokens, more=""):
        return fresh(config=CONFIG.format(script=script, tokens=tokens, more=more)).start()

    return make


def runtime(server, account=ACCOUNT):
    return client(server.url, "bedrock-runtime", account=account)


def service_quotas(server, account=ACCOUNT):
    return boto3.client(
        "service-quotas",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=account,
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def throttled(call):
    """The message and the Retry-After of a throttled call."""
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    assert answer["Error"]["Code"] == "ThrottlingException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    return answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPHeaders"].get("retry-after")


class TestThrottling:
    def test_it_names_the_quota_its_value_and_when(self, limited):
        one = runtime(limited(1_000))
        converse(one, tokens=500)  # took 300
        converse(one, tokens=500)  # 600
        message, after = throttled(lambda: converse(one, tokens=600))
        assert message.startswith("Too many tokens, please wait before trying again."), message
        assert NAME in message and CODE in message and "1000 tokens a minute" in message and ACCOUNT in message
        assert 1 <= int(after) <= 20 and f"in {after} second" in message
        # A smaller one fits.
        converse(one, tokens=100)

    def test_a_stream_and_invoke_model_count_alike(self, limited):
        one = runtime(limited(1_000))
        list(one.converse_stream(modelId=HAIKU, messages=[user("hi")], inferenceConfig={"maxTokens": 10})["stream"])
        body = '{"anthropic_version":"bedrock-2023-05-31","max_tokens":10,"messages":[{"role":"user","content":"hi"}]}'
        one.invoke_model(modelId=HAIKU, body=body)
        converse(one, tokens=10)
        throttled(lambda: converse(one, tokens=200))
        throttled(lambda: one.invoke_model(modelId=HAIKU, body=body.replace("10", "200")))
        throttled(lambda: one.converse_stream(modelId=HAIKU, messages=[user("hi")], inferenceConfig={"maxTokens": 200}))

    def test_a_call_that_never_fits_is_told_so(self, limited):
        one = runtime(limited(1_000))
        message, after = throttled(lambda: converse(one, tokens=2_000))
        assert "never fits" in message and after is None

    def test_what_claude_4_writes_counts_five_times(self, limited):
        one = runtime(limited(550))  # cross-Region calls have twice as many
        converse(one, model=SONNET, tokens=200)  # took 100 + 5 * 200 of 1100
        message, _ = throttled(lambda: converse(one, model=SONNET, tokens=100))
        assert "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4 V1" in message

    def test_cross_region_accounts_and_regions_are_apart(self, limited):
        server = limited(400)
        one = runtime(server)
        converse(one, tokens=300)
        throttled(lambda: converse(one, tokens=300))
        converse(one, model=PROFILE, tokens=300)
        converse(runtime(server, "555500003333"), tokens=300)
        converse(client(server.url, "bedrock-runtime", account=ACCOUNT, region="us-west-2"), tokens=300)

    def test_a_failed_call_takes_nothing(self, limited):
        one = runtime(limited(400))
        for _ in range(3):
            raises(lambda: converse(one, messages=[{"role": "user", "content": []}], tokens=300), "ValidationException")
        converse(one, tokens=300)


RULES = """
[[quotas.rules]]
name = "each tenant"
by = "metadata:tenant"
requests_per_minute = 2
[[quotas.rules]]
name = "a day"
by = "tag:team"
tokens_per_day = 1000
"""


class TestRules:
    def test_each_value_of_metadata_has_its_own(self, limited):
        one = runtime(limited(1_000_000, RULES))
        for _ in range(2):
            converse(one, requestMetadata={"tenant": "acme"})
        message, after = throttled(lambda: converse(one, requestMetadata={"tenant": "acme"}))
        assert message.startswith("Too many requests, please wait before trying again."), message
        assert '"each tenant" of metadata tenant "acme" is 2 requests a minute' in message and 1 <= int(after) <= 30
        converse(one, requestMetadata={"tenant": "other"})
        converse(one)

    def test_a_day_of_a_tagged_profile_survives_the_process(self, limited):
        server = limited(1_000_000, RULES)
        bedrock = client(server.url, "bedrock", account=ACCOUNT)
        made = bedrock.create_inference_profile(
            inferenceProfileName="red",
            modelSource={"copyFrom": "arn:aws:bedrock:us-east-1::foundation-model/" + HAIKU},
            tags=[{"key": "team", "value": "red"}],
        )
        arn = made["inferenceProfileArn"]
        one = runtime(server)
        for _ in range(2):
            converse(one, model=arn, tokens=300)
        server.stop()
        one = runtime(server.start())

        def full():
            try:
                converse(one, model=arn, tokens=500)
            except ClientError as error:
                return "Too many tokens per day" in error.response["Error"]["Message"]
            return False

        # The new process asks for the day's count when it is first called.
        until(full, 10, "a day that is used up")


class TestServiceQuotas:
    def test_they_are_listed_by_name(self, limited):
        quotas = service_quotas(limited(1_000))
        paginator = quotas.get_paginator("list_service_quotas")
        pages = list(paginator.paginate(ServiceCode="bedrock", PaginationConfig={"PageSize": 50}))
        all_of_them = {one["QuotaName"]: one for page in pages for one in page["Quotas"]}
        assert len(pages) > 2
        assert all_of_them[NAME]["QuotaCode"] == CODE and all_of_them[NAME]["Value"] == 1_000
        day = "Model invocation max tokens per day for Anthropic Claude 3 Haiku (doubled for cross-region calls)"
        assert all_of_them[day]["Value"] == 1_440_000
        assert quotas.list_services()["Services"] == [{"ServiceCode": "bedrock", "ServiceName": "Amazon Bedrock"}]
        with pytest.raises(quotas.exceptions.NoSuchResourceException):
            quotas.get_service_quota(ServiceCode="bedrock", QuotaCode="L-00000000")

    def test_an_increase_is_in_force_at_once_and_after_a_restart(self, limited):
        server = limited(1_000)
        one, quotas = runtime(server), service_quotas(server)
        throttled(lambda: converse(one, tokens=1_500))
        asked = quotas.request_service_quota_increase(ServiceCode="bedrock", QuotaCode=CODE, DesiredValue=2_000.0)
        asked = asked["RequestedQuota"]
        assert (asked["Status"], asked["DesiredValue"], asked["QuotaName"]) == ("APPROVED", 2_000, NAME)
        converse(one, tokens=1_500)
        history = quotas.list_requested_service_quota_change_history(ServiceCode="bedrock")["RequestedQuotas"]
        assert [entry["Id"] for entry in history] == [asked["Id"]]
        assert history[0]["Created"].year >= 2024
        got = quotas.get_requested_service_quota_change(RequestId=asked["Id"])["RequestedQuota"]
        assert got["QuotaCode"] == CODE
        default = quotas.get_aws_default_service_quota(ServiceCode="bedrock", QuotaCode=CODE)["Quota"]
        assert default["Value"] == 1_000
        server.kill()
        server.start()
        again = service_quotas(server)
        assert again.get_service_quota(ServiceCode="bedrock", QuotaCode=CODE)["Quota"]["Value"] == 2_000
        converse(runtime(server), tokens=1_500)
        # Another account has what is configured.
        other = service_quotas(server, "555500003333")
        assert other.get_service_quota(ServiceCode="bedrock", QuotaCode=CODE)["Quota"]["Value"] == 1_000

    def test_beyond_the_ceiling_it_is_pending(self, limited):
        quotas = service_quotas(limited(1_000))
        more = dict(ServiceCode="bedrock", QuotaCode=CODE, DesiredValue=5_000.0)
        assert quotas.request_service_quota_increase(**more)["RequestedQuota"]["Status"] == "PENDING"
        with pytest.raises(quotas.exceptions.ResourceAlreadyExistsException):
            quotas.request_service_quota_increase(**more)
        with pytest.raises(quotas.exceptions.IllegalArgumentException):
            quotas.request_service_quota_increase(**{**more, "DesiredValue": 10.0})
        assert quotas.get_service_quota(ServiceCode="bedrock", QuotaCode=CODE)["Quota"]["Value"] == 1_000

    def test_by_the_command_line(self, limited):
        server = limited(1_000)
        key = (ACCOUNT, "test")
        listed = cli(server.url, "service-quotas", "list-service-quotas", "--service-code", "bedrock", key=key)
        assert NAME in {one["QuotaName"] for one in listed["Quotas"]}
        increase = ("--service-code", "bedrock", "--quota-code", CODE, "--desired-value")
        cli(server.url, "service-quotas", "request-service-quota-increase", *increase, "1500", key=key)
        got = cli(server.url, "service-quotas", "get-service-quota", *increase[:4], key=key)
        assert got["Quota"]["Value"] == 1_500
        with pytest.raises(CliError, match="IllegalArgumentException"):
            cli(server.url, "service-quotas", "request-service-quota-increase", *increase, "5", key=key)

    def test_a_reload_keeps_what_was_taken_and_has_other_limits(self, limited):
        server = limited(1_000)
        one = runtime(server)
        converse(one, tokens=100)
        throttled(lambda: converse(one, tokens=900))
        server.config_path.write_text(server.config.replace("tokens_per_minute = 1000", "tokens_per_minute = 1250"))
        assert outcrop("config", "reload", "--data", str(server.data)).returncode == 0
        converse(one, tokens=900)
        throttled(lambda: converse(one, tokens=1_000))


class TestLoops:
    CONFIG = "[loops]\ncalls = 3\n"

    def test_whoever_repeats_itself_is_stopped(self, limited):
        server = limited(1_000_000, self.CONFIG)
        one = runtime(server)
        for turn in range(3):
            converse(one, messages=[user(f"Try {turn}, at 12:0{turn}: what is wrong?")])
        again = lambda: converse(one, messages=[user("Try 3, at 12:03: what is wrong?")])  # noqa: E731
        raises(again, "AccessDeniedException", "loops.calls", status=403)
        converse(one, messages=[user("And something else?")])
        converse(runtime(server, "555500003333"), messages=[user("Try 3, at 12:03: what is wrong?")])
