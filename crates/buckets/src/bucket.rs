//! One bucket: whose it is, and what is behind it.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::folder::{Folder, durable};
use crate::remote::Remote;

/// A bucket, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: String,
    /// Where its owner has made it.
    pub region: String,
    /// When.
    pub created: Timestamp,
}

/// A bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub info: BucketInfo,
    /// Whose; none where nobody has said so, and then it opens to nobody.
    pub account: Option<String>,
    /// The operator has said that nobody writes.
    pub read_only: bool,
    pub behind: Behind,
}

/// What is behind a bucket.
#[derive(Debug, Clone)]
pub(crate) enum Behind {
    Folder(Arc<Folder>),
    Remote(Arc<Remote>),
}

/// What is kept of a bucket that a caller has made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub account: String,
    pub region: String,
    pub created: Timestamp,
}

const RECORD: &str = "bucket.json";

impl Record {
    /// The one in a bucket's own folder aside.
    pub fn read(side: &Path) -> Option<Self> {
        std::fs::read(side.join(RECORD)).ok().and_then(|text| serde_json::from_slice(&text).ok())
    }

    pub fn write(&self, side: &Path) -> std::io::Result<()> {
        let text = serde_json::to_vec(self).map_err(std::io::Error::other)?;
        durable::write(&side.join(RECORD), &text)
    }
}
