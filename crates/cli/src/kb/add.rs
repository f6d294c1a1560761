//! `outcrop kb add` and `outcrop kb watch`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use indicatif::ProgressBar;
use outcrop_knowledge::control::jobs::CHUNKS;
use serde_json::{Value, json};

use crate::args::{self, Chunking};
use crate::client::{Ask, Client};
use crate::kb::find::Found;
use crate::kb::origin::{self, Origin};
use crate::kb::{find, folder, remove, s3, schedule, sync};
use crate::text::{counted, say};

/// How often a job is asked how far it is.
const LOOK: Duration = Duration::from_millis(200);
/// What a bucket of ours begins with.
pub const BUCKET: &str = "outcrop-kb-";

/// Brings a knowledge base up to date, and makes it where there is none.
pub async fn run(client: &Client, args: &args::KbAdd, every: Option<&str>) -> Result<(), String> {
    if let Some(every) = every {
        schedule::check(every, &args.what)?;
    }
    let added = Added::prepare(client, args).await?;
    if let Some(every) = every {
        schedule::set(client, &added.kb, every).await?;
    }
    added.sync(client, true).await
}

/// The same again whenever the folder has changed.
pub async fn watch(client: &Client, args: &args::KbAdd, every: u64) -> Result<(), String> {
    let added = Added::prepare(client, args).await?;
    let Some(root) = added.root.clone() else {
        return Err("watch looks at a folder; give the source of a bucket or a site a schedule instead".into());
    };
    added.sync(client, true).await?;
    eprintln!("watching {}, every {every} s; Ctrl-C ends it", root.display());
    let mut seen = stamp(&root)?;
    let mut away = None;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(every)) => {}
        }
        // The folder may be away for a moment.
        let now = match stamp(&root) {
            Ok(now) => now,
            Err(error) => {
                if away.replace(error.clone()) != Some(error.clone()) {
                    eprintln!("{error}");
                }
                continue;
            }
        };
        away = None;
        if now != seen {
            // What could not be synced is tried again with the next change; it does not end the watch.
            match added.sync(client, false).await {
                Ok(()) => seen = now,
                Err(error) => eprintln!("{error}"),
            }
        }
    }
}

/// Every document's place, size and time.
fn stamp(root: &Path) -> Result<Vec<(String, u64, Option<SystemTime>)>, String> {
    let files = folder::scan(root)?;
    let read = |(key, path): (String, PathBuf)| {
        let data = std::fs::metadata(path).ok();
        (key, data.as_ref().map_or(0, std::fs::Metadata::len), data.and_then(|data| data.modified().ok()))
    };
    Ok(files.documents.into_iter().map(read).collect())
}

/// A knowledge base and the source that is kept like a folder or a bucket.
struct Added {
    root: Option<PathBuf>,
    bucket: String,
    kb: String,
    source: String,
    name: String,
}

impl Added {
    async fn prepare(client: &Client, args: &args::KbAdd) -> Result<Self, String> {
        let origin = Origin::read(&args.what)?;
        let name = args.name.clone().unwrap_or_else(|| origin.name());
        if !is_name(&name) {
            return Err(format!("{name:?} cannot be a knowledge base's name (letters, digits, - and _): use --name"));
        }
        let root = match &origin {
            Origin::Local(root) => Some(root.clone()),
            Origin::Bucket(..) | Origin::Site(_) => None,
        };
        if let Some(root) = &root {
            // Before anything is made of it.
            documents(root)?;
        }
        let known = find::all(client).await?.into_iter().find(|kb| kb.name == name);
        let made = known.is_none();
        let kb = match known {
            Some(kb) => {
                if args.name.is_none() && origin::others(&kb.description, &origin) {
                    return Err(format!(
                        "there is a knowledge base {name} of another folder ({}): name this one's with --name, or put it in \
                         the other's place with --name {name}",
                        kb.description
                    ));
                }
                kb
            }
            None => {
                let id = create(client, &described(client, args, &name, &origin).await?).await?;
                Found { id, name: name.clone(), status: "ACTIVE".into(), description: origin.described() }
            }
        };
        let bucket = bucket_of(&kb);
        let filled = async {
            if root.is_some() {
                s3::make(client, &bucket).await?;
            }
            source(client, args, &kb.id, &origin, &bucket).await
        };
        let source = match filled.await {
            Ok(source) => source,
            Err(error) => {
                // What this call made is of no use to anybody.
                if made {
                    remove::delete(client, &kb).await.ok();
                }
                return Err(error);
            }
        };
        Ok(Self { root, bucket, kb: kb.id, source, name })
    }

    async fn sync(&self, client: &Client, tell: bool) -> Result<(), String> {
        if let Some(root) = &self.root {
            let files = documents(root)?;
            let synced = sync::sync(client, &files, &self.bucket).await?;
            for left in &synced.left_out {
                eprintln!("left out: {left}");
            }
            if tell && files.others > 0 {
                eprintln!("left out: {} of other kinds", counted(files.others as u64, "file"));
            }
        }
        let began = Instant::now();
        let done = ingest(client, &self.kb, &self.source).await?;
        let cost = schedule::cost(client, &self.kb, &done).await;
        self.tell(&done, began, &cost)
    }

    fn tell(&self, job: &Value, began: Instant, cost: &str) -> Result<(), String> {
        let n = |name: &str| job["statistics"][name].as_u64().unwrap_or(0);
        let scanned = n("numberOfDocumentsScanned");
        let mut text = format!("{} ({}): {}", self.name, self.kb, counted(scanned, "document"));
        let parts = [
            ("new", "numberOfNewDocumentsIndexed"),
            ("changed", "numberOfModifiedDocumentsIndexed"),
            ("deleted", "numberOfDocumentsDeleted"),
            ("failed", "numberOfDocumentsFailed"),
        ];
        for (what, member) in parts {
            if n(member) > 0 {
                text += &format!(", {} {what}", n(member));
            }
        }
        if n("chunks") > 0 {
            text += &format!(", {}", counted(n("chunks"), "chunk"));
        }
        text += &format!(", in {:.1} s{cost}\n", began.elapsed().as_secs_f64());
        for reason in reasons(job) {
            text += &format!("  {reason}\n");
        }
        say(&text)?;
        match job["status"].as_str() {
            Some("COMPLETE") => {
                eprintln!("ask it: outcrop kb ask \"...\" --kb {}", self.name);
                Ok(())
            }
            status => Err(format!("the ingestion job ended as {}", status.unwrap_or("nothing known"))),
        }
    }
}

/// Runs an ingestion job to its end, and shows how far it is.
pub async fn ingest(client: &Client, kb: &str, source: &str) -> Result<Value, String> {
    let jobs = format!("{}/", client.path(&["knowledgebases", kb, "datasources", source, "ingestionjobs"]));
    let began = Instant::now();
    let job = client.json("PUT", &jobs, &json!({})).await?;
    let path = format!("{jobs}{}", job["ingestionJob"]["ingestionJobId"].as_str().unwrap_or_default());
    let bar = sync::bar(0, "{spinner} {msg}");
    loop {
        let job = told(client, &path).await?;
        progress(&bar, &job, began);
        if matches!(job["status"].as_str(), Some("COMPLETE" | "FAILED" | "STOPPED")) {
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
    elements.iter().flat_map(read).collect()
}

fn documents(root: &Path) -> Result<folder::Files, String> {
    let files = folder::scan(root)?;
    // A folder that is not mounted looks like one whose files are all gone; nothing is deleted for it.
    if files.documents.is_empty() {
        return Err(format!(
            "{}: there is no document in it, so nothing was changed: what was read from it before is still found. `outcrop \
             kb rm` removes a knowledge base",
            root.display()
        ));
    }
    Ok(files)
}

/// What `args` ask for.
async fn described(client: &Client, args: &args::KbAdd, name: &str, origin: &Origin) -> Result<Value, String> {
    let account = account(client).await?;
    let region = client.region();
    let model = &args.embedding_model;
    let arn = if model.starts_with("arn:") {
        model.clone()
    } else {
        format!("arn:aws:bedrock:{region}::foundation-model/{model}")
    };
    let role = args.role.clone().unwrap_or_else(|| format!("arn:aws:iam::{account}:role/outcrop-kb"));
    Ok(json!({
        "name": name,
        "description": origin.described(),
        "roleArn": role,
        "knowledgeBaseConfiguration": {
            "type": "VECTOR",
            "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": arn},
        },
        // A storage type that has everything; the server answers for it with its embedded index.
        "storageConfiguration": {
            "type": "OPENSEARCH_SERVERLESS",
            "opensearchServerlessConfiguration": {
                "collectionArn": format!("arn:aws:aoss:{region}:{account}:collection/outcrop"),
                "vectorIndexName": "bedrock-knowledge-base-default-index",
                "fieldMapping": {
                    "vectorField": "bedrock-knowledge-base-default-vector",
                    "textField": "AMAZON_BEDROCK_TEXT_CHUNK",
                    "metadataField": "AMAZON_BEDROCK_METADATA",
                },
            },
        },
    }))
}

/// Makes a knowledge base and waits until it is there.
pub async fn create(client: &Client, asked: &Value) -> Result<String, String> {
    let made = client.json("PUT", "/knowledgebases/", asked).await?;
    let id = made["knowledgeBase"]["knowledgeBaseId"].as_str().unwrap_or_default().to_owned();
    let path = client.path(&["knowledgebases", &id]);
    loop {
        let kb = client.json("GET", &path, &Value::Null).await?["knowledgeBase"].take();
        match kb["status"].as_str().unwrap_or_default() {
            "ACTIVE" => return Ok(id),
            "CREATING" | "UPDATING" => tokio::time::sleep(LOOK).await,
            status => return Err(format!("the knowledge base is {status}: {}", kb["failureReasons"])),
        }
    }
}

/// The data source that reads the bucket or the site; made where there is none. A site's takes the options anew.
async fn source(client: &Client, args: &args::KbAdd, kb: &str, origin: &Origin, own: &str) -> Result<String, String> {
    let (name, configuration) = match (origin, origin.bucket(own)) {
        (Origin::Site(seed), _) => (seed.clone(), origin::web(seed, &args.crawl)),
        (_, bucket) => {
            let (bucket, prefix) = bucket.unwrap_or_default();
            let mut s3 = json!({"bucketArn": format!("arn:aws:s3:::{bucket}")});
            if !prefix.is_empty() {
                s3["inclusionPrefixes"] = json!([prefix]);
            }
            (format!("{bucket}-{prefix}"), json!({"type": "S3", "s3Configuration": s3}))
        }
    };
    let name = source_name(&name);
    let sources = format!("{}/", client.path(&["knowledgebases", kb, "datasources"]));
    let mut asked = json!({
        "name": name,
        "dataSourceConfiguration": configuration,
        "vectorIngestionConfiguration": {"chunkingConfiguration": chunking(args)},
    });
    let found = find::sources(client, kb).await?;
    let Some(found) = found.iter().find(|source| source["name"] == *name) else {
        let made = client.json("PUT", &sources, &asked).await?;
        return Ok(made["dataSource"]["dataSourceId"].as_str().unwrap_or_default().to_owned());
    };
    let id = found["dataSourceId"].as_str().unwrap_or_default().to_owned();
    if let Origin::Site(_) = origin {
        let path = client.path(&["knowledgebases", kb, "datasources", &id]);
        let known = client.json("GET", &path, &Value::Null).await?["dataSource"].take();
        if known["dataSourceConfiguration"] != asked["dataSourceConfiguration"] {
            // How it is cut into chunks stays as it is.
            asked["vectorIngestionConfiguration"] = known["vectorIngestionConfiguration"].clone();
            client.json("PUT", &path, &asked).await?;
        }
    }
    Ok(id)
}

/// A data source's name: letters, digits and single dashes, at most 100.
fn source_name(of: &str) -> String {
    let mut name = String::new();
    for c in of.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '-' };
        if c != '-' || !name.ends_with('-') {
            name.push(c);
        }
    }
    name.truncate(100);
    name.trim_matches('-').to_owned()
}

fn chunking(args: &args::KbAdd) -> Value {
    let most = args.max_tokens;
    match args.chunking {
        Chunking::Fixed => json!({"chunkingStrategy": "FIXED_SIZE", "fixedSizeChunkingConfiguration":
            {"maxTokens": most, "overlapPercentage": args.overlap}}),
        // Parents of five children.
        Chunking::Hierarchical => json!({"chunkingStrategy": "HIERARCHICAL", "hierarchicalChunkingConfiguration":
            {"levelConfigurations": [{"maxTokens": (most * 5).min(8192)}, {"maxTokens": most}], "overlapTokens": most / 5}}),
        Chunking::Semantic => json!({"chunkingStrategy": "SEMANTIC", "semanticChunkingConfiguration":
            {"maxTokens": most, "bufferSize": 1, "breakpointPercentileThreshold": 95}}),
        Chunking::None => json!({"chunkingStrategy": "NONE"}),
    }
}

async fn account(client: &Client) -> Result<String, String> {
    let ask = Ask {
        service: "sts",
        method: "POST",
        path: "/",
        query: "",
        content_type: "application/x-www-form-urlencoded",
        body: "Action=GetCallerIdentity&Version=2011-06-15".into(),
    };
    let (_, body) = client.bytes(ask).await?;
    let text = String::from_utf8_lossy(&body);
    let account = text.split_once("<Account>").and_then(|(_, rest)| rest.split_once("</Account>"));
    account.map(|(account, _)| account.to_owned()).ok_or_else(|| "the server does not say which account this is".into())
}

/// Bedrock's rule: `([0-9a-zA-Z][_-]?){1,100}`.
fn is_name(name: &str) -> bool {
    let mut after = false;
    let fits = name.bytes().all(|b| {
        let ok = b.is_ascii_alphanumeric() || (after && matches!(b, b'_' | b'-'));
        after = b.is_ascii_alphanumeric();
        ok
    });
    fits && !name.is_empty() && name.len() <= 100
}

/// The bucket of a knowledge base's copy of a folder: S3's names are of small letters, digits and dashes, at most 63. Names
/// that are not are told apart by the knowledge base's id.
pub fn bucket_of(kb: &Found) -> String {
    let small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if kb.name.bytes().all(small) && kb.name.len() <= 63 - BUCKET.len() && !kb.name.ends_with('-') {
        return format!("{BUCKET}{}", kb.name);
    }
    let slug: String = kb.name.to_ascii_lowercase().replace('_', "-").chars().take(40).collect();
    format!("{BUCKET}{}-{}", slug.trim_end_matches('-'), kb.id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_bedrock() {
        for good in ["docs", "a-b_c", "7"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "a--b", "a b", "\u{fc}"] {
            assert!(!is_name(bad), "{bad}");
        }
        let of = |name: &str| {
            let (name, id) = (name.to_owned(), "ABCDE12345".to_owned());
            bucket_of(&Found { id, name, status: String::new(), description: String::new() })
        };
        assert_eq!(of("team-docs"), "outcrop-kb-team-docs");
        assert_eq!(of("Team_Docs-"), "outcrop-kb-team-docs-abcde12345");
        let long = of(&"long".repeat(25));
        assert!(long.len() <= 63 && long.ends_with("-abcde12345"), "{long}");
        assert_eq!(source_name("https://docs.example.com/a/"), "https-docs-example-com-a");
        assert_eq!(source_name("outcrop-kb-docs-"), "outcrop-kb-docs");
    }

    #[test]
    fn progress_tells_documents_chunks_rate_and_failures() {
        let job = json!({"statistics": {"numberOfDocumentsScanned": 30, "numberOfNewDocumentsIndexed": 11,
            "numberOfModifiedDocumentsIndexed": 1, "numberOfDocumentsFailed": 2, "chunks": 90}});
        let told = far(&job, Duration::from_secs(4));
        assert_eq!(told, "30 documents: 12 indexed, 2 failed; 90 chunks (22.5 a second)");
    }

    #[test]
    fn reasons_are_arrays_in_strings() {
        let job = json!({"failureReasons": ["[\"a\",\"b\"]", "plain"]});
        assert_eq!(reasons(&job), ["a", "b", "plain"]);
    }
}
