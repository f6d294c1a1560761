//! Plain text: paragraphs are what empty lines divide.

use quick_xml::Reader;
use quick_xml::events::Event;

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

/// Reads XML of a kind that nobody knows: its text, without tags. Where elements follow one another with nothing but a
/// line end between them, or with nothing at all, they are paragraphs; else they are parts of a sentence. What is not
/// well formed is read as it stands.
pub(crate) fn xml(bytes: &[u8], charset: Option<&str>) -> Document {
    let read = charset::decode(bytes, charset);
    let mut document = Document::default();
    document.attribute("charset", read.charset.as_str());
    match untagged(&read.text) {
        Some(lines) => lines.iter().for_each(|line| document.push(Role::Paragraph, line, None)),
        None => paragraphs(&mut document, &read.text, None),
    }
    document
}

fn untagged(source: &str) -> Option<Vec<String>> {
    let mut reader = Reader::from_str(source);
    let mut lines = vec![String::new()];
    // Nothing was said since an element ended.
    let mut silent = false;
    loop {
        let mut said = String::new();
        match reader.read_event().ok()? {
            Event::Eof => return Some(lines),
            Event::Start(_) | Event::Empty(_) if silent => lines.push(String::new()),
            Event::End(_) => silent = true,
            Event::Text(text) => said.push_str(&text),
            Event::CData(text) => said.push_str(&text),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(char)) => said.push(char),
                // Entities that the document declares are not expanded.
                _ => said.push_str(quick_xml::escape::resolve_xml_entity(&reference).unwrap_or_default()),
            },
            _ => continue,
        }
        let line = lines.last_mut()?;
        if said.is_empty() {
            continue;
        }
        if said.trim().is_empty() && said.contains('\n') {
            lines.push(String::new());
        } else {
            silent = false;
            for char in said.chars() {
                match char.is_whitespace() {
                    false => line.push(char),
                    true if line.is_empty() || line.ends_with(' ') => {}
                    true => line.push(' '),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
