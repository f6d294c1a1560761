//! Tool calls that end an answer: what comes after the marker is calls to the end, so it is read at the end.

use serde_json::{Deserializer, Value};

use super::calls::{Piece, call_of};
use super::format::CallFormat;

/// An answer that may end in calls. What turns out to be none is text.
pub(super) struct TailCalls {
    tools: Vec<String>,
    format: CallFormat,
    held: String,
    /// Whether the marker has come, and whether it was written.
    inside: Option<bool>,
    /// Whether something other than white space was said.
    said: bool,
}

impl TailCalls {
    pub(super) fn new(tools: Vec<String>, format: CallFormat) -> Self {
        Self { tools, format, held: String::new(), inside: None, said: false }
    }

    pub(super) fn push(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        self.held.push_str(text);
        if self.inside.is_some() {
            return;
        }
        let marker = self.format.marker();
        if let Some(at) = self.held.find(marker) {
            let rest = self.held.split_off(at + marker.len());
            let mut before = std::mem::replace(&mut self.held, rest);
            before.truncate(at);
            self.text(before.trim_end(), pieces);
            self.inside = Some(true);
            return;
        }
        let start = self.held.trim_start();
        if self.format == CallFormat::Llama && !self.said && start.starts_with('{') {
            self.inside = Some(false);
            return;
        }
        // The beginning of a marker, and the white space before it, may belong to a call.
        let most = marker.len().min(self.held.len());
        let begun = (1..=most).rev().find(|&length| self.held.ends_with(marker.get(..length).unwrap_or(marker)));
        let keep = self.held.get(..self.held.len() - begun.unwrap_or(0)).unwrap_or_default().trim_end().len();
        let rest = self.held.split_off(keep);
        let text = std::mem::replace(&mut self.held, rest);
        self.text(&text, pieces);
    }

    pub(super) fn finish(&mut self, pieces: &mut Vec<Piece>) {
        let held = std::mem::take(&mut self.held);
        let Some(written) = self.inside else { return self.text(&held, pieces) };
        match self.calls(&held) {
            Some(calls) if !calls.is_empty() => {
                for (name, arguments) in calls {
                    pieces.extend([Piece::CallStart(name), Piece::CallArguments(arguments), Piece::CallEnd]);
                }
            }
            _ => {
                let marker = if written { self.format.marker() } else { "" };
                self.text(&format!("{marker}{held}"), pieces);
            }
        }
    }

    fn text(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        if !text.is_empty() {
            self.said |= !text.trim().is_empty();
            pieces.push(Piece::Text(text.to_owned()));
        }
    }

    /// The calls, if `text` is nothing else.
    fn calls(&self, text: &str) -> Option<Vec<(String, String)>> {
        let text = text.trim();
        match self.format {
            CallFormat::Mistral if !text.starts_with('[') => {
                text.split(self.format.marker()).map(|part| self.named(part)).collect()
            }
            CallFormat::Mistral => {
                let list: Value = serde_json::from_str(text).ok()?;
                list.as_array()?.iter().map(|call| call_of(&self.tools, call)).collect()
            }
            CallFormat::Hermes | CallFormat::Llama => self.objects(text),
        }
    }

    /// `name[ARGS]{…}`, with or without a call's id and the word between.
    fn named(&self, part: &str) -> Option<(String, String)> {
        let (head, arguments) = part.split_at(part.find('{')?);
        let name = head.split("[ARGS]").next()?.split("[CALL_ID]").next()?.trim();
        let arguments: Value = serde_json::from_str(arguments.trim()).ok()?;
        let known = self.tools.iter().any(|tool| tool == name) && arguments.is_object();
        known.then(|| (name.to_owned(), arguments.to_string()))
    }

    /// Objects one after the other, with a semicolon between them or without.
    fn objects(&self, text: &str) -> Option<Vec<(String, String)>> {
        let (mut calls, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let mut objects = Deserializer::from_str(rest).into_iter::<Value>();
            calls.push(call_of(&self.tools, &objects.next()?.ok()?)?);
            rest = rest.get(objects.byte_offset()..)?.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        }
        Some(calls)
    }
}
