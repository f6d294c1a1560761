//! `outcrop kb rm`.

use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::kb::add::bucket_of;
use crate::kb::{find, s3};
use crate::text::say;

/// Deletes a knowledge base, and the bucket that `kb add` made for it.
pub async fn run(client: &Client, wanted: &str) -> Result<(), String> {
    let kb = find::one(client, Some(wanted)).await?;
    let sources = find::sources(client, &kb.id).await?;
    let path = client.path(&["knowledgebases", &kb.id]);
    client.json("DELETE", &path, &Value::Null).await?;
    while find::all(client).await?.iter().any(|one| one.id == kb.id && one.status == "DELETING") {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    if find::all(client).await?.iter().any(|one| one.id == kb.id) {
        return Err(format!("{} could not be deleted; `outcrop kb show {}` says why", kb.name, kb.id));
    }
    let bucket = bucket_of(&kb.name);
    // Only the copy of a folder is ours to delete.
    if sources.iter().any(|source| source["name"] == *bucket) {
        for (key, _) in s3::list(client, &bucket).await? {
            s3::delete(client, &bucket, &key).await?;
        }
        s3::unmake(client, &bucket).await?;
    }
    say(&format!("deleted {} ({})\n", kb.name, kb.id))
}
