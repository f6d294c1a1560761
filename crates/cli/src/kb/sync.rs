//! Makes a bucket like a folder.

use std::collections::HashMap;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use md5::{Digest, Md5};

use crate::client::Client;
use crate::kb::folder::Files;
use crate::kb::s3;

/// The most bytes of one file, as of Bedrock's documents.
const MOST: u64 = 50 * 1024 * 1024;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Files that were sent.
    pub sent: usize,
    /// Objects whose file is gone.
    pub deleted: usize,
    /// Files that were left out, and why.
    pub left_out: Vec<String>,
}

/// Sends what is new or changed, deletes what is gone.
pub async fn sync(client: &Client, files: &Files, bucket: &str) -> Result<Synced, String> {
    let mut there: HashMap<String, String> = s3::list(client, bucket).await?.into_iter().collect();
    let mut synced = Synced::default();
    let bar = bar(files.documents.len() as u64, "copying {bar:30} {pos}/{len} files");
    for (key, path) in &files.documents {
        bar.inc(1);
        let known = there.remove(key);
        match read(path).await {
            Err(reason) => synced.left_out.push(format!("{}: {reason}", path.display())),
            Ok(bytes) => {
                if known.is_some_and(|etag| etag == hex(&Md5::digest(&bytes))) {
                    continue;
                }
                s3::put(client, bucket, key, bytes.into()).await?;
                synced.sent += 1;
            }
        }
    }
    bar.finish_and_clear();
    for key in there.keys().filter(|key| !files.hides(key)) {
        s3::delete(client, bucket, key).await?;
        synced.deleted += 1;
    }
    Ok(synced)
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = tokio::fs::metadata(path).await.map_err(|e| e.to_string())?.len();
    if size > MOST {
        return Err(format!("it has {}; a document may have 50 MB", crate::text::size(size)));
    }
    tokio::fs::read(path).await.map_err(|e| e.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A progress bar; nothing where nobody looks.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}
