//! The words of a text as an answer is compared by them, beyond what single words are.

use std::borrow::Cow;
use std::ops::Range;

use outcrop_guard::grounding::support::{self, Word};

/// Bytes of a quoted question, at most.
const QUOTED: usize = 300;

/// What opens and closes a quotation.
const QUOTES: &[(char, char)] = &[('"', '"'), ('“', '”'), ('„', '“'), ('«', '»'), ('‘', '’')];

/// Verbs that are one word with what stands behind them where the thing or the deed is named: "back up", "backup".
#[rustfmt::skip]
const PHRASES: &[(&str, &str)] = &[
    ("back", "up"), ("clean", "up"), ("log", "in"), ("log", "out"), ("look", "up"), ("roll", "back"), ("set", "up"),
    ("shut", "down"), ("sign", "in"), ("sign", "up"), ("start", "up"), ("time", "out"),
];

/// Words that names of things do not have, and names that are sentences do: those of tests.
const LITTLE: &[&str] = &["a", "an", "the", "is", "are", "was", "were", "does", "it", "its", "that", "which"];

/// The words of `text`. A verb and its particle are one word, too ("back up": "backup"); the name of a test is one word,
/// whatever it is made of.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut found = support::words(&named(text));
    for (verb, phrase) in phrases(text) {
        let Some(one) = support::words(&phrase).pop().filter(|one| found.iter().all(|word| word.stem != one.stem))
        else {
            continue;
        };
        let verb = support::words(verb).pop();
        let at = found.iter().position(|word| verb.as_ref().is_some_and(|verb| verb.stem == word.stem));
        found.insert(at.map_or(found.len(), |at| at + 1), one);
    }
    found
}

/// The words that `text` says itself: without questions that it quotes inside its sentences.
pub(super) fn said(text: &str) -> Vec<Word> {
    let mut own = String::new();
    let mut from = 0;
    for question in quoted(text) {
        own.push_str(&text[from..question.start]);
        from = question.end;
    }
    if from == 0 {
        return words(text);
    }
    own.push_str(&text[from..]);
    words(&own)
}

/// Which share of `text` is no quoted question.
pub(super) fn share(text: &str) -> f32 {
    let others: usize = quoted(text).iter().map(|range| range.end - range.start).sum();
    1.0 - others as f32 / text.len().max(1) as f32
}

/// The questions that sentences of `text` quote. One that stands alone is no quotation but the heading of what answers it.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    let opening = |from: usize| {
        text[from..].char_indices().find_map(|(at, c)| {
            QUOTES.iter().find(|(open, _)| *open == c).map(|(_, close)| (from + at, from + at + c.len_utf8(), *close))
        })
    };
    while let Some((open, start, close)) = opening(from) {
        let paragraph = text[start..text.floor_char_boundary(start + QUOTED)].split("\n\n").next().unwrap_or_default();
        let Some(length) = paragraph.find(close) else {
            from = start;
            continue;
        };
        let end = start + length;
        from = end + close.len_utf8();
        let question = text[start..end].trim_end();
        let before = text[..open].rsplit('\n').next().unwrap_or_default();
        let after = text[from..].trim_start_matches(' ');
        let within = before.contains(char::is_alphanumeric)
            || after.starts_with(|c: char| c.is_lowercase() || matches!(c, ',' | ';' | ':' | '.' | ')' | '|'));
        if question.ends_with('?') && question.contains(' ') && within {
            found.push(start..end);
        }
    }
    found
}

/// `text` with each name that is a sentence as one word: "test_a_gate_opens".
fn named(text: &str) -> Cow<'_, str> {
    let within = |c: char| c.is_alphanumeric() || c == '_';
    let sentence = |name: &str| name.split('_').count() > 2 && name.split('_').any(|part| LITTLE.contains(&part));
    if !text.contains('_') {
        return Cow::Borrowed(text);
    }
    let mut own = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !within(c)) {
        if sentence(part.trim_end_matches(|c: char| !within(c))) {
            own.extend(part.chars().filter(|c| *c != '_'));
        } else {
            own.push_str(part);
        }
    }
    Cow::Owned(own)
}

/// The verbs of `text` that their particle follows, and what both are as one word.
fn phrases(text: &str) -> Vec<(&str, String)> {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == '-').filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2).filter_map(|pair| {
        let particle = pair[1].trim_end_matches(|c: char| !c.is_alphanumeric());
        let verb = pair[0].trim_start_matches(|c: char| !c.is_alphanumeric());
        let known = PHRASES.iter().find(|(one, with)| particle.eq_ignore_ascii_case(with) && is_form(verb, one));
        known.map(|(one, with)| (verb, format!("{one}{with}")))
    });
    pairs.collect()
}

/// Whether a word is a verb's, whatever its ending: "backs", "logged", "setting".
fn is_form(word: &str, verb: &str) -> bool {
    let lower = word.to_lowercase();
    lower.strip_prefix(verb).is_some_and(|ending| {
        let doubled = verb.chars().next_back().and_then(|last| ending.strip_prefix(last));
        ["", "s", "ed", "ing"].contains(&ending) || doubled.is_some_and(|ending| ["ed", "ing"].contains(&ending))
    })
}
