//! What is kept, asked and found.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::embedded::Said;
use crate::{Filter, Result, VectorError};

/// What the vectors of an index are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// How many numbers, or bits, a vector has.
    pub dimensions: u32,
    /// Bits compared by Hamming distance rather than numbers by cosine.
    pub binary: bool,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = if self.binary { "bits" } else { "numbers" };
        write!(f, "{} {of}", self.dimensions)
    }
}

/// A vector.
#[derive(Debug, Clone, PartialEq)]
pub enum Vector {
    /// Numbers.
    Float(Vec<f32>),
    /// Bits, eight a byte, the first in the highest place.
    Binary(Vec<u8>),
}

impl Vector {
    /// Numbers as an index compares them: themselves, or their signs as bits.
    pub fn of(numbers: Vec<f32>, binary: bool) -> Self {
        if !binary {
            return Self::Float(numbers);
        }
        let bits =
            |eight: &[f32]| eight.iter().enumerate().fold(0, |byte, (at, n)| byte | (u8::from(*n > 0.0) << (7 - at)));
        Self::Binary(numbers.chunks(8).map(bits).collect())
    }

    /// What it is.
    pub fn shape(&self) -> Shape {
        let (dimensions, binary) = match self {
            Self::Float(numbers) => (numbers.len(), false),
            Self::Binary(bytes) => (bytes.len() * 8, true),
        };
        Shape { dimensions: u32::try_from(dimensions).unwrap_or(u32::MAX), binary }
    }

    /// [`VectorError::Shape`] where it is not of this shape, [`VectorError::Invalid`] where a number of it is none.
    pub(crate) fn check(&self, holds: Shape) -> Result<()> {
        let given = self.shape();
        if given != holds {
            return Err(VectorError::Shape { holds, given });
        }
        match self {
            Self::Float(numbers) if !numbers.iter().all(|n| n.is_finite()) => {
                Err(VectorError::Invalid("a vector holds a number that is infinite or none".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// What begins attributes that are kept with a chunk and that no filter names: an engine need not index them.
pub const OWN: &str = "outcrop:";

/// A document's attributes.
pub type Metadata = BTreeMap<String, Value>;

/// What a chunk has that had `old`, when its document is described by `new`.
pub(crate) fn described(old: &Metadata, own: &[&str], new: &Metadata) -> Metadata {
    let stays = |key: &str| own.iter().any(|beginning| key.starts_with(beginning));
    let mut all: Metadata =
        old.iter().filter(|(key, _)| stays(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
    all.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
    all
}

/// What an attribute can be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(String),
    /// A list of strings.
    List(Vec<String>),
}

/// A document and its chunks.
#[derive(Debug, Clone, PartialEq)]
pub struct Replace {
    /// The data source that it came from.
    pub source: String,
    /// Which it is, within the source.
    pub document: String,
    /// Its chunks, in order; none removes the document.
    pub records: Vec<Record>,
}

/// A chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its name in the index, which no other chunk has.
    pub id: String,
    /// What is searched by words, and returned where there is no parent.
    pub text: String,
    /// What is returned in its place; hits of one parent become one.
    pub parent: Option<Arc<Parent>>,
    /// Its vector.
    pub vector: Vector,
    /// Its document's attributes and its own.
    pub metadata: Metadata,
}

/// What is returned in place of chunks that are searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its name in the index.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// What stands in the metadata field of a chunk, in engines of others that have one for it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub knowledge_base: String,
    pub data_source: String,
    pub document: String,
    pub chunk: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Where they have no column of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Metadata>,
}

/// How it is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By vector and by words, scores joined.
    Hybrid,
    /// By vector alone.
    Semantic,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its vector.
    pub vector: Vector,
    /// Its words.
    pub text: String,
    /// How.
    pub mode: Mode,
    /// Within what.
    pub filter: Option<Filter>,
    /// How many hits at most.
    pub limit: usize,
    /// What [`Index::words`](crate::Index::words) found for the same text, filter and limit.
    pub said: Option<Said>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The chunk's name, or its parent's.
    pub id: String,
    /// The data source.
    pub source: String,
    /// The document.
    pub document: String,
    /// The chunk's text, or its parent's.
    pub text: String,
    /// How well it fits: 0 to 1, more is better.
    pub score: f64,
    /// How alike question and chunk are: the cosine of their vectors, where there is one.
    pub cosine: Option<f64>,
    /// Its attributes.
    pub metadata: Metadata,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sign_is_in_the_highest_place() {
        let numbers = vec![0.5, -0.5, 0.0, 0.1, -1.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(Vector::of(numbers.clone(), true), Vector::Binary(vec![0b1001_0001, 0b1000_0000]));
        assert_eq!(Vector::of(numbers.clone(), false), Vector::Float(numbers));
    }
}
