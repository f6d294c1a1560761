//! Blobs: content that is too large for a document.

use async_trait::async_trait;
use tokio::io::AsyncRead;

use crate::{Error, Result};

/// Where to read from.
pub type BlobReader = Box<dyn AsyncRead + Send + Unpin>;

/// A blob's address: 1 to 1024 bytes of printable ASCII without spaces. Whoever stores for an account begins it
/// with the account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobKey(String);

impl BlobKey {
    /// Checks a key.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() || key.len() > 1024 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::BadBlobKey(key));
        }
        Ok(Self(key))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a put has stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
}

/// A blob that is being read. Deleting or replacing it meanwhile does not disturb the reader.
pub struct Blob {
    /// Its length in bytes.
    pub size: u64,
    /// Its content.
    pub content: BlobReader,
}

/// Large content that lasts, streamed in and out in bounded memory. Write the blob first and the document that
/// names it afterwards: a crash between the two leaves a blob that nobody names, never a name without its blob.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    /// Stores `content` under `key`, replacing what was there: whole or, where it fails, not at all.
    /// [`Error::TooLarge`] beyond `limit` bytes. It is sealed with the key of that name, or with the store's default
    /// one, if any.
    async fn put(&self, key: &BlobKey, content: BlobReader, limit: u64, sealed_by: Option<&str>) -> Result<BlobInfo>;
    /// Opens a blob. Reading one that was altered, cut off or moved fails before a wrong byte is given out; of a
    /// sealed blob only, no other can tell.
    async fn open(&self, key: &BlobKey) -> Result<Option<Blob>>;
    /// Removes a blob; whether it was there.
    async fn delete(&self, key: &BlobKey) -> Result<bool>;
}
