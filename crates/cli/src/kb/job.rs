//! Ingestion jobs: started, followed, stopped.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use outcrop_knowledge::control::jobs::CHUNKS;
use serde_json::{Value, json};

use crate::client::{Ask, Client};
use crate::kb::{find, sync};
use crate::text::counted;

/// How often a job is asked how far it is.
const LOOK: Duration = Duration::from_millis(200);
/// What AWS ends every reason with that a source gives.
const TAIL: &str = " Call to Customer Source did not succeed.";

/// Runs an ingestion job to its end, and shows how far it is. One that is under way is followed first: it may have begun
/// before the last change.
pub async fn ingest(client: &Client, kb: &str, source: &str) -> Result<Value, String> {
    let jobs = jobs(client, kb, source);
    let job = match client.json("PUT", &jobs, &json!({})).await {
        Err(error) if error.starts_with("409 ") => {
            for path in running(client, kb).await? {
                eprintln!("an ingestion job is under way; another one follows when it has ended");
                follow(client, &path).await?;
            }
            client.json("PUT", &jobs, &json!({})).await?
        }
        started => started?,
    };
    follow(client, &format!("{jobs}{}", job["ingestionJob"]["ingestionJobId"].as_str().unwrap_or_default())).await
}

/// Stops what is under way in a knowledge base, and waits until it has ended.
pub async fn stop(client: &Client, kb: &str) -> Result<(), String> {
    for path in running(client, kb).await? {
        // One that has just ended, or that is stopping already, refuses this.
        client.json("POST", &format!("{path}/stop"), &Value::Null).await.ok();
        while !ended(&told(client, &path).await?) {
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

/// The paths of the jobs of a knowledge base that have not ended.
async fn running(client: &Client, kb: &str) -> Result<Vec<String>, String> {
    let mut running = Vec::new();
    for source in find::sources(client, kb).await? {
        let path = jobs(client, kb, source["dataSourceId"].as_str().unwrap_or_default());
        let all = find::pages(client, &path, "ingestionJobSummaries").await?;
        let open = all.iter().filter(|job| !ended(job));
        running.extend(open.filter_map(|job| Some(format!("{path}{}", job["ingestionJobId"].as_str()?))));
    }
    Ok(running)
}

fn jobs(client: &Client, kb: &str, source: &str) -> String {
    format!("{}/", client.path(&["knowledgebases", kb, "datasources", source, "ingestionjobs"]))
}

fn ended(job: &Value) -> bool {
    matches!(job["status"].as_str(), Some("COMPLETE" | "FAILED" | "STOPPED"))
}

async fn follow(client: &Client, path: &str) -> Result<Value, String> {
    let began = Instant::now();
    let bar = sync::bar(0, "{spinner} {msg}");
    loop {
        let job = told(client, path).await?;
        progress(&bar, &job, began);
        if ended(&job) {
            bar.finish_and_clear();
            return Ok(job);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A job, with its chunks among its statistics.
async fn told(client: &Client, path: &str) -> Result<Value, String> {
    let (headers, body) = client.bytes(Ask::json("GET", path, Vec::new())).await?;
    let mut answer: Value = serde_json::from_slice(&body).map_err(|e| format!("the answer is not JSON: {e}"))?;
    let mut job = answer["ingestionJob"].take();
    // A server of an older version does not say.
    let chunks = headers.get(CHUNKS).and_then(|chunks| chunks.to_str().ok()?.parse::<u64>().ok());
    job["statistics"]["chunks"] = chunks.into();
    Ok(job)
}

fn progress(bar: &ProgressBar, job: &Value, began: Instant) {
    bar.set_message(far(job, began.elapsed()));
    bar.tick();
}

/// How far a job is that began so long ago.
fn far(job: &Value, elapsed: Duration) -> String {
    let n = |name: &str| job["statistics"][name].as_u64().unwrap_or(0);
    let done = n("numberOfNewDocumentsIndexed") + n("numberOfModifiedDocumentsIndexed");
    let rate = n("chunks") as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "{}: {done} indexed, {} failed; {} ({rate:.1} a second)",
        counted(n("numberOfDocumentsScanned"), "document"),
        n("numberOfDocumentsFailed"),
        counted(n("chunks"), "chunk"),
    )
}

/// Why documents failed. Each element is a JSON array in a string, as Bedrock has it.
pub fn reasons(job: &Value) -> Vec<String> {
    let elements = job["failureReasons"].as_array().map_or(&[][..], Vec::as_slice);
    let read = |element: &Value| {
        let text = element.as_str().unwrap_or_default();
        serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|_| vec![text.to_owned()])
    };
    let plain = |reason: String| reason.strip_suffix(TAIL).map(str::to_owned).unwrap_or(reason);
    elements.iter().flat_map(read).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_documents_chunks_rate_and_failures() {
        let job = json!({"statistics": {"numberOfDocumentsScanned": 30, "numberOfNewDocumentsIndexed": 11,
            "numberOfModifiedDocumentsIndexed": 1, "numberOfDocumentsFailed": 2, "chunks": 90}});
        let told = far(&job, Duration::from_secs(4));
        assert_eq!(told, "30 documents: 12 indexed, 2 failed; 90 chunks (22.5 a second)");
    }

    #[test]
    fn reasons_are_arrays_in_strings() {
        let job = json!({"failureReasons": ["[\"a\",\"b\"]", "plain. Call to Customer Source did not succeed."]});
        assert_eq!(reasons(&job), ["a", "b", "plain."]);
    }
}
