//! One bit a dimension of every vector, in memory: enough to find those worth comparing exactly.
//!
//! A vector is turned by a fixed random rotation, which spreads what it says evenly, and only the signs are kept. A
//! question keeps [`PLANES`] bits a dimension. Product of both, over the length that the signs lost, estimates the
//! cosine without bias; its error is about 1/sqrt(dimensions).

use super::kernels;
use super::top::Scored;

/// Rows whose words lie side by side.
pub(super) const ROWS: usize = 8;

/// Bits kept of a question's number.
pub(super) const PLANES: usize = 4;

/// Rows estimated at once, before any is looked at.
const CHUNK: usize = 128;

/// The codes of all places. A free place has one that is like nothing.
pub(super) struct Codes {
    words: usize,
    /// For each [`ROWS`] rows: the first word of each, the second of each, and so on.
    blocks: Vec<u64>,
    factors: Vec<f32>,
}

/// One vector's code.
pub(super) struct Code {
    bits: Vec<u64>,
    factor: f32,
}

impl Code {
    /// The code of a vector of length one.
    pub(super) fn new(unit: &[f32]) -> Self {
        let turned = turn(unit);
        let mut bits = vec![0u64; turned.len() / 64];
        for (at, number) in turned.iter().enumerate() {
            bits[at / 64] |= u64::from(*number > 0.0) << (at % 64);
        }
        let spread: f32 = turned.iter().map(|n| n.abs()).sum();
        Self { bits, factor: if spread > 0.0 { 1.0 / spread } else { 0.0 } }
    }
}

impl Codes {
    pub(super) fn new(dimensions: usize) -> Self {
        Self { words: length(dimensions) / 64, blocks: Vec::new(), factors: Vec::new() }
    }

    pub(super) fn set(&mut self, slot: u32, code: &Code) {
        let slot = slot as usize;
        if slot >= self.factors.len() {
            let blocks = slot / ROWS + 1;
            self.factors.resize(blocks * ROWS, f32::NAN);
            self.blocks.resize(blocks * ROWS * self.words, 0);
        }
        let block = slot / ROWS * ROWS * self.words;
        for (word, bits) in code.bits.iter().enumerate() {
            self.blocks[block + word * ROWS + slot % ROWS] = *bits;
        }
        self.factors[slot] = code.factor;
    }

    pub(super) fn clear(&mut self, slot: u32) {
        if let Some(factor) = self.factors.get_mut(slot as usize) {
            *factor = f32::NAN;
        }
    }

    /// The places that look best of those allowed, about `wanted` or more, in no order.
    pub(super) fn candidates(&self, unit: &[f32], wanted: usize, allowed: impl Fn(u32) -> bool) -> Vec<Scored> {
        let question = planes(unit);
        let mut best = Vec::with_capacity(wanted * 2 + CHUNK);
        let mut threshold = f32::NEG_INFINITY;
        let mut estimates = [0f32; CHUNK];
        let chunks = self.blocks.chunks(CHUNK * self.words.max(1)).zip(self.factors.chunks(CHUNK));
        for (chunk, (blocks, factors)) in chunks.enumerate() {
            kernels::estimate(blocks, factors, &question, &mut estimates);
            for (at, &score) in estimates[..factors.len()].iter().enumerate() {
                if score > threshold {
                    let slot = (chunk * CHUNK + at) as u32;
                    if allowed(slot) {
                        best.push(Scored { score, key: 0, slot });
                    }
                }
            }
            if best.len() >= wanted * 2 {
                best.select_nth_unstable_by(wanted - 1, |a, b| b.score.total_cmp(&a.score));
                best.truncate(wanted);
                threshold = best[wanted - 1].score;
            }
        }
        if best.len() > wanted {
            best.select_nth_unstable_by(wanted - 1, |a, b| b.score.total_cmp(&a.score));
            best.truncate(wanted);
        }
        best
    }
}

/// A question's planes: `planes[p]` has, for each dimension, whether its number's digit `p` is plus or minus one.
pub(super) struct Planes {
    pub bits: [Vec<u64>; PLANES],
    /// What all digits agreeing would say.
    pub most: f32,
    /// What a unit of the digits is worth.
    pub unit: f32,
}

fn planes(unit: &[f32]) -> Planes {
    let turned = turn(unit);
    let words = turned.len() / 64;
    let levels = 1u32 << PLANES;
    let largest = turned.iter().fold(0f32, |most, n| most.max(n.abs()));
    // Numbers are near a bell curve: its far ends are worth less than finer steps.
    let deviation = (turned.iter().map(|n| n * n).sum::<f32>() / turned.len().max(1) as f32).sqrt();
    let reach = largest.min(3.0 * deviation).max(f32::MIN_POSITIVE);
    let step = 2.0 * reach / levels as f32;
    let mut bits: [Vec<u64>; PLANES] = std::array::from_fn(|_| vec![0; words]);
    for (at, number) in turned.iter().enumerate() {
        let level = (((number + reach) / step).floor().max(0.0) as u32).min(levels - 1);
        for (plane, bits) in bits.iter_mut().enumerate() {
            bits[at / 64] |= u64::from(level >> plane & 1) << (at % 64);
        }
    }
    // A level stands for the middle of its step: half a step times an odd number, which is a sum of +-2^plane.
    Planes { bits, most: (turned.len() * (levels as usize - 1)) as f32, unit: step / 2.0 }
}

/// How many bits a code has.
fn length(dimensions: usize) -> usize {
    dimensions.next_power_of_two().max(64)
}

/// A fixed rotation into [`length`] dimensions: signs turned at random, then a Hadamard transform, three times.
fn turn(numbers: &[f32]) -> Vec<f32> {
    let mut turned = numbers.to_vec();
    turned.resize(length(numbers.len()), 0.0);
    let scale = 1.0 / (turned.len() as f32).sqrt();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..3 {
        for numbers in turned.chunks_mut(64) {
            // SplitMix64: the same signs for ever, for all that is kept.
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = if mixed >> at & 1 == 0 { *number * scale } else { -*number * scale };
            }
        }
        hadamard(&mut turned);
    }
    turned
}

fn hadamard(numbers: &mut [f32]) {
    let mut half = 1;
    while half < numbers.len() {
        for pair in numbers.chunks_exact_mut(half * 2) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}
