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
pub(super) const PLANES: usize = 3;

/// Rows estimated at once, before any is looked at.
pub(super) const CHUNK: usize = 256;

/// Codes of so many words and more are split into a front and a back.
const SPLIT: usize = 8;

/// How many times as many are kept by their front as are wanted by the whole.
const WIDER: usize = 5;

/// One group of rows of so many says where to begin.
const SAMPLED: usize = 16;

/// How many candidates ahead a row's back is asked of memory.
const AHEAD: usize = 8;

/// How many deviations an estimate is trusted not to err by.
const SURE: f32 = 3.0;

/// The codes of all places. A free place has one that is like nothing.
pub(super) struct Codes {
    /// How many words of a code are looked at of every row, and how many only of those that look good by them: a scan
    /// takes as long as memory takes to bring it.
    front: usize,
    back: usize,
    /// The front words. For each [`ROWS`] rows: the first word of each, the second of each, and so on.
    blocks: Vec<u64>,
    /// The back words, row after row.
    rows: Vec<u64>,
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
        let words = length(dimensions) / 64;
        let back = if words >= SPLIT { words / 2 } else { 0 };
        Self { front: words - back, back, blocks: Vec::new(), rows: Vec::new(), factors: Vec::new() }
    }

    pub(super) fn set(&mut self, slot: u32, code: &Code) {
        let slot = slot as usize;
        if slot >= self.factors.len() {
            let blocks = slot / ROWS + 1;
            self.factors.resize(blocks * ROWS, f32::NAN);
            self.blocks.resize(blocks * ROWS * self.front, 0);
            self.rows.resize(blocks * ROWS * self.back, 0);
        }
        let (front, back) = code.bits.split_at(self.front);
        let block = slot / ROWS * ROWS * self.front;
        for (word, bits) in front.iter().enumerate() {
            self.blocks[block + word * ROWS + slot % ROWS] = *bits;
        }
        self.rows[slot * self.back..][..self.back].copy_from_slice(back);
        self.factors[slot] = code.factor;
    }

    pub(super) fn clear(&mut self, slot: u32) {
        if let Some(factor) = self.factors.get_mut(slot as usize) {
            *factor = f32::NAN;
        }
    }

    /// By how much an estimate may be too low. The signs keep sqrt(2/pi) of a vector's length, and what they lose
    /// falls on a question like a random direction of that many dimensions.
    pub(super) fn doubt(&self) -> f32 {
        let lost = (std::f32::consts::FRAC_PI_2 - 1.0).sqrt();
        SURE * lost / (((self.front + self.back) * 64) as f32).sqrt()
    }

    /// The places that look best of those allowed, about `wanted`, in no order.
    pub(super) fn candidates(&self, unit: &[f32], wanted: usize, allowed: impl Fn(u32) -> bool) -> Vec<Scored> {
        let question = planes(unit);
        if self.back == 0 {
            let mut best = self.scan(&question, wanted, allowed);
            keep(&mut best, wanted);
            return best;
        }
        let (front, back) = question.split(self.front);
        let mut best = self.scan(&front, wanted.saturating_mul(WIDER), allowed);
        let row = |slot: u32| &self.rows[slot as usize * self.back..][..self.back];
        for at in 0..best.len() {
            if let Some(later) = best.get(at + AHEAD) {
                kernels::fetch(row(later.slot));
            }
            let found = &mut best[at];
            let differ = kernels::digits(row(found.slot), &back);
            found.score += back.says(differ) * self.factors[found.slot as usize];
        }
        keep(&mut best, wanted);
        best
    }

    /// The places whose front looks best: about `wanted` of them.
    fn scan(&self, front: &Planes, wanted: usize, allowed: impl Fn(u32) -> bool) -> Vec<Scored> {
        let threshold = self.foresee(front, wanted, &allowed);
        let best = self.above(front, wanted, threshold, &allowed);
        if best.len() >= wanted / 2 || threshold == f32::NEG_INFINITY {
            return best;
        }
        // What was sampled is unlike the rest.
        self.above(front, wanted, f32::NEG_INFINITY, &allowed)
    }

    /// What about `wanted` estimates are above, by a sample of all.
    fn foresee(&self, front: &Planes, wanted: usize, allowed: impl Fn(u32) -> bool) -> f32 {
        let mut sample = Vec::with_capacity(self.factors.len() / SAMPLED + ROWS);
        let mut estimates = [0f32; ROWS];
        let blocks = self.blocks.chunks_exact(ROWS * self.front).zip(self.factors.chunks_exact(ROWS));
        for (block, (rows, factors)) in blocks.enumerate().step_by(SAMPLED) {
            kernels::estimate(rows, factors, front, &mut estimates);
            for (at, score) in estimates.iter().enumerate() {
                if !score.is_nan() && allowed((block * ROWS + at) as u32) {
                    sample.push(*score);
                }
            }
        }
        let rank = wanted.saturating_add(wanted / 5) / SAMPLED;
        if rank >= sample.len() {
            return f32::NEG_INFINITY;
        }
        *sample.select_nth_unstable_by(rank, |a, b| b.total_cmp(a)).1
    }

    /// The places whose front is above a threshold; the best of them where they are many.
    fn above(&self, front: &Planes, wanted: usize, threshold: f32, allowed: impl Fn(u32) -> bool) -> Vec<Scored> {
        let most = wanted.saturating_mul(2);
        let mut threshold = threshold;
        let mut best = Vec::with_capacity(most.min(self.factors.len()) + CHUNK);
        let (mut estimates, mut places) = ([f32::NAN; CHUNK], [0u32; kernels::ROOM]);
        let chunks = self.blocks.chunks(CHUNK * self.front).zip(self.factors.chunks(CHUNK));
        for (chunk, (blocks, factors)) in chunks.enumerate() {
            kernels::estimate(blocks, factors, front, &mut estimates);
            estimates[factors.len()..].fill(f32::NAN);
            let count = kernels::above(&estimates, threshold, &mut places);
            for at in &places[..count] {
                let slot = (chunk * CHUNK) as u32 + at;
                if allowed(slot) {
                    best.push(Scored { score: estimates[*at as usize], key: 0, slot });
                }
            }
            if best.len() >= most {
                threshold = keep(&mut best, wanted);
            }
        }
        best
    }
}

/// Keeps the best `wanted` of more than that. The score of the worst of them.
fn keep(best: &mut Vec<Scored>, wanted: usize) -> f32 {
    if wanted == 0 || best.len() <= wanted {
        return f32::NEG_INFINITY;
    }
    let (_, worst, _) = best.select_nth_unstable_by(wanted - 1, |a, b| b.score.total_cmp(&a.score));
    let worst = worst.score;
    best.truncate(wanted);
    worst
}

/// A question's planes: for each 64 dimensions, which of their numbers' digits `p` are plus rather than minus one.
pub(super) struct Planes {
    pub digits: Vec<[u64; PLANES]>,
    /// What all digits agreeing would say.
    pub most: f32,
    /// What a unit of the digits is worth.
    pub unit: f32,
}

impl Planes {
    /// The first words and the others.
    fn split(self, front: usize) -> (Self, Self) {
        let part = |digits: &[[u64; PLANES]]| {
            let most = (digits.len() * 64 * ((1 << PLANES) - 1)) as f32;
            Self { digits: digits.to_vec(), most, unit: self.unit }
        };
        let (front, back) = self.digits.split_at(front);
        (part(front), part(back))
    }

    /// What a row whose digits differ by so much says of its likeness, before its factor.
    #[inline(always)]
    pub fn says(&self, differ: u32) -> f32 {
        (self.most - 2.0 * differ as f32) * self.unit
    }
}

fn planes(unit: &[f32]) -> Planes {
    let turned = turn(unit);
    let words = turned.len() / 64;
    let levels = 1u32 << PLANES;
    let largest = turned.iter().fold(0f32, |most, n| most.max(n.abs()));
    // Numbers are near a bell curve: its far ends are worth less than finer steps.
    let deviation = (turned.iter().map(|n| n * n).sum::<f32>() / turned.len().max(1) as f32).sqrt();
    let reach = largest.min(2.5 * deviation).max(f32::MIN_POSITIVE);
    let step = 2.0 * reach / levels as f32;
    let mut digits = vec![[0; PLANES]; words];
    let (mut square, mut product) = (0f32, 0f32);
    for (at, number) in turned.iter().enumerate() {
        let level = (((number + reach) / step).floor().max(0.0) as u32).min(levels - 1);
        for (plane, digits) in digits[at / 64].iter_mut().enumerate() {
            *digits |= u64::from(level >> plane & 1) << (at % 64);
        }
        // A level stands for the middle of its step: an odd number of units, which is a sum of +-2^plane.
        square += number * number;
        product += number * (2.0 * level as f32 + 1.0 - levels as f32);
    }
    // So that what the levels say of the question itself is right: else likeness would be estimated too low.
    let unit = if product > 0.0 { square / product } else { 0.0 };
    Planes { digits, most: (turned.len() * (levels as usize - 1)) as f32, unit }
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
        kernels::hadamard(&mut turned);
    }
    turned
}
