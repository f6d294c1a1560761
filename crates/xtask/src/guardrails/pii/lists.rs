//! What is known of single words: the tagger's lexicon, and the managed list of profanity.

use std::collections::HashMap;
use std::path::Path;

use outcrop_guard::sensitive::lexicon::{self, FIRST, LAST, ORDINARY, SELDOM};

use super::data;

/// Names of people in Latin letters: of the US census of 1990 (through the Python package `names`, MIT) and of `faker`
/// (MIT), each with F, L or both.
const NAMES: &str = include_str!("names.txt");

/// Every word with its classes: names, closed lists, and how words are mostly written in the training texts.
pub(crate) fn lexicon(data: &Path) -> Result<Vec<(String, u16)>, String> {
    let mut words: HashMap<String, u16> = HashMap::new();
    for line in NAMES.lines() {
        let Some((name, kinds)) = line.split_once(' ') else { continue };
        let first = if kinds.contains('F') { FIRST } else { 0 };
        let last = if kinds.contains('L') { LAST } else { 0 };
        *words.entry(name.to_owned()).or_default() |= first | last;
    }
    for (word, class) in lexicon::closed() {
        *words.entry(word).or_default() |= class;
    }
    for (word, (small, large)) in cases(data)? {
        // As often with a capital as without, inside of sentences: it tells nothing.
        if small >= 2 && small > large * 2 {
            *words.entry(word).or_default() |= if small >= 12 { ORDINARY } else { SELDOM };
        }
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort();
    Ok(words)
}

/// How often each word stands in small letters, and how often with a capital where no sentence begins.
fn cases(data: &Path) -> Result<HashMap<String, (u32, u32)>, String> {
    let mut cases: HashMap<String, (u32, u32)> = HashMap::new();
    for value in data::lines(&data.join("content.jsonl.gz"))? {
        if value["split"] != "train" {
            continue;
        }
        let mut opens = true;
        for word in value["text"].as_str().unwrap_or_default().split_whitespace() {
            let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            let plain = bare.chars().count() >= 2 && bare.chars().all(char::is_alphabetic);
            if plain && bare.chars().all(char::is_lowercase) {
                cases.entry(bare.to_owned()).or_default().0 += 1;
            } else if plain && !opens && bare.chars().skip(1).all(char::is_lowercase) {
                cases.entry(bare.to_lowercase()).or_default().1 += 1;
            }
            opens = word.ends_with(['.', '!', '?', ':', '"']);
        }
    }
    Ok(cases)
}

/// The managed list. Placeholder until the words are chosen.
pub(crate) fn profanity(_data: &Path, _words: &[(String, u16)]) -> Result<String, String> {
    Ok(String::new())
}
