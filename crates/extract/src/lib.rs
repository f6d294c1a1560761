//! A file's bytes to positioned text, and positioned text to chunks.
//!
//! Does: tells what a file is, reads it with a parser of its format, keeps pages, headings and places, and cuts it into
//! chunks by a strategy. A parser runs behind a hard wall of time and memory (`wall`): a hostile file ends as one failed
//! document. Never: the network, a model, a bucket.
//!
//! Start at [`Document`]; chunks are [`Chunk`]s, cut as [`Chunking`] says.

mod chunk;
mod document;

pub use chunk::{Chunk, Chunking};
pub use document::{Block, Document, Failure, Role};
