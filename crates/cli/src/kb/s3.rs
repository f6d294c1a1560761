//! The few calls of S3 that a folder's copy takes.

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use crate::client::{Ask, Client, encoded};

fn ask<'a>(method: &'a str, path: &'a str, query: &'a str, body: Bytes) -> Ask<'a> {
    Ask { service: "s3", method, path, query, content_type: "application/octet-stream", body }
}

/// Makes a bucket; one of our own that is there already is as good.
pub async fn make(client: &Client, bucket: &str) -> Result<(), String> {
    match client.bytes(ask("PUT", &client.path(&[bucket]), "", Bytes::new())).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let there = client.bytes(ask("HEAD", &client.path(&[bucket]), "", Bytes::new())).await;
            there.map(|_| ()).map_err(|_| format!("the bucket {bucket} cannot be made: {error}"))
        }
    }
}

/// Deletes an empty bucket.
pub async fn unmake(client: &Client, bucket: &str) -> Result<(), String> {
    client.bytes(ask("DELETE", &client.path(&[bucket]), "", Bytes::new())).await.map(|_| ())
}

/// Writes an object.
pub async fn put(client: &Client, bucket: &str, key: &str, body: Bytes) -> Result<(), String> {
    client.bytes(ask("PUT", &path(bucket, key), "", body)).await.map(|_| ())
}

/// Deletes an object.
pub async fn delete(client: &Client, bucket: &str, key: &str) -> Result<(), String> {
    client.bytes(ask("DELETE", &path(bucket, key), "", Bytes::new())).await.map(|_| ())
}

/// The keys of a bucket with their ETags, without quotes.
pub async fn list(client: &Client, bucket: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut query = "list-type=2".to_owned();
    loop {
        let (_, body) = client.bytes(ask("GET", &client.path(&[bucket]), &query, Bytes::new())).await?;
        let page = read(&body)?;
        found.extend(page.objects);
        match page.next {
            Some(token) => query = format!("continuation-token={}&list-type=2", encoded(&token)),
            None => return Ok(found),
        }
    }
}

/// Slashes divide a key's parts in the path, too.
fn path(bucket: &str, key: &str) -> String {
    let parts: Vec<String> = key.split('/').map(encoded).collect();
    format!("/{}/{}", encoded(bucket), parts.join("/"))
}

#[derive(Debug, Default, PartialEq)]
struct Page {
    objects: Vec<(String, String)>,
    next: Option<String>,
}

/// Reads a ListBucketResult.
fn read(body: &[u8]) -> Result<Page, String> {
    let bad = |error: &dyn std::fmt::Display| format!("the bucket's list is not readable: {error}");
    let mut reader = Reader::from_str(std::str::from_utf8(body).map_err(|e| bad(&e))?);
    let (mut page, mut text, mut key, mut etag) = (Page::default(), String::new(), String::new(), String::new());
    loop {
        match reader.read_event().map_err(|e| bad(&e))? {
            Event::Start(_) => text.clear(),
            Event::Text(part) => text += &part,
            Event::GeneralRef(name) => text += &unescape(&format!("&{};", &*name)).map_err(|e| bad(&e))?,
            Event::End(end) => match end.local_name().as_ref() {
                "Key" => key = std::mem::take(&mut text),
                "ETag" => etag = text.trim_matches('"').to_owned(),
                "Contents" => page.objects.push((std::mem::take(&mut key), std::mem::take(&mut etag))),
                "NextContinuationToken" => page.next = Some(std::mem::take(&mut text)),
                _ => {}
            },
            Event::Eof => return Ok(page),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let body = br#"<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated>
            <Contents><Key>a &amp; b.md</Key><ETag>&quot;0cc1&quot;</ETag><Size>3</Size></Contents>
            <Contents><Key>c.md</Key><ETag>"9ab"</ETag></Contents>
            <NextContinuationToken>t/1=</NextContinuationToken></ListBucketResult>"#;
        let page = read(body).unwrap();
        assert_eq!(page.objects, [("a & b.md".into(), "0cc1".into()), ("c.md".into(), "9ab".into())]);
        assert_eq!(page.next.as_deref(), Some("t/1="));
        assert!(read(b"<ListBucketResult><Contents></Key>").is_err());
    }

    #[test]
    fn keys_keep_their_slashes() {
        assert_eq!(path("b", "a b/c+d.md"), "/b/a%20b/c%2Bd.md");
    }
}
