//! Labelled texts, and what the tagger is trained with.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

use flate2::read::GzDecoder;
use outcrop_guard::sensitive::lexicon::{FIRST, LAST, Lexicon};
use outcrop_guard::sensitive::tagger::features;
use outcrop_guard::sensitive::tokens::{Token, tokens};
use outcrop_guard::sensitive::{Pii, by_rule};
use serde_json::Value;

/// A text with its PII, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) spans: Vec<(Range<usize>, Pii)>,
    pub(crate) source: String,
}

/// A text as numbers: the features of each token, and its label.
pub(crate) struct Sequence {
    pub(crate) features: Vec<Vec<u32>>,
    pub(crate) labels: Vec<u8>,
}

/// A small generator of pseudo-random numbers: the same seed, the same weights.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % end.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

/// Every line of a compressed file of JSON lines.
pub(crate) fn lines(path: &Path) -> Result<Vec<Value>, String> {
    let file = std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut values = Vec::new();
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let line = line.map_err(|e| format!("{}: {e}", path.display()))?;
        values.push(serde_json::from_str(&line).map_err(|e| format!("{}: {e}", path.display()))?);
    }
    Ok(values)
}

/// The rows of a split of `pii.jsonl.gz`.
pub(crate) fn rows(data: &Path, split: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for value in lines(&data.join("pii.jsonl.gz"))? {
        if value["split"] != split {
            continue;
        }
        let text = value["text"].as_str().ok_or("a row without text")?.to_owned();
        let mut spans = Vec::new();
        for span in value["spans"].as_array().into_iter().flatten() {
            let place =
                |at: usize| span[at].as_u64().map(|at| byte(&text, at as usize)).ok_or("a span without its place");
            let kind = span[2].as_str().and_then(Pii::named).ok_or("a span of an unknown kind")?;
            spans.push((place(0)?..place(1)?, kind));
        }
        spans.sort_by_key(|(range, _)| range.start);
        rows.push(Row { text, spans, source: value["source"].as_str().unwrap_or_default().to_owned() });
    }
    Ok(rows)
}

/// Code points to bytes.
fn byte(text: &str, at: usize) -> usize {
    text.char_indices().nth(at).map_or(text.len(), |(offset, _)| offset)
}

/// What the tagger learns from `rows`. A quarter of the names are hidden from the lexicon, so that it learns from what is
/// around them, too.
pub(crate) fn sequences(rows: &[Row], lexicon: &Lexicon<'_>, random: &mut Random) -> Vec<Sequence> {
    let mut sequences = Vec::with_capacity(rows.len());
    for row in rows {
        let known = known(row, lexicon);
        let mut tokens = tokens(&row.text, &known, lexicon);
        let labels = labels(&tokens, row);
        let hidden = random.once_in(4);
        for (token, label) in tokens.iter_mut().zip(&labels) {
            if hidden && matches!(label, 1 | 2) {
                token.classes &= !(FIRST | LAST);
            }
        }
        let features = (0..tokens.len()).map(|at| of(&tokens, at)).collect();
        sequences.push(Sequence { features, labels });
    }
    sequences
}

/// What rules find in the text, as they do before the tagger: unless it overlaps a name or an address.
fn known(row: &Row, lexicon: &Lexicon<'_>) -> Vec<(Range<usize>, Pii)> {
    let mut known = by_rule(&row.text, lexicon);
    known.retain(|(range, _)| {
        let tagged = |(other, kind): &(Range<usize>, Pii)| {
            matches!(kind, Pii::Name | Pii::Address) && other.start < range.end && range.start < other.end
        };
        !row.spans.iter().any(tagged)
    });
    known
}

fn labels(tokens: &[Token], row: &Row) -> Vec<u8> {
    let mut labels = vec![0; tokens.len()];
    for (range, kind) in &row.spans {
        let first = match kind {
            Pii::Name => 1,
            Pii::Address => 3,
            _ => continue,
        };
        let mut inside = false;
        for (at, token) in tokens.iter().enumerate() {
            if token.range.start >= range.start && token.range.end <= range.end {
                labels[at] = first + u8::from(inside);
                inside = true;
            }
        }
    }
    labels
}

fn of(tokens: &[Token], at: usize) -> Vec<u32> {
    let mut list = Vec::with_capacity(26);
    features(tokens, at, |feature| list.push(feature));
    list
}
