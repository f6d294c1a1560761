//! Contextual grounding: whether an answer says what its source says, and whether it answers the query.

use std::ops::Range;

use crate::encoder::{EncodeError, Encoder};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Whether the source supports the answer.
    Grounding,
    /// Whether the answer is about the query.
    Relevance,
}

/// How well an answer does.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// 0 to 1.
    pub score: f64,
    /// The sentence of the answer that decided, in bytes.
    pub sentence: Range<usize>,
    /// The sentence of the source that supports it best.
    pub support: Option<String>,
}

/// How well `response` is grounded in `source`.
pub fn grounding(source: &str, query: &str, response: &str, encoder: &dyn Encoder) -> Result<Scored, EncodeError> {
    let _ = (source, query, encoder);
    Ok(Scored { score: 0.0, sentence: 0..response.len(), support: None })
}

/// How relevant `response` is to `query`.
pub fn relevance(source: &str, query: &str, response: &str, encoder: &dyn Encoder) -> Result<Scored, EncodeError> {
    let _ = (source, query, encoder);
    Ok(Scored { score: 0.0, sentence: 0..response.len(), support: None })
}
