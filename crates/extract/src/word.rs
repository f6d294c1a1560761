//! Word's binary documents, of Word 6 to 2003 (\[MS-DOC\]).
//!
//! A file header in the stream `WordDocument` points at everything else. The text is a table of pieces ([`pieces`]) that
//! lie anywhere in that stream; what a paragraph is stands by the place of its end mark ([`properties`]). Behind the main
//! text lie notes, headers, comments and text boxes, as ranges of the same text ([`header`]).

mod header;
mod lists;
mod pieces;
mod properties;
mod reader;
mod styles;
mod summary;
#[cfg(test)]
pub(crate) mod tests;

use std::io::{Cursor, Read};

use cfb::CompoundFile;

use crate::flow::Flow;
use crate::{Document, Failure};
use header::{Header, Story};
use pieces::Pieces;
use properties::Properties;
use reader::Reader;

/// A compound file in memory.
pub(crate) type Container<'a> = CompoundFile<Cursor<&'a [u8]>>;

/// Reads a document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let mut container = CompoundFile::open(Cursor::new(bytes)).map_err(damaged)?;
    let main = stream(&mut container, "WordDocument")?;
    let header = Header::of(&main)?;
    // Before Word 97 everything lies in one stream.
    let table = if header.old { main.clone() } else { stream(&mut container, header.table)? };
    let data = stream(&mut container, "Data").unwrap_or_default();
    let mut document = Document::default();
    if let Ok(properties) = stream(&mut container, "\u{5}SummaryInformation") {
        summary::read(&properties, &mut document);
    }
    let pieces = Pieces::of(&header, &main, &table)?;
    let styles = if header.old { styles::old() } else { styles::of(header.part(&table, header.styles)) };
    let properties = Properties::of(&header, &main, &table, &data, &styles);
    let numbering = lists::of(&header, &table);
    let mut reader = Reader::new(Flow::new(document, numbering), header.encoding, properties);
    for story in [
        Story::Main,
        Story::Boxes,
        // What stands on every page stands once, behind the text, so that it divides nothing.
        Story::Footnotes,
        Story::Endnotes,
        Story::Comments,
        Story::Headers,
        Story::HeaderBoxes,
    ] {
        reader.begin(story);
        for unit in pieces.units(header.range(story)) {
            reader.unit(unit);
        }
        reader.end();
    }
    Ok(reader.flow.document.titled())
}

fn stream(container: &mut Container, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    container.open_stream(name).and_then(|mut stream| stream.read_to_end(&mut bytes)).map_err(damaged)?;
    Ok(bytes)
}

fn damaged(error: std::io::Error) -> Failure {
    Failure::Damaged(error.to_string())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
