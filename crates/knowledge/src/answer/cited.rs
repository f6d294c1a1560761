//! Whether a passage supports what a model wrote, and which does it best.
//!
//! A model's own sources are claims. A part keeps those of them that support it; where none does, it gets the passage
//! that does; where no passage does, it is left out if it states names or numbers, and else left without a source. Small
//! models repeat the question and say that they have no answer: neither is one.

#[cfg(test)]
mod tests;

use outcrop_guard::grounding::sentences;
use outcrop_guard::grounding::support::{FACTS, SUPPORTED, coverage, words};

use super::Part;
use super::evidence::support;
use super::written::Written;

/// The part with the sources that support it; none where it must not be said.
pub(super) fn checked(mut written: Written, question: &str, passages: &[&str]) -> Option<Part> {
    written.text = without(question, &written.text);
    if sentences(&written.text).iter().all(|sentence| evades(sentence, passages)) {
        tracing::debug!("a part of an answer says nothing, and is left out");
        return None;
    }
    let supports: Vec<(f32, f32)> = passages.iter().map(|passage| support(&written.text, passage)).collect();
    // "No." stands in any text that has the word: whose it is only the model can say.
    let bare = words(&written.text).len() < FEW && support(&written.text, "").1 >= FACTS;
    let holds = |place: &usize| {
        supports.get(*place).is_some_and(|(words, facts)| (bare || *words >= SUPPORTED) && *facts >= FACTS)
    };
    let mut sources: Vec<usize> = written.sources.iter().copied().filter(holds).collect();
    if sources.is_empty() && !bare {
        let best = (0..passages.len()).filter(holds).max_by(|a, b| supports[*a].0.total_cmp(&supports[*b].0));
        sources.extend(best);
    }
    if sources.is_empty() {
        // Several passages may hold it together.
        let together: String =
            written.sources.iter().filter_map(|at| passages.get(*at)).copied().collect::<Vec<_>>().join("\n");
        let (words, facts) = support(&written.text, &together);
        if words >= SUPPORTED && facts >= FACTS {
            return Some(Part { text: written.text, sources: written.sources });
        }
        let all = passages.join("\n");
        let (_, facts) = support(&written.text, &all);
        if facts < FACTS {
            tracing::debug!("a part of an answer is in no retrieved text, and left out");
            return None;
        }
    }
    Some(Part { text: written.text, sources })
}

/// A part with fewer words, and without a name or number, says too little to be looked for.
const FEW: usize = 3;

/// What is left of a text where it does not repeat the question.
fn without(question: &str, text: &str) -> String {
    let bare =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (asked, bare_question) = (words(question), bare(question));
    let repeats = |sentence: &str| {
        sentence.ends_with('?') && coverage(&words(sentence), &asked) > REPEATED || bare(sentence) == bare_question
    };
    let mut left = text.to_owned();
    for sentence in sentences(text) {
        if repeats(sentence) {
            left = left.replacen(sentence, "", 1);
        }
    }
    left.trim().to_owned()
}

/// How much of a question's words are those of the one that was asked where it is the same.
const REPEATED: f32 = 0.9;

/// Whether a sentence only says that there is no answer. What a passage says, too, is one: "The form asks for no
/// information".
fn evades(sentence: &str, passages: &[&str]) -> bool {
    const NO: &[&str] = &["not", "no", "cannot", "unable", "unclear", "unknown", "insufficient", "nothing", "sorry"];
    const ANSWER: &[&str] = &[
        "answer",
        "question",
        "information",
        "context",
        "search result",
        "passage",
        "document",
        "provided",
        "mention",
        "specif",
        "know",
        "sure",
        "assist",
        "details",
    ];
    let lower = sentence.to_lowercase();
    let denies = lower.split(|c: char| !c.is_alphanumeric()).any(|word| NO.contains(&word))
        || lower.contains("n't")
        || lower.contains("n’t");
    let supported = |passage: &&str| support(sentence, passage).0 >= SUPPORTED;
    denies && ANSWER.iter().any(|word| lower.contains(word)) && !passages.iter().any(supported)
}
