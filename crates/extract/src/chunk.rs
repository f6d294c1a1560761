//! Chunks: what is embedded, found and cited.

mod pack;
mod semantic;
mod units;

use serde::{Deserialize, Serialize};

pub use semantic::{SEMANTIC_LIMIT, Semantic};

use crate::Document;
use pack::Packer;
use units::Outline;

/// Counts tokens as the embedding model does, without the marks that it puts around a text.
pub trait Tokens {
    /// How many tokens a text has.
    fn count(&self, text: &str) -> usize;
}

impl<F: Fn(&str) -> usize> Tokens for F {
    fn count(&self, text: &str) -> usize {
        self(text)
    }
}

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

impl Default for Chunking {
    /// What a data source without a strategy gets: about 300 tokens in whole sentences, a fifth repeated.
    fn default() -> Self {
        Self::Fixed { max_tokens: 300, overlap_percentage: 20 }
    }
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

/// A document's chunks and, where a strategy has two levels, what is returned in their place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunks {
    /// What is embedded and found, in the order of the text.
    pub chunks: Vec<Chunk>,
    /// What [`Chunk::parent`] counts in.
    pub parents: Vec<Chunk>,
}

/// Cuts a document. `document.text()` between a chunk's offsets is the chunk's text.
///
/// [`Chunking::Semantic`] needs vectors of the document's sentences: [`Semantic`] asks for them. Here it cuts by length
/// alone.
pub fn chunk(document: &Document, chunking: Chunking, tokens: &dyn Tokens) -> Chunks {
    let outline = Outline::of(document);
    match chunking {
        Chunking::Fixed { max_tokens, overlap_percentage } => {
            let max = (max_tokens as usize).max(1);
            let overlap = max * overlap_percentage.min(99) as usize / 100;
            Chunks { chunks: Packer::new(&outline, tokens, max, overlap).sections(), parents: Vec::new() }
        }
        Chunking::Semantic { max_tokens, .. } => {
            let packer = Packer::new(&outline, tokens, (max_tokens as usize).max(1), 0);
            Chunks { chunks: packer.sections(), parents: Vec::new() }
        }
        Chunking::Hierarchical { parent, child, overlap } => {
            hierarchical(&outline, tokens, parent as usize, child as usize, overlap as usize)
        }
        Chunking::None => Chunks { chunks: outline.whole().into_iter().collect(), parents: Vec::new() },
    }
}

fn hierarchical(outline: &Outline, tokens: &dyn Tokens, parent: usize, child: usize, overlap: usize) -> Chunks {
    let mut all = Chunks::default();
    let above = Packer::new(outline, tokens, parent.max(1), overlap);
    let below = Packer::new(outline, tokens, child.max(1), overlap);
    for (number, (span, chunk)) in above.spans().into_iter().enumerate() {
        for mut piece in below.within(&span) {
            piece.parent = Some(number);
            all.chunks.push(piece);
        }
        all.parents.push(chunk);
    }
    all
}

#[cfg(test)]
mod tests;
