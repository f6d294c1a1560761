use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName};
use outcrop_access::Payload;

use super::*;

/// CRC-32 of `hello`, in base64.
const CRC32: &str = "NhCmhg==";

fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
    all.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

/// What comes of a body that arrives in pieces of `size`: its bytes, or S3's code of what is wrong.
async fn read(all: &[(&'static str, &str)], body: &str, payload: Payload, size: usize) -> Result<String, &'static str> {
    let pieces: Vec<_> = body.as_bytes().chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body = Body::stream(stream::iter(pieces));
    let checked =
        body::checked(&headers(all), body, payload, Duration::from_secs(5)).map_err(|refused| refused.code)?;
    let mut bytes = checked.bytes;
    let mut read = Vec::new();
    while let Some(piece) = bytes.next().await {
        read.extend_from_slice(&piece.map_err(|refused| refused.code)?);
    }
    Ok(String::from_utf8(read).unwrap())
}

#[tokio::test]
async fn the_framing_is_taken_off_however_it_arrives() {
    let framed = format!("3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nx-amz-checksum-crc32:{CRC32}\r\n\r\n");
    let all = [("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc32")];
    for size in [1, 2, 3, 7, 1000] {
        assert_eq!(read(&all, &framed, Payload::Chunks(None), size).await.as_deref(), Ok("hello"), "{size}");
    }
    let empty = [("x-amz-decoded-content-length", "0")];
    assert_eq!(read(&empty, "0\r\n\r\n", Payload::Chunks(None), 2).await.as_deref(), Ok(""));
}

#[tokio::test]
async fn a_framing_that_does_not_fit_is_refused() {
    let long = format!("5{}\r\nhello\r\n0\r\n\r\n", ";".repeat(5000));
    for (framed, code) in [
        ("5\r\nhello\r\n0\r\n", "IncompleteBody"),
        ("5\r\nhel", "IncompleteBody"),
        ("", "IncompleteBody"),
        ("4\r\nhell\r\n0\r\n\r\n", "IncompleteBody"),
        ("6\r\nhello!\r\n0\r\n\r\n", "IncompleteBody"),
        ("5\r\nhello!\r\n0\r\n\r\n", "InvalidRequest"),
        ("five\r\nhello\r\n0\r\n\r\n", "InvalidRequest"),
        ("-5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"),
        ("fffffffffffffffff\r\nhello\r\n0\r\n\r\n", "InvalidRequest"),
        ("5\r\nhello\r\n0\r\nno colon\r\n\r\n", "InvalidRequest"),
        ("5\r\nhello\r\n0\r\n\r\nmore", "InvalidRequest"),
        (long.as_str(), "InvalidRequest"),
    ] {
        let all = [("x-amz-decoded-content-length", "5")];
        for size in [1, 1_000_000] {
            assert_eq!(read(&all, framed, Payload::Chunks(None), size).await, Err(code), "{framed:.40}");
        }
    }
    assert_eq!(read(&[], "0\r\n\r\n", Payload::Chunks(None), 9).await, Err("MissingContentLength"));
}

#[tokio::test]
async fn sums_must_be_those_of_the_bytes() {
    let framed = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let trailed = [("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc32")];
    assert_eq!(read(&trailed, framed, Payload::Chunks(None), 9).await, Err("BadDigest"));
    let silent = "5\r\nhello\r\n0\r\n\r\n";
    assert_eq!(read(&trailed, silent, Payload::Chunks(None), 9).await, Err("BadDigest"));
    let unknown = [("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-md4")];
    assert_eq!(read(&unknown, framed, Payload::Chunks(None), 9).await, Err("InvalidRequest"));

    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(read(&[], "hello", Payload::Hash(hash.into()), 2).await.as_deref(), Ok("hello"));
    assert_eq!(read(&[], "hellp", Payload::Hash(hash.into()), 2).await, Err("XAmzContentSHA256Mismatch"));
    for (all, expected) in [
        ([("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], Ok("hello")),
        ([("content-md5", "AUFAKrxLKna5cZ2REBfFkg==")], Err("BadDigest")),
        ([("content-md5", "XUFA")], Err("InvalidDigest")),
        ([("x-amz-checksum-crc32", CRC32)], Ok("hello")),
        ([("x-amz-checksum-crc32c", CRC32)], Err("BadDigest")),
        ([("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")], Ok("hello")),
    ] {
        assert_eq!(
            read(&all, "hello", Payload::Unsigned, 3).await.as_deref().map_err(|code| *code),
            expected,
            "{all:?}"
        );
    }
    let two = [("x-amz-checksum-crc32", CRC32), ("x-amz-checksum-crc32c", CRC32)];
    assert_eq!(read(&two, "hello", Payload::Unsigned, 3).await, Err("InvalidRequest"));
}

#[test]
fn credentials_stay_here() {
    let uri = "/b/k?response-content-type=text%2Fx&X-Amz-Algorithm=a&X-Amz-Credential=c&X-Amz-Signature=s&X-Amz-Date=d\
               &X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t&x-id=GetObject";
    assert_eq!(without_signature(&uri.parse().unwrap()), "/b/k?response-content-type=text%2Fx&x-id=GetObject");
    let all = headers(&[
        ("authorization", "AWS4"),
        ("x-amz-security-token", "t"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("content-encoding", "gzip, aws-chunked"),
        ("content-length", "99"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-meta-a", "b"),
    ]);
    let kept = without_credentials(&all, Some(5));
    let expected = headers(&[("content-encoding", "gzip"), ("content-length", "5"), ("x-amz-meta-a", "b")]);
    assert_eq!(kept, expected);
}

/// Method, target and headers.
type Case<'a> = (http::Method, &'a str, &'a [(&'static str, &'a str)]);

#[test]
fn what_is_not_known_is_refused_before_it_is_taken_for_something_else() {
    let check = |method: &http::Method, target: &str, all: &[(&'static str, &str)]| {
        let uri: Uri = target.parse().unwrap();
        let checked = known::check(method, &named(&uri).unwrap(), uri.query().unwrap_or_default(), &headers(all));
        checked.map_err(|refused| refused.code)
    };
    let known: &[Case<'_>] = &[
        (http::Method::GET, "/", &[]),
        (http::Method::GET, "/bucket?list-type=2&prefix=a%2F&max-keys=1", &[]),
        (http::Method::GET, "/bucket/?location", &[]),
        (http::Method::GET, "/bucket/k?response-content-type=a&x-id=GetObject&x-amz-checksum-mode=ENABLED", &[]),
        (http::Method::PUT, "/bucket/k?uploadId=a&partNumber=1", &[("x-amz-copy-source", "/b/k")]),
        (http::Method::PUT, "/bucket/k", &[("x-amz-meta-any", "a"), ("x-amz-date", "d"), ("x-other", "o")]),
        (http::Method::DELETE, "/bucket/k?versionId=null", &[]),
    ];
    for (method, target, all) in known {
        assert_eq!(check(method, target, all), Ok(()), "{target}");
    }
    let unknown: &[Case<'_>] = &[
        (http::Method::DELETE, "/bucket/k?annotation", &[]),
        (http::Method::DELETE, "/bucket/k%zz?%61nnotation=", &[]),
        (http::Method::DELETE, "/bucket?metadataConfiguration", &[]),
        (http::Method::PUT, "/bucket/k?renameObject", &[]),
        (http::Method::PUT, "/bucket/k?uploads", &[]),
        (http::Method::PUT, "/bucket/k", &[("x-amz-server-side-encryption", "AES256")]),
        (http::Method::DELETE, "/bucket/k", &[("x-amz-if-match-size", "1")]),
    ];
    for (method, target, all) in unknown {
        assert_eq!(check(method, target, all), Err("NotImplemented"), "{target}");
    }
    assert_eq!(check(&http::Method::PUT, "/bucket/k?partNumber=1", &[]), Err("InvalidArgument"));
}
