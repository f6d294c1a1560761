//! PDF: glyphs with places from an interpreter; lines, columns, tables and paragraphs from the places.

mod bidi;
mod columns;
mod fonts;
mod glyphs;
mod layout;
mod lines;
mod paragraphs;

use hayro_interpret::InterpreterCache;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use crate::{Document, Failure, charset};

/// More pages than any book has: a page tree that never ends.
const PAGES: usize = 20_000;

/// Reads a PDF.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Failure::Protected,
        LoadPdfError::Decryption(error) => Failure::Damaged(format!("its encryption cannot be undone: {error:?}")),
        LoadPdfError::Invalid => Failure::Damaged("it is no whole PDF".into()),
    })?;
    let pages = pdf.pages();
    if pages.len() > PAGES {
        return Err(Failure::Limit(format!("it has more than {PAGES} pages")));
    }
    if pages.is_empty() {
        return Err(Failure::Damaged("it has no pages".into()));
    }
    let mut document = Document { pages: u32::try_from(pages.len()).ok(), ..Document::default() };
    let metadata = pdf.metadata();
    document.title = metadata.title.as_deref().map(words).filter(|title| !title.trim().is_empty());
    if let Some(author) = metadata.author.as_deref() {
        document.attribute("author", words(author));
    }
    let cache = InterpreterCache::new();
    let mut fonts = fonts::Fonts::default();
    let mut read = Vec::with_capacity(pages.len());
    for (page, number) in pages.iter().zip(1u32..) {
        let found = glyphs::of(page, &pdf, &cache, &mut fonts);
        if found.unknown * 2 > found.glyphs.len() + found.unknown {
            document.warnings.push(format!("page {number}: most of its characters cannot be told from their shapes"));
        } else if found.glyphs.is_empty() && found.images > 0 {
            document.warnings.push(format!("page {number} has no text layer: it is a picture, perhaps scanned"));
        }
        read.push(layout::lines(found.glyphs, &found.rules));
    }
    paragraphs::blocks(read, &mut document);
    if document.blocks.is_empty() && document.warnings.is_empty() {
        document.warnings.push("none of its pages has a text layer".into());
    }
    Ok(document)
}

/// A text of the information dictionary: UTF-16 or UTF-8 with a mark, otherwise nearly Latin-1.
fn words(bytes: &[u8]) -> String {
    let marked = bytes.starts_with(&[0xfe, 0xff]) || bytes.starts_with(&[0xff, 0xfe]);
    charset::decode(bytes, (!marked).then_some("windows-1252")).text
}

#[cfg(test)]
mod tests;
