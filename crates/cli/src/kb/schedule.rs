//! When a knowledge base is synchronised by itself, and what a sync cost.

use jiff::Timestamp;
use outcrop_api::bedrock_agent::DataSourceConfiguration;
use outcrop_knowledge::control::jobs::JOB;
use outcrop_knowledge::schedule::{EVERY, Schedule};
use outcrop_wire::decode::{self, Problems};
use serde_json::{Value, json};

use crate::client::{Ask, Client, encoded};
use crate::text::counted;

/// What takes a schedule away.
const NEVER: &str = "never";

/// Refuses what is no time, and what a server cannot read again.
pub fn check(every: &str, what: &str) -> Result<(), String> {
    if every != NEVER && Schedule::every(every).is_none() {
        return Err(format!("--every takes a time such as 90s, 15m, 1h or 2d, or {NEVER}; {every:?} is none"));
    }
    // Of a folder the server has a copy, which only this program brings up to date.
    if every != NEVER && !what.contains("://") {
        return Err(
            "--every is for buckets and sites, which the server reads itself; keep a folder with `outcrop kb watch`, or \
                    bind a bucket to it with [buckets.NAME] in outcrop.toml"
                .into(),
        );
    }
    Ok(())
}

/// Sets or takes away the knowledge base's schedule.
pub async fn set(client: &Client, kb: &str, every: &str) -> Result<(), String> {
    let path = tags(&arn(client, kb).await?);
    if every == NEVER {
        let query = format!("tagKeys={}", encoded(EVERY));
        client.bytes(Ask { query: &query, ..Ask::json("DELETE", &path, Vec::new()) }).await.map(drop)
    } else {
        client.post(&path, &json!({"tags": {EVERY: every}})).await.map(drop)
    }
}

/// The knowledge base's own schedule.
pub async fn of_base(client: &Client, arn: &str) -> Result<Option<String>, String> {
    let found = client.json("GET", &tags(arn), &Value::Null).await?;
    Ok(found["tags"][EVERY].as_str().map(str::to_owned))
}

/// How often a source is synchronised and when the next time is, for people. `of_base` is its knowledge base's schedule.
pub fn told(source: &Value, of_base: Option<&str>) -> Option<String> {
    let id = source["dataSourceId"].as_str().unwrap_or_default();
    let mut configuration = DataSourceConfiguration::default();
    let json = serde_json::to_vec(&source["dataSourceConfiguration"]).ok()?;
    decode::body(&json, &mut configuration, &mut Problems::default()).ok()?;
    let own = configuration.managed_knowledge_base_connector_configuration.as_ref().and_then(Schedule::of_connector);
    let (schedule, how) = match (own, of_base) {
        (Some(Schedule::Daily), _) => (Schedule::Daily, "daily".to_owned()),
        (Some(own @ Schedule::Weekly(day)), _) => (own, format!("weekly, {day:?}")),
        (Some(own @ Schedule::Monthly(Some(day))), _) => (own, format!("monthly, day {day}")),
        (Some(own), _) => (own, "monthly, last day".to_owned()),
        (None, Some(every)) => (Schedule::every(every)?, format!("every {every}")),
        (None, None) => return None,
    };
    let last = source["jobs"][0]["startedAt"].as_str().or_else(|| source["createdAt"].as_str())?;
    let next = schedule.next(last.parse::<Timestamp>().ok()?, id);
    let next = next.max(Timestamp::now());
    Some(format!("{how}, next {}", next.strftime("%Y-%m-%d %H:%M:%S UTC")))
}

/// What a job was metered for, as the end of a line; nothing where nobody tells.
pub async fn cost(client: &Client, job: &Value) -> String {
    // Who may not see costs may still ingest.
    spent(client, job).await.unwrap_or_default()
}

async fn spent(client: &Client, job: &Value) -> Result<String, String> {
    let time = |name: &str| job[name].as_str().and_then(|at| at.parse::<Timestamp>().ok()).ok_or("no time");
    let (from, to) = (time("startedAt")?, time("updatedAt")?);
    // The ledger is asked whole moments.
    let to = to.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(to);
    let filter = format!("tag:{JOB}={}", job["ingestionJobId"].as_str().ok_or("no job")?);
    let (from, to) = (from.to_string(), to.to_string());
    let query = format!("from={}&to={}&filter={}", encoded(&from), encoded(&to), encoded(&filter));
    let report = client.get("/outcrop/cost", &query).await?;
    Ok(priced(&report["total"]))
}

async fn arn(client: &Client, kb: &str) -> Result<String, String> {
    let found = client.json("GET", &client.path(&["knowledgebases", kb]), &Value::Null).await?;
    Ok(found["knowledgeBase"]["knowledgeBaseArn"].as_str().unwrap_or_default().to_owned())
}

/// The path of a resource's tags.
fn tags(arn: &str) -> String {
    format!("/tags/{}", encoded(arn))
}

fn priced(total: &Value) -> String {
    let tokens = total["inputTokens"].as_u64().unwrap_or(0);
    let cost = total["cost"].as_str().unwrap_or("0");
    if tokens == 0 { String::new() } else { format!(", {}, ${cost}", counted(tokens, "token")) }
}
