//! Names and addresses in running text: a linear-chain model over words, trained from labelled sentences
//! (`cargo xtask train-guardrails --only pii`).

use std::ops::Range;
use std::sync::OnceLock;

use super::Pii;
use super::lexicon::{self, Lexicon};
use super::tokens::{Shape, Token, tokens};
use super::{named, postal};
use crate::error::Refused;

/// What a token may be: outside, or the beginning or inside of a name or an address.
pub const LABELS: usize = 5;
/// How many weights there are a label, as a power of two.
pub const BITS: u32 = 17;
/// How many entries the lexicon has, as a power of two.
pub const LEXICON_BITS: u32 = 17;
/// What the file begins with.
pub const MAGIC: &[u8; 8] = b"outpii01";

const LEXICON_BYTES: usize = 4 << LEXICON_BITS;
const WEIGHT_BYTES: usize = LABELS << BITS;
/// From each label and from the beginning to each label, as i16.
const TRANSITION_BYTES: usize = (LABELS + 1) * LABELS * 2;
const LENGTH: usize = MAGIC.len() + LEXICON_BYTES + WEIGHT_BYTES + TRANSITION_BYTES + 8;
const NEVER: i32 = -1_000_000;

/// The trained model.
#[derive(Debug)]
pub struct Tagger<'a> {
    lexicon: Lexicon<'a>,
    weights: &'a [[i8; LABELS]],
    transitions: [[i32; LABELS]; LABELS + 1],
}

/// The checksum at a weight file's end.
pub fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    sum
}

/// Whether label `to` may follow `from`: nothing is inside what has not begun.
pub fn allowed(from: Option<usize>, to: usize) -> bool {
    match to {
        2 => matches!(from, Some(1 | 2)),
        4 => matches!(from, Some(3 | 4)),
        _ => true,
    }
}

impl Tagger<'static> {
    /// The model that is part of this crate, read once.
    pub fn built_in() -> Result<&'static Self, Refused> {
        static BUILT_IN: OnceLock<Result<Tagger<'static>, Refused>> = OnceLock::new();
        let read = || Tagger::read(include_bytes!("../../weights/pii.bin"));
        BUILT_IN.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}

impl<'a> Tagger<'a> {
    /// The model in a weight file.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let damaged = || Refused::Weights("pii.bin is damaged; reinstall, or build it again".to_owned());
        if bytes.len() != LENGTH || !bytes.starts_with(MAGIC) {
            return Err(damaged());
        }
        let (content, sum) = bytes.split_at(LENGTH - 8);
        if checksum(content).to_le_bytes() != sum {
            return Err(damaged());
        }
        let (words, rest) = content[MAGIC.len()..].split_at(LEXICON_BYTES);
        let (weights, numbers) = rest.split_at(WEIGHT_BYTES);
        let mut transitions = [[NEVER; LABELS]; LABELS + 1];
        for (at, pair) in numbers.as_chunks::<2>().0.iter().enumerate() {
            let (from, to) = (at / LABELS, at % LABELS);
            if allowed((from < LABELS).then_some(from), to) {
                transitions[from][to] = i32::from(i16::from_le_bytes(*pair));
            }
        }
        let lexicon = Lexicon::new(words).ok_or_else(damaged)?;
        Ok(Self { lexicon, weights: signed(weights), transitions })
    }

    /// The words' classes.
    pub fn lexicon(&self) -> &Lexicon<'a> {
        &self.lexicon
    }

    /// The names and addresses in `text`, in order. What is `known` to be something else is one word to it.
    pub fn find(&self, text: &str, known: &[(Range<usize>, Pii)]) -> Vec<(Range<usize>, Pii)> {
        let tokens = tokens(text, known, &self.lexicon);
        let mut labels = self.label(&tokens);
        named::label(text, &tokens, &mut labels);
        postal::label(text, &tokens, &mut labels);
        spans(text, &tokens, &labels)
    }

    /// The most likely labels.
    fn label(&self, tokens: &[Token]) -> Vec<u8> {
        let mut from: Vec<[u8; LABELS]> = Vec::with_capacity(tokens.len());
        let mut scores = [0_i32; LABELS];
        for at in 0..tokens.len() {
            let mut emitted = [0_i32; LABELS];
            features(tokens, at, |feature| {
                let row = self.weights[feature as usize & ((1 << BITS) - 1)];
                for (sum, weight) in emitted.iter_mut().zip(row) {
                    *sum += i32::from(weight);
                }
            });
            let mut next = [0_i32; LABELS];
            let mut back = [0_u8; LABELS];
            for to in 0..LABELS {
                let (best, score) = if at == 0 {
                    (0, self.transitions[LABELS][to])
                } else {
                    let through = |label: usize| scores[label] + self.transitions[label][to];
                    let best = (0..LABELS).max_by_key(|label| (through(*label), LABELS - label)).unwrap_or(0);
                    (best, through(best))
                };
                next[to] = score + emitted[to];
                back[to] = best as u8;
            }
            // Only differences matter: sums over ten million words stay small.
            let top = next.iter().copied().max().unwrap_or(0);
            scores = next.map(|score| (score - top).max(NEVER));
            from.push(back);
        }
        let mut label = (0..LABELS).max_by_key(|label| (scores[*label], LABELS - label)).unwrap_or(0);
        let mut labels = vec![0; tokens.len()];
        for at in (0..tokens.len()).rev() {
            labels[at] = label as u8;
            label = usize::from(from[at][label]);
        }
        labels
    }
}

/// Bytes as signed ones, in rows.
fn signed(bytes: &[u8]) -> &[[i8; LABELS]] {
    let (rows, _) = bytes.as_chunks::<LABELS>();
    // SAFETY: i8 and u8 have one size and alignment and no invalid values, so arrays of them do, too.
    unsafe { std::slice::from_raw_parts(rows.as_ptr().cast(), rows.len()) }
}

/// The spans that `labels` describe, without marks at their ends.
fn spans(text: &str, tokens: &[Token], labels: &[u8]) -> Vec<(Range<usize>, Pii)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let kind = match labels[at] {
            1 => Pii::Name,
            3 => Pii::Address,
            _ => {
                at += 1;
                continue;
            }
        };
        let begin = at;
        at += 1;
        while at < tokens.len() && labels[at] == labels[begin] + 1 {
            at += 1;
        }
        if kind == Pii::Name {
            for (first, last) in named::sentences(tokens, begin, at - 1) {
                let trimmed = trimmed(tokens, first, last, kind);
                if let Some((first, last)) = named::person(text, tokens, trimmed.0, trimmed.1)
                    && (named::is_titled(tokens, first) || believable(&tokens[first..=last], kind))
                {
                    found.push((tokens[first].range.start..tokens[last].range.end, kind));
                }
            }
            continue;
        }
        let (first, last) = trimmed(tokens, begin, at - 1, kind);
        if believable(&tokens[first..=last], kind) && postal::is_address(text, tokens, first, last) {
            found.push((tokens[first].range.start..tokens[last].range.end, kind));
        }
    }
    found
}

/// Without marks at the ends, but for the point of an initial.
fn trimmed(tokens: &[Token], mut first: usize, mut last: usize, kind: Pii) -> (usize, usize) {
    while first < last && tokens[first].shape == Shape::Mark {
        first += 1;
    }
    while last > first
        && tokens[last].shape == Shape::Mark
        && !(kind == Pii::Name && tokens[last].is_point_of_initial(tokens, last))
    {
        last -= 1;
    }
    (first, last)
}

/// What no name and no address is without, however likely the words around it make one.
fn believable(tokens: &[Token], kind: Pii) -> bool {
    let any = |classes: u16| tokens.iter().any(|token| token.classes & classes != 0);
    let capital =
        tokens.iter().any(|token| matches!(token.shape, Shape::Title | Shape::Upper | Shape::Mixed | Shape::Initial));
    let digits = tokens.iter().any(|token| matches!(token.shape, Shape::Digits | Shape::Alnum));
    let other = tokens.iter().any(|token| matches!(token.shape, Shape::Known | Shape::Caseless));
    if matches!(tokens[0].shape, Shape::Mark | Shape::Known) {
        return false;
    }
    // "<A, B, Request>"
    let listed = tokens[0].shape == Shape::Initial && tokens.get(1).is_some_and(|next| next.hash == u64::from(b','));
    if kind == Pii::Name && listed {
        return false;
    }
    if let [token] = tokens
        && kind == Pii::Name
        && token.classes & (lexicon::FIRST | lexicon::LAST) == 0
    {
        // A single word that no list of names has: not one that has other uses, and not where any word has a capital.
        let used = lexicon::ORDINARY
            | lexicon::SELDOM
            | lexicon::PRODUCT
            | lexicon::PLACE
            | lexicon::DATE
            | lexicon::ORGANISATION;
        return token.shape == Shape::Title && !token.opens && token.classes & used == 0;
    }
    match kind {
        // In small letters only names that are known, and are no words.
        Pii::Name => {
            !other
                && (capital
                    || tokens.iter().any(|token| {
                        token.classes & (lexicon::FIRST | lexicon::LAST) != 0 && token.classes & lexicon::ORDINARY == 0
                    }))
                && !tokens.iter().all(|token| token.classes & lexicon::PRODUCT != 0)
        }
        _ => {
            tokens.len() > 1
                && (digits || any(lexicon::STREET))
                && (capital || any(lexicon::STREET | lexicon::UNIT | lexicon::PLACE))
        }
    }
}

/// Calls `with` for every feature of the token at `at`; only the low [`BITS`] count.
pub fn features(tokens: &[Token], at: usize, mut with: impl FnMut(u32)) {
    let none = Token::OUTSIDE;
    let token = |offset: isize| at.checked_add_signed(offset).and_then(|at| tokens.get(at)).unwrap_or(&none);
    let (before2, before, this, after, after2) = (token(-2), token(-1), token(0), token(1), token(2));
    let mut kind = 0_u64;
    let mut add = |value: u64| {
        kind += 1;
        let mixed = (value ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        with((mixed >> 40) as u32);
    };
    let form = |token: &Token| {
        u64::from(token.shape as u8) << 16 | u64::from(token.length.min(8)) << 24 | u64::from(token.classes)
    };
    let broad = |token: &Token| {
        u64::from(token.shape as u8) << 16
            | u64::from(token.classes & (lexicon::FIRST | lexicon::LAST | lexicon::ORDINARY | lexicon::TITLE))
    };
    let shape = |token: &Token| u64::from(token.shape as u8) | u64::from(token.breaks) << 8;
    add(0);
    add(this.hash);
    add(before.hash);
    add(after.hash);
    add(before2.hash);
    add(after2.hash);
    add(form(this));
    add(form(before));
    add(form(after));
    add(shape(this) << 16 | shape(before) << 32 | shape(after));
    add(shape(this) << 8 | shape(before) << 24 | shape(after) << 40 | shape(before2) << 54 | shape(after2));
    add(before.hash.rotate_left(20) ^ broad(this));
    add(after.hash.rotate_left(20) ^ broad(this));
    add(broad(before).rotate_left(32) ^ broad(this));
    add(broad(after).rotate_left(32) ^ broad(this));
    add((broad(before).rotate_left(24) ^ broad(this)).rotate_left(24).wrapping_add(broad(after)));
    add(broad(before2).rotate_left(32) ^ broad(this));
    add(broad(after2).rotate_left(32) ^ broad(this));
    add(u64::from(this.suffix) << 8 | u64::from(this.shape as u8));
    add(u64::from(this.prefix) << 8 | u64::from(this.shape as u8));
    add(u64::from(this.opens) << 40 | u64::from(this.casing) << 32 | broad(this));
    add(u64::from(this.breaks) << 40 | u64::from(this.glued) << 41 | u64::from(after.glued) << 42 | form(this));
    add(u64::from(this.line) << 40 | before.hash.rotate_left(7) ^ u64::from(this.shape as u8));
}
