//! What `s3://bucket/key` names: folders and object stores that the operator has named, and this server's own buckets.
//!
//! Does: reads, lists, writes and deletes objects for a caller, and asks the caller's policies for the `s3:` action
//! before each of them. A bucket belongs to an account, and its name to the whole server. What a write has acknowledged
//! survives `kill -9`, and no reader ever sees half of it.
//! Never: speaks a wire protocol (`server::compat::s3` does), knows what an object is for.
//!
//! Start at [`Buckets`]. `known` says which buckets there are, `folder` keeps objects in files.

mod bucket;
mod error;
mod folder;
mod known;
mod names;
mod object;
mod remote;
#[cfg(test)]
mod tests;
mod uploads;

pub use bucket::BucketInfo;
pub use error::{BucketError, Result};
pub use folder::LARGEST as LARGEST_PUT;
pub use known::{Named, Place, Settings};
pub use names::{LONGEST_KEY, is_bucket};
pub use object::{Attributes, ByteStream, Condition, Content, Head, Listing, Object, Page, Query, Reading, Span};
pub use remote::{Remote, Service};
pub use uploads::{Part, Upload};

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use outcrop_access::Context;

use bucket::{Behind, Bucket};
use folder::{Said, Staged, hex};
use known::Known;
use names::check_key;
use uploads::Uploads;

/// How much is read at a time.
const PIECE: u64 = 256 * 1024;

/// All buckets. Cheap to clone.
#[derive(Clone, Default)]
pub struct Buckets(Option<Arc<Known>>);

impl Buckets {
    /// The buckets of a data folder, and those that `settings` name. The default is none.
    pub fn open(data: &Path, settings: Settings) -> Self {
        Self(Some(Arc::new(Known::open(data, settings))))
    }

    /// Puts other settings in force, for all clones.
    pub fn configure(&self, settings: Settings) {
        if let Some(known) = &self.0 {
            known.configure(settings);
        }
    }

    /// The objects whose keys begin with `prefix`, by key, after `after`: at most `limit`. Asks `s3:ListBucket`.
    pub async fn list(
        &self,
        cx: &Context,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page> {
        let query = Query { prefix: prefix.to_owned(), delimiter: None, after: after.map(str::to_owned), limit };
        let listing = self.listing(cx, bucket, query).await?;
        Ok(Page { more: listing.next.is_some(), objects: listing.objects })
    }

    /// An object without its bytes; none where there is none. Asks `s3:GetObject`.
    pub async fn head(&self, cx: &Context, bucket: &str, key: &str) -> Result<Option<Object>> {
        Ok(self.details(cx, bucket, key).await?.map(|head| head.object))
    }

    /// An object. [`BucketError::TooLarge`] beyond `most` bytes. Asks `s3:GetObject`.
    pub async fn get(&self, cx: &Context, bucket: &str, key: &str, most: u64) -> Result<Content> {
        let mut reading = self.read(cx, bucket, key, Span::All).await?;
        let object = reading.head.object;
        if object.size > most {
            return Err(BucketError::TooLarge { key: key.to_owned(), size: object.size, most });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(object.size).unwrap_or_default());
        while let Some(piece) = reading.bytes.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(Content { object, bytes: bytes.into() })
    }

    /// Writes an object, in one step for all readers. Asks `s3:PutObject`.
    pub async fn put(&self, cx: &Context, bucket: &str, key: &str, bytes: Bytes) -> Result<Object> {
        let whole = stream::once(async { Ok(bytes) });
        let head = self.write(cx, bucket, key, whole, Attributes::default(), Condition::None).await?;
        Ok(head.object)
    }

    /// Deletes an object, there or not. Asks `s3:DeleteObject`.
    pub async fn delete(&self, cx: &Context, bucket: &str, key: &str) -> Result<()> {
        self.delete_if(cx, bucket, key, Condition::None).await
    }

    /// Deletes an object if the condition holds. Asks `s3:DeleteObject`.
    pub async fn delete_if(&self, cx: &Context, bucket: &str, key: &str, condition: Condition) -> Result<()> {
        let bucket = self.writable(cx, bucket, Some(key), "s3:DeleteObject").await?;
        let folder = match bucket.behind.clone() {
            Behind::Folder(folder) => folder,
            Behind::Remote(remote) if condition == Condition::None => return remote.delete(key).await,
            Behind::Remote(_) => {
                let text = "A condition on a deletion is not implemented for a bucket in another service.";
                return Err(BucketError::Sent { code: "NotImplemented", text: text.into() });
            }
        };
        let key = key.to_owned();
        blocking(move || folder.delete(&key, &condition)).await
    }

    /// Objects, and what their keys have in common before a delimiter. Asks `s3:ListBucket`.
    pub async fn listing(&self, cx: &Context, bucket: &str, query: Query) -> Result<Listing> {
        let found = self.find(bucket).await?;
        let arn = arn(bucket, None);
        let ask = owned(cx, &found)?.ask("s3:ListBucket").on(&arn).with("s3:prefix", query.prefix.clone());
        ask.maybe("s3:delimiter", query.delimiter.clone()).check()?;
        if query.limit == 0 {
            return Ok(Listing::default());
        }
        match found.behind.clone() {
            Behind::Folder(folder) => blocking(move || folder.list(&query)).await,
            Behind::Remote(remote) => remote.list(&query).await,
        }
    }

    /// An object and what was said of it; none where there is none. Asks `s3:GetObject`.
    pub async fn details(&self, cx: &Context, bucket: &str, key: &str) -> Result<Option<Head>> {
        let bucket = self.readable(cx, bucket, key).await?;
        let folder = match bucket.behind.clone() {
            Behind::Folder(folder) => folder,
            Behind::Remote(remote) => return remote.head(key).await,
        };
        let key = key.to_owned();
        blocking(move || folder.head(&key)).await
    }

    /// An object's bytes as they come from where they are. Asks `s3:GetObject`.
    pub async fn read(&self, cx: &Context, bucket: &str, key: &str, span: Span) -> Result<Reading> {
        let bucket = self.readable(cx, bucket, key).await?;
        let folder = match bucket.behind.clone() {
            Behind::Folder(folder) => folder,
            Behind::Remote(remote) => return remote.read(key, span).await,
        };
        let key = key.to_owned();
        let (head, file) = blocking(move || folder.open(&key)?.ok_or(BucketError::NoSuchKey(key))).await?;
        let range = span.of(&head)?;
        Ok(Reading { head, range: range.clone(), bytes: of_file(file, range) })
    }

    /// Writes an object as its bytes come, in one step for all readers. Asks `s3:PutObject`.
    pub async fn write(
        &self,
        cx: &Context,
        bucket: &str,
        key: &str,
        bytes: impl Stream<Item = Result<Bytes>> + Send,
        attributes: Attributes,
        condition: Condition,
    ) -> Result<Head> {
        let bucket = self.writable(cx, bucket, Some(key), "s3:PutObject").await?;
        let staged = Staged::filled(self.staging(&bucket)?, bytes).await?;
        let said = Said { etag: hex(&staged.md5()), attributes, ..Said::default() };
        store(&bucket, key, staged, said, condition).await
    }

    /// Copies an object; `attributes` in place of its own. Asks `s3:GetObject` of the one, `s3:PutObject` of the other.
    pub async fn copy(
        &self,
        cx: &Context,
        (from, from_key): (&str, &str),
        (to, to_key): (&str, &str),
        attributes: Option<Attributes>,
        condition: Condition,
    ) -> Result<Head> {
        let reading = self.read(cx, from, from_key, Span::All).await?;
        let attributes = attributes.unwrap_or(reading.head.attributes);
        self.write(cx, to, to_key, reading.bytes, attributes, condition).await
    }

    /// Makes a bucket of the caller's account. Asks `s3:CreateBucket`.
    pub async fn create(&self, cx: &Context, bucket: &str, region: &str) -> Result<()> {
        cx.allow("s3:CreateBucket", &arn(bucket, None))?;
        let known = self.0.clone().ok_or_else(|| BucketError::Failed("no buckets are kept here".into()))?;
        let (name, account, region) = (bucket.to_owned(), cx.caller.account.clone(), region.to_owned());
        blocking(move || known.create(&name, &account, &region)).await
    }

    /// Takes an empty bucket away. Asks `s3:DeleteBucket`.
    pub async fn remove(&self, cx: &Context, bucket: &str) -> Result<()> {
        let known = self.known(bucket)?.clone();
        self.writable(cx, bucket, None, "s3:DeleteBucket").await?;
        if known.is_named(bucket) {
            let text =
                format!("The bucket {bucket} is part of this server's configuration, and stays as long as that.");
            return Err(BucketError::Denied(text));
        }
        let name = bucket.to_owned();
        blocking(move || known.remove(&name)).await
    }

    /// The buckets of the caller's account. Asks `s3:ListAllMyBuckets`.
    pub async fn all(&self, cx: &Context) -> Result<Vec<BucketInfo>> {
        cx.allow("s3:ListAllMyBuckets", "*")?;
        let Some(known) = self.0.clone() else { return Ok(Vec::new()) };
        let account = cx.caller.account.clone();
        blocking(move || known.of(&account)).await
    }

    /// Whose a bucket is, where the operator or S3 has said so. Asks nothing, and reads the disk.
    pub fn owner(&self, bucket: &str) -> Option<String> {
        self.0.as_ref().and_then(|known| known.owner(bucket))
    }

    /// One of them. Asks `action`: `s3:ListBucket`, `s3:GetBucketLocation`.
    pub async fn bucket(&self, cx: &Context, bucket: &str, action: &str) -> Result<BucketInfo> {
        let found = self.find(bucket).await?;
        owned(cx, &found)?.allow(action, &arn(bucket, None))?;
        Ok(found.info.clone())
    }

    /// Begins an object that comes in parts. Asks `s3:PutObject`.
    pub async fn begin_upload(&self, cx: &Context, bucket: &str, key: &str, attributes: Attributes) -> Result<String> {
        let uploads = self.uploads(cx, bucket, key, "s3:PutObject").await?;
        let key = key.to_owned();
        blocking(move || uploads.begin(&key, attributes)).await
    }

    /// Takes one part, in place of an earlier one of its number. Asks `s3:PutObject`.
    pub async fn put_part(
        &self,
        cx: &Context,
        (bucket, key): (&str, &str),
        upload: &str,
        number: u32,
        bytes: impl Stream<Item = Result<Bytes>> + Send,
    ) -> Result<Part> {
        if !(1..=uploads::MOST_PARTS).contains(&number) {
            let text = format!("Part number must be an integer between 1 and {}, inclusive", uploads::MOST_PARTS);
            return Err(BucketError::Invalid(text));
        }
        let uploads = self.uploads(cx, bucket, key, "s3:PutObject").await?;
        let (key, id) = (key.to_owned(), upload.to_owned());
        let (at, asked, of) = (uploads.clone(), key.clone(), id.clone());
        let folder = blocking(move || at.folder(&asked, &of)).await?;
        let staged = Staged::filled(folder, bytes).await?;
        blocking(move || uploads.put(&key, &id, number, &staged)).await
    }

    /// Makes parts an object, in one step for all readers. Whoever asks again, since no answer came, gets the same one as
    /// long as the object is that. Asks `s3:PutObject`.
    pub async fn complete_upload(
        &self,
        cx: &Context,
        (bucket, key): (&str, &str),
        upload: &str,
        parts: Vec<(u32, String)>,
        condition: Condition,
    ) -> Result<Head> {
        let uploads = self.uploads(cx, bucket, key, "s3:PutObject").await?;
        let found = self.find(bucket).await?;
        let staging = self.staging(&found)?;
        let etag = uploads::etag(&parts);
        let (joining, to, id) = (uploads.clone(), key.to_owned(), upload.to_owned());
        let (staged, said) = match blocking(move || joining.join(&to, &id, &parts, &staging)).await {
            Err(BucketError::NoSuchUpload) => return completed(&found, key, upload, etag).await,
            joined => joined?,
        };
        let head = store(&found, key, staged, said, condition).await?;
        let (key, id) = (key.to_owned(), upload.to_owned());
        blocking(move || uploads.forget(&key, &id)).await?;
        Ok(head)
    }

    /// Forgets an upload. Asks `s3:AbortMultipartUpload`.
    pub async fn abort_upload(&self, cx: &Context, (bucket, key): (&str, &str), upload: &str) -> Result<()> {
        let uploads = self.uploads(cx, bucket, key, "s3:AbortMultipartUpload").await?;
        let (key, id) = (key.to_owned(), upload.to_owned());
        blocking(move || uploads.forget(&key, &id)).await
    }

    /// What has come of an upload. Asks `s3:ListMultipartUploadParts`.
    pub async fn parts(&self, cx: &Context, (bucket, key): (&str, &str), upload: &str) -> Result<Vec<Part>> {
        let uploads = self.uploads(cx, bucket, key, "s3:ListMultipartUploadParts").await?;
        let (key, id) = (key.to_owned(), upload.to_owned());
        blocking(move || uploads.parts(&key, &id)).await
    }

    /// Which uploads are not complete. Asks `s3:ListBucketMultipartUploads`.
    pub async fn uploads_of(&self, cx: &Context, bucket: &str, prefix: &str) -> Result<Vec<Upload>> {
        self.bucket(cx, bucket, "s3:ListBucketMultipartUploads").await?;
        let uploads = Uploads(self.known(bucket)?.uploads(bucket));
        let prefix = prefix.to_owned();
        blocking(move || uploads.list(&prefix)).await
    }

    async fn uploads(&self, cx: &Context, bucket: &str, key: &str, action: &str) -> Result<Uploads> {
        self.writable(cx, bucket, Some(key), action).await?;
        Ok(Uploads(self.known(bucket)?.uploads(bucket)))
    }

    /// Where bytes are written before they are an object of a bucket.
    fn staging(&self, bucket: &Bucket) -> Result<PathBuf> {
        match &bucket.behind {
            Behind::Folder(folder) => Ok(folder.staging()),
            Behind::Remote(_) => Ok(self.known(&bucket.info.name)?.staging(&bucket.info.name)),
        }
    }

    fn known(&self, bucket: &str) -> Result<&Arc<Known>> {
        self.0.as_ref().ok_or_else(|| BucketError::NoSuchBucket(bucket.to_owned()))
    }

    async fn find(&self, bucket: &str) -> Result<Arc<Bucket>> {
        let (known, name) = (self.known(bucket)?.clone(), bucket.to_owned());
        blocking(move || known.find(&name).ok_or(BucketError::NoSuchBucket(name))).await
    }

    async fn readable(&self, cx: &Context, bucket: &str, key: &str) -> Result<Arc<Bucket>> {
        check_key(key)?;
        let found = self.find(bucket).await?;
        owned(cx, &found)?.allow("s3:GetObject", &arn(bucket, Some(key)))?;
        Ok(found)
    }

    async fn writable(&self, cx: &Context, bucket: &str, key: Option<&str>, action: &str) -> Result<Arc<Bucket>> {
        key.map_or(Ok(()), check_key)?;
        let found = self.find(bucket).await?;
        owned(cx, &found)?.allow(action, &arn(bucket, key))?;
        if found.read_only {
            return Err(BucketError::Denied(format!(
                "The bucket {bucket} is read-only by this server's configuration."
            )));
        }
        Ok(found)
    }
}

/// Makes staged bytes an object.
async fn store(bucket: &Bucket, key: &str, staged: Staged, said: Said, condition: Condition) -> Result<Head> {
    match bucket.behind.clone() {
        Behind::Folder(folder) => {
            let key = key.to_owned();
            blocking(move || folder.put(&key, &staged, said, &condition)).await
        }
        Behind::Remote(remote) => {
            let bytes = of_file(staged.reopen()?, 0..staged.size);
            remote.put(key, staged.size, bytes, said.attributes, &condition).await
        }
    }
}

/// What an upload has made before. A bucket in another service does not know.
async fn completed(bucket: &Bucket, key: &str, upload: &str, etag: String) -> Result<Head> {
    let Behind::Folder(folder) = bucket.behind.clone() else { return Err(BucketError::NoSuchUpload) };
    let (key, upload) = (key.to_owned(), upload.to_owned());
    blocking(move || folder.completed(&key, &upload, &etag)?.ok_or(BucketError::NoSuchUpload)).await
}

/// Another account's bucket opens to nobody, whatever its policies say.
fn owned<'a>(cx: &'a Context, bucket: &Bucket) -> Result<&'a Context> {
    if bucket.account.as_deref() == Some(cx.caller.account.as_str()) {
        return Ok(cx);
    }
    Err(BucketError::Denied(format!(
        "Access Denied: the bucket {} is another account's, and buckets are not shared between accounts.",
        bucket.info.name
    )))
}

fn arn(bucket: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    }
}

fn of_file(file: File, range: Range<u64>) -> ByteStream {
    let file = Arc::new(file);
    let pieces = stream::try_unfold((file, range), |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let end = range.end.min(range.start + PIECE);
        let reading = Arc::clone(&file);
        let piece = blocking(move || {
            let mut piece = vec![0; usize::try_from(end - range.start).unwrap_or_default()];
            reading.read_exact_at(&mut piece, range.start)?;
            Ok(Bytes::from(piece))
        });
        Ok(Some((piece.await?, (file, end..range.end))))
    });
    Box::pin(pieces)
}

/// Runs what waits for a disk where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| BucketError::Failed(error.to_string()))?
}
