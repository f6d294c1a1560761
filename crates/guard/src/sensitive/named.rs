//! What is known of names whatever the model makes of the words: what a title announces, what belongs to a name that was
//! found, and what is no person's for all its capitals.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::foreign;
use super::lexicon::{self, FIRST, LAST};
use super::things;
use super::tokens::{Shape, Token};

/// Titles that stand before names alone.
const TITLES: &str = "mr mrs ms dr prof herr herrn frau monsieur madame mme mlle señor señora señorita sr sra srta senhor senhora \
    signor signora sig dott meneer mevrouw dhr mevr";
/// German words before a name.
const GERMAN: &str = "heiße heisse heißt bin name namens genannt hallo liebe lieber hi grüße grüßen gruß herr herrn frau dr prof \
    kollege kollegin kunde kundin patient patientin mitarbeiter mitarbeiterin kontakt ansprechpartner ansprechpartnerin von \
    nachbar nachbarin freund freundin";
/// What else a word is, so that its capital tells of no name.
const OTHER: u16 = lexicon::ORDINARY
    | lexicon::SELDOM
    | lexicon::PRODUCT
    | lexicon::PLACE
    | lexicon::DATE
    | lexicon::ORGANISATION
    | lexicon::STREET
    | lexicon::UNIT
    | lexicon::TITLE;
const POINT: u64 = b'.' as u64;
const HYPHEN: u64 = b'-' as u64;

fn listed(lists: &'static OnceLock<HashSet<u64>>, list: &'static str, token: &Token) -> bool {
    lists.get_or_init(|| list.split_whitespace().map(lexicon::hash).collect()).contains(&token.hash)
}

fn is_title(token: &Token) -> bool {
    static WORDS: OnceLock<HashSet<u64>> = OnceLock::new();
    listed(&WORDS, TITLES, token)
}

fn is_name(token: &Token) -> bool {
    token.classes & (FIRST | LAST) != 0
}

/// Whether a word with a capital goes on right behind the word before it.
fn follows(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.shape == Shape::Title && !token.breaks && !token.glued)
}

/// Whether the word at `at` makes a thing or a firm of the name before it.
fn is_head(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(token) = tokens.get(at).filter(|token| !token.breaks && !token.glued) else { return false };
    token.shape != Shape::Mark
        && (things::is_class(&text[token.range.clone()].to_lowercase())
            || token.shape == Shape::Title && token.classes & (lexicon::ORGANISATION | lexicon::STREET) != 0)
}

/// Amends the model's `labels`: 1 where a name begins, 2 inside.
pub fn label(text: &str, tokens: &[Token], labels: &mut [u8]) {
    for at in 0..tokens.len() {
        if labels[at] == 0 && is_title(&tokens[at]) {
            titled(tokens, at, labels);
        }
        pair(text, tokens, at, labels);
    }
    for at in 0..tokens.len() {
        if !matches!(labels[at], 1 | 2) || labels.get(at + 1) == Some(&2) {
            continue;
        }
        // "Müller-Lüdenscheidt"
        let hyphen = |next: usize| tokens.get(next).is_some_and(|token| token.glued && token.hash == HYPHEN);
        let glued = |next: usize| tokens.get(next).is_some_and(|token| token.glued && token.shape == Shape::Title);
        let mut last = at;
        while tokens[last].shape == Shape::Title && hyphen(last + 1) && glued(last + 2) {
            labels[last + 1] = 2;
            labels[last + 2] = 2;
            last += 2;
        }
        // "Nguyễn Văn An"
        if labels.get(last + 1) == Some(&0) && follows(tokens, last + 1) {
            let next = &tokens[last + 1];
            let short = next.length <= 3 && is_name(&tokens[last]) && tokens[last].shape == Shape::Title;
            let other = if short { OTHER & !(lexicon::ORDINARY | lexicon::SELDOM) } else { OTHER };
            if is_name(next)
                && next.classes & other == 0
                && (short || next.casing < 2)
                && !is_head(text, tokens, last + 2)
            {
                labels[last + 1] = 2;
            }
        }
    }
}

/// "Mrs. Kowalska", "Dr. Strange".
fn titled(tokens: &[Token], at: usize, labels: &mut [u8]) {
    // "12 Sunset Dr", but "Dear Dr"
    let street = |before: &Token| {
        matches!(before.shape, Shape::Title | Shape::Digits)
            && before.classes & (lexicon::ORDINARY | lexicon::SELDOM) == 0
            && !foreign::is_common(before)
    };
    let behind = at > 0 && !tokens[at].breaks && tokens[at].classes & lexicon::STREET != 0 && street(&tokens[at - 1]);
    let point = tokens.get(at + 1).is_some_and(|token| token.glued && token.hash == POINT);
    let name = at + 1 + usize::from(point);
    if behind || !follows(tokens, name) || matches!(labels[name], 3 | 4) {
        return;
    }
    let token = &tokens[name];
    let other = lexicon::TITLE | lexicon::PRODUCT | lexicon::ORGANISATION | lexicon::DATE;
    if token.classes & other != 0 && !is_name(token) || foreign::is_common(token) && !is_name(token) {
        return;
    }
    if labels[name] == 0 {
        labels[name] = 1;
        if labels.get(name + 1) == Some(&1) && follows(tokens, name + 1) {
            labels[name + 1] = 2;
        }
    }
}

/// A given and a family name that are nothing else, in running text.
fn pair(text: &str, tokens: &[Token], at: usize, labels: &mut [u8]) {
    let Some(next) = tokens.get(at + 1) else { return };
    let token = &tokens[at];
    let names = token.classes & FIRST != 0 && next.classes & LAST != 0 && (token.classes | next.classes) & OTHER == 0;
    let free = labels[at] == 0 && labels[at + 1] == 0 && labels.get(at + 2).is_none_or(|label| *label == 0);
    if !names || !free || token.shape != Shape::Title || !follows(tokens, at + 1) || token.casing > 1 {
        return;
    }
    let alone = (token.breaks || at == 0 || tokens[at - 1].shape == Shape::Lower && !token.glued)
        && !follows(tokens, at + 2)
        && !is_head(text, tokens, at + 2)
        && !foreign::is_common(token)
        && !foreign::is_common(next);
    if alone {
        labels[at] = 1;
        labels[at + 1] = 2;
    }
}

/// The parts of the tokens `first` to `last` that are in one sentence each, up to the end of the line.
pub fn sentences(tokens: &[Token], first: usize, last: usize) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut begin = first;
    for at in first..last {
        // The next line is another's.
        if tokens[at + 1].breaks {
            parts.push((begin, at));
            return parts;
        }
        let point = matches!(tokens[at].hash, 0x2e | 0x21 | 0x3f | 0x3b) && tokens[at].shape == Shape::Mark;
        if !point || at == begin || tokens[at + 1].glued {
            continue;
        }
        let before = &tokens[at - 1];
        let short = before.shape == Shape::Initial
            || before.shape == Shape::Title && (before.length <= 3 || before.classes & lexicon::TITLE != 0);
        if !(short && tokens[at].hash == POINT) {
            parts.push((begin, at - 1));
            begin = at + 1;
        }
    }
    parts.push((begin, last));
    parts
}

/// Whether a title stands before the word with a capital at `at`.
pub fn is_titled(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|at| &tokens[at]);
    let point = before(1).is_some_and(|token| token.hash == POINT);
    tokens[at].shape == Shape::Title && before(1 + usize::from(point)).is_some_and(is_title)
}

/// What of the tokens `first` to `last` names a person. None where they name nobody.
pub fn person(text: &str, tokens: &[Token], mut first: usize, mut last: usize) -> Option<(usize, usize)> {
    // The title is none of it.
    if first < last && is_title(&tokens[first]) {
        first += 1;
        if first < last && tokens[first].shape == Shape::Mark {
            first += 1;
        }
    }
    if is_titled(tokens, first) {
        return Some((first, last));
    }
    // Words that name nobody, unless they stand beside a name and may be one.
    let proper = |token: &Token| is_name(token) && !foreign::is_common(token);
    let beside = tokens[first..=last].iter().any(proper);
    let common = |token: &Token| foreign::is_common(token) && !(beside && is_name(token));
    while common(&tokens[first]) || first < last && tokens[first].shape == Shape::Mark {
        first += 1;
        if first > last {
            return None;
        }
    }
    while last > first && common(&tokens[last]) {
        last -= 1;
    }
    let part = &tokens[first..=last];
    // Months are given names, feasts and days are none.
    if part.iter().any(|token| token.classes & lexicon::DATE != 0 && token.classes & FIRST == 0) {
        return None;
    }
    let full = part.len() > 1 && part[0].classes & FIRST != 0;
    let class = |token: &Token| things::is_class(&text[token.range.clone()].to_lowercase());
    let thing = class(&tokens[last]) && !(full && tokens[last].classes & LAST != 0);
    if thing
        || part.len() <= 2 && is_head(text, tokens, last + 1)
        || is_product(text, tokens, first, last)
        || is_path(tokens, first, last)
    {
        return None;
    }
    if foreign::is_german(tokens, first, last) { german(tokens, first, last) } else { Some((first, last)) }
}

/// "Siri or Alexa": a voice, or one of a list of products.
fn is_product(text: &str, tokens: &[Token], first: usize, last: usize) -> bool {
    let written = |at: usize| tokens.get(at).and_then(|token| text.get(token.range.clone())).unwrap_or_default();
    let links = |at: usize| matches!(written(at), "and" | "or" | "&");
    let product = |at: usize| {
        tokens.get(at).is_some_and(|token| token.classes & lexicon::PRODUCT != 0) || things::is_voice(written(at))
    };
    let listed = || first > 1 && links(first - 1) && product(first - 2) || links(last + 1) && product(last + 2);
    first == last && (things::is_voice(written(first)) || listed())
}

/// "Case::Pascal", "Pat::Wild": code.
fn is_path(tokens: &[Token], first: usize, last: usize) -> bool {
    let colons = |at: usize| {
        let colon = |at: usize| tokens.get(at).is_some_and(|token| token.glued && token.hash == u64::from(b':'));
        colon(at) && colon(at + 1)
    };
    colons(last + 1) || first > 1 && tokens[first].glued && colons(first - 2)
}

/// In German every noun has a capital: only what lists of names have, or what a word introduces.
fn german(tokens: &[Token], mut first: usize, mut last: usize) -> Option<(usize, usize)> {
    static WORDS: OnceLock<HashSet<u64>> = OnceLock::new();
    let introduced = (1..=2).any(|back| {
        first.checked_sub(back).is_some_and(|at| {
            !tokens[at + 1..=first].iter().any(|token| token.breaks) && listed(&WORDS, GERMAN, &tokens[at])
        })
    });
    let proper =
        |token: &Token| is_name(token) && !foreign::is_common(token) && (introduced || token.shape != Shape::Lower);
    if introduced && proper(&tokens[first]) {
        return Some((first, last));
    }
    let given = |token: &Token| token.classes & FIRST != 0 && token.classes & OTHER == 0 && proper(token);
    while first < last && !proper(&tokens[first]) {
        first += 1;
    }
    while last > first && !proper(&tokens[last]) {
        last -= 1;
    }
    tokens[first..=last].iter().any(given).then_some((first, last))
}
