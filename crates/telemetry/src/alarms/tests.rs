use std::sync::Arc;

use outcrop_store::{Options, Sqlite};

use super::actions::{Action, Actions, Notice};
use super::evaluate::{Treatment, Verdict, verdict};
use super::*;
use crate::metrics::tests::{open as open_metrics, owner};
use crate::metrics::{Metric, Metrics, Owner};

/// The states of a row of datapoints, oldest first as the user guide writes them (`-` is missing, `0` is fine, `X`
/// breaches), for missing, ignore, breaching, notBreaching.
fn row(points: &str, to_alarm: usize) -> [Verdict; 4] {
    let newest_first: Vec<Option<bool>> = points.chars().rev().map(|c| (c != '-').then_some(c == 'X')).collect();
    [Treatment::Missing, Treatment::Ignore, Treatment::Breaching, Treatment::NotBreaching]
        .map(|missing| verdict(&newest_first, to_alarm, 3, missing))
}

#[test]
fn missing_data_count_as_the_user_guide_says() {
    use Verdict::{Alarm, Insufficient, Ok, Stays};
    // Its table for three of three datapoints.
    assert_eq!(row("0-X-X", 3), [Ok; 4]);
    assert_eq!(row("----0", 3), [Ok; 4]);
    assert_eq!(row("-----", 3), [Insufficient, Stays, Alarm, Ok]);
    assert_eq!(row("0XX-X", 3), [Alarm; 4]);
    assert_eq!(row("--X--", 3), [Alarm, Stays, Alarm, Ok]);
    // Its table for two of three.
    assert_eq!(row("0-X-X", 2), [Alarm; 4]);
    assert_eq!(row("00X0X", 2), [Alarm; 4]);
    assert_eq!(row("0-X--", 2), [Ok, Stays, Alarm, Ok]);
    assert_eq!(row("----0", 2), [Ok, Stays, Alarm, Ok]);
    assert_eq!(row("---X-", 2), [Alarm, Stays, Alarm, Ok]);
}

struct World {
    _folder: tempfile::TempDir,
    metrics: Arc<Metrics>,
    alarms: Alarms,
    resources: Resources,
}

async fn world(bound: &[(&str, Action)]) -> World {
    let (folder, metrics) = open_metrics();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let bound = bound.iter().map(|(arn, action)| ((*arn).to_owned(), action.clone())).collect();
    let alarms = Alarms::open(&resources, Arc::clone(&metrics), Arc::new(Actions::new(bound))).await.unwrap();
    World { _folder: folder, metrics, alarms, resources }
}

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:oncall";

fn alarm(name: &str) -> Alarm {
    Alarm {
        alarm_name: name.into(),
        alarm_arn: arn("111122223333", "us-east-1", name),
        actions_enabled: true,
        alarm_actions: vec![TOPIC.into()],
        metric_name: Some("m".into()),
        namespace: Some("N".into()),
        statistic: Some("Sum".into()),
        period: Some(60),
        evaluation_periods: 1,
        threshold: 1.0,
        comparison_operator: "GreaterThanThreshold".into(),
        ..Alarm::default()
    }
}

impl World {
    fn put(&self, at: i64, value: f64) {
        self.metrics.put(&owner(), &Metric::new("N", "m", &[]), "Count", at, value).unwrap();
    }

    fn state(&self, name: &str) -> String {
        let alarm = self.alarms.get(&arn("111122223333", "us-east-1", name)).unwrap();
        alarm.state.state_value.clone()
    }

    fn history(&self, kind: &str) -> Vec<String> {
        let all = self.alarms.history("111122223333", "us-east-1");
        let items = all.iter().flat_map(|history| &history.0);
        items.filter(|item| item.history_item_type == kind).map(|item| item.history_summary.clone()).collect()
    }
}

const START: i64 = 1_800_000_000;

#[tokio::test]
async fn an_alarm_fires_in_the_running_minute_and_ends_when_it_is_over() {
    let world = world(&[]).await;
    world.alarms.put(alarm("a")).await.unwrap();
    world.alarms.judge_all(START).await;
    assert_eq!(world.state("a"), "INSUFFICIENT_DATA");
    world.put(START + 3, 2.0);
    world.alarms.judge_all(START + 10).await;
    assert_eq!(world.state("a"), "ALARM");
    assert_eq!(world.history("StateUpdate"), ["Alarm updated from INSUFFICIENT_DATA to ALARM"]);
    let told = format!("Did not execute action {TOPIC}: it is not bound by this server's configuration");
    assert_eq!(world.history("Action"), [told]);
    world.put(START + 61, 0.5);
    world.alarms.judge_all(START + 130).await;
    assert_eq!(world.state("a"), "OK");
    // Nothing more is done while the state stays.
    world.alarms.judge_all(START + 131).await;
    assert_eq!(world.history("StateUpdate").len(), 2);
}

#[tokio::test]
async fn too_little_is_not_said_before_the_minute_is_over() {
    let world = world(&[]).await;
    let low = Alarm { comparison_operator: "LessThanThreshold".into(), threshold: 10.0, ..alarm("low") };
    world.alarms.put(low).await.unwrap();
    world.put(START - 60, 20.0);
    world.put(START + 1, 1.0);
    world.alarms.judge_all(START + 5).await;
    assert_eq!(world.state("low"), "OK");
    world.alarms.judge_all(START + 60).await;
    assert_eq!(world.state("low"), "ALARM");
}

#[tokio::test]
async fn alarms_and_their_states_last() {
    let world = world(&[]).await;
    world.alarms.put(alarm("a")).await.unwrap();
    world.put(START, 2.0);
    world.alarms.judge_all(START + 1).await;
    let again = Alarms::open(&world.resources, Arc::clone(&world.metrics), Arc::default()).await.unwrap();
    let found = again.of("111122223333", "us-east-1");
    assert_eq!(found[0].state.state_value, "ALARM");
    let reason = &found[0].state.state_reason;
    assert!(reason.starts_with("Threshold Crossed: 1 out of the last 1 datapoints [2.0 (15/01/27 08:00:00)] was greater than the threshold (1.0)"), "{reason}");
    assert!(again.of("444455556666", "us-east-1").is_empty() && again.of("111122223333", "eu-west-1").is_empty());
    // A new rule keeps the state until it is judged.
    again.put(Alarm { threshold: 5.0, ..alarm("a") }).await.unwrap();
    assert_eq!(again.of("111122223333", "us-east-1")[0].state.state_value, "ALARM");
    again.delete(&[arn("111122223333", "us-east-1", "a")]).await.unwrap();
    assert!(again.of("111122223333", "us-east-1").is_empty());
    assert_eq!(again.history("111122223333", "us-east-1").len(), 1);
    assert!(!again.set_state(&arn("111122223333", "us-east-1", "a"), State::first(0)).await.unwrap());
}

#[tokio::test]
async fn a_bound_command_gets_the_notice_and_disabled_actions_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notice");
    let script = format!("cat > {}", file.display());
    let world = world(&[(TOPIC, Action::Command(vec!["sh".into(), "-c".into(), script]))]).await;
    world.alarms.put(Alarm { actions_enabled: false, ..alarm("quiet") }).await.unwrap();
    world.put(START, 2.0);
    world.alarms.judge_all(START + 1).await;
    assert!(!file.exists());
    assert!(world.history("Action")[0].ends_with("the actions of this alarm are disabled"));
    world.alarms.put(alarm("loud")).await.unwrap();
    world.alarms.judge_all(START + 2).await;
    let notice: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((notice["Type"].as_str(), notice["TopicArn"].as_str()), (Some("Notification"), Some(TOPIC)));
    let message: serde_json::Value = serde_json::from_str(notice["Message"].as_str().unwrap()).unwrap();
    assert_eq!((&message["AlarmName"], &message["NewStateValue"]), (&"loud".into(), &"ALARM".into()));
    assert_eq!(message["Trigger"]["Statistic"], "SUM");
}

#[tokio::test]
async fn a_command_that_fails_or_is_not_there_is_noted() {
    let run = async |command: &[&str]| {
        let command = command.iter().map(|part| (*part).to_owned()).collect();
        let actions = Actions::new([(TOPIC.to_owned(), Action::Command(command))].into());
        actions.run(TOPIC, Notice::of_alarm(&alarm("a"), "OK", START)).await
    };
    assert!(run(&["true"]).await.starts_with("Successfully executed"));
    assert!(run(&["false"]).await.contains("exit status: 1"));
    assert!(run(&["/nowhere/at/all"]).await.starts_with("Failed to execute action"));
}

#[tokio::test]
async fn dollars_are_watched_in_every_region() {
    let world = world(&[]).await;
    let billing = Alarm {
        metric_name: Some("EstimatedCharges".into()),
        namespace: Some("AWS/Billing".into()),
        statistic: Some("Maximum".into()),
        dimensions: vec![Dimension { name: "Currency".into(), value: "USD".into() }],
        period: Some(21_600),
        ..alarm("bill")
    };
    world.alarms.put(billing).await.unwrap();
    let global = Owner::new("111122223333", crate::metrics::charges::GLOBAL);
    let metric = Metric::new("AWS/Billing", "EstimatedCharges", &[("Currency", "USD")]);
    world.metrics.put(&global, &metric, "None", START, 1.5).unwrap();
    world.alarms.judge_all(START + 1).await;
    assert_eq!(world.state("bill"), "ALARM");
}

#[tokio::test]
async fn history_is_bounded() {
    let world = world(&[]).await;
    let alarm = Alarm { alarm_actions: vec![], ..alarm("a") };
    world.alarms.put(alarm.clone()).await.unwrap();
    for n in 0..120 {
        let value = if n % 2 == 0 { "OK" } else { "ALARM" };
        let state = State { state_value: value.into(), ..State::default() };
        assert!(world.alarms.set_state(&alarm.alarm_arn, state).await.unwrap());
    }
    assert_eq!(world.alarms.history("111122223333", "us-east-1")[0].0.len(), 100);
}
