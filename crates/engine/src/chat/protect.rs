//! Keeps a caller's text text: what looks like a control token in it must not become one.
//!
//! A template writes control tokens as text (`<|im_end|>`) and the tokeniser turns them into tokens again, so a
//! caller who writes the same letters could end its own turn and speak as the system. Wherever a caller's text
//! holds such letters, a mark is put inside; after rendering, the places with the mark are tokenised plainly and
//! without it. A text that holds none is not touched, and then templates see exactly what `transformers` would.

use serde_json::Value;

use super::{Chat, Part};

/// The control tokens of a vocabulary, as text.
#[derive(Default)]
pub(crate) struct Specials(Vec<String>);

/// One stretch of a rendered prompt.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    /// Written by the template, or harmless: control tokens count.
    Template(&'a str),
    /// A caller's imitation of a control token: plain letters.
    Plain(String),
}

impl Specials {
    pub(crate) fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let mut texts: Vec<String> = texts.into_iter().filter(|text| text.chars().nth(1).is_some()).collect();
        // The longest first: of two that start alike the tokeniser takes the longer.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(texts)
    }

    /// The chat with every imitation marked, and the mark; nothing where there is no imitation.
    pub(crate) fn protect(&self, chat: &Chat) -> Option<(Chat, char)> {
        let mut found = false;
        visit(&mut chat.clone(), &mut |text| found |= self.0.iter().any(|special| text.contains(special.as_str())));
        if !found {
            return None;
        }
        let mark = unused(chat)?;
        let mut marked = chat.clone();
        visit(&mut marked, &mut |text| *text = self.mark(text, mark));
        Some((marked, mark))
    }

    fn mark(&self, text: &str, mark: char) -> String {
        let mut marked = String::with_capacity(text.len() + 8);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(special) = self.0.iter().find(|special| rest.starts_with(special.as_str())) {
                marked.push(first);
                marked.push(mark);
                marked.push_str(&special[first.len_utf8()..]);
                rest = &rest[special.len()..];
            } else {
                marked.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        marked
    }

    /// The stretches of a prompt that was rendered from a marked chat.
    pub(crate) fn pieces<'a>(&self, prompt: &'a str, mark: char) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let mut rest = prompt;
        while let Some(at) = rest.find(mark) {
            let start = rest[..at].char_indices().next_back().map_or(at, |(start, _)| start);
            let after = &rest[at + mark.len_utf8()..];
            let first = &rest[start..at];
            // What the mark interrupts is a control token's text; if a filter of the template changed it, only
            // the mark goes.
            let tail =
                self.0.iter().filter_map(|special| special.strip_prefix(first)).find(|tail| after.starts_with(tail));
            let tail = tail.unwrap_or_default();
            if start > 0 {
                pieces.push(Piece::Template(&rest[..start]));
            }
            pieces.push(Piece::Plain(format!("{first}{tail}")));
            rest = &after[tail.len()..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Template(rest));
        }
        pieces
    }
}

/// A private-use character that the chat does not contain.
fn unused(chat: &Chat) -> Option<char> {
    let mut used = std::collections::HashSet::new();
    visit(&mut chat.clone(), &mut |text| used.extend(text.chars().filter(|c| ('\u{E000}'..='\u{F8FF}').contains(c))));
    ('\u{E000}'..='\u{F8FF}').find(|candidate| !used.contains(candidate))
}

/// Every string of a chat that a caller wrote.
fn visit(chat: &mut Chat, each: &mut impl FnMut(&mut String)) {
    for message in &mut chat.messages {
        for part in &mut message.parts {
            match part {
                Part::Text(text) | Part::Reasoning(text) => each(text),
                Part::ToolCall { id, name, arguments } => {
                    each(id);
                    each(name);
                    visit_json(arguments, each);
                }
                Part::ToolResult { id, name, content, .. } => {
                    each(id);
                    name.iter_mut().for_each(&mut *each);
                    each(content);
                }
                Part::CachePoint => {}
            }
        }
    }
    for tool in &mut chat.tools {
        each(&mut tool.name);
        each(&mut tool.description);
        visit_json(&mut tool.schema, each);
    }
}

fn visit_json(value: &mut Value, each: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter_mut().for_each(|item| visit_json(item, each)),
        Value::Object(fields) => {
            for (mut key, mut field) in std::mem::take(fields) {
                each(&mut key);
                visit_json(&mut field, each);
                fields.insert(key, field);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
