//! One visit to one address.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderName, Response, StatusCode};
use outcrop_extract::{Format, detect};
use outcrop_outbound::{Body, OutboundError};
use url::Url;

use super::hosts::Answer;
use super::rules::{ROBOT, canonical};
use super::sitemap::{self, Sitemap};
use super::{Web, body};
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

/// Rules of an `X-Robots-Tag` that have a value behind a colon.
const VALUED: [&str; 4] = ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];

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
    Page { bytes: Bytes, mime: Option<String>, asks: Asks },
    /// A file that was not read: what changes when it does.
    File { version: String, size: Option<u64> },
    /// A list of pages.
    Sitemap(Sitemap),
    /// It is elsewhere.
    Moved(Url),
    /// It is not there any more, or not for us.
    Gone,
    /// `robots.txt` forbids it, or it asks to be in no index.
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
        let asks = Asks::of(&answer, self.hosts.name());
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
        // A page's links may be followed all the same.
        if asks.no_index && kind != Kind::Sitemap && !((page || mime.is_none()) && kind == Kind::Page) {
            return Found::Forbidden;
        }
        let size = header(&answer, CONTENT_LENGTH).and_then(|told| told.parse().ok());
        // What is of no type may be a page.
        if !page
            && mime.is_some()
            && matches!(kind, Kind::Page | Kind::File)
            && let Some(version) = version(&answer, size)
        {
            return Found::File { version, size };
        }
        let limit = usize::try_from(MAX_FILE).unwrap_or(usize::MAX);
        match tokio::time::timeout(PATIENCE, body::whole(answer, limit)).await {
            Ok(Ok(bytes)) if kind == Kind::Sitemap => Found::Sitemap(read_sitemap(bytes).await),
            Ok(Ok(bytes)) => {
                let mime = mime.or_else(|| sniffed(url, &bytes));
                let page = mime.as_deref().is_some_and(is_page);
                if page && kind == Kind::File { Found::Other } else { Found::Page { bytes, mime, asks } }
            }
            Ok(Err(error @ OutboundError::TooLarge { .. })) => Found::TooLarge(error.to_string()),
            Ok(Err(error)) => Found::Failed(error.to_string()),
            Err(_) => Found::Failed(format!("it did not come within {} s", PATIENCE.as_secs())),
        }
    }
}

/// What an answer's headers ask of crawlers, whatever it is: `X-Robots-Tag: noindex, nofollow`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asks {
    /// It is not to be in an index.
    pub no_index: bool,
    /// Its links are not to be followed.
    pub no_follow: bool,
}

impl Asks {
    fn of(answer: &Response<Body>, own: &str) -> Self {
        let told = answer.headers().get_all("x-robots-tag").into_iter();
        Self::read(told.filter_map(|told| told.to_str().ok()), own)
    }

    /// Rules behind a crawler's name are that crawler's, up to the next name: `otherbot: noindex`.
    pub(super) fn read<'a>(headers: impl Iterator<Item = &'a str>, own: &str) -> Self {
        let mut asks = Self::default();
        for header in headers {
            let mut ours = true;
            for part in header.split(',') {
                let named = part.split_once(':').map(|(name, rule)| (name.trim(), rule));
                let rule = match named.filter(|(name, _)| is_name(name)) {
                    Some((name, rule)) => {
                        ours = [own, ROBOT, "*"].iter().any(|told| name.eq_ignore_ascii_case(told));
                        rule
                    }
                    None => part,
                };
                let rule = rule.trim().to_ascii_lowercase();
                asks.no_index |= ours && matches!(&*rule, "noindex" | "none");
                asks.no_follow |= ours && matches!(&*rule, "nofollow" | "none");
            }
        }
        asks
    }
}

/// Whether what stands before a colon is a crawler's name: no rule that has a value, and no part of a time.
fn is_name(text: &str) -> bool {
    !text.contains(char::is_whitespace) && !VALUED.iter().any(|rule| text.eq_ignore_ascii_case(rule))
}

/// What its server does not say: that it is a page, by its bytes or by its name.
fn sniffed(url: &Url, bytes: &[u8]) -> Option<String> {
    let page = ["", url.path()].iter().any(|name| detect(bytes, name, None) == Format::Html);
    page.then(|| "text/html".to_owned())
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
