//! What is in a bucket.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BucketError, Result};

/// An object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub size: u64,
    /// Changes when the bytes do; without quotes. MD5, as S3 has it, of what was put in one piece.
    pub etag: String,
    /// When it was written.
    pub modified: Timestamp,
    /// What its writer said it is.
    pub content_type: Option<String>,
}

/// An object with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it is.
    pub object: Object,
    /// What is in it.
    pub bytes: Bytes,
}

/// Some of a bucket's objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The objects, by key.
    pub objects: Vec<Object>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// What a writer says of an object besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// `Content-Type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Expires`, as HTTP writes dates. A bucket in another service does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The writer's own: `x-amz-meta-…`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// An object and all that was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The object.
    pub object: Object,
    /// What its writer said.
    pub attributes: Attributes,
    /// How many bytes each of its parts had, where it came in parts and that is known.
    pub parts: Vec<u64>,
}

impl Head {
    fn part(&self, number: u32) -> Result<Range<u64>> {
        // An ETag tells how many parts there were.
        let count = self.object.etag.rsplit_once('-').and_then(|(_, count)| count.parse::<u32>().ok());
        if self.parts.is_empty() && count.is_some_and(|count| count != 1) {
            return Err(BucketError::Unbuilt("Reading a part of an object whose parts are not known here"));
        }
        let whole = [self.object.size];
        let parts = if self.parts.is_empty() { &whole[..] } else { &self.parts[..] };
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let (at, length) = at.and_then(|at| Some((at, parts.get(at)?))).ok_or(BucketError::NoSuchPart)?;
        let start = parts[..at].iter().sum::<u64>();
        Ok(start..start + length)
    }
}

/// Bytes as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// An object that is being read.
pub struct Reading {
    /// The object.
    pub head: Head,
    /// Which of its bytes come.
    pub range: Range<u64>,
    /// They.
    pub bytes: ByteStream,
}

/// Which bytes of an object are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// All.
    All,
    /// From the first number on, through the second where there is one.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
    /// Those of a part, counted from 1. What came whole is its only part.
    Part(u32),
}

impl Span {
    /// The bytes of an object that are meant, or that there are none.
    pub fn of(self, head: &Head) -> Result<Range<u64>> {
        let size = head.object.size;
        let range = match self {
            Self::All => return Ok(0..size),
            Self::From(first, last) => first..last.map_or(size, |last| last.saturating_add(1).min(size)),
            Self::Last(count) => size.saturating_sub(count)..size,
            Self::Part(number) => return head.part(number),
        };
        if range.is_empty() { Err(BucketError::Range { size }) } else { Ok(range) }
    }
}

/// On what a write depends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// That there is no such object: `If-None-Match: *`.
    Absent,
    /// That it is this one: `If-Match`.
    Is(String),
}

impl Condition {
    /// Whether it holds for an object with this ETag, or for none.
    pub fn check(&self, there: Option<&str>) -> Result<()> {
        let holds = match self {
            Self::None => true,
            Self::Absent => there.is_none(),
            Self::Is(etag) => there == Some(etag),
        };
        if holds { Ok(()) } else { Err(BucketError::Precondition) }
    }
}

/// Which objects are to be listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// With what their keys begin.
    pub prefix: String,
    /// What parts keys: those that have it behind the prefix are told as one.
    pub delimiter: Option<String>,
    /// After which key, or which told part.
    pub after: Option<String>,
    /// How many, told parts included.
    pub limit: usize,
}

/// What was listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Objects, by key.
    pub objects: Vec<Object>,
    /// What keys begin with that have the delimiter, each once.
    pub prefixes: Vec<String>,
    /// After what the rest begins, where there is more.
    pub next: Option<String>,
}
