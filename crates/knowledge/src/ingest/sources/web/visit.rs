//! One visit to one address.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderName, Response, StatusCode};
use outcrop_outbound::{Body, OutboundError, collect};
use url::Url;

use super::Web;
use super::hosts::Answer;
use super::rules::canonical;
use super::sitemap::{self, Sitemap};
use crate::ingest::sources::MAX_FILE;

/// How long a page may take to come.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is read beside web pages, by what its server says that it is.
const READ: [&str; 10] = [
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "message/rfc822",
    "text/csv",
    "text/markdown",
    "text/plain",
    // Anything: its bytes and its name will tell.
    "application/octet-stream",
];

/// What is wanted of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A page to be followed, or a file.
    Page,
    /// A file; a page is left.
    File,
    /// A list of pages.
    Sitemap,
    /// Whatever it was when it was listed, whole.
    Read,
}

/// What is there.
pub(super) enum Found {
    /// A page, or a file whose version only its bytes tell.
    Page { bytes: Bytes, mime: Option<String> },
    /// A file that was not read: what changes when it does.
    File { version: String, size: Option<u64> },
    /// A list of pages.
    Sitemap(Sitemap),
    /// It is elsewhere.
    Moved(Url),
    /// It is not there any more, or not for us.
    Gone,
    /// `robots.txt` forbids it.
    Forbidden,
    /// No document.
    Other,
    /// More than a document may have.
    TooLarge(String),
    /// It could not be looked at.
    Failed(String),
}

impl Web {
    pub(super) async fn visit(&self, url: &Url, kind: Kind) -> Found {
        let answer = match self.hosts.ask(url).await {
            None => return Found::Forbidden,
            Some(Answer::Here(answer)) => answer,
            Some(Answer::Moved(to)) => {
                let to = url.join(&to).ok().and_then(canonical);
                return to.map_or(Found::Other, Found::Moved);
            }
            Some(Answer::Refused(StatusCode::NOT_FOUND | StatusCode::GONE)) => return Found::Gone,
            Some(Answer::Refused(status)) => return Found::Failed(format!("its server answers {status}")),
            Some(Answer::Failed(why)) => return Found::Failed(why),
        };
        let mime = header(&answer, CONTENT_TYPE);
        let page = mime.as_deref().is_some_and(is_page);
        let wanted = match kind {
            Kind::Sitemap | Kind::Read => true,
            Kind::Page => page || mime.as_deref().is_none_or(is_read),
            Kind::File => !page && mime.as_deref().is_none_or(is_read),
        };
        if !wanted {
            return Found::Other;
        }
        let size = header(&answer, CONTENT_LENGTH).and_then(|told| told.parse().ok());
        if !page
            && matches!(kind, Kind::Page | Kind::File)
            && let Some(version) = version(&answer, size)
        {
            return Found::File { version, size };
        }
        let limit = usize::try_from(MAX_FILE).unwrap_or(usize::MAX);
        match tokio::time::timeout(PATIENCE, collect(answer.into_body(), limit)).await {
            Ok(Ok(bytes)) if kind == Kind::Sitemap => Found::Sitemap(read_sitemap(bytes).await),
            Ok(Ok(bytes)) => Found::Page { bytes, mime },
            Ok(Err(error @ OutboundError::TooLarge { .. })) => Found::TooLarge(error.to_string()),
            Ok(Err(error)) => Found::Failed(error.to_string()),
            Err(_) => Found::Failed(format!("it did not come within {} s", PATIENCE.as_secs())),
        }
    }
}

/// What changes when a file does, where its server says. A tag for one encoding of it will do.
fn version(answer: &Response<Body>, size: Option<u64>) -> Option<String> {
    if let Some(tag) = header(answer, ETAG) {
        return Some(format!("etag {tag}"));
    }
    let changed = header(answer, LAST_MODIFIED)?;
    Some(format!("modified {changed}, {} bytes", size.map_or_else(String::new, |size| size.to_string())))
}

async fn read_sitemap(bytes: Bytes) -> Sitemap {
    tokio::task::spawn_blocking(move || sitemap::read(&bytes)).await.unwrap_or_default()
}

fn header(answer: &Response<Body>, name: HeaderName) -> Option<String> {
    answer.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// A media type without its parameters.
pub(super) fn essence(mime: &str) -> &str {
    mime.split(';').next().unwrap_or_default().trim()
}

pub(super) fn is_page(mime: &str) -> bool {
    let mime = essence(mime);
    mime.eq_ignore_ascii_case("text/html") || mime.eq_ignore_ascii_case("application/xhtml+xml")
}

fn is_read(mime: &str) -> bool {
    READ.iter().any(|read| essence(mime).eq_ignore_ascii_case(read))
}
