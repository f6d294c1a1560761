//! What is wrong with a document.

/// The longest place or text that is told.
const LONGEST: usize = 400;

/// Why a document is no policy: IAM's text where it has one, then where and what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}{}", place(.path))]
pub struct PolicyError {
    /// Where: `Statement[1].Condition.StringEquals`; empty for the whole.
    pub path: String,
    /// What, as IAM words it.
    pub text: String,
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" (at {path})") }
}

impl PolicyError {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: short(path.into()), text: short(text.into()) }
    }

    /// IAM's one text for whatever its grammar does not admit, then ours.
    pub(super) fn syntax(path: impl Into<String>, what: impl std::fmt::Display) -> Self {
        Self::new(path, format!("Syntax errors in policy. {what}"))
    }
}

/// What a document says in the wrong place may be as long as the document.
fn short(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
