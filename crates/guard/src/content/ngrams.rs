//! Words, pairs of words and stretches of letters, hashed: the model that sees spelling. It costs microseconds, and
//! knows nothing of meaning.

use super::heads::HEADS;
use super::rules::{RULES, Rules};
use super::tensors::Tensors;
use crate::Refused;

/// Buckets of the hash: a power of two.
pub const BUCKETS: usize = 1 << 18;

/// What the model sees of a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features {
    /// The buckets that are hit, each once, in order.
    pub buckets: Vec<u32>,
    /// The rules that match.
    pub rules: Vec<usize>,
}

/// The features of a folded text.
pub fn features(folded: &str, rules: &Rules) -> Features {
    let mut buckets = Vec::with_capacity(folded.len() * 3);
    for_each(folded, &mut |hash, _| buckets.push(hash));
    buckets.sort_unstable();
    buckets.dedup();
    Features { buckets, rules: rules.matching(folded) }
}

/// Gives every n-gram's bucket to `each`, with the place of the word that it belongs to.
pub fn for_each(folded: &str, each: &mut dyn FnMut(u32, usize)) {
    let (mut before, mut padded, mut bounds) = (0u64, Vec::new(), Vec::new());
    for (place, word) in words(folded) {
        let hash = hash(1, word.as_bytes());
        each(bucket(hash), place);
        each(bucket(hash ^ before.wrapping_mul(0x9e37_79b9_7f4a_7c15)), place);
        before = hash;
        padded.clear();
        padded.push(b' ');
        padded.extend_from_slice(word.as_bytes());
        padded.push(b' ');
        bounds.clear();
        bounds.extend((0..=padded.len()).filter(|at| padded.get(*at).is_none_or(|b| b & 0xc0 != 0x80)));
        for n in 3..=5 {
            // A long run of letters is no word: its beginning is enough.
            for pair in bounds.windows(n + 1).take(40) {
                if let [start, .., end] = pair {
                    each(bucket(self::hash(n as u64, padded.get(*start..*end).unwrap_or_default())), place);
                }
            }
        }
    }
}

/// Words, and marks that are not space, with their places.
pub(super) fn words(folded: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let text = folded.get(rest..)?;
        let start = text.find(|c: char| !c.is_whitespace())?;
        let text = text.get(start..)?;
        let first = text.chars().next()?;
        let end = match first.is_alphanumeric() {
            true => text.find(|c: char| !c.is_alphanumeric() && c != '\'').unwrap_or(text.len()),
            false => first.len_utf8(),
        };
        let place = rest + start;
        rest = place + end;
        text.get(..end).map(|word| (place, word))
    })
}

fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // FNV's low bits say little of the last bytes.
    state ^= state >> 32;
    state.wrapping_mul(0xd6e8_feb8_6659_fd93)
}

fn bucket(hash: u64) -> u32 {
    (hash >> 40) as u32 & (BUCKETS as u32 - 1)
}

/// The trained model.
pub(super) struct Ngrams {
    /// For each bucket a value a head.
    weights: Vec<i8>,
    scales: [f32; HEADS],
    bias: [f32; HEADS],
    rules: Vec<f32>,
}

impl Ngrams {
    pub(super) fn load(tensors: &Tensors<'_>) -> Result<Self, Refused> {
        Ok(Self {
            weights: tensors.i8("ngrams.weights", &[BUCKETS, HEADS])?,
            scales: tensors.array("ngrams.scales")?,
            bias: tensors.array("ngrams.bias")?,
            rules: tensors.f32("ngrams.rules", &[RULES, HEADS])?,
        })
    }

    /// The heads' values for what is seen of a text.
    pub(super) fn logits(&self, features: &Features) -> [f32; HEADS] {
        let mut sums = [0i32; HEADS];
        for bucket in &features.buckets {
            for (sum, weight) in sums.iter_mut().zip(self.row(*bucket)) {
                *sum += i32::from(*weight);
            }
        }
        let length = (features.buckets.len().max(1) as f32).sqrt();
        let mut logits = self.bias;
        for ((logit, sum), scale) in logits.iter_mut().zip(sums).zip(self.scales) {
            *logit += sum as f32 * scale / length;
        }
        for rule in &features.rules {
            for (logit, weight) in logits.iter_mut().zip(self.rules.iter().skip(rule * HEADS)) {
                *logit += weight;
            }
        }
        logits
    }

    /// How much the words of a folded text speak for `head`, the strongest first.
    pub(super) fn words(&self, folded: &str, head: usize) -> Vec<(String, f32)> {
        let mut sums: std::collections::BTreeMap<&str, f32> = std::collections::BTreeMap::new();
        let scale = self.scales.get(head).copied().unwrap_or_default();
        for_each(folded, &mut |bucket, place| {
            let word = words(folded.get(place..).unwrap_or_default()).next().map_or("", |(_, word)| word);
            let weight = self.row(bucket).get(head).copied().unwrap_or_default();
            *sums.entry(word).or_default() += f32::from(weight) * scale;
        });
        let mut words: Vec<(String, f32)> = sums.into_iter().map(|(word, sum)| (word.to_owned(), sum)).collect();
        words.sort_by(|a, b| b.1.total_cmp(&a.1));
        words
    }

    fn row(&self, bucket: u32) -> &[i8] {
        let at = bucket as usize * HEADS;
        self.weights.get(at..at + HEADS).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
