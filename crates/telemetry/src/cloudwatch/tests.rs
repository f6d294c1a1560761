use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_access::{Caller, CallerKind};
use outcrop_resources::Resources;
use outcrop_store::{Options, Sqlite};
use serde_json::json;

use super::expression::{Series, compute};
use super::*;
use crate::metrics::now;
use crate::metrics::tests::open;

struct World {
    _folder: tempfile::TempDir,
    slice: CloudWatch,
}

async fn world() -> World {
    let (folder, metrics) = open();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let alarms = Alarms::open(&resources, Arc::clone(&metrics), Arc::default()).await.unwrap();
    World { _folder: folder, slice: CloudWatch { metrics, alarms: Arc::new(alarms) } }
}

fn cx() -> Context {
    Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "monitoring")
}

impl World {
    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.slice.call(&cx(), operation, input).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    async fn refused(&self, operation: &str, input: Value) -> (&'static str, String) {
        let error = self.slice.call(&cx(), operation, input).await.expect_err(operation);
        (error.code, error.message)
    }
}

/// `input` with some members replaced, or taken away by null.
fn with(mut input: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

fn minute() -> i64 {
    now().div_euclid(60) * 60
}

fn asked() -> Value {
    json!({ "Namespace": "Mine", "MetricName": "m", "StartTime": minute() - 600, "EndTime": minute() + 60,
            "Period": 60, "Statistics": ["Sum"] })
}

#[tokio::test]
async fn what_is_put_is_read() {
    let world = world().await;
    let at = minute() - 300;
    let data = json!([
        { "MetricName": "m", "Timestamp": at, "Value": 2, "Unit": "Count" },
        { "MetricName": "m", "Timestamp": at + 5, "Values": [4.0, 6.0], "Counts": [1, 2], "Unit": "Count" },
        { "MetricName": "s", "Timestamp": at, "StatisticValues": { "SampleCount": 2, "Sum": 8, "Minimum": 3, "Maximum": 5 } },
    ]);
    assert_eq!(world.ok("PutMetricData", json!({ "Namespace": "Mine", "MetricData": data })).await, Value::Null);
    let all = json!({ "Statistics": ["SampleCount", "Sum", "Average", "Minimum", "Maximum"], "ExtendedStatistics": ["p50", "p100"] });
    let answer = world.ok("GetMetricStatistics", with(asked(), all)).await;
    let point = &answer["Datapoints"][0];
    assert_eq!(answer["Label"], "m");
    assert_eq!((&point["SampleCount"], &point["Sum"], &point["Average"]), (&json!(4.0), &json!(18.0), &json!(4.5)));
    assert_eq!((&point["Minimum"], &point["Maximum"], &point["Unit"]), (&json!(2.0), &json!(6.0), &json!("Count")));
    assert_eq!(point["ExtendedStatistics"]["p100"], 6.0);
    assert!((point["ExtendedStatistics"]["p50"].as_f64().unwrap() / 4.0 - 1.0).abs() < 0.01);
    assert_eq!(point["Timestamp"], at as f64);
    // Of sums without their values nobody knows percentiles.
    let only = json!({ "MetricName": "s", "Statistics": null, "ExtendedStatistics": ["p90"] });
    assert_eq!(world.ok("GetMetricStatistics", with(asked(), only)).await["Datapoints"], json!([]));
    let listed = world.ok("ListMetrics", json!({ "Namespace": "Mine", "RecentlyActive": "PT3H" })).await;
    assert_eq!(listed["Metrics"].as_array().unwrap().len(), 2);
    let stranger = Context::new(Caller::root("444455556666", None, CallerKind::User), "us-east-1", "monitoring");
    let theirs = world.slice.call(&stranger, "ListMetrics", json!({})).await.unwrap();
    assert_eq!(theirs["Metrics"], json!([]));
}

#[tokio::test]
async fn questions_that_cannot_be_answered_are_refused() {
    let world = world().await;
    let (value, missing, combination) =
        ("InvalidParameterValueException", "MissingRequiredParameterException", "InvalidParameterCombinationException");
    for (members, code, text) in [
        (json!({ "Namespace": null }), missing, "The parameter Namespace is required."),
        (json!({ "Period": null }), missing, "The parameter Period is required."),
        (json!({ "Statistics": null }), missing, "The parameter Statistics or ExtendedStatistics is required."),
        (json!({ "Period": 90 }), value, "multiple of 60"),
        (json!({ "Period": 0 }), value, "multiple of 60"),
        (json!({ "Statistics": ["Median"] }), value, "Median"),
        (json!({ "ExtendedStatistics": ["p101"] }), value, "p101"),
        (json!({ "ExtendedStatistics": ["pNaN"] }), value, "pNaN"),
        (json!({ "EndTime": 0, "StartTime": 0 }), value, "must be less than"),
        (json!({ "EndTime": 1e30 }), value, "EndTime"),
        (json!({ "Unit": "Bananas" }), value, "Bananas"),
        (
            json!({ "StartTime": minute() - 172_800, "EndTime": minute() }),
            combination,
            "requested up to 2880 datapoints",
        ),
        (json!({ "Dimensions": [{ "Name": "a", "Value": "" }] }), value, "Value"),
        (json!({ "Dimensions": [{ "Name": "a", "Value": "1" }, { "Name": "a", "Value": "2" }] }), value, "twice"),
        (json!({ "Period": "x" }), "SerializationException", "Period"),
    ] {
        let (found, message) = world.refused("GetMetricStatistics", with(asked(), members.clone())).await;
        assert!(found == code && message.contains(text), "{members}: {found}: {message}");
    }
    for (namespace, datum) in [
        ("AWS/Bedrock", json!({ "MetricName": "m", "Value": 1 })),
        ("Outcrop/Spend", json!({ "MetricName": "m", "Value": 1 })),
        ("Mine", json!({ "MetricName": "m" })),
        ("Mine", json!({ "MetricName": "m", "Value": 1, "Values": [1] })),
        ("Mine", json!({ "MetricName": "m", "Value": 1e300 })),
        ("Mine", json!({ "MetricName": "m", "Value": "NaN" })),
        ("Mine", json!({ "MetricName": "m", "Value": 1, "Timestamp": 1000 })),
        ("Mine", json!({ "MetricName": "m", "Values": [1], "Counts": [1, 2] })),
        ("Mine", json!({ "MetricName": "m", "Values": vec![1; 151] })),
        ("Mine", json!({ "MetricName": "", "Value": 1 })),
    ] {
        let good = json!({ "MetricName": "good", "Value": 1 });
        world.refused("PutMetricData", json!({ "Namespace": namespace, "MetricData": [good, datum] })).await;
    }
    assert_eq!(world.ok("ListMetrics", json!({})).await["Metrics"], json!([]), "all of a call is refused, or nothing");
    assert_eq!(world.refused("ListMetrics", json!({ "NextToken": "9.9" })).await.0, value);
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let world = world().await;
    for part in 0..2 {
        let data: Vec<Value> =
            (0..600).map(|n| json!({ "MetricName": format!("m{part}{n:03}"), "Value": 1 })).collect();
        world.ok("PutMetricData", json!({ "Namespace": "Mine", "MetricData": data })).await;
    }
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = world.ok("ListMetrics", json!({ "NextToken": token })).await;
        seen.extend(page["Metrics"].as_array().unwrap().iter().map(|metric| metric["MetricName"].to_string()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 1200);
}

#[test]
fn metric_math_computes() {
    let a = Series::from([(0, 1.0), (60, 2.0), (120, 4.0)]);
    let b = Series::from([(0, 10.0), (60, 0.0)]);
    let find = |id: &str| BTreeMap::from([("a", a.clone()), ("b", b.clone())]).get(id).cloned();
    let all = || vec![a.clone(), b.clone()];
    let of = |text: &str| compute(text, &find, &all, &std::cell::Cell::new(1_000));
    let series = |points: &[(i64, f64)]| Ok(expression::Value::Series(points.iter().copied().collect()));
    assert_eq!(of("a + b"), series(&[(0, 11.0), (60, 2.0)]));
    assert_eq!(of("a / b"), series(&[(0, 0.1)]));
    assert_eq!(of("2 * (a - 1)"), series(&[(0, 0.0), (60, 2.0), (120, 6.0)]));
    assert_eq!(of("-a*-1"), series(&[(0, 1.0), (60, 2.0), (120, 4.0)]));
    assert_eq!(of("SUM([a, b])"), series(&[(0, 11.0), (60, 2.0), (120, 4.0)]));
    assert_eq!(of("MAX(METRICS())"), series(&[(0, 10.0), (60, 2.0), (120, 4.0)]));
    assert_eq!(of("SUM(a) + 1"), Ok(expression::Value::Number(8.0)));
    for broken in ["", "a +", "(a", "a b", "c", "RATE(a)", "[a, 1]", "[a] + 1", "1.2.3", "a ^ b", "ä", &"(".repeat(500)]
    {
        assert!(of(broken).is_err(), "{broken}");
    }
    let long = format!("{}a", "-".repeat(2000));
    assert!(of(&long).is_ok());
    // What would take long is refused, not begun.
    assert!(of(&format!("{}a", "-".repeat(2048))).unwrap_err().contains("longer"));
    assert!(of(&["a"; 400].join("+")).unwrap_err().contains("too much"));
}

#[tokio::test]
async fn queries_and_expressions_are_answered_together() {
    let world = world().await;
    let at = minute() - 120;
    let put = |name: &str, value: f64| json!({ "MetricName": name, "Timestamp": at, "Value": value });
    world.ok("PutMetricData", json!({ "Namespace": "Mine", "MetricData": [put("x", 6.0), put("y", 3.0)] })).await;
    let stat = |id: &str, name: &str| {
        json!({ "Id": id, "ReturnData": false,
        "MetricStat": { "Metric": { "Namespace": "Mine", "MetricName": name }, "Period": 60, "Stat": "Sum" } })
    };
    let expression = |id: &str, text: &str| json!({ "Id": id, "Expression": text });
    let ask = |queries: Value| json!({ "MetricDataQueries": queries, "StartTime": at - 600, "EndTime": at + 60 });
    let answer = world
        .ok(
            "GetMetricData",
            ask(json!([expression("e2", "e1 * 2"), stat("x", "x"), stat("y", "y"), expression("e1", "x / y")])),
        )
        .await;
    let results = answer["MetricDataResults"].as_array().unwrap();
    assert_eq!((results[0]["Id"].clone(), results[0]["Values"].clone()), (json!("e2"), json!([4.0])));
    assert_eq!((results[1]["Values"].clone(), results[1]["Timestamps"].clone()), (json!([2.0]), json!([at as f64])));
    for queries in [
        json!([expression("e1", "e2"), expression("e2", "e1")]),
        json!([expression("e1", "nobody")]),
        json!([expression("E1", "1")]),
        json!([stat("x", "x"), stat("x", "y")]),
        json!([{ "Id": "x" }]),
        json!([]),
    ] {
        world.refused("GetMetricData", ask(queries)).await;
    }
}

fn rule(name: &str) -> Value {
    json!({ "AlarmName": name, "Namespace": "Mine", "MetricName": "m", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold" })
}

#[tokio::test]
async fn alarms_are_made_told_and_deleted() {
    let world = world().await;
    for name in ["b", "a", "c"] {
        world.ok("PutMetricAlarm", rule(name)).await;
    }
    let told = world.ok("DescribeAlarms", json!({ "MaxRecords": 2 })).await;
    let names = |told: &Value| {
        told["MetricAlarms"].as_array().unwrap().iter().map(|alarm| alarm["AlarmName"].to_string()).collect::<String>()
    };
    assert_eq!(names(&told), r#""a""b""#);
    assert_eq!(names(&world.ok("DescribeAlarms", json!({ "NextToken": told["NextToken"] })).await), r#""c""#);
    let alarm = &told["MetricAlarms"][0];
    assert_eq!(alarm["AlarmArn"], "arn:aws:cloudwatch:us-east-1:111122223333:alarm:a");
    assert_eq!((&alarm["StateValue"], &alarm["ActionsEnabled"]), (&json!("INSUFFICIENT_DATA"), &json!(true)));
    assert_eq!(alarm["OKActions"], json!([]));
    world.ok("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "a test" })).await;
    assert_eq!(names(&world.ok("DescribeAlarms", json!({ "StateValue": "ALARM" })).await), r#""a""#);
    let history = world.ok("DescribeAlarmHistory", json!({ "AlarmName": "a", "HistoryItemType": "StateUpdate" })).await;
    assert_eq!(history["AlarmHistoryItems"][0]["HistorySummary"], "Alarm updated from INSUFFICIENT_DATA to ALARM");
    world.ok("DisableAlarmActions", json!({ "AlarmNames": ["a"] })).await;
    assert_eq!(
        world.ok("DescribeAlarms", json!({ "AlarmNames": ["a"] })).await["MetricAlarms"][0]["ActionsEnabled"],
        false
    );
    assert_eq!(world.refused("DeleteAlarms", json!({ "AlarmNames": ["a", "zz"] })).await.0, "ResourceNotFound");
    world.ok("DeleteAlarms", json!({ "AlarmNames": ["a", "b"] })).await;
    assert_eq!(names(&world.ok("DescribeAlarms", json!({})).await), r#""c""#);
    assert_eq!(
        world.refused("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "OK", "StateReason": "" })).await.0,
        "ResourceNotFound"
    );
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let world = world().await;
    let query = json!({ "Id": "x", "MetricStat": { "Metric": { "Namespace": "N", "MetricName": "m" }, "Period": 60, "Stat": "Sum" } });
    for members in [
        json!({ "Period": 61 }),
        json!({ "Period": null }),
        json!({ "Statistic": null }),
        json!({ "ExtendedStatistic": "p99" }),
        json!({ "Statistic": "Most" }),
        json!({ "Threshold": null }),
        json!({ "EvaluationPeriods": 0 }),
        json!({ "EvaluationPeriods": 1441 }),
        json!({ "DatapointsToAlarm": 2 }),
        json!({ "ComparisonOperator": "GreaterThanUpperThreshold" }),
        json!({ "TreatMissingData": "whatever" }),
        json!({ "AlarmActions": ["https://example.com/hook"] }),
        json!({ "AlarmActions": ["arn:a", "arn:b", "arn:c", "arn:d", "arn:e", "arn:f"] }),
        json!({ "Metrics": [query] }),
        json!({ "EvaluationCriteria": {} }),
    ] {
        world.refused("PutMetricAlarm", with(rule("a"), members)).await;
    }
    let several = json!({ "AlarmName": "math", "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold", "Metrics": [query] });
    world.ok("PutMetricAlarm", several).await;
}
