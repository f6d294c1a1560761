//! A file's bytes to positioned text, and positioned text to chunks.
//!
//! Does: tells what a file is, reads it with a parser of its format, keeps pages, headings and places, and cuts it into
//! chunks by a strategy. A parser runs behind a hard wall of time and memory ([`wall`]): a hostile file ends as one failed
//! document. Never: the network, a model, a bucket.
//!
//! Start at [`parse`] and [`Document`]; chunks are [`Chunk`]s, cut as [`Chunking`] says.

mod charset;
mod chunk;
pub mod csv;
mod detect;
mod document;
mod flow;
mod headed;
mod html;
mod mail;
mod markdown;
mod numbering;
mod office;
mod pdf;
mod rtf;
mod text;
pub mod wall;
mod word;
mod workbook;

pub use chunk::{Chunk, Chunking, Chunks, SEMANTIC_LIMIT, Semantic, Tokens, chunk};
pub use detect::{Format, detect};
pub use document::{Block, Document, Failure, Role};
pub use html::{Links, links};

/// Reads a file in this process: for files that are trusted, for the child behind the wall, and for tests.
///
/// A document without text is no failure: [`Document::no_text`] says whether it should be one.
pub fn parse(bytes: &[u8], name: &str, mime: Option<&str>) -> Result<Document, Failure> {
    // A parser's panic is the file's failure, not the process's.
    match std::panic::catch_unwind(|| read(bytes, name, mime, 0)) {
        Ok(result) => result.map(Document::cleaned),
        Err(_) => Err(Failure::Damaged("its parser gave up".into())),
    }
}

/// Reads a file that lies so many mails deep.
fn read(bytes: &[u8], name: &str, mime: Option<&str>, depth: usize) -> Result<Document, Failure> {
    let charset = mime.and_then(charset_of);
    match detect(bytes, name, mime) {
        Format::Text => Ok(match headed::Markup::of(name) {
            Some(markup) => headed::parse(bytes, charset, markup),
            None => text::parse(bytes, charset),
        }),
        Format::Xml => Ok(text::xml(bytes, charset)),
        Format::Subtitles => Ok(text::subtitles(bytes, charset)),
        Format::Markdown => Ok(markdown::parse(bytes, charset)),
        Format::Html => Ok(html::parse(bytes, charset)),
        Format::Csv => csv::parse(bytes, charset),
        Format::Mail => mail::parse(bytes, depth),
        Format::Doc => word::parse(bytes),
        Format::Rtf => rtf::parse(bytes),
        Format::OfficeXml => office::flat::parse(bytes),
        Format::Docx => office::docx::parse(bytes),
        Format::Pptx => office::pptx::parse(bytes),
        Format::Workbook => workbook::parse(bytes),
        Format::Locked => Err(Failure::Protected),
        Format::Pdf => pdf::parse(bytes),
        Format::Unknown => Err(Failure::Unsupported),
    }
}

/// The `charset` parameter of a media type.
fn charset_of(mime: &str) -> Option<&str> {
    mime.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}
