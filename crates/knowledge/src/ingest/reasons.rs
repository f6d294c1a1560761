//! Why documents were left out, as ingestion jobs tell it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use outcrop_extract::Failure;

/// The most characters of a reason (the service model's).
const MOST: usize = 2048;
/// The most reasons of a job (the service model's).
const MOST_REASONS: usize = 2048;

/// What is kept as a document's own reason.
pub(crate) fn reason(failure: &Failure) -> String {
    match failure {
        Failure::Unsupported => UNSUPPORTED.to_owned(),
        Failure::NoText(_) => NO_TEXT.to_owned(),
        other => sentence(&other.to_string()),
    }
}

/// A reason that is the store's: what it said.
pub(crate) fn store(said: &str) -> String {
    format!("The vector database encountered an error while processing the request: {}", sentence(said))
}

/// Recorded words, which clients look for.
const UNSUPPORTED: &str = "their file format was not supported";
const NO_TEXT: &str = "no text content found";

/// A job's reasons, from its documents and theirs: each a JSON array inside a string.
pub(crate) fn told(failed: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut all = Vec::new();
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
    let text = match reason {
        UNSUPPORTED | NO_TEXT => format!(
            "Encountered error: Ignored {count} files as {reason}. [Files: {files}]. Call to Customer Source did not succeed."
        ),
        other => format!(
            "Encountered error: {other} Issue occurred while processing file: {files}. Call to Customer Source did not \
             succeed."
        ),
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
