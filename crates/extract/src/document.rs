//! What a parser finds in a file.

use serde::{Deserialize, Serialize};

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
