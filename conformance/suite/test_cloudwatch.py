"""CloudWatch as real clients see it: metrics of calls, custom metrics, alarms and their actions, in each protocol."""

import datetime
import http.server
import json
import sqlite3
import threading

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from support import raw
from support.ask import HAIKU, converse
from support.clients import cli, client
from support.server import Server
from support.sigv4 import Signer
from support.waiting import until

TOPIC = "arn:aws:sns:us-east-1:123123123123:oncall"
PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")


def speaking(url, protocol, account="123123123123"):
    """A client that speaks this protocol, whichever it would choose by itself."""
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def only(service, kind, *args, **kwargs):
        model = load(service, kind, *args, **kwargs)
        if service == "cloudwatch" and kind == "service-2":
            model = {**model, "metadata": {**model["metadata"], "protocol": protocol, "protocols": [protocol]}}
        return model

    loader.load_service_model = only
    return boto3.Session(botocore_session=session).client(
        "cloudwatch", endpoint_url=url, region_name="us-east-1", aws_access_key_id=account, aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def asked(name, dimensions, namespace="AWS/Bedrock", statistic="Sum", period=86400):
    return {
        "Namespace": namespace, "MetricName": name, "Statistics": [statistic], "Period": period,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "StartTime": now() - datetime.timedelta(hours=12), "EndTime": now() + datetime.timedelta(hours=1),
    }  # fmt: skip


def total(cloudwatch, *args, statistic="Sum", **kwargs):
    points = cloudwatch.get_metric_statistics(**asked(*args, statistic=statistic, **kwargs))["Datapoints"]
    return sum(point[statistic] for point in points)


@pytest.fixture(scope="module", params=PROTOCOLS)
def spoken(request, server):
    """Each protocol has an account of its own."""
    account = str(PROTOCOLS.index(request.param) + 1) * 12
    return speaking(server.url, request.param, account)


class TestEachProtocol:
    def test_what_is_put_is_read(self, spoken):
        at = now().replace(microsecond=0)
        datum = {"MetricName": "m", "Unit": "Count", "Timestamp": at, "Dimensions": [{"Name": "a", "Value": "1"}]}
        spoken.put_metric_data(Namespace="Mine", MetricData=[{**datum, "Values": [1.5, 3.0], "Counts": [2.0, 1.0]}])
        question = {**asked("m", {"a": "1"}, "Mine", period=60), "StartTime": at - datetime.timedelta(hours=1)}
        question["ExtendedStatistics"] = ["p100"]
        answer = spoken.get_metric_statistics(**question)
        (point,) = answer["Datapoints"]
        assert answer["Label"] == "m" and (point["Sum"], point["Unit"]) == (6.0, "Count")
        assert point["ExtendedStatistics"] == {"p100": 3.0}
        assert at - datetime.timedelta(minutes=1) < point["Timestamp"] <= at

    def test_queries_and_lists(self, spoken):
        spoken.put_metric_data(Namespace="Mine", MetricData=[{"MetricName": "q", "Value": 4}])
        metric = {"Namespace": "Mine", "MetricName": "q"}
        answer = spoken.get_metric_data(
            StartTime=now() - datetime.timedelta(minutes=10), EndTime=now() + datetime.timedelta(minutes=1),
            MetricDataQueries=[
                {"Id": "q", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}},
                {"Id": "e", "Expression": "q * 2"},
            ],
        )  # fmt: skip
        q, e = answer["MetricDataResults"]
        assert q["StatusCode"] == "Complete" and [value * 2 for value in q["Values"]] == e["Values"] != []
        assert e["Timestamps"] == q["Timestamps"] and isinstance(q["Timestamps"][0], datetime.datetime)
        listed = spoken.list_metrics(Namespace="Mine", MetricName="q", RecentlyActive="PT3H")["Metrics"]
        assert listed == [{"Namespace": "Mine", "MetricName": "q", "Dimensions": []}]

    def test_alarms(self, spoken):
        rule = dict(Namespace="Mine", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1.5,
                    ComparisonOperator="GreaterThanThreshold", ActionsEnabled=False, AlarmActions=[TOPIC])  # fmt: skip
        spoken.put_metric_alarm(AlarmName="a & b", **rule)
        spoken.set_alarm_state(AlarmName="a & b", StateValue="ALARM", StateReason="<a test>")
        (alarm,) = spoken.describe_alarms(AlarmNames=["a & b"])["MetricAlarms"]
        assert rule.items() <= alarm.items() and alarm["StateReason"] == "<a test>"
        assert isinstance(alarm["StateUpdatedTimestamp"], datetime.datetime)
        assert alarm["AlarmArn"].endswith(":alarm:a & b")
        items = spoken.describe_alarm_history(AlarmName="a & b", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
        assert items[0]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
        spoken.delete_alarms(AlarmNames=["a & b"])
        assert spoken.describe_alarms(AlarmNames=["a & b"])["MetricAlarms"] == []

    def test_refusals_are_the_exceptions_of_the_model(self, spoken):
        with pytest.raises(spoken.exceptions.ResourceNotFound) as refused:
            spoken.delete_alarms(AlarmNames=["nobody"])
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        with pytest.raises(ClientError) as refused:
            spoken.get_metric_statistics(**{**asked("m", {}, "Mine"), "Period": 61})
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
        assert "multiple of 60" in refused.value.response["Error"]["Message"]
        with pytest.raises(ClientError) as refused:
            spoken.list_dashboards()
        assert "ListDashboards" in refused.value.response["Error"]["Message"]
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


class TestDoors:
    def test_a_large_body_comes_compressed(self, server):
        cloudwatch = client(server.url, "cloudwatch", account="444444444444")
        data = [{"MetricName": f"metric-{n}", "Value": n, "Unit": "Count"} for n in range(500)]
        cloudwatch.put_metric_data(Namespace="Large", MetricData=data)
        assert len(cloudwatch.list_metrics(Namespace="Large")["Metrics"]) == 500

    @pytest.mark.parametrize("scope", ["bedrock", "sts", "cloudtrail"])
    def test_a_credential_for_another_service_is_refused(self, server, scope):
        headers = {"x-amz-target": "GraniteServiceVersion20100801.ListMetrics", "content-type": "application/x-amz-json-1.0"}
        answer = raw.request(server, "POST", "/", b"{}", headers=headers, signer=Signer(service=scope))
        assert answer.status == 403 and answer.json["__type"] == "InvalidSignatureException", answer.body

    def test_an_unknown_target_is_refused(self, server):
        headers = {"x-amz-target": "Logs_20140328.DescribeLogGroups", "content-type": "application/x-amz-json-1.1"}
        answer = raw.request(server, "POST", "/", b"{}", headers=headers, signer=Signer(service="monitoring"))
        assert answer.status == 404 and answer.json["__type"] == "UnknownOperationException", answer.body


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A server with an action of its own, and what the action was told."""
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    hook.seen = []
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    script = tmp_path_factory.mktemp("watched") / "script.toml"
    script.write_text('models = ["one"]\n[[rules]]\ntext = "Hello."\nusage = { input = 7, output = 5 }\n')
    config = f"""
[[providers]]
name = "script"
kind = "scripted"
script = "{script}"
serves = ["anthropic.*"]

[[alarm_actions]]
arn = "{TOPIC}"
webhook = "http://127.0.0.1:{hook.server_port}/"

[[prices]]
provider = "script"
input = 100.0
output = 100.0
"""
    with Server(config=config) as server:
        server.seen = hook.seen
        yield server
    hook.shutdown()


def alarm(cloudwatch, name, **rule):
    cloudwatch.put_metric_alarm(
        AlarmName=name, EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold", AlarmActions=[TOPIC],
        **rule,
    )  # fmt: skip


def state(cloudwatch, name):
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


class TestCalls:
    def test_the_aws_cli_shows_the_tokens_that_were_used(self, watched):
        used = converse(client(watched.url, "bedrock-runtime"), tokens=4)["usage"]

        def shown():
            begin, end = (now() + datetime.timedelta(hours=hours) for hours in (-12, 1))
            out = cli(
                watched.url, "cloudwatch", "get-metric-statistics", "--namespace", "AWS/Bedrock", "--metric-name",
                "InputTokenCount", "--dimensions", f"Name=ModelId,Value={HAIKU}", "--start-time", begin.isoformat(),
                "--end-time", end.isoformat(), "--period", "86400", "--statistics", "Sum",
            )  # fmt: skip
            return sum(point["Sum"] for point in out["Datapoints"])

        until(lambda: shown() == used["inputTokens"], 20, "the tokens of the call")
        cloudwatch = client(watched.url, "cloudwatch")
        assert total(cloudwatch, "OutputTokenCount", {"ModelId": HAIKU}) == used["outputTokens"]
        assert total(cloudwatch, "Invocations", {}) == 1

    def test_metrics_reach_readers_within_five_seconds(self, watched):
        cloudwatch = client(watched.url, "cloudwatch")
        before = total(cloudwatch, "Invocations", {"ModelId": HAIKU})
        converse(client(watched.url, "bedrock-runtime"), tokens=1)
        until(lambda: total(cloudwatch, "Invocations", {"ModelId": HAIKU}) == before + 1, 5, "the call in its metric")

    def test_an_alarm_on_tokens_fires_and_its_webhook_is_told(self, watched):
        cloudwatch = client(watched.url, "cloudwatch")
        dimensions = [{"Name": "ModelId", "Value": HAIKU}]
        alarm(cloudwatch, "tokens", Namespace="AWS/Bedrock", MetricName="InputTokenCount", Statistic="Sum", Period=60, Dimensions=dimensions)  # fmt: skip
        converse(client(watched.url, "bedrock-runtime"), tokens=1)
        until(lambda: state(cloudwatch, "tokens") == "ALARM", 30, "the alarm")
        until(lambda: any("tokens" in told["Subject"] for told in watched.seen), 10, "the notice")
        told = next(json.loads(told["Message"]) for told in watched.seen if "tokens" in told["Subject"])
        assert (told["AlarmName"], told["NewStateValue"]) == ("tokens", "ALARM")
        # The notice comes before its action is known to have succeeded.
        asked = {"AlarmName": "tokens", "HistoryItemType": "Action"}
        done = until(lambda: cloudwatch.describe_alarm_history(**asked)["AlarmHistoryItems"], 10, "the action")
        assert done[0]["HistorySummary"] == f"Successfully executed action {TOPIC}"

    def test_an_unbound_action_is_noted(self, watched):
        cloudwatch = client(watched.url, "cloudwatch")
        rule = dict(Namespace="Mine", MetricName="x", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=0)
        cloudwatch.put_metric_alarm(AlarmName="unbound", AlarmActions=[TOPIC + "-nobody"], ComparisonOperator="GreaterThanThreshold", **rule)  # fmt: skip
        cloudwatch.set_alarm_state(AlarmName="unbound", StateValue="ALARM", StateReason="a test")
        (item,) = cloudwatch.describe_alarm_history(AlarmName="unbound", HistoryItemType="Action")["AlarmHistoryItems"]
        assert "is not bound" in item["HistorySummary"]

    def test_metrics_and_alarms_survive_the_end_of_the_process(self, watched):
        cloudwatch = client(watched.url, "cloudwatch")
        cloudwatch.put_metric_data(Namespace="Mine", MetricData=[{"MetricName": "kept", "Value": 3}])
        calls = total(cloudwatch, "Invocations", {})
        # A crash loses at most a second: what is in the file is what another process reads there.
        database = watched.data / "telemetry" / "metrics.db"
        until(lambda: written(database, "kept") == 3.0, 10, "the point in the file")
        watched.kill()
        watched.start()
        cloudwatch = client(watched.url, "cloudwatch")
        assert total(cloudwatch, "kept", {}, "Mine") == 3
        assert total(cloudwatch, "Invocations", {}) == calls
        assert state(cloudwatch, "tokens") in ("ALARM", "OK", "INSUFFICIENT_DATA")


def written(database, name):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT sum FROM points_60 JOIN series ON series.id = series WHERE name = ?", (name,))
        return next(rows, (None,))[0]


class TestDollars:
    def test_an_alarm_on_estimated_charges_fires(self, watched):
        cloudwatch = client(watched.url, "cloudwatch", region="eu-west-1")
        alarm(cloudwatch, "dollars", Namespace="AWS/Billing", MetricName="EstimatedCharges", Statistic="Maximum",
              Period=21600, Dimensions=[{"Name": "Currency", "Value": "USD"}])  # fmt: skip
        converse(client(watched.url, "bedrock-runtime"), tokens=4)
        until(lambda: cloudwatch.list_metrics(Namespace="AWS/Billing")["Metrics"], 20, "charges of a priced call")
        until(lambda: state(cloudwatch, "dollars") == "ALARM", 30, "the alarm")
