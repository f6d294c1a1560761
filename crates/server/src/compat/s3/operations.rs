//! The operations, in the order of S3's own list: buckets, objects, lists, uploads in parts.

mod listed;
mod objects;
mod uploads;

use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, header};
use outcrop_access::Context;
use outcrop_buckets::{BucketError, Buckets, Condition};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, StdError};

use super::Called;
use super::error::{Refused, of};

/// S3's name for the Region that was the only one when it began.
const FIRST_REGION: &str = "us-east-1";

/// Answers from the buckets.
pub(super) struct Operations(pub Buckets);

/// Who calls, and the note of what it turned out to call.
fn begun<T>(request: &S3Request<T>, name: &'static str) -> S3Result<Context> {
    if let Some(called) = request.extensions.get::<Called>() {
        // The first name is the request's.
        called.0.set(name).ok();
    }
    let context = request.extensions.get::<Context>().cloned();
    context.ok_or_else(|| Refused::new("AccessDenied", "Access Denied").into())
}

/// What nobody here does, and what a caller would believe to be done if it were passed over.
fn refuse(asked: bool, what: &str) -> S3Result<()> {
    if asked {
        return Err(Refused::new("NotImplemented", format!("{what} is not implemented by this server.")).into());
    }
    Ok(())
}

fn answer<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}

fn time(at: jiff::Timestamp) -> Timestamp {
    std::time::SystemTime::from(at).into()
}

fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn condition(if_match: Option<IfMatch>, if_none_match: Option<IfNoneMatch>) -> S3Result<Condition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::None),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Condition::Is(etag.value().to_owned())),
        _ => Err(Refused::new("NotImplemented", "A write takes If-None-Match: * or If-Match with one ETag.").into()),
    }
}

fn guard(headers: &HeaderMap, name: HeaderName) -> S3Result<Option<ETagCondition>> {
    let Some(value) = headers.get(&name) else { return Ok(None) };
    let parsed = ETagCondition::parse_http_header(value.as_bytes());
    parsed.map(Some).map_err(|_| Refused::new("InvalidArgument", format!("The header {name} has no ETag")).into())
}

/// A body's bytes for a bucket.
fn bytes(body: Option<StreamingBlob>) -> outcrop_buckets::ByteStream {
    let Some(body) = body else { return Box::pin(futures_util::stream::empty()) };
    Box::pin(body.map(|piece| {
        piece.map_err(|error: StdError| match error.downcast::<Refused>() {
            Ok(refused) => BucketError::from(*refused),
            Err(error) => BucketError::Failed(error.to_string()),
        })
    }))
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let cx = begun(&request, "CreateBucket")?;
        let input = request.input;
        refuse(input.acl.as_ref().is_some_and(|acl| acl.as_str() != "private"), "An ACL")?;
        refuse(input.object_lock_enabled_for_bucket == Some(true), "Object lock")?;
        let asked = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
        let region = asked.map_or_else(|| cx.region.clone(), |region| region.as_str().to_owned());
        let made = self.0.create(&cx, &input.bucket, &region).await;
        let mut again = matches!(made, Err(BucketError::Owned)) && region == FIRST_REGION;
        if again {
            // In the first Region alone S3 takes its maker's second call for the first.
            again = self.0.bucket(&cx, &input.bucket, "s3:CreateBucket").await.map_err(of)?.region == FIRST_REGION;
        }
        if !again {
            made.map_err(of)?;
        }
        answer(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        let cx = begun(&request, "HeadBucket")?;
        let bucket = self.0.bucket(&cx, &request.input.bucket, "s3:ListBucket").await.map_err(of)?;
        answer(HeadBucketOutput { bucket_region: Some(bucket.region), ..Default::default() })
    }

    async fn delete_bucket(&self, request: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
        let cx = begun(&request, "DeleteBucket")?;
        self.0.remove(&cx, &request.input.bucket).await.map_err(of)?;
        answer(DeleteBucketOutput::default())
    }

    async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let cx = begun(&request, "ListBuckets")?;
        listed::buckets(&self.0, &cx, request.input).await
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let cx = begun(&request, "GetBucketLocation")?;
        let bucket = self.0.bucket(&cx, &request.input.bucket, "s3:GetBucketLocation").await.map_err(of)?;
        // The first Region has no name here.
        let location_constraint = (bucket.region != FIRST_REGION).then(|| bucket.region.into());
        answer(GetBucketLocationOutput { location_constraint })
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let cx = begun(&request, "PutObject")?;
        objects::put(&self.0, &cx, request.input).await
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let cx = begun(&request, "GetObject")?;
        objects::get(&self.0, &cx, request.input).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let cx = begun(&request, "HeadObject")?;
        objects::head(&self.0, &cx, request.input).await
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let cx = begun(&request, "CopyObject")?;
        // `s3s` does not read these two of a copy.
        let guard = |name| guard(&request.headers, name);
        let on = condition(guard(header::IF_MATCH)?, guard(header::IF_NONE_MATCH)?)?;
        objects::copy(&self.0, &cx, request.input, on).await
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let cx = begun(&request, "DeleteObject")?;
        let DeleteObjectInput { bucket, key, version_id, if_match, .. } = request.input;
        objects::delete(&self.0, &cx, (&bucket, &key), version_id.as_ref(), if_match).await?;
        answer(DeleteObjectOutput::default())
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let cx = begun(&request, "DeleteObjects")?;
        objects::delete_all(&self.0, &cx, request.input).await
    }

    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        let cx = begun(&request, "ListObjects")?;
        listed::objects(&self.0, &cx, request.input).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let cx = begun(&request, "ListObjectsV2")?;
        listed::objects_v2(&self.0, &cx, request.input).await
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let cx = begun(&request, "CreateMultipartUpload")?;
        uploads::create(&self.0, &cx, request.input).await
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let cx = begun(&request, "UploadPart")?;
        uploads::part(&self.0, &cx, request.input).await
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let cx = begun(&request, "UploadPartCopy")?;
        uploads::part_copy(&self.0, &cx, request.input).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let cx = begun(&request, "CompleteMultipartUpload")?;
        uploads::complete(&self.0, &cx, request.input).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let cx = begun(&request, "AbortMultipartUpload")?;
        let input = request.input;
        self.0.abort_upload(&cx, (&input.bucket, &input.key), &input.upload_id).await.map_err(of)?;
        answer(AbortMultipartUploadOutput::default())
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let cx = begun(&request, "ListParts")?;
        uploads::parts(&self.0, &cx, request.input).await
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let cx = begun(&request, "ListMultipartUploads")?;
        uploads::list(&self.0, &cx, request.input).await
    }
}
