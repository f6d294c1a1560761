//! BERT's uncased WordPiece tokenizer, exactly as the `tokenizers` library runs it for this model: clean, set
//! Chinese characters apart, decompose and drop accents, lower-case, split at space and punctuation, then take the
//! longest known piece again and again.

use std::collections::HashMap;
use std::path::Path;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::EmbedError;

/// Longer words are unknown as a whole.
const MAX_WORD_CHARS: usize = 100;
/// The marks that text may spell out; they are found before anything else happens to the text.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

pub(super) struct Tokenizer {
    /// Pieces that begin a word.
    first: HashMap<Box<str>, u32>,
    /// Pieces that continue one, without their `##`.
    rest: HashMap<Box<str>, u32>,
    /// The longest piece in bytes: nothing longer is worth looking up.
    longest: usize,
    special: [u32; 5],
    size: usize,
}

/// A text as the model reads it.
pub(super) struct Encoded {
    /// With begin and end marks, cut to the limit.
    pub ids: Vec<u32>,
    /// The tokens of the whole text, marks aside.
    pub tokens: u32,
}

impl Tokenizer {
    /// Reads `vocab.txt`: one piece a line, its id the line's number.
    pub fn load(path: &Path) -> Result<Self, EmbedError> {
        let text = std::fs::read_to_string(path).map_err(|e| EmbedError::model(path, e))?;
        let (mut first, mut rest, mut longest, mut size) = (HashMap::new(), HashMap::new(), 0, 0);
        for (id, piece) in (0u32..).zip(text.lines()) {
            match piece.strip_prefix("##") {
                Some(piece) => rest.insert(piece.into(), id),
                None => first.insert(piece.into(), id),
            };
            longest = longest.max(piece.len());
            size += 1;
        }
        let mut special = [0; 5];
        for (name, id) in SPECIAL.into_iter().zip(&mut special) {
            *id = *first.get(name).ok_or_else(|| EmbedError::model(path, format!("{name} is missing")))?;
        }
        Ok(Self { first, rest, longest, special, size })
    }

    /// The number of pieces.
    pub const fn vocabulary(&self) -> usize {
        self.size
    }

    /// The ids of `text`, at most `limit` of them with both marks (so at least two).
    pub fn encode(&self, text: &str, limit: usize) -> Encoded {
        let [_, _, begin, end, _] = self.special;
        let mut out = Output { ids: vec![begin], room: limit.saturating_sub(2), tokens: 0 };
        let mut rest = text;
        while let Some((before, id, after)) = self.next_special(rest) {
            self.plain(before, &mut out);
            out.push(id);
            rest = after;
        }
        self.plain(rest, &mut out);
        out.ids.push(end);
        Encoded { ids: out.ids, tokens: out.tokens }
    }

    fn next_special<'a>(&self, text: &'a str) -> Option<(&'a str, u32, &'a str)> {
        for (at, _) in text.match_indices('[') {
            let (before, found) = text.split_at(at);
            for (name, id) in SPECIAL.into_iter().zip(self.special) {
                if let Some(after) = found.strip_prefix(name) {
                    return Some((before, id, after));
                }
            }
        }
        None
    }

    fn plain(&self, text: &str, out: &mut Output) {
        // Splitting sees the characters after all changes, as the library does.
        let mut word = String::new();
        let cleaned = text.chars().filter(|&c| !is_dropped(c)).flat_map(spaced);
        for c in cleaned.nfd().filter(|&c| c.general_category() != GeneralCategory::NonspacingMark) {
            for c in c.to_lowercase() {
                if c.is_whitespace() {
                    self.word(&word, out);
                    word.clear();
                } else if is_punctuation(c) {
                    self.word(&word, out);
                    word.clear();
                    word.push(c);
                    self.word(&word, out);
                    word.clear();
                } else {
                    word.push(c);
                }
            }
        }
        self.word(&word, out);
    }

    fn word(&self, word: &str, out: &mut Output) {
        if word.is_empty() {
            return;
        }
        let unknown = self.special[1];
        if word.len() > MAX_WORD_CHARS && word.chars().count() > MAX_WORD_CHARS {
            return out.push(unknown);
        }
        let mut pieces = Vec::new();
        let mut left = word;
        while !left.is_empty() {
            let table = if pieces.is_empty() { &self.first } else { &self.rest };
            let mut end = left.floor_char_boundary(self.longest);
            let found = loop {
                let Some(piece) = left.get(..end).filter(|piece| !piece.is_empty()) else { break None };
                if let Some(&id) = table.get(piece) {
                    break Some((id, end));
                }
                end = left.floor_char_boundary(end - 1);
            };
            // One unknown stretch makes the whole word unknown.
            let Some((id, end)) = found else { return out.push(unknown) };
            pieces.push(id);
            left = left.get(end..).unwrap_or_default();
        }
        pieces.into_iter().for_each(|id| out.push(id));
    }
}

struct Output {
    ids: Vec<u32>,
    room: usize,
    tokens: u32,
}

impl Output {
    fn push(&mut self, id: u32) {
        if self.room > 0 {
            self.room -= 1;
            self.ids.push(id);
        }
        self.tokens = self.tokens.saturating_add(1);
    }
}

fn is_dropped(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffd}' => true,
        _ => {
            use GeneralCategory::{Control, Format, PrivateUse};
            matches!(c.general_category(), Control | Format | PrivateUse)
        }
    }
}

/// Chinese characters are words of their own; all white space is one kind.
fn spaced(c: char) -> impl Iterator<Item = char> {
    let around = is_chinese(c).then_some(' ');
    let c = if c.is_whitespace() { ' ' } else { c };
    around.into_iter().chain([c]).chain(around)
}

/// The ranges that BERT's authors chose: CJK ideographs, without Hangul and kana.
const fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{20000}'..='\u{2A6DF}' | '\u{2A700}'..='\u{2B73F}'
        | '\u{2B740}'..='\u{2B81F}' | '\u{2B920}'..='\u{2CEAF}' | '\u{F900}'..='\u{FAFF}' | '\u{2F800}'..='\u{2FA1F}')
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

#[cfg(test)]
mod tests;
