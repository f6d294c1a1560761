//! Buckets: a document is an object, its sidecar the object beside it.

use std::collections::HashMap;

use async_trait::async_trait;
use outcrop_access::Context;
use outcrop_api::AwsError;
use outcrop_api::bedrock_agent::S3DataSourceConfiguration;
use outcrop_buckets::{BucketError, Buckets, Object};

use super::{FetchError, Fetched, Item, Listing, Source, SourceError};
use crate::ingest::attributes::{self, MAX_SIDECAR, Sidecar};

/// The most bytes of a file (AWS's quota).
pub(crate) const MAX_FILE: u64 = 50 * 1024 * 1024;
/// What a sidecar's name ends with.
const SIDECAR: &str = ".metadata.json";
/// Objects of a page.
const PAGE: usize = 1000;

/// A bucket, or what of it begins so.
pub(super) struct S3 {
    buckets: Buckets,
    acting: Context,
    bucket: String,
    prefix: String,
}

impl S3 {
    pub(super) fn new(buckets: Buckets, acting: Context, told: &S3DataSourceConfiguration) -> Self {
        let bucket = told.bucket_arn.rsplit_once(":::").map_or("", |(_, bucket)| bucket).to_owned();
        let prefix = told.inclusion_prefixes.as_ref().and_then(|prefixes| prefixes.first()).cloned();
        Self { buckets, acting, bucket, prefix: prefix.unwrap_or_default() }
    }
}

#[async_trait]
impl Source for S3 {
    async fn list(&self) -> Result<Listing, SourceError> {
        let mut objects: Vec<Object> = Vec::new();
        loop {
            let after = objects.last().map(|object| object.key.clone());
            let page = self.buckets.list(&self.acting, &self.bucket, &self.prefix, after.as_deref(), PAGE).await;
            let page = page.map_err(|error| listing(&self.bucket, &error))?;
            let last = page.objects.is_empty() || !page.more;
            objects.extend(page.objects);
            if last {
                break;
            }
        }
        Ok(paired(&self.bucket, &objects))
    }

    async fn fetch(&self, item: &Item) -> Result<Fetched, FetchError> {
        fetch(&self.buckets, &self.acting, &item.id, item.sidecar.is_some()).await
    }

    async fn sidecar(&self, item: &Item) -> Result<Option<Sidecar>, FetchError> {
        let (true, Some((bucket, key))) = (item.sidecar.is_some(), parts(&item.id)) else {
            return Ok(Some(Sidecar::default()));
        };
        beside(&self.buckets, &self.acting, bucket, key).await.map(|found| Some(found.unwrap_or_default()))
    }
}

/// An object by its URI, with its sidecar where it has one.
pub(crate) async fn fetch(
    buckets: &Buckets,
    acting: &Context,
    uri: &str,
    sidecar: bool,
) -> Result<Fetched, FetchError> {
    let Some((bucket, key)) = parts(uri) else { return Err(FetchError::Bad(format!("{uri} is no S3 URI"))) };
    let content = buckets.get(acting, bucket, key, MAX_FILE).await.map_err(|error| fetching(bucket, &error))?;
    let sidecar = if sidecar { beside(buckets, acting, bucket, key).await? } else { None };
    Ok(Fetched {
        version: Some(mark(&content.object)),
        name: key.rsplit_once('/').map_or(key, |(_, name)| name).to_owned(),
        bytes: content.bytes,
        mime: content.object.content_type,
        sidecar,
        ..Fetched::default()
    })
}

/// An object's sidecar; none where it has gone.
async fn beside(buckets: &Buckets, acting: &Context, bucket: &str, key: &str) -> Result<Option<Sidecar>, FetchError> {
    match buckets.get(acting, bucket, &format!("{key}{SIDECAR}"), MAX_SIDECAR).await {
        Ok(content) => Sidecar::read(&content.bytes).map(Some).map_err(FetchError::Bad),
        Err(BucketError::NoSuchKey(_)) => Ok(None),
        Err(BucketError::TooLarge { .. }) => Err(FetchError::Bad(attributes::too_large())),
        Err(error) => Err(fetching(bucket, &error)),
    }
}

/// Bucket and key of `s3://bucket/key`.
pub(crate) fn parts(uri: &str) -> Option<(&str, &str)> {
    uri.strip_prefix("s3://")?.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
}

/// What changes when an object's bytes do.
pub(crate) fn mark(object: &Object) -> String {
    format!("{}-{}", object.etag, object.size)
}

/// Puts sidecars to their documents. What ends as a folder does is none.
fn paired(bucket: &str, objects: &[Object]) -> Listing {
    let of = |object: &Object| object.key.strip_suffix(SIDECAR).map(str::to_owned);
    let sidecars: HashMap<String, String> =
        objects.iter().filter_map(|object| Some((of(object)?, mark(object)))).collect();
    let documents = objects.iter().filter(|object| !object.key.ends_with(SIDECAR) && !object.key.ends_with('/'));
    let items = documents.map(|object| Item {
        id: format!("s3://{bucket}/{}", object.key),
        version: mark(object),
        sidecar: sidecars.get(&object.key).cloned(),
        size: Some(object.size),
    });
    Listing { items: items.collect(), sidecars: sidecars.len() as u64, ..Listing::default() }
}

fn listing(bucket: &str, error: &BucketError) -> SourceError {
    let text = format!("The bucket {bucket} could not be listed: {}", told(bucket, error));
    match error {
        BucketError::Failed(_) => SourceError::Later(text),
        _ => SourceError::Never(text),
    }
}

fn fetching(bucket: &str, error: &BucketError) -> FetchError {
    match error {
        BucketError::NoSuchKey(_) => FetchError::Gone,
        BucketError::TooLarge { size, most, .. } => {
            FetchError::Large(format!(": it has {size} bytes, and a file may have {most}"))
        }
        other => unread(bucket, other),
    }
}

/// Why an object could not be read: what passes, or is the role's and not the object's, says nothing of the object.
pub(crate) fn unread(bucket: &str, error: &BucketError) -> FetchError {
    match error {
        BucketError::Failed(_) | BucketError::Denied(_) => FetchError::Later(told(bucket, error)),
        other => FetchError::Bad(told(bucket, other)),
    }
}

/// What callers are told of an error; the rest is the operator's to read.
fn told(bucket: &str, error: &BucketError) -> String {
    if let BucketError::Failed(why) = error {
        tracing::warn!(bucket, why, "a bucket could not be read");
    }
    error.message()
}
