//! `outcrop kb rm`.

use std::time::Duration;

use indicatif::ProgressFinish;
use serde_json::Value;

use crate::client::Client;
use crate::kb::add::bucket_of;
use crate::kb::find::Found;
use crate::kb::{find, job, s3, sync};
use crate::text::{counted, say};

/// How often it is asked whether it is gone.
const LOOK: Duration = Duration::from_millis(200);

/// Deletes a knowledge base, and the bucket that `kb add` made for it.
pub async fn run(client: &Client, wanted: &str) -> Result<(), String> {
    let kb = find::one(client, Some(wanted)).await?;
    let bar = sync::bar(0, "{spinner} {msg}").with_finish(ProgressFinish::AndClear);
    let doing = format!("deleting {} ({})", kb.name, kb.id);
    if bar.is_hidden() {
        eprintln!("{doing}");
    }
    bar.enable_steady_tick(LOOK);
    bar.set_message(doing);
    let sources = find::sources(client, &kb.id).await?;
    delete(client, &kb).await?;
    let bucket = bucket_of(&kb);
    // Only the copy of a folder is ours to delete.
    if sources.iter().any(|source| source["name"] == *bucket) {
        for (n, (key, _)) in s3::list(client, &bucket).await?.into_iter().enumerate() {
            bar.set_message(format!("deleting the copy of its folder: {}", counted(n as u64, "file")));
            s3::delete(client, &bucket, &key).await?;
        }
        s3::unmake(client, &bucket).await?;
    }
    bar.finish_and_clear();
    say(&format!("deleted {} ({})\n", kb.name, kb.id))
}

/// Deletes the knowledge base of that name, if there is one.
pub async fn named(client: &Client, name: &str) -> Result<(), String> {
    match find::all(client).await?.iter().find(|kb| kb.name == name) {
        Some(kb) => delete(client, kb).await,
        None => Ok(()),
    }
}

/// Deletes a knowledge base, and waits until it is gone. A job that is under way is stopped for it.
pub async fn delete(client: &Client, kb: &Found) -> Result<(), String> {
    job::stop(client, &kb.id).await?;
    client.json("DELETE", &client.path(&["knowledgebases", &kb.id]), &Value::Null).await?;
    loop {
        match find::all(client).await?.iter().find(|one| one.id == kb.id) {
            None => return Ok(()),
            Some(one) if one.status == "DELETING" => tokio::time::sleep(LOOK).await,
            Some(_) => return Err(format!("{} could not be deleted; `outcrop kb show {}` says why", kb.name, kb.id)),
        }
    }
}
