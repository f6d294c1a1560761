//! What `s3://bucket/key` names: folders and object stores that the operator has named, and this server's own buckets.
//!
//! Does: reads, lists, writes and deletes objects for a caller, and asks the caller's policies for the `s3:` action
//! before each of them. Never: speaks a wire protocol (`server::compat::s3` does), knows what an object is for.
//!
//! Start at [`Buckets`].

mod error;
mod object;

pub use error::{BucketError, Result};
pub use object::{Content, Object, Page};

use bytes::Bytes;
use outcrop_access::Context;

/// All buckets. Cheap to clone.
#[derive(Clone, Default)]
pub struct Buckets {}

impl Buckets {
    /// The objects whose keys begin with `prefix`, by key, after `after`: at most `limit`. Asks `s3:ListBucket`.
    pub async fn list(
        &self,
        _cx: &Context,
        bucket: &str,
        _prefix: &str,
        _after: Option<&str>,
        _limit: usize,
    ) -> Result<Page> {
        Err(BucketError::NoSuchBucket(bucket.to_owned()))
    }

    /// An object without its bytes; none where there is none. Asks `s3:GetObject`.
    pub async fn head(&self, _cx: &Context, bucket: &str, _key: &str) -> Result<Option<Object>> {
        Err(BucketError::NoSuchBucket(bucket.to_owned()))
    }

    /// An object. [`BucketError::TooLarge`] beyond `most` bytes. Asks `s3:GetObject`.
    pub async fn get(&self, _cx: &Context, bucket: &str, _key: &str, _most: u64) -> Result<Content> {
        Err(BucketError::NoSuchBucket(bucket.to_owned()))
    }

    /// Writes an object, in one step for all readers. Asks `s3:PutObject`.
    pub async fn put(&self, _cx: &Context, bucket: &str, _key: &str, _bytes: Bytes) -> Result<Object> {
        Err(BucketError::NoSuchBucket(bucket.to_owned()))
    }

    /// Deletes an object, there or not. Asks `s3:DeleteObject`.
    pub async fn delete(&self, _cx: &Context, bucket: &str, _key: &str) -> Result<()> {
        Err(BucketError::NoSuchBucket(bucket.to_owned()))
    }
}
