//! A bucket that is in an object store of the operator's: S3 and what speaks like it, GCS, Azure.
//!
//! `object_store` speaks their protocols; its requests leave by the one gate for all connections ([`way`]). Keys are
//! paths there: what is none (`..`, `//`, an end in `/`) has no object.

mod way;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    Attribute, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, RetryConfig, UpdateVersion, WriteMultipart,
};
use outcrop_outbound::Outbound;

use crate::{Attributes, BucketError, ByteStream, Condition, Head, Listing, Object, Query, Reading, Result, Span};
use way::Way;

/// From which size on an object is sent in parts.
const LARGE: u64 = 16 << 20;
/// The size of a part.
const PART: usize = 16 << 20;
/// How many parts are under way at a time.
const AT_ONCE: usize = 2;
/// How often a request is repeated that came to nothing, and for how long at the most: somebody waits for it.
const RETRIES: usize = 3;
/// The same.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most of one page.
const PAGE: usize = 1000;

/// Which service, and by what it knows this server.
#[derive(Clone, PartialEq, Eq)]
pub enum Service {
    /// Amazon S3, or what speaks like it.
    S3 {
        /// Where it is, if not at Amazon's.
        url: Option<String>,
        /// Its Region.
        region: String,
        /// Access key, secret and session token; none for what is open to all.
        key: Option<(String, String, Option<String>)>,
    },
    /// Google Cloud Storage.
    Gcs {
        /// Where it is, if not at Google's.
        url: Option<String>,
        /// The key of a service account, as JSON; none for what is open to all.
        service_account: Option<String>,
    },
    /// Azure Blob Storage.
    Azure {
        /// Where it is, if not at Microsoft's.
        url: Option<String>,
        /// The storage account.
        account: String,
        /// Its key; none for what is open to all.
        key: Option<String>,
    },
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::S3 { .. } => "S3",
            Self::Gcs { .. } => "Gcs",
            Self::Azure { .. } => "Azure",
        })
    }
}

/// A bucket there.
pub struct Remote {
    store: Arc<dyn ObjectStore>,
    lists: Arc<dyn PaginatedListStore>,
    /// What stands before each key there.
    prefix: String,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remote({})", self.store)
    }
}

impl Remote {
    /// The bucket of this name there, or of an Azure account the container. Nothing is called yet.
    pub fn open(service: &Service, bucket: &str, prefix: &str, outbound: &Outbound) -> Result<Self> {
        let way = Way(outbound.clone());
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let (store, lists): (Arc<dyn ObjectStore>, Arc<dyn PaginatedListStore>) = match service {
            Service::S3 { url, region, key } => {
                let builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region(region).with_allow_http(true);
                let builder = match url {
                    Some(url) => builder.with_endpoint(url),
                    None => builder,
                };
                let builder = match key {
                    Some((id, secret, token)) => {
                        let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
                        token.iter().fold(builder, AmazonS3Builder::with_token)
                    }
                    None => builder.with_skip_signature(true),
                };
                both(builder.with_retry(retry).with_http_connector(way).build().map_err(unset)?)
            }
            Service::Gcs { url, service_account } => {
                let builder = GoogleCloudStorageBuilder::new().with_bucket_name(bucket);
                let builder = url.iter().fold(builder, |builder, url| builder.with_base_url(url));
                let builder = match service_account {
                    Some(key) => builder.with_service_account_key(key),
                    None => builder.with_skip_signature(true),
                };
                both(builder.with_retry(retry).with_http_connector(way).build().map_err(unset)?)
            }
            Service::Azure { url, account, key } => {
                let builder = MicrosoftAzureBuilder::new().with_container_name(bucket).with_account(account);
                let builder = url.iter().fold(builder, |builder, url| builder.with_endpoint(url.clone()));
                let builder = match key {
                    Some(key) => builder.with_access_key(key),
                    None => builder.with_skip_signature(true),
                };
                both(builder.with_allow_http(true).with_retry(retry).with_http_connector(way).build().map_err(unset)?)
            }
        };
        Ok(Self { store, lists, prefix: prefix.to_owned() })
    }

    fn path(&self, key: &str) -> Option<Path> {
        let whole = format!("{}{key}", self.prefix);
        Path::parse(&whole).ok().filter(|path| path.as_ref() == whole)
    }

    fn put_path(&self, key: &str) -> Result<Path> {
        let none =
            || BucketError::Invalid(format!("This bucket is in an object store, and the key is no path there: {key}"));
        self.path(key).ok_or_else(none)
    }

    /// An object without its bytes.
    pub async fn head(&self, key: &str) -> Result<Option<Head>> {
        let Some(path) = self.path(key) else { return Ok(None) };
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.store.get_opts(&path, options).await {
            Ok(found) => Ok(Some(told(key, &found))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// An object's bytes as they come.
    pub async fn read(&self, key: &str, span: Span) -> Result<Reading> {
        let none = || BucketError::NoSuchKey(key.to_owned());
        let path = self.path(key).ok_or_else(none)?;
        let mut range = None;
        if span != Span::All {
            // Each service has its own words for a range that is not there, and none for one that is empty.
            let head = self.head(key).await?.ok_or_else(none)?;
            range = Some(span.of(&head)?).filter(|range| !range.is_empty()).map(GetRange::Bounded);
        }
        let found = self.store.get_opts(&path, GetOptions { range, ..GetOptions::default() }).await;
        let found = found.map_err(|error| match error {
            object_store::Error::NotFound { .. } => none(),
            other => failed(other),
        })?;
        let (head, range) = (told(key, &found), found.range.clone());
        let bytes: ByteStream = Box::pin(found.into_stream().map_err(failed));
        Ok(Reading { head, range, bytes })
    }

    /// Writes an object of `size` bytes that come whole.
    pub async fn put(
        &self,
        key: &str,
        size: u64,
        mut bytes: ByteStream,
        attributes: Attributes,
        condition: &Condition,
    ) -> Result<Head> {
        let path = self.put_path(key)?;
        let sent = sent(&attributes);
        let result = if size <= LARGE {
            let mut whole = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            while let Some(piece) = bytes.next().await {
                whole.extend_from_slice(&piece?);
            }
            let mode = match condition {
                Condition::None => PutMode::Overwrite,
                Condition::Absent => PutMode::Create,
                Condition::Is(etag) => {
                    PutMode::Update(UpdateVersion { e_tag: Some(format!("\"{etag}\"")), version: None })
                }
            };
            let options = PutOptions { mode, attributes: sent, ..PutOptions::default() };
            self.store.put_opts(&path, PutPayload::from(Bytes::from(whole)), options).await.map_err(failed)?
        } else {
            if *condition != Condition::None {
                let text = "A condition on an object of this size is not implemented for a bucket in another service.";
                return Err(BucketError::Sent { code: "NotImplemented", text: text.into() });
            }
            let options = PutMultipartOptions { attributes: sent, ..PutMultipartOptions::default() };
            let upload = self.store.put_multipart_opts(&path, options).await.map_err(failed)?;
            let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
            while let Some(piece) = bytes.next().await {
                upload.wait_for_capacity(AT_ONCE).await.map_err(failed)?;
                upload.put(piece?);
            }
            upload.finish().await.map_err(failed)?
        };
        let object = Object {
            key: key.to_owned(),
            size,
            etag: unquoted(result.e_tag.as_deref()),
            modified: jiff::Timestamp::now(),
            content_type: attributes.content_type.clone(),
        };
        Ok(Head { object, attributes, parts: Vec::new() })
    }

    /// Deletes an object, there or not.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let Some(path) = self.path(key) else { return Ok(()) };
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Some of the objects.
    pub async fn list(&self, query: &Query) -> Result<Listing> {
        let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
        if delimiter.is_some_and(|delimiter| delimiter != "/") {
            let text = "A bucket in another service is listed by the delimiter / only.";
            return Err(BucketError::Sent { code: "NotImplemented", text: text.into() });
        }
        let prefix = format!("{}{}", self.prefix, query.prefix);
        let mut found: Vec<(String, Option<Object>)> = Vec::new();
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions {
                // Only a first page can begin anywhere.
                offset: query
                    .after
                    .as_ref()
                    .filter(|_| page_token.is_none())
                    .map(|after| format!("{}{after}", self.prefix)),
                delimiter: delimiter.map(|_| "/".into()),
                max_keys: Some(PAGE.min(query.limit.saturating_add(1 - found.len().min(1)))),
                page_token,
                ..PaginatedListOptions::default()
            };
            let page = self.lists.list_paginated(Some(&prefix), options).await.map_err(failed)?;
            let own = |path: &str| path.strip_prefix(&self.prefix).map(str::to_owned);
            for meta in page.result.objects {
                found.extend(own(meta.location.as_ref()).map(|key| (key.clone(), Some(of(key, &meta)))));
            }
            for folder in page.result.common_prefixes {
                found.extend(own(&format!("{folder}/")).map(|prefix| (prefix, None)));
            }
            // Some services tell again what was told as one part.
            found.retain(|(key, _)| query.after.as_deref().is_none_or(|after| key.as_str() > after));
            page_token = page.page_token;
            if page_token.is_none() || found.len() > query.limit {
                break;
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found.dedup_by(|a, b| a.0 == b.0);
        let more = found.len() > query.limit || page_token.is_some();
        found.truncate(query.limit);
        let next = found.last().filter(|_| more).map(|(key, _)| key.clone());
        let mut listing = Listing { next, ..Listing::default() };
        for (key, object) in found {
            match object {
                Some(object) => listing.objects.push(object),
                None => listing.prefixes.push(key),
            }
        }
        Ok(listing)
    }
}

fn both<T: ObjectStore + PaginatedListStore>(store: T) -> (Arc<dyn ObjectStore>, Arc<dyn PaginatedListStore>) {
    let store = Arc::new(store);
    (store.clone(), store)
}

fn of(key: String, meta: &ObjectMeta) -> Object {
    let modified = jiff::Timestamp::from_millisecond(meta.last_modified.timestamp_millis()).unwrap_or_default();
    Object { key, size: meta.size, etag: unquoted(meta.e_tag.as_deref()), modified, content_type: None }
}

fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_start_matches("W/").trim_matches('"').to_owned()
}

fn told(key: &str, found: &GetResult) -> Head {
    let mut attributes = Attributes::default();
    for (name, value) in &found.attributes {
        let value = value.as_ref().to_owned();
        match name {
            Attribute::ContentType => attributes.content_type = Some(value),
            Attribute::CacheControl => attributes.cache_control = Some(value),
            Attribute::ContentDisposition => attributes.content_disposition = Some(value),
            Attribute::ContentEncoding => attributes.content_encoding = Some(value),
            Attribute::ContentLanguage => attributes.content_language = Some(value),
            Attribute::Metadata(name) => {
                attributes.metadata.insert(name.clone().into_owned(), value);
            }
            _ => {}
        }
    }
    let object = Object { content_type: attributes.content_type.clone(), ..of(key.to_owned(), &found.meta) };
    Head { object, attributes, parts: Vec::new() }
}

fn sent(attributes: &Attributes) -> object_store::Attributes {
    let mut sent = object_store::Attributes::new();
    for (name, value) in [
        (Attribute::ContentType, &attributes.content_type),
        (Attribute::CacheControl, &attributes.cache_control),
        (Attribute::ContentDisposition, &attributes.content_disposition),
        (Attribute::ContentEncoding, &attributes.content_encoding),
        (Attribute::ContentLanguage, &attributes.content_language),
    ] {
        if let Some(value) = value {
            sent.insert(name, value.clone().into());
        }
    }
    for (name, value) in &attributes.metadata {
        sent.insert(Attribute::Metadata(name.clone().into()), value.clone().into());
    }
    sent
}

fn unset(error: object_store::Error) -> BucketError {
    BucketError::Failed(error.to_string())
}

fn failed(error: object_store::Error) -> BucketError {
    match error {
        object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
            BucketError::Precondition
        }
        other => BucketError::Failed(format!("The service behind the bucket failed: {other}")),
    }
}
