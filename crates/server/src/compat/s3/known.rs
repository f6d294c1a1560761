//! What of a request is known here.
//!
//! `s3s` passes over what it does not know, and S3 tells many of its operations apart by a parameter alone: `DELETE
//! /BUCKET/KEY?annotation` would delete the object. So a parameter that is in no list here refuses the request, and so
//! does a header of S3's own.

use http::{HeaderMap, Method};
use s3s::path::S3Path;

use super::error::Refused;

/// The parameters of what is built, by method and place.
fn parameters(method: &Method, place: &S3Path) -> &'static [&'static str] {
    match (method.as_str(), place) {
        ("GET", S3Path::Root) => &["bucket-region", "continuation-token", "max-buckets", "prefix"],
        ("GET", S3Path::Bucket { .. }) => &[
            "continuation-token",
            "delimiter",
            "encoding-type",
            "fetch-owner",
            "key-marker",
            "list-type",
            "location",
            "marker",
            "max-keys",
            "max-uploads",
            "prefix",
            "start-after",
            "upload-id-marker",
            "uploads",
        ],
        ("POST", S3Path::Bucket { .. }) => &["delete"],
        ("GET" | "HEAD", S3Path::Object { .. }) => &[
            "max-parts",
            "part-number-marker",
            "partNumber",
            "response-cache-control",
            "response-content-disposition",
            "response-content-encoding",
            "response-content-language",
            "response-content-type",
            "response-expires",
            "uploadId",
            "versionId",
        ],
        ("PUT", S3Path::Object { .. }) => &["partNumber", "uploadId"],
        ("POST", S3Path::Object { .. }) => &["uploadId", "uploads"],
        ("DELETE", S3Path::Object { .. }) => &["uploadId", "versionId"],
        _ => &[],
    }
}

/// What SDKs add to any target: the operation's name, and what they know of a checksum when they presign.
const ANYWHERE: [&str; 5] =
    ["x-amz-checksum-crc32", "x-amz-checksum-mode", "x-amz-sdk-checksum-algorithm", "x-amz-user-agent", "x-id"];

/// The headers of S3's own that are read, or that change nothing where there is one kind of storage and no requester
/// pays. The writer's own metadata is beside them.
const HEADERS: [&str; 35] = [
    "x-amz-acl",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-bypass-governance-retention",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-mode",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-metadata-directive",
    "x-amz-mp-object-size",
    "x-amz-object-ownership",
    "x-amz-optional-object-attributes",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-source-expected-bucket-owner",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
];

/// Refuses what nobody here would honour.
pub(super) fn check(method: &Method, place: &S3Path, query: &str, headers: &HeaderMap) -> Result<(), Refused> {
    let known = parameters(method, place);
    let given = query.split('&').filter(|pair| !pair.is_empty());
    let given: Vec<&str> = given.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name)).collect();
    if let Some(name) = given.iter().find(|name| !known.contains(name) && !ANYWHERE.contains(name)) {
        return Err(not_implemented("parameter", name));
    }
    // Of a part its number and its upload; with one of them alone it would be a whole object.
    if *method == Method::PUT && given.contains(&"partNumber") != given.contains(&"uploadId") {
        return Err(Refused::new("InvalidArgument", "partNumber and uploadId must be given together"));
    }
    let own = headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    let mut odd = own.filter(|name| !name.starts_with("x-amz-meta-") && !HEADERS.contains(name));
    odd.next().map_or(Ok(()), |name| Err(not_implemented("header", name)))
}

fn not_implemented(what: &str, name: &str) -> Refused {
    Refused::new("NotImplemented", format!("The {what} {name} is not implemented by this server."))
}
