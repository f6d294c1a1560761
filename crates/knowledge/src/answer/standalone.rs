//! A question that stands alone, without a model: what "it" stood for is put before it, and what asks several things is
//! cut into them.

#[cfg(test)]
mod tests;

use super::evidence::{Source, likeness};
use super::session::Turn;

/// Words that stand for something said before.
const POINTS: [&str; 20] = [
    "it", "its", "they", "them", "their", "he", "him", "his", "she", "her", "this", "that", "these", "those", "there",
    "then", "former", "latter", "same", "one",
];
/// Words that begin a question of their own.
const ASKS: [&str; 8] = ["who", "whom", "when", "where", "why", "how", "what", "which"];
/// Queries of one question at most.
pub(super) const MOST: usize = 5;

/// The question to search by: with the last question before it where it points back.
pub(super) fn alone(question: &str, turns: &[Turn]) -> String {
    let Some(last) = turns.last() else { return question.to_owned() };
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let points = words.iter().any(|word| POINTS.contains(word)) || words.len() < 4;
    if points { format!("{} {question}", last.question) } else { question.to_owned() }
}

/// How much of a question's words, as a share of the most that a passage has, make a passage one about it.
const ABOUT: f32 = 0.5;

/// The passages that speak of what a question speaks of, the others as empty ones, so that each keeps its place.
pub(super) fn about<'a>(question: &str, passages: &[Source<'a>]) -> Vec<Source<'a>> {
    let held =
        passages.iter().map(|passage| likeness(question, &format!("{}\n{}", passage.above.join("\n"), passage.text)).0);
    let held: Vec<f32> = held.collect();
    let least = held.iter().copied().fold(f32::MIN_POSITIVE, f32::max) * ABOUT;
    passages.iter().zip(held).map(|(passage, held)| if held >= least { *passage } else { Source::default() }).collect()
}

/// The questions that a question asks.
pub(super) fn asked(question: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for sentence in question.split_inclusive(['?', '\n']) {
        let mut rest = sentence.trim();
        // ", and when …" begins another question: "and" alone joins names, too.
        while let Some((at, skip)) = seam(rest) {
            found.push(rest[..at].trim().to_owned());
            rest = rest[at + skip..].trim();
        }
        found.push(rest.to_owned());
    }
    found.retain(|one| one.split_whitespace().count() > 1);
    if found.is_empty() {
        return vec![question.to_owned()];
    }
    found.truncate(MOST);
    found
}

/// Where another question begins, and how long what joins them is.
fn seam(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("and ").map(|at| at + from) {
        let after = text[at + 4..].split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
        let before = text[..at].trim_end_matches([' ', ',', ';']);
        if at > 0 && text[..at].ends_with([' ', ',']) && ASKS.contains(&after.as_str()) && before.contains(' ') {
            return Some((before.len(), at + 4 - before.len()));
        }
        from = at + 4;
    }
    None
}
