//! An answer in the documents' own words: the sentences that answer, verbatim, each with the passage that it stands in.

#[cfg(test)]
mod tests;

use outcrop_guard::{EncodeError, Encoder};

use super::Part;
use super::evidence::{Draft, Verdict};

/// What a second sentence may score below the first and still be told with it: it is likely to answer, too.
const NEAR: f32 = 0.35;
/// Sentences of an answer to one question at most.
const MOST: usize = 2;

/// What the passages say to one question.
pub(super) struct Said {
    pub confidence: f64,
    pub answers: bool,
    pub parts: Vec<Part>,
}

/// Weighs the passages against `question`.
pub(super) fn weigh(question: &str, passages: &[&str], encoder: &dyn Encoder) -> Result<Said, EncodeError> {
    let draft = Draft::new(question, passages);
    let vectors = encoder.encode(&draft.texts())?.into_iter().map(|encoded| encoded.vector).collect::<Vec<_>>();
    let verdict = draft.weigh(&vectors);
    Ok(Said { confidence: verdict.confidence, answers: verdict.answers(), parts: parts(&verdict, passages) })
}

/// The best sentences. Those of one passage are one part, in the order in which they stand there.
fn parts(verdict: &Verdict, passages: &[&str]) -> Vec<Part> {
    let Some(best) = verdict.found.first() else { return Vec::new() };
    let mut chosen: Vec<_> = vec![best];
    for found in &verdict.found[1..] {
        let apart = chosen.iter().all(|one| {
            one.passage != found.passage || one.range.end <= found.range.start || found.range.end <= one.range.start
        });
        let text = passages[found.passage][found.range.clone()].trim();
        let new = chosen.iter().all(|one| passages[one.passage][one.range.clone()].trim() != text);
        if chosen.len() < MOST && best.score - found.score <= NEAR && apart && new {
            chosen.push(found);
        }
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut passages_in_order: Vec<usize> = Vec::new();
    for found in &chosen {
        if !passages_in_order.contains(&found.passage) {
            passages_in_order.push(found.passage);
        }
    }
    for passage in passages_in_order {
        let mut own: Vec<_> = chosen.iter().filter(|one| one.passage == passage).collect();
        own.sort_by_key(|one| one.range.start);
        let text: Vec<&str> = own.iter().map(|one| passages[passage][one.range.clone()].trim()).collect();
        parts.push(Part { text: text.join(" "), sources: vec![passage] });
    }
    parts
}
