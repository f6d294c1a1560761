//! What OpenSearch Serverless was given and does not show yet. Nothing tells it to refresh, and which chunks a document
//! has is found by searching: writing it again too soon would leave the chunks that were not seen.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::Kept;
use crate::{Result, VectorError};

/// How often is looked, and for how long.
const LOOK: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(180);
/// Chunks that are looked for together.
const PAGE: usize = 1000;

/// Writes whose chunks may not be seen yet, the oldest first.
pub(super) type Unseen = Vec<Written>;

/// One write.
pub(super) struct Written {
    keys: HashSet<String>,
    ids: Vec<String>,
    at: Instant,
}

impl Kept {
    /// Remembers a write until its chunks are seen, or so old that they must be.
    pub(super) fn wrote<'a>(&self, unseen: &mut Unseen, keys: impl Iterator<Item = &'a String>, ids: Vec<String>) {
        if self.store.0.serverless && !ids.is_empty() {
            unseen.retain(|write| write.at.elapsed() < PATIENCE);
            unseen.push(Written { keys: keys.cloned().collect(), ids, at: Instant::now() });
        }
    }

    /// Waits until whatever was written of the documents that `of` names is seen.
    pub(super) async fn seen(&self, unseen: &mut Unseen, of: impl Fn(&str) -> bool) -> Result<()> {
        while let Some(at) = unseen.iter().position(|write| write.keys.iter().any(|key| of(key))) {
            self.wait(&unseen[at].ids).await?;
            unseen.remove(at);
        }
        Ok(())
    }

    async fn wait(&self, ids: &[String]) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        for some in ids.chunks(PAGE) {
            let asked = json!({ "size": 0, "track_total_hits": true, "query": { "ids": { "values": some } } });
            while self.post("_search", &asked).await?["hits"]["total"]["value"] != some.len() {
                if Instant::now() > until {
                    return Err(VectorError::Failed("the engine does not show what was written to it".to_owned()));
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }
}
