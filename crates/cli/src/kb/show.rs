//! `outcrop kb show`.

use serde_json::{Value, json};

use crate::client::{Ask, Client, SERVED_BY};
use crate::kb::job::reasons;
use crate::kb::{find, schedule};
use crate::text::{line, say, table};

/// How many of a source's jobs are shown.
const JOBS: u32 = 3;

/// All knowledge bases, or one of them.
pub async fn run(client: &Client, wanted: Option<&str>, json: bool) -> Result<(), String> {
    if wanted.is_none() {
        let all = find::all(client).await?;
        if json {
            let list: Vec<Value> =
                all.iter().map(|kb| json!({"id": kb.id, "name": kb.name, "status": kb.status})).collect();
            return say(&format!("{:#}\n", Value::from(list)));
        }
        if all.is_empty() {
            return say("there is no knowledge base yet; make one with `outcrop kb add FOLDER`\n");
        }
        let rows: Vec<[String; 3]> = all.into_iter().map(|kb| [kb.name, kb.id, kb.status]).collect();
        return say(&table(["NAME", "ID", "STATUS"], &rows));
    }
    let found = find::one(client, wanted).await?;
    let path = client.path(&["knowledgebases", &found.id]);
    let (headers, body) = client.bytes(Ask::json("GET", &path, Vec::new())).await?;
    let served_by = headers.get(SERVED_BY).and_then(|name| name.to_str().ok()).map(str::to_owned);
    let mut kb: Value = serde_json::from_slice(&body).map_err(|e| format!("the answer is not JSON: {e}"))?;
    let kb = kb["knowledgeBase"].take();
    let every = schedule::of_base(client, kb["knowledgeBaseArn"].as_str().unwrap_or_default()).await?;
    let mut sources = Vec::new();
    for source in find::sources(client, &found.id).await? {
        let id = source["dataSourceId"].as_str().unwrap_or_default();
        let path = client.path(&["knowledgebases", &found.id, "datasources", id]);
        let mut whole = client.json("GET", &path, &Value::Null).await?["dataSource"].take();
        let asked = json!({"maxResults": JOBS, "sortBy": {"attribute": "STARTED_AT", "order": "DESCENDING"}});
        whole["jobs"] = client.post(&format!("{path}/ingestionjobs/"), &asked).await?["ingestionJobSummaries"].take();
        if let Some(last) = whole["jobs"][0]["ingestionJobId"].as_str() {
            let job = client.json("GET", &format!("{path}/ingestionjobs/{last}"), &Value::Null).await?;
            whole["lastJob"] = job["ingestionJob"].clone();
            whole["lastCost"] = schedule::cost(client, &whole["lastJob"]).await.into();
        }
        whole["sync"] = schedule::told(&whole, every.as_deref()).into();
        sources.push(whole);
    }
    if json {
        return say(&format!("{:#}\n", json!({"knowledgeBase": kb, "servedBy": served_by, "dataSources": sources})));
    }
    say(&told(&kb, served_by.as_deref(), &sources))
}

fn told(kb: &Value, served_by: Option<&str>, sources: &[Value]) -> String {
    let text = |value: &Value| line(value.as_str().unwrap_or("-"));
    let vector = &kb["knowledgeBaseConfiguration"]["vectorKnowledgeBaseConfiguration"];
    let mut out = format!("{} ({}), {}\n", text(&kb["name"]), text(&kb["knowledgeBaseId"]), text(&kb["status"]));
    out += &format!("  embedding  {}\n", text(&vector["embeddingModelArn"]));
    if let Some(storage) = kb["storageConfiguration"]["type"].as_str() {
        out += &format!("  storage    declared {storage}, served by {}\n", served_by.unwrap_or("-"));
    }
    out += &format!("  role       {}\n", text(&kb["roleArn"]));
    for source in sources {
        let of = &source["dataSourceConfiguration"];
        let mut from = text(&of["type"]);
        if let Some(bucket) = of["s3Configuration"]["bucketArn"].as_str() {
            let prefix = of["s3Configuration"]["inclusionPrefixes"][0].as_str().unwrap_or_default();
            from = format!("s3://{}/{prefix}", bucket.trim_start_matches("arn:aws:s3:::"));
        }
        let web = &of["webConfiguration"]["sourceConfiguration"]["urlConfiguration"]["seedUrls"];
        if let Some(seed) = web[0]["url"].as_str() {
            let others = web.as_array().map_or(0, Vec::len) - 1;
            from = if others == 0 { seed.to_owned() } else { format!("{seed} and {others} more") };
        }
        let chunking = &source["vectorIngestionConfiguration"]["chunkingConfiguration"]["chunkingStrategy"];
        out += &format!(
            "\nsource {} ({}), {}\n  from       {}\n  chunking   {}\n",
            text(&source["name"]),
            text(&source["dataSourceId"]),
            text(&source["status"]),
            line(&from),
            chunking.as_str().unwrap_or("default"),
        );
        if let Some(sync) = source["sync"].as_str() {
            out += &format!("  sync       {sync}\n");
        }
        for (at, job) in source["jobs"].as_array().into_iter().flatten().enumerate() {
            let cost = source["lastCost"].as_str().filter(|_| at == 0).unwrap_or_default();
            let n = |name: &str| job["statistics"][name].as_u64().unwrap_or(0);
            out += &format!(
                "  job {}  {}  {} scanned, {} new, {} changed, {} deleted, {} failed{cost}\n",
                text(&job["startedAt"]),
                text(&job["status"]),
                n("numberOfDocumentsScanned"),
                n("numberOfNewDocumentsIndexed"),
                n("numberOfModifiedDocumentsIndexed"),
                n("numberOfDocumentsDeleted"),
                n("numberOfDocumentsFailed"),
            );
        }
        for reason in reasons(&source["lastJob"]) {
            out += &format!("  {}\n", line(&reason));
        }
    }
    out
}
