//! What a parser finds in a file.

use serde::{Deserialize, Serialize};

use crate::charset::clean;

/// A file's text, in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it calls itself.
    pub title: Option<String>,
    /// Its pieces. Text is whole: a table row stays in one block, `cell | cell`.
    pub blocks: Vec<Block>,
    /// How many pages, slides or sheets it has, where it has such.
    pub pages: Option<u32>,
    /// What its format says of it: mail headers, authors.
    pub attributes: Vec<(String, String)>,
    /// What could not be read, for people: "page 2 has no text layer".
    pub warnings: Vec<String>,
}

impl Document {
    /// Its whole text: what the offsets of chunks count in. Rows and items of one list stand on lines of their own,
    /// everything else is divided by an empty line.
    pub fn text(&self) -> String {
        self.layout().0
    }

    /// Its text and where each block begins in it, in bytes.
    pub(crate) fn layout(&self) -> (String, Vec<usize>) {
        let mut text = String::with_capacity(self.blocks.iter().map(|block| block.text.len() + 2).sum());
        let mut starts = Vec::with_capacity(self.blocks.len());
        let mut before: Option<&Block> = None;
        for block in &self.blocks {
            if let Some(before) = before {
                let lines = matches!(block.role, Role::Row | Role::Item)
                    && before.role == block.role
                    && before.page == block.page;
                text.push_str(if lines { "\n" } else { "\n\n" });
            }
            starts.push(text.len());
            text.push_str(&block.text);
            before = Some(block);
        }
        (text, starts)
    }

    /// The failure that a document without text is, where something in it should have been text: a scanned page. An
    /// empty file has nothing to say and fails at nothing.
    pub fn no_text(&self) -> Option<Failure> {
        let silent = self.blocks.is_empty() && !self.warnings.is_empty();
        silent.then(|| Failure::NoText(format!(": {}", self.warnings.join("; "))))
    }

    /// Without the control characters that a parser made of entities, escapes and fonts.
    pub(crate) fn cleaned(mut self) -> Self {
        let blocks = self.blocks.iter_mut().map(|block| &mut block.text);
        let attributes = self.attributes.iter_mut().map(|(_, value)| value);
        for text in blocks.chain(attributes).chain(&mut self.title).chain(&mut self.warnings) {
            if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\t')) {
                *text = clean(text);
            }
        }
        self.blocks.retain(|block| !block.text.trim().is_empty());
        self
    }

    /// Named by its first heading, where it does not call itself anything.
    pub(crate) fn titled(mut self) -> Self {
        if self.title.is_none() {
            let heading = self.blocks.iter().find(|block| matches!(block.role, Role::Heading(_)));
            self.title = heading.map(|block| block.text.clone());
        }
        self
    }

    /// Adds a block, unless nothing is in it.
    pub(crate) fn push(&mut self, role: Role, text: impl AsRef<str>, page: Option<u32>) {
        let text = match role {
            Role::Verbatim => text.as_ref().trim_matches('\n').trim_end(),
            _ => text.as_ref().trim(),
        };
        if !text.is_empty() {
            self.blocks.push(Block { role, text: text.to_owned(), page });
        }
    }

    /// Notes what the format says of the file, unless it says nothing.
    pub(crate) fn attribute(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.trim().is_empty() {
            self.attributes.push((key.to_owned(), value));
        }
    }

    /// What the format says under this key.
    pub fn says(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub role: Role,
    /// Its text, without line breaks that only fit a page.
    pub text: String,
    /// Its page, slide or sheet, from 1.
    pub page: Option<u32>,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A heading of a level from 1.
    Heading(u8),
    /// Running text.
    Paragraph,
    /// An item of a list.
    Item,
    /// A row of a table, its cells divided by ` | `.
    Row,
    /// Text whose line breaks count: code.
    Verbatim,
    /// A speaker's note, a comment, a caption.
    Note,
}

/// Why a file has no document. The text is what a person reads in an ingestion job's failure reasons.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Failure {
    /// No parser reads it.
    #[error("the file format is not supported")]
    Unsupported,
    /// It needs a password.
    #[error("the file is protected by a password")]
    Protected,
    /// It is damaged or not what it claims to be.
    #[error("the file could not be read: {0}")]
    Damaged(String),
    /// Nothing in it is text.
    #[error("no text content found{0}")]
    NoText(String),
    /// It took more time, memory or text than a file may.
    #[error("the file exceeds a limit: {0}")]
    Limit(String),
}
