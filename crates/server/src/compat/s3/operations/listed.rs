//! Lists of buckets and of objects, a page at a time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outcrop_access::Context;
use outcrop_buckets::{Buckets, Listing, Query};
use s3s::dto::*;
use s3s::{S3Response, S3Result};

use super::super::error::{Refused, of};
use super::{answer, etag, size, time};

/// The most of one page.
const MOST: i32 = 1000;

pub(super) async fn buckets(
    buckets: &Buckets,
    cx: &Context,
    input: ListBucketsInput,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let all = buckets.all(cx).await.map_err(of)?;
    let after = input.continuation_token.as_deref().map(read_token).transpose()?;
    let most = usize::try_from(input.max_buckets.unwrap_or(10_000)).unwrap_or(10_000);
    let wanted = |name: &str| {
        input.prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && after.as_deref().is_none_or(|after| name > after)
    };
    let mut page: Vec<_> = all.into_iter().filter(|bucket| wanted(&bucket.name)).collect();
    let more = page.len() > most;
    page.truncate(most);
    let token = page.last().filter(|_| more).map(|last| token(&last.name));
    let page = page.into_iter().map(|bucket| Bucket {
        name: Some(bucket.name),
        bucket_region: Some(bucket.region),
        creation_date: Some(time(bucket.created)),
    });
    answer(ListBucketsOutput {
        buckets: Some(page.collect()),
        continuation_token: token,
        owner: Some(owner(cx)),
        prefix: input.prefix,
    })
}

fn owner(cx: &Context) -> Owner {
    Owner { display_name: None, id: Some(cx.caller.account.clone()) }
}

fn page(max: Option<i32>) -> S3Result<(i32, usize)> {
    let most = max.unwrap_or(MOST);
    let limit = usize::try_from(most.min(MOST));
    let limit = limit.map_err(|_| {
        Refused::new("InvalidArgument", "Argument max-keys must be an integer between 0 and 2147483647")
    })?;
    Ok((most.min(MOST), limit))
}

pub(super) async fn objects_v2(
    buckets: &Buckets,
    cx: &Context,
    input: ListObjectsV2Input,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let (max_keys, limit) = page(input.max_keys)?;
    let after = match &input.continuation_token {
        Some(token) => Some(read_token(token)?),
        None => input.start_after.clone().filter(|after| !after.is_empty()),
    };
    let prefix = input.prefix.clone().unwrap_or_default();
    let query = Query { prefix, delimiter: input.delimiter.clone().filter(|d| !d.is_empty()), after, limit };
    let listing = buckets.listing(cx, &input.bucket, query).await.map_err(of)?;
    let next = listing.next.as_deref().map(token);
    let told =
        Told::of(listing, input.encoding_type.as_ref(), input.fetch_owner.unwrap_or_default().then(|| owner(cx)));
    answer(ListObjectsV2Output {
        key_count: i32::try_from(told.objects.len() + told.prefixes.len()).ok(),
        name: Some(input.bucket),
        prefix: Some(told.name(&input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(|delimiter| told.name(&delimiter)),
        start_after: input.start_after.map(|after| told.name(&after)),
        encoding_type: input.encoding_type,
        max_keys: Some(max_keys),
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next,
        contents: Some(told.objects),
        common_prefixes: Some(told.prefixes),
        ..Default::default()
    })
}

pub(super) async fn objects(
    buckets: &Buckets,
    cx: &Context,
    input: ListObjectsInput,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let (max_keys, limit) = page(input.max_keys)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let after = input.marker.clone().filter(|marker| !marker.is_empty());
    let query = Query { prefix, delimiter: input.delimiter.clone().filter(|d| !d.is_empty()), after, limit };
    let listing = buckets.listing(cx, &input.bucket, query).await.map_err(of)?;
    let next = listing.next.clone();
    let told = Told::of(listing, input.encoding_type.as_ref(), Some(owner(cx)));
    answer(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(told.name(&input.prefix.unwrap_or_default())),
        marker: Some(told.name(&input.marker.unwrap_or_default())),
        delimiter: input.delimiter.map(|delimiter| told.name(&delimiter)),
        encoding_type: input.encoding_type,
        max_keys: Some(max_keys),
        is_truncated: Some(next.is_some()),
        next_marker: next.map(|next| told.name(&next)),
        contents: Some(told.objects),
        common_prefixes: Some(told.prefixes),
        ..Default::default()
    })
}

/// A listing in S3's words.
struct Told {
    objects: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    url: bool,
}

impl Told {
    fn of(listing: Listing, encoding: Option<&EncodingType>, owner: Option<Owner>) -> Self {
        let url = encoding.is_some_and(|encoding| encoding.as_str() == "url");
        let objects = listing.objects.into_iter().map(|object| Object {
            key: Some(named(&object.key, url)),
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(time(object.modified)),
            size: Some(size(object.size)),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            owner: owner.clone(),
            ..Default::default()
        });
        let prefixes = listing.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(named(prefix, url)) });
        Self { objects: objects.collect(), prefixes: prefixes.collect(), url }
    }

    fn name(&self, name: &str) -> String {
        named(name, self.url)
    }
}

/// A key as the answer has it: percent-encoded where that was asked for, since XML cannot hold every character.
pub(super) fn named(key: &str, url: bool) -> String {
    if !url {
        return key.to_owned();
    }
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Where a list goes on, for a caller to hand back. It holds no secret: who hands in another sees what it may list.
fn token(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(after)
}

fn read_token(token: &str) -> S3Result<String> {
    let after = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    after.ok_or_else(|| Refused::new("InvalidArgument", "The continuation token provided is incorrect").into())
}
