//! Plain text: paragraphs are what empty lines divide.

use crate::charset;
use crate::{Document, Role};

/// Reads a text file.
pub(crate) fn parse(bytes: &[u8], charset: Option<&str>) -> Document {
    let read = charset::decode(bytes, charset);
    let mut document = Document::default();
    document.attribute("charset", read.charset);
    paragraphs(&mut document, &read.text, None);
    document
}

/// Adds each run of lines without an empty one between as a block.
pub(crate) fn paragraphs(document: &mut Document, text: &str, page: Option<u32>) {
    let mut from = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            if let Some(from) = from.take() {
                document.push(Role::Paragraph, &text[from..at], page);
            }
        } else if from.is_none() {
            from = Some(at);
        }
        at += line.len();
    }
    if let Some(from) = from {
        document.push(Role::Paragraph, &text[from..], page);
    }
}

/// Reads subtitles: what is said, without cue numbers and times.
pub(crate) fn subtitles(bytes: &[u8], charset: Option<&str>) -> Document {
    let read = charset::decode(bytes, charset);
    let mut document = Document::default();
    document.attribute("charset", read.charset);
    for cue in read.text.split("\n\n") {
        let mut said = Vec::new();
        let mut timed = false;
        for line in cue.lines().map(str::trim) {
            if line.contains("-->") {
                // What stood before the time is the cue's number or name.
                said.clear();
                timed = true;
            } else if !line.is_empty() {
                said.push(line);
            }
        }
        if timed {
            document.push(Role::Paragraph, said.join(" "), None);
        }
    }
    document
}

#[cfg(test)]
mod tests;
