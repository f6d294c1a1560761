//! One object: put, read, copied, deleted.

use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::StreamBody;
use outcrop_access::Context;
use outcrop_buckets::{Attributes, BucketError, Buckets, Condition, Head, Span};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Response, S3Result};

use super::super::error::{Refused, of};
use super::{answer, bytes, condition, etag, refuse, size, time};

/// The most keys of one DeleteObjects.
const MOST_DELETED: usize = 1000;

/// What PutObject, CopyObject and CreateMultipartUpload all may have, and what of it is not done here.
macro_rules! refuse_unbuilt {
    ($input:expr) => {{
        let acl = $input.acl.as_ref().map(|acl| acl.as_str());
        let private = ["private", "bucket-owner-full-control", "bucket-owner-read"];
        refuse(acl.is_some_and(|acl| !private.contains(&acl)), "An ACL that opens an object to others")?;
        refuse($input.tagging.as_ref().is_some_and(|tags| !tags.is_empty()), "Tagging")?;
    }};
}
pub(super) use refuse_unbuilt;

/// What they say of an object.
macro_rules! attributes {
    ($input:expr) => {
        Attributes {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $input.content_encoding.take(),
            content_language: $input.content_language.take(),
            expires: $input.expires.take().and_then(|at| http_date(&at)),
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
        }
    };
}
pub(super) use attributes;

pub(super) fn http_date(at: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    at.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

fn of_http_date(text: &str) -> Option<Timestamp> {
    Timestamp::parse(TimestampFormat::HttpDate, text).ok()
}

/// The most of an object's own metadata, in bytes.
const METADATA: usize = 2048;

pub(super) fn check_metadata(attributes: &Attributes) -> S3Result<()> {
    if attributes.metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > METADATA {
        let text = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(Refused::new("MetadataTooLarge", text).into());
    }
    Ok(())
}

pub(super) async fn put(
    buckets: &Buckets,
    cx: &Context,
    mut input: PutObjectInput,
) -> S3Result<S3Response<PutObjectOutput>> {
    refuse_unbuilt!(input);
    let attributes = attributes!(input);
    check_metadata(&attributes)?;
    let on = condition(input.if_match, input.if_none_match)?;
    let body = bytes(input.body);
    let head = buckets.write(cx, &input.bucket, &input.key, body, attributes, on).await.map_err(of)?;
    answer(PutObjectOutput { e_tag: Some(etag(&head.object.etag)), ..Default::default() })
}

/// The conditions of a read.
pub(super) struct Wanted {
    pub if_match: Option<IfMatch>,
    pub if_none_match: Option<IfNoneMatch>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Wanted {
    /// Whether the object is as it is wanted, in the order of RFC 9110, 13.2.2.
    fn check(&self, head: &Head) -> S3Result<()> {
        let is = |wanted: &ETagCondition| match wanted {
            ETagCondition::Any => true,
            ETagCondition::ETag(wanted) => wanted.value() == head.object.etag,
        };
        // HTTP's dates have whole seconds.
        let modified = jiff::Timestamp::from_second(head.object.modified.as_second()).unwrap_or_default();
        let modified = time(modified);
        let holds = match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) => is(wanted),
            (None, Some(since)) => modified <= *since,
            (None, None) => true,
        };
        if !holds {
            return Err(of(BucketError::Precondition));
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(known), _) => is(known),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if unchanged {
            let mut error = S3Error::with_message(S3ErrorCode::NotModified, "Not Modified");
            error.set_status_code(StatusCode::NOT_MODIFIED);
            let mut headers = HeaderMap::new();
            if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", head.object.etag)) {
                headers.insert("etag", etag);
            }
            error.set_headers(headers);
            return Err(error);
        }
        Ok(())
    }

    /// The same for what is copied. A copy has no "not modified": whatever keeps it from being made is a failed condition.
    pub fn check_source(&self, head: &Head) -> S3Result<()> {
        self.check(head).map_err(|_| of(BucketError::Precondition))
    }
}

fn span(range: Option<Range>, part: Option<i32>) -> S3Result<Span> {
    Ok(match (range, part) {
        (None, None) => Span::All,
        (None, Some(part)) => Span::Part(u32::try_from(part).unwrap_or_default()),
        (Some(Range::Int { first, last }), None) => Span::From(first, last),
        (Some(Range::Suffix { length }), None) => Span::Last(length),
        (Some(_), Some(_)) => {
            let text = "Cannot specify both Range header and partNumber query parameter";
            return Err(Refused::new("InvalidRequest", text).into());
        }
    })
}

/// How a part of an object is told: which bytes it has, and how many parts there are.
fn told(span: Span, range: &std::ops::Range<u64>, head: &Head) -> (Option<String>, Option<i32>) {
    let (first, last) = (range.start, range.end.saturating_sub(1));
    let content_range =
        (span != Span::All && !range.is_empty()).then(|| format!("bytes {first}-{last}/{}", head.object.size));
    let counted = matches!(span, Span::Part(_)) && !head.parts.is_empty();
    (content_range, counted.then(|| i32::try_from(head.parts.len()).unwrap_or(i32::MAX)))
}

fn no_version(version: Option<&String>) -> S3Result<()> {
    match version.map(String::as_str) {
        None | Some("null") => Ok(()),
        Some(_) => Err(Refused::new("NoSuchVersion", "Buckets here keep no versions.").into()),
    }
}

pub(super) async fn get(
    buckets: &Buckets,
    cx: &Context,
    input: GetObjectInput,
) -> S3Result<S3Response<GetObjectOutput>> {
    no_version(input.version_id.as_ref())?;
    let wanted = Wanted {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let span = span(input.range, input.part_number)?;
    let reading = buckets.read(cx, &input.bucket, &input.key, span).await.map_err(of)?;
    wanted.check(&reading.head)?;
    let (content_range, parts_count) = told(span, &reading.range, &reading.head);
    let Head { object, attributes, .. } = reading.head;
    let length = reading.range.end - reading.range.start;
    let pieces = reading.bytes.map(|piece| piece.map(http_body::Frame::data));
    let output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(s3s::Body::http_body_unsync(StreamBody::new(pieces)).into()),
        cache_control: attributes.cache_control,
        content_disposition: attributes.content_disposition,
        content_encoding: attributes.content_encoding,
        content_language: attributes.content_language,
        content_length: Some(size(length)),
        content_range,
        content_type: Some(attributes.content_type.unwrap_or_else(untyped)),
        e_tag: Some(etag(&object.etag)),
        expires: attributes.expires.as_deref().and_then(of_http_date),
        last_modified: Some(time(object.modified)),
        metadata: (!attributes.metadata.is_empty()).then(|| attributes.metadata.into_iter().collect()),
        parts_count,
        ..Default::default()
    };
    answer(output)
}

/// What S3 says of an object of which nobody said what it is.
fn untyped() -> String {
    "binary/octet-stream".to_owned()
}

pub(super) async fn head(
    buckets: &Buckets,
    cx: &Context,
    input: HeadObjectInput,
) -> S3Result<S3Response<HeadObjectOutput>> {
    no_version(input.version_id.as_ref())?;
    let wanted = Wanted {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let head = buckets.details(cx, &input.bucket, &input.key).await.map_err(of)?;
    let head = head.ok_or_else(|| of(BucketError::NoSuchKey(input.key)))?;
    wanted.check(&head)?;
    let span = span(input.range, input.part_number)?;
    let range = span.of(&head).map_err(of)?;
    let (content_range, parts_count) = told(span, &range, &head);
    let Head { object, attributes, .. } = head;
    let output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: attributes.cache_control,
        content_disposition: attributes.content_disposition,
        content_encoding: attributes.content_encoding,
        content_language: attributes.content_language,
        content_length: Some(size(range.end - range.start)),
        content_range,
        content_type: Some(attributes.content_type.unwrap_or_else(untyped)),
        e_tag: Some(etag(&object.etag)),
        expires: attributes.expires.as_deref().and_then(of_http_date),
        last_modified: Some(time(object.modified)),
        metadata: (!attributes.metadata.is_empty()).then(|| attributes.metadata.into_iter().collect()),
        parts_count,
        ..Default::default()
    };
    answer(output)
}

/// Bucket and key that a copy comes from.
pub(super) fn source(source: CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            no_version(version_id.map(String::from).as_ref())?;
            Ok((bucket.into(), key.into()))
        }
        _ => Err(Refused::new("NotImplemented", "A copy comes from a bucket: /BUCKET/KEY.").into()),
    }
}

pub(super) async fn copy(
    buckets: &Buckets,
    cx: &Context,
    mut input: CopyObjectInput,
    on: Condition,
) -> S3Result<S3Response<CopyObjectOutput>> {
    refuse_unbuilt!(input);
    let (from, from_key) = source(input.copy_source)?;
    let replace = input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == "REPLACE");
    if !replace && from == input.bucket && from_key == input.key {
        let text = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                    object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(Refused::new("InvalidRequest", text).into());
    }
    let wanted = Wanted {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let there = buckets.details(cx, &from, &from_key).await.map_err(of)?;
    let there = there.ok_or_else(|| of(BucketError::NoSuchKey(from_key.clone())))?;
    wanted.check_source(&there)?;
    let attributes = replace.then(|| attributes!(input));
    attributes.as_ref().map_or(Ok(()), check_metadata)?;
    let to = (input.bucket.as_str(), input.key.as_str());
    let head = buckets.copy(cx, (&from, &from_key), to, attributes, on).await.map_err(of)?;
    let result = CopyObjectResult {
        e_tag: Some(etag(&head.object.etag)),
        last_modified: Some(time(head.object.modified)),
        ..Default::default()
    };
    answer(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

/// Deletes an object if it is the one that is meant.
pub(super) async fn delete(
    buckets: &Buckets,
    cx: &Context,
    (bucket, key): (&str, &str),
    version: Option<&String>,
    if_match: Option<IfMatch>,
) -> S3Result<()> {
    no_version(version)?;
    let on = condition(if_match, None)?;
    buckets.delete_if(cx, bucket, key, on).await.map_err(of)
}

pub(super) async fn delete_all(
    buckets: &Buckets,
    cx: &Context,
    input: DeleteObjectsInput,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let quiet = input.delete.quiet == Some(true);
    if input.delete.objects.is_empty() || input.delete.objects.len() > MOST_DELETED {
        let text = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(Refused::new("MalformedXML", text).into());
    }
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let ObjectIdentifier { e_tag, key, last_modified_time, size, version_id } = object;
        let done = match refuse(last_modified_time.is_some() || size.is_some(), "A condition on size or time") {
            Ok(()) => {
                let if_match = e_tag.map(ETagCondition::ETag);
                delete(buckets, cx, (&input.bucket, &key), version_id.as_ref(), if_match).await
            }
            refused => refused,
        };
        match done {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject { key: Some(key), ..Default::default() }),
            Err(error) if *error.code() == S3ErrorCode::NoSuchBucket => return Err(error),
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(key),
                message: error.message().map(str::to_owned),
                version_id,
            }),
        }
    }
    answer(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() })
}
