//! What is in a bucket.

use bytes::Bytes;
use jiff::Timestamp;

/// An object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub size: u64,
    /// Changes when the bytes do; without quotes.
    pub etag: String,
    /// When it was written.
    pub modified: Timestamp,
    /// What its writer said it is.
    pub content_type: Option<String>,
}

/// An object with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it is.
    pub object: Object,
    /// What is in it.
    pub bytes: Bytes,
}

/// Some of a bucket's objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The objects, by key.
    pub objects: Vec<Object>,
    /// Whether there are more after the last.
    pub more: bool,
}
