//! Why documents were left out, as ingestion jobs tell it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use outcrop_extract::Failure;

use super::document::Status;
use super::sources::FetchError;

/// The most characters of a reason (the service model's).
const MOST: usize = 2048;
/// The most reasons of a job (the service model's).
const MOST_REASONS: usize = 2048;

/// Where a document stands that was left out, and its own reason, which says what to do about it.
pub(crate) fn left(failure: &Failure) -> (Status, String) {
    match failure {
        Failure::Unsupported => (
            Status::Ignored,
            format!("{UNSUPPORTED}. Convert it to PDF, DOCX, XLSX, PPTX, HTML, Markdown, CSV, EML or plain text."),
        ),
        Failure::NoText(why) if why.is_empty() => {
            (Status::Ignored, format!("{NO_TEXT}. The file is empty: fill it, or remove it."))
        }
        Failure::NoText(why) => (
            Status::Ignored,
            format!(
                "{NO_TEXT}{why}. Make text of its pictures first (OCR), or have a model read it (parsingStrategy)."
            ),
        ),
        Failure::Protected => {
            (Status::Failed, "The file is protected by a password. Put it there without one.".to_owned())
        }
        other => (Status::Failed, sentence(&other.to_string())),
    }
}

/// The same of a file that could not be fetched.
pub(crate) fn unfetched(error: &FetchError) -> (Status, String) {
    match error {
        FetchError::Large(why) => (Status::Ignored, format!("{LARGE}{why}. Split it.")),
        FetchError::Gone | FetchError::Bad(_) | FetchError::Later(_) => left(&Failure::Damaged(error.to_string())),
    }
}

/// A reason that is the store's: what it said.
pub(crate) fn store(said: &str) -> String {
    format!("The vector database encountered an error while processing the request: {}", sentence(said))
}

/// What documents' own reasons begin with, where jobs tell of them in words that are recorded, and which clients look
/// for; of large files none are, and ours are made like them.
const UNSUPPORTED: &str = "The file format is not supported";
const NO_TEXT: &str = "No text content found";
const LARGE: &str = "The file is too large";
const RECORDED: [(&str, &str); 3] = [
    (UNSUPPORTED, "their file format was not supported"),
    (NO_TEXT, "no text content found"),
    (LARGE, "their size exceeds the maximum file size"),
];

/// What a job tells of a document with this reason: all that are ignored for one cause are told together.
pub(crate) fn cause(reason: &str) -> &str {
    RECORDED.iter().find(|(own, _)| reason.starts_with(own)).map_or(reason, |(_, recorded)| recorded)
}

/// A job's reasons, its own first, then from its documents and theirs: each a JSON array inside a string.
pub(crate) fn told(own: &[String], failed: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut all: Vec<String> = own.iter().take(MOST_REASONS).map(|reason| whole(reason)).collect();
    for (reason, documents) in failed {
        let mut rest = documents.as_slice();
        while !rest.is_empty() && all.len() < MOST_REASONS {
            let taken = fitting(reason, rest);
            all.push(one(reason, &rest[..taken]));
            rest = &rest[taken..];
        }
    }
    all
}

/// A reason that is nobody's document's.
pub(crate) fn whole(reason: &str) -> String {
    array(&cut(reason, MOST / 2))
}

fn one(reason: &str, documents: &[String]) -> String {
    let files = documents.join(", ");
    let count = documents.len();
    let text = if RECORDED.iter().any(|(_, recorded)| *recorded == reason) {
        format!(
            "Encountered error: Ignored {count} files as {reason}. [Files: {files}]. Call to Customer Source did not succeed."
        )
    } else {
        format!(
            "Encountered error: {reason} Issue occurred while processing file: {files}. Call to Customer Source did not \
             succeed."
        )
    };
    array(&cut(&text, MOST - 8))
}

/// How many of the documents fit into one reason, at least one.
fn fitting(reason: &str, documents: &[String]) -> usize {
    // Whatever is not these sentences and the files is less.
    let mut room = MOST.saturating_sub(reason.len() + 160);
    let mut count = 0;
    for document in documents {
        let Some(left) = room.checked_sub(document.len() + 2) else { break };
        (room, count) = (left, count + 1);
    }
    count.max(1)
}

fn array(text: &str) -> String {
    serde_json::to_string(&[text]).unwrap_or_default()
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Ends as a sentence does.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
