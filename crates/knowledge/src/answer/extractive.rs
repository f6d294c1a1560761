//! An answer in the documents' own words: the sentences that answer, verbatim, each with the passage that it stands in.

#[cfg(test)]
mod tests;

use outcrop_guard::grounding::support::words;
use outcrop_guard::{EncodeError, Encoder};

use super::Part;
use super::evidence::{Draft, NEAR, Source, Verdict};

/// What the passages say to one question.
pub(super) struct Said {
    pub confidence: f64,
    pub answers: bool,
    pub parts: Vec<Part>,
}

/// Weighs the passages against `question`.
pub(super) fn weigh(question: &str, passages: &[Source<'_>], encoder: &dyn Encoder) -> Result<Said, EncodeError> {
    // What asks nothing is answered by nothing: "...".
    if words(question).is_empty() {
        return Ok(Said { confidence: 0.0, answers: false, parts: Vec::new() });
    }
    let draft = Draft::new(question, passages);
    let vectors = encoder.encode(&draft.texts())?.into_iter().map(|encoded| encoded.vector).collect::<Vec<_>>();
    let verdict = draft.weigh(&vectors);
    Ok(Said { confidence: verdict.confidence, answers: verdict.answers(), parts: parts(&verdict, passages) })
}

/// The best sentences. Those of one passage are one part, in the order in which they stand there.
fn parts(verdict: &Verdict, passages: &[Source<'_>]) -> Vec<Part> {
    let chosen = verdict.chosen(passages, NEAR);
    let mut order: Vec<usize> = Vec::new();
    for found in &chosen {
        if !order.contains(&found.passage) {
            order.push(found.passage);
        }
    }
    let part = |passage: usize| {
        let mut own: Vec<_> = chosen.iter().filter(|one| one.passage == passage).collect();
        own.sort_by_key(|one| one.range.start);
        let text: Vec<&str> = own.iter().map(|one| passages[passage].text[one.range.clone()].trim()).collect();
        Part { text: text.join(" "), sources: vec![passage] }
    };
    order.into_iter().map(part).collect()
}
