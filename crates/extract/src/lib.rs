//! A file's bytes to positioned text, and positioned text to chunks.
//!
//! Does: tells what a file is, reads it with a parser of its format, keeps pages, headings and places, and cuts it into
//! chunks by a strategy. A parser runs behind a hard wall of time and memory (`wall`): a hostile file ends as one failed
//! document. Never: the network, a model, a bucket.
//!
//! Start at [`parse`] and [`Document`]; chunks are [`Chunk`]s, cut as [`Chunking`] says.

mod charset;
mod chunk;
pub mod csv;
mod detect;
mod document;
mod html;
mod markdown;
mod text;

pub use chunk::{Chunk, Chunking, Chunks, SEMANTIC_LIMIT, Semantic, Tokens, chunk};
pub use detect::{Format, detect};
pub use document::{Block, Document, Failure, Role};

/// Reads a file in this process: for files that are trusted, for the child behind the wall, and for tests.
///
/// A document without text is no failure: its warnings say what was not read.
pub fn parse(bytes: &[u8], name: &str, mime: Option<&str>) -> Result<Document, Failure> {
    let charset = mime.and_then(charset_of);
    match detect(bytes, name, mime) {
        Format::Text => Ok(text::parse(bytes, charset)),
        Format::Subtitles => Ok(text::subtitles(bytes, charset)),
        Format::Markdown => Ok(markdown::parse(bytes, charset)),
        Format::Html => Ok(html::parse(bytes, charset)),
        Format::Csv => csv::parse(bytes, charset),
        Format::Locked => Err(Failure::Protected),
        Format::Mail | Format::Pdf | Format::Docx | Format::Pptx | Format::Workbook | Format::Unknown => {
            Err(Failure::Unsupported)
        }
    }
}

/// The `charset` parameter of a media type.
fn charset_of(mime: &str) -> Option<&str> {
    mime.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}
