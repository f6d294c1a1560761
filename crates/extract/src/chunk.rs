//! Chunks: what is embedded, found and cited.

use serde::{Deserialize, Serialize};

/// How a document is cut. Tokens are those of the embedding model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chunking {
    /// Pieces of at most so many tokens, at sentence ends where it can be, never inside a word nor across pages.
    Fixed {
        /// The most tokens of a piece.
        max_tokens: u32,
        /// How much of a piece the next one repeats, in percent.
        overlap_percentage: u32,
    },
    /// Parents cut into children: children are searched, parents returned.
    Hierarchical {
        /// The most tokens of a parent.
        parent: u32,
        /// The most tokens of a child.
        child: u32,
        /// How many tokens neighbours share, on both levels.
        overlap: u32,
    },
    /// Cut where neighbouring sentences are least alike.
    Semantic {
        /// The most tokens of a piece.
        max_tokens: u32,
        /// How many sentences before and after count with one.
        buffer: u32,
        /// Cuts fall on the least alike `100 - percentile` percent of neighbours.
        percentile: u32,
    },
    /// The file is one chunk.
    None,
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its text.
    pub text: String,
    /// The page on which it begins, from 1.
    pub page: Option<u32>,
    /// The headings above it, outermost first.
    pub headings: Vec<String>,
    /// Where it begins in the document's text, in characters (Unicode code points).
    pub start: usize,
    /// Where it ends, exclusive.
    pub end: usize,
    /// The text that is returned in its place, by number among the document's parents.
    pub parent: Option<usize>,
}
