//! Objects in parts.

use outcrop_access::Context;
use outcrop_buckets::{Attributes, Buckets, Span};
use s3s::dto::*;
use s3s::{S3Response, S3Result};

use super::super::error::{Refused, of};
use super::objects::{Wanted, attributes, check_metadata, http_date, refuse_unbuilt, source};
use super::{answer, bytes, condition, etag, refuse, size, time};

/// The most of one page.
const MOST: i32 = 1000;

pub(super) async fn create(
    buckets: &Buckets,
    cx: &Context,
    mut input: CreateMultipartUploadInput,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    refuse_unbuilt!(input);
    let attributes = attributes!(input);
    check_metadata(&attributes)?;
    let id = buckets.begin_upload(cx, &input.bucket, &input.key, attributes).await.map_err(of)?;
    answer(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        ..Default::default()
    })
}

fn number(part: i32) -> u32 {
    // Zero is no part's number, either.
    u32::try_from(part).unwrap_or_default()
}

pub(super) async fn part(
    buckets: &Buckets,
    cx: &Context,
    input: UploadPartInput,
) -> S3Result<S3Response<UploadPartOutput>> {
    let at = (input.bucket.as_str(), input.key.as_str());
    let part = buckets.put_part(cx, at, &input.upload_id, number(input.part_number), bytes(input.body)).await;
    answer(UploadPartOutput { e_tag: Some(etag(&part.map_err(of)?.etag)), ..Default::default() })
}

pub(super) async fn part_copy(
    buckets: &Buckets,
    cx: &Context,
    input: UploadPartCopyInput,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let wanted = Wanted {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let (from, from_key) = source(input.copy_source)?;
    let span = input.copy_source_range.as_deref().map_or(Ok(Span::All), |range| match Range::parse(range) {
        Ok(Range::Int { first, last: Some(last) }) => Ok(Span::From(first, Some(last))),
        _ => Err(Refused::new(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last",
        )),
    })?;
    let reading = buckets.read(cx, &from, &from_key, span).await.map_err(of)?;
    wanted.check_source(&reading.head)?;
    let at = (input.bucket.as_str(), input.key.as_str());
    let part =
        buckets.put_part(cx, at, &input.upload_id, number(input.part_number), reading.bytes).await.map_err(of)?;
    let result = CopyPartResult {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(time(part.modified)),
        ..Default::default()
    };
    answer(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() })
}

pub(super) async fn complete(
    buckets: &Buckets,
    cx: &Context,
    input: CompleteMultipartUploadInput,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let mut parts = Vec::with_capacity(named.len());
    for part in named {
        let (Some(at), Some(etag)) = (part.part_number, part.e_tag) else {
            let text = "The XML you provided was not well-formed or did not validate against our published schema";
            return Err(Refused::new("MalformedXML", text).into());
        };
        parts.push((number(at), etag.into_value()));
    }
    let on = condition(input.if_match, input.if_none_match)?;
    let at = (input.bucket.as_str(), input.key.as_str());
    let head = buckets.complete_upload(cx, at, &input.upload_id, parts, on).await.map_err(of)?;
    answer(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&head.object.etag)),
        ..Default::default()
    })
}

pub(super) async fn parts(
    buckets: &Buckets,
    cx: &Context,
    input: ListPartsInput,
) -> S3Result<S3Response<ListPartsOutput>> {
    let at = (input.bucket.as_str(), input.key.as_str());
    let all = buckets.parts(cx, at, &input.upload_id).await.map_err(of)?;
    let after = number(input.part_number_marker.unwrap_or_default());
    let most = usize::try_from(input.max_parts.unwrap_or(MOST).clamp(0, MOST)).unwrap_or_default();
    let mut page: Vec<_> = all.into_iter().filter(|part| part.number > after).collect();
    let more = page.len() > most;
    page.truncate(most);
    let next = page.last().filter(|_| more).and_then(|part| i32::try_from(part.number).ok());
    let page = page.into_iter().map(|part| Part {
        part_number: i32::try_from(part.number).ok(),
        e_tag: Some(etag(&part.etag)),
        size: Some(size(part.size)),
        last_modified: Some(time(part.modified)),
        ..Default::default()
    });
    answer(ListPartsOutput {
        parts: Some(page.collect()),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(input.max_parts.unwrap_or(MOST)),
        part_number_marker: input.part_number_marker,
        next_part_number_marker: next,
        is_truncated: Some(more),
        ..Default::default()
    })
}

pub(super) async fn list(
    buckets: &Buckets,
    cx: &Context,
    input: ListMultipartUploadsInput,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    refuse(
        input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()),
        "A delimiter in a list of uploads",
    )?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let all = buckets.uploads_of(cx, &input.bucket, &prefix).await.map_err(of)?;
    // Behind the marker's key, or behind its upload where that is named beside it.
    let begin = match (&input.key_marker, &input.upload_id_marker) {
        (Some(key), Some(id)) => {
            all.iter().position(|upload| upload.key == *key && upload.id == *id).map_or(0, |at| at + 1)
        }
        (Some(key), None) => all.partition_point(|upload| upload.key <= *key),
        _ => 0,
    };
    let most = usize::try_from(input.max_uploads.unwrap_or(MOST).clamp(0, MOST)).unwrap_or_default();
    let page = all.get(begin..).unwrap_or_default();
    let more = page.len() > most;
    let page = page.get(..most).unwrap_or(page);
    let url = input.encoding_type.as_ref().is_some_and(|encoding| encoding.as_str() == "url");
    let last = page.last().filter(|_| more);
    let uploads = page.iter().map(|upload| MultipartUpload {
        key: Some(super::listed::named(&upload.key, url)),
        upload_id: Some(upload.id.clone()),
        initiated: Some(time(upload.begun)),
        ..Default::default()
    });
    answer(ListMultipartUploadsOutput {
        next_key_marker: last.map(|upload| super::listed::named(&upload.key, url)),
        next_upload_id_marker: last.map(|upload| upload.id.clone()),
        uploads: Some(uploads.collect()),
        bucket: Some(input.bucket),
        prefix: input.prefix,
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        max_uploads: Some(input.max_uploads.unwrap_or(MOST)),
        encoding_type: input.encoding_type,
        is_truncated: Some(more),
        ..Default::default()
    })
}
