//! Words as the tagger sees them.

use std::ops::Range;

use super::Pii;
use super::lexicon::{self, Lexicon};

/// What a token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Beyond the text's ends.
    Outside,
    /// "word".
    Lower,
    /// "Word".
    Title,
    /// "WORD".
    Upper,
    /// "W".
    Initial,
    /// "McWord", "iWord".
    Mixed,
    /// "123".
    Digits,
    /// "12b".
    Alnum,
    /// Letters without case.
    Caseless,
    /// A single character that is neither letter nor digit.
    Mark,
    /// What rules have found to be something else.
    Known,
}

/// A word, a number, a mark, or what is known.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its bytes.
    pub range: Range<usize>,
    /// Of its letters, whatever their case; digits count as zero.
    pub hash: u64,
    /// What the lexicon says of it.
    pub classes: u16,
    /// What it looks like.
    pub shape: Shape,
    /// Characters.
    pub length: u8,
    /// The last three bytes, lower case.
    pub suffix: u32,
    /// The first three bytes, lower case.
    pub prefix: u32,
    /// Whether a line ends before it.
    pub breaks: bool,
    /// Whether nothing is between it and the one before.
    pub glued: bool,
    /// Whether a sentence may begin with it.
    pub opens: bool,
    /// How many of the words around it begin with a capital: 0 few, 1 some, 2 most.
    pub casing: u8,
    /// Where in its line it is: 0 first, 1 second, 2 later.
    pub line: u8,
}

impl Token {
    /// What is before the first and after the last.
    pub const OUTSIDE: Self = Self {
        range: 0..0,
        hash: 1,
        classes: 0,
        shape: Shape::Outside,
        length: 0,
        suffix: 0,
        prefix: 0,
        breaks: false,
        glued: false,
        opens: false,
        casing: 0,
        line: 0,
    };

    /// Whether this is the point of "A." in a name.
    pub fn is_point_of_initial(&self, tokens: &[Self], at: usize) -> bool {
        self.glued && self.hash == u64::from(b'.') && at > 0 && tokens[at - 1].shape == Shape::Initial
    }
}

/// The tokens of `text`; each range of `known` is one. `known` is in order and does not overlap.
pub fn tokens(text: &str, known: &[(Range<usize>, Pii)], lexicon: &Lexicon<'_>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 4);
    let mut known = known.iter().peekable();
    let bytes = text.as_bytes();
    let (mut at, mut breaks, mut line, mut end) = (0, true, 0_u8, 0);
    while at < bytes.len() {
        let mut token = Token::OUTSIDE;
        if let Some((range, kind)) = known.next_if(|(range, _)| range.start <= at) {
            if range.end <= at {
                continue;
            }
            token.range = at..range.end;
            token.shape = Shape::Known;
            token.hash = 0x1000 + *kind as u64;
        } else {
            let stop = known.peek().map_or(bytes.len(), |(range, _)| range.start);
            let byte = bytes[at];
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                breaks |= byte == b'\n';
                at += 1;
                continue;
            }
            word(text, at, stop, lexicon, &mut token);
            if token.shape == Shape::Outside {
                at = token.range.end;
                continue;
            }
        }
        line = if breaks { 0 } else { (line + 1).min(2) };
        token.breaks = breaks;
        token.line = line;
        token.glued = !breaks && !tokens.is_empty() && end == token.range.start;
        // Behind the mark of a list's item, too.
        let begins = |last: &Token| {
            matches!(last.hash, 0x2e | 0x21 | 0x3f | 0x3a | 0x22) || (last.shape == Shape::Mark && last.line == 0)
        };
        token.opens = breaks || tokens.last().is_none_or(begins);
        breaks = false;
        end = token.range.end;
        at = end;
        tokens.push(token);
    }
    casing(&mut tokens);
    tokens
}

/// The word, number or mark at `at`, no further than `stop`.
fn word(text: &str, at: usize, stop: usize, lexicon: &Lexicon<'_>, token: &mut Token) {
    let bytes = text.as_bytes();
    let mut end = at;
    let (mut upper, mut lower, mut digits, mut other, mut first_upper) = (0_usize, 0_usize, 0_usize, 0_usize, false);
    while end < stop && bytes[end].is_ascii_alphanumeric() {
        match bytes[end] {
            b'A'..=b'Z' => upper += 1,
            b'a'..=b'z' => lower += 1,
            _ => digits += 1,
        }
        end += 1;
    }
    first_upper |= end > at && bytes[at].is_ascii_uppercase();
    if end < stop && !bytes[end].is_ascii() {
        for (offset, letter) in text[end..stop].char_indices() {
            if letter.is_uppercase() {
                first_upper |= end + offset == at;
                upper += 1;
            } else if letter.is_lowercase() {
                lower += 1;
            } else if letter.is_numeric() {
                digits += 1;
            } else if letter.is_alphabetic() || (offset + end > at && is_joined(letter)) {
                other += 1;
            } else {
                end += offset;
                break;
            }
            if end + offset + letter.len_utf8() == stop {
                end = stop;
                break;
            }
        }
    }
    token.range = at..end;
    if end == at {
        let Some(mark) = text[at..].chars().next() else { return };
        token.range.end = at + mark.len_utf8();
        if !mark.is_whitespace() {
            token.shape = Shape::Mark;
            token.length = 1;
            token.hash = u64::from(mark as u32);
        }
        return;
    }
    let written = &text[at..end];
    let length = upper + lower + digits + other;
    token.length = length.min(255) as u8;
    token.shape = match (upper, lower, digits, other) {
        (0, 0, _, 0) => Shape::Digits,
        (_, _, 1.., _) => Shape::Alnum,
        (0, 0, 0, _) => Shape::Caseless,
        (0, ..) => Shape::Lower,
        (1, 0, 0, 0) => Shape::Initial,
        (_, 0, ..) => Shape::Upper,
        (1, ..) if first_upper => Shape::Title,
        _ => Shape::Mixed,
    };
    if token.shape == Shape::Digits {
        token.hash = 0x2000 + u64::from(token.length.min(9));
        return;
    }
    token.hash = lexicon::hash(written);
    token.classes = lexicon.classes(written, token.hash);
    let ends = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(byte.to_ascii_lowercase()));
    let written = written.as_bytes();
    token.prefix = ends(&written[..written.len().min(3)]);
    token.suffix = ends(&written[written.len().saturating_sub(3)..]);
}

/// Whether a character belongs to the word before it without being a letter.
fn is_joined(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Sets how many of the nine words around each begin with a capital.
fn casing(tokens: &mut [Token]) {
    const REACH: usize = 4;
    let weight = |token: &Token| match token.shape {
        Shape::Title | Shape::Upper | Shape::Mixed | Shape::Initial => (1_u32, 1_u32),
        Shape::Lower => (0, 1),
        _ => (0, 0),
    };
    let (mut capital, mut words) = (0, 0);
    for at in 0..tokens.len() + REACH {
        if let Some(token) = tokens.get(at) {
            let (is_capital, is_word) = weight(token);
            capital += is_capital;
            words += is_word;
        }
        if at > 2 * REACH {
            let (is_capital, is_word) = weight(&tokens[at - 2 * REACH - 1]);
            capital -= is_capital;
            words -= is_word;
        }
        if at >= REACH {
            tokens[at - REACH].casing = if capital * 4 <= words {
                0
            } else if capital * 4 <= words * 3 {
                1
            } else {
                2
            };
        }
    }
}
