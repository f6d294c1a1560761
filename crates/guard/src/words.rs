//! Words and phrases: a guardrail's own, and the managed list of profanity.

use std::ops::Range;

/// Where a word is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The guardrail's own, by its place.
    Custom(usize),
    /// The managed list.
    Profanity,
}

/// A word in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its bytes.
    pub range: Range<usize>,
    /// Where it is from.
    pub list: List,
}

/// The words of a guardrail, ready to be found.
#[derive(Debug, Default)]
pub struct Words {}

impl Words {
    /// The words of `custom`, and those of the managed list where `profanity` is true.
    pub fn new(custom: &[&str], profanity: bool) -> Self {
        let _ = (custom, profanity);
        Self {}
    }

    /// The words in `text`, in order, none inside another.
    pub fn find(&self, text: &str) -> Vec<Hit> {
        let _ = text;
        Vec::new()
    }
}
