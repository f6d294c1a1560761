//! `outcrop kb add` and `outcrop kb watch`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::args;
use crate::client::{Ask, Client};
use crate::kb::eval::arn;
use crate::kb::find::Found;
use crate::kb::job::{ingest, reasons};
use crate::kb::origin::{self, Origin};
use crate::kb::{find, folder, keeps, remove, s3, schedule, sync};
use crate::text::{counted, line, say};

/// How often a new knowledge base is asked whether it is there.
const LOOK: Duration = Duration::from_millis(200);
/// What makes the vectors, where nobody says.
const MODEL: &str = "outcrop.all-minilm-l6-v2";
/// What a bucket of ours begins with.
pub const BUCKET: &str = "outcrop-kb-";

/// Brings a knowledge base up to date, and makes it where there is none.
///
/// `lasts` where the server stays when the command has ended.
pub async fn run(
    client: &Client,
    args: &args::KbAdd,
    crawl: &args::KbCrawl,
    every: Option<&str>,
    lasts: bool,
) -> Result<(), String> {
    if let Some(every) = every {
        schedule::check(every, &args.what)?;
    }
    let added = Added::prepare(client, args, crawl).await?;
    if let Some(every) = every {
        schedule::set(client, &added.kb, every).await?;
    }
    let job = tokio::select! {
        job = added.sync(client, true) => job?,
        _ = tokio::signal::ctrl_c() => return Err(added.interrupted(lasts)),
    };
    let done = complete(&job);
    if added.made && added.root.is_none() && came_to_nothing(&job) {
        // Nothing was read of a bucket or a site that is not there.
        let kb = Found { id: added.kb, name: added.name, status: String::new(), description: String::new() };
        remove::delete(client, &kb).await?;
        eprintln!("{} was deleted again: nothing is in it", kb.name);
    }
    done
}

/// Refuses a job that ended before it was done.
fn complete(job: &Value) -> Result<(), String> {
    match job["status"].as_str() {
        Some("COMPLETE") => Ok(()),
        status => Err(format!("the ingestion job ended as {}", status.unwrap_or("nothing known"))),
    }
}

/// Whether a job says of itself that it failed, and has read no document.
fn came_to_nothing(job: &Value) -> bool {
    let read = ["numberOfNewDocumentsIndexed", "numberOfModifiedDocumentsIndexed"];
    job["status"] == "FAILED" && read.iter().all(|name| job["statistics"][*name].as_u64() == Some(0))
}

/// The same again whenever the folder has changed.
pub async fn watch(client: &Client, args: &args::KbAdd, every: Duration) -> Result<(), String> {
    let Origin::Local(root) = Origin::read(&args.what)? else {
        return Err("watch looks at a folder; keep a bucket or a site with `outcrop kb add --every TIME`".into());
    };
    let added = Added::prepare(client, args, &args::KbCrawl::default()).await?;
    tokio::select! {
        ended = keep(client, &added, &root, every) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Looks and syncs for ever.
async fn keep(client: &Client, added: &Added, root: &Path, every: Duration) -> Result<(), String> {
    complete(&added.sync(client, true).await?)?;
    eprintln!("watching {}, every {} s; Ctrl-C ends it", root.display(), every.as_secs());
    let mut seen = stamp(root)?;
    let mut away = None;
    loop {
        tokio::time::sleep(every).await;
        // The folder may be away for a moment.
        let now = match stamp(root) {
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
            match added.sync(client, false).await.and_then(|job| complete(&job)) {
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
    /// Whether there was none of that name before.
    made: bool,
}

impl Added {
    async fn prepare(client: &Client, args: &args::KbAdd, crawl: &args::KbCrawl) -> Result<Self, String> {
        let origin = Origin::read(&args.what)?;
        origin.takes(crawl)?;
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
                keeps::base(client, args, &kb).await?;
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
            source(client, args, crawl, &kb, &origin, &bucket).await
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
        Ok(Self { root, bucket, kb: kb.id, source, name, made })
    }

    /// Runs a job, tells what it did, and answers it.
    async fn sync(&self, client: &Client, tell: bool) -> Result<Value, String> {
        if let Some(root) = &self.root {
            let files = documents(root)?;
            let synced = sync::sync(client, &files, &self.bucket).await?;
            for left in &synced.left_out {
                eprintln!("left out: {}", line(left));
            }
            if tell {
                for left in files.told() {
                    eprintln!("left out: {}", line(&left));
                }
            }
        }
        let began = Instant::now();
        let done = ingest(client, &self.kb, &self.source).await?;
        let cost = schedule::cost(client, &done).await;
        self.tell(&done, began, &cost)?;
        Ok(done)
    }

    /// What is to be known when somebody would not wait.
    fn interrupted(&self, lasts: bool) -> String {
        let name = &self.name;
        match lasts {
            true => format!(
                "interrupted. A job that has begun goes on in the server: `outcrop kb show {name}` shows it, `aws \
                 bedrock-agent stop-ingestion-job` stops it"
            ),
            false => "interrupted. The same command goes on where this one ended".into(),
        }
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
            text += &format!("  {}\n", line(&reason));
        }
        say(&text)?;
        if complete(job).is_ok() {
            eprintln!("ask it: outcrop kb ask \"...\" --kb {}", self.name);
        }
        Ok(())
    }
}

fn documents(root: &Path) -> Result<folder::Files, String> {
    let files = folder::scan(root)?;
    // A folder that is not mounted looks like one whose files are all gone; nothing is deleted for it.
    if files.documents.is_empty() {
        let left = files.told();
        let left = if left.is_empty() { String::new() } else { format!(" (left out: {})", line(&left.join("; "))) };
        return Err(format!(
            "{}: there is no document in it{left}, so nothing was changed: what was read from it before is still found. \
             `outcrop kb rm` removes a knowledge base",
            root.display()
        ));
    }
    Ok(files)
}

/// What `args` ask for.
async fn described(client: &Client, args: &args::KbAdd, name: &str, origin: &Origin) -> Result<Value, String> {
    let account = account(client).await?;
    let region = client.region();
    let arn = arn(args.embedding_model.as_deref().unwrap_or(MODEL), region);
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
async fn source(
    client: &Client,
    args: &args::KbAdd,
    crawl: &args::KbCrawl,
    kb: &Found,
    origin: &Origin,
    own: &str,
) -> Result<String, String> {
    let (name, configuration) = match (origin, origin.bucket(own)) {
        (Origin::Site(seed), _) => (seed.clone(), origin::web(seed, crawl)),
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
    let sources = format!("{}/", client.path(&["knowledgebases", &kb.id, "datasources"]));
    let mut asked = json!({
        "name": name,
        "dataSourceConfiguration": configuration,
        "vectorIngestionConfiguration": {"chunkingConfiguration": keeps::chunking(args)},
    });
    let found = find::sources(client, &kb.id).await?;
    let Some(found) = found.iter().find(|source| source["name"] == *name) else {
        let made = client.json("PUT", &sources, &asked).await?;
        return Ok(made["dataSource"]["dataSourceId"].as_str().unwrap_or_default().to_owned());
    };
    let id = found["dataSourceId"].as_str().unwrap_or_default().to_owned();
    let path = client.path(&["knowledgebases", &kb.id, "datasources", &id]);
    let known = client.json("GET", &path, &Value::Null).await?["dataSource"].take();
    keeps::source(args, &known, &kb.name)?;
    if matches!(origin, Origin::Site(_)) && known["dataSourceConfiguration"] != asked["dataSourceConfiguration"] {
        // How it is cut into chunks stays as it is.
        asked["vectorIngestionConfiguration"] = known["vectorIngestionConfiguration"].clone();
        client.json("PUT", &path, &asked).await?;
    }
    Ok(id)
}

/// A data source's name: letters, digits and single dashes, at most 100.
pub fn source_name(of: &str) -> String {
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
pub fn is_name(name: &str) -> bool {
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
    fn only_a_failed_job_that_read_nothing_came_to_nothing() {
        let job = |status: &str, new: u64| {
            came_to_nothing(&json!({"status": status, "statistics":
                {"numberOfNewDocumentsIndexed": new, "numberOfModifiedDocumentsIndexed": 0}}))
        };
        assert!(job("FAILED", 0));
        assert!(!job("FAILED", 1) && !job("STOPPED", 0) && !job("COMPLETE", 0));
        assert!(!came_to_nothing(&json!({"status": "FAILED"})), "what is not known is not nothing");
    }

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
}
