//! One bit a dimension of every vector, in memory: enough to find those worth comparing exactly.
//!
//! A vector is turned by a fixed random rotation, which spreads what it says evenly, and only the signs are kept. A
//! question keeps [`PLANES`] bits a dimension. Product of both, over the length that the signs lost, estimates the
//! cosine without bias, and how far it may err is known ([`Codes::doubt`]): so what cannot be among the best is left out
//! by its code, and only that.

#[cfg(test)]
mod tests;

use super::kernels;
use super::top::Scored;

/// Rows whose words lie side by side.
pub(super) const ROWS: usize = 16;

/// Bits kept of a question's number.
pub(super) const PLANES: usize = 3;

/// Rows estimated at once, before any is looked at.
pub(super) const CHUNK: usize = 256;

/// Bits of a code that are looked at of every row: at least so many, and half where there are more.
const FRONT: usize = 256;

/// One group of rows of so many says where to begin.
const SAMPLED: usize = 32;

/// So many places found are many.
const MANY: usize = 1024;

/// How many candidates ahead a row's back is asked of memory.
const AHEAD: usize = 8;

/// The codes of all places. A free place has one that is like nothing.
pub(super) struct Codes {
    /// How many words of a code are looked at of every row, and how many only of those that look good by them: a scan
    /// takes as long as memory takes to bring it.
    front: usize,
    back: usize,
    /// The front words. For each [`ROWS`] rows: the first word of each, the second of each, and so on.
    blocks: Vec<u32>,
    /// The back words, row after row.
    rows: Vec<u32>,
    factors: Vec<f32>,
}

/// One vector's code.
pub(super) struct Code {
    bits: Vec<u32>,
    factor: f32,
}

impl Code {
    /// The code of a vector of length one.
    pub(super) fn new(unit: &[f32]) -> Self {
        let turned = turn(unit);
        let sign = |bits: u32, (at, number): (usize, &f32)| bits | u32::from(*number > 0.0) << at;
        let bits = turned.chunks(32).map(|numbers| numbers.iter().enumerate().fold(0, sign)).collect();
        let spread: f32 = turned.iter().map(|n| n.abs()).sum();
        Self { bits, factor: if spread > 0.0 { 1.0 / spread } else { 0.0 } }
    }
}

/// A question, as it is compared with codes.
pub(super) struct Question {
    front: Planes,
    back: Planes,
    /// The square of what its planes add to it.
    noise: f32,
    /// How many deviations an estimate is trusted not to err by.
    sure: f32,
}

impl Codes {
    pub(super) fn new(dimensions: usize) -> Self {
        let bits = length(dimensions);
        let front = (bits / 2).next_multiple_of(32).max(FRONT).min(bits);
        Self { front: front / 32, back: (bits - front) / 32, blocks: Vec::new(), rows: Vec::new(), factors: Vec::new() }
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

    /// A question of length one, whose estimates are trusted not to err by so many deviations.
    pub(super) fn question(&self, unit: &[f32], sure: f32) -> Question {
        let (planes, noise) = planes(unit);
        let (front, back) = planes.split(self.front);
        Question { front, back, noise, sure }
    }

    /// By how much the likeness of what is at least `likeness` may be estimated too low, by so many words of its code.
    /// Signs keep sqrt(2/pi) of a vector's length. What they lose, and what is not looked at, falls on the part
    /// of a question that is not the vector's like a random direction.
    fn doubt(&self, question: &Question, words: usize, likeness: f32) -> f32 {
        let (all, bits) = (((self.front + self.back) * 32) as f32, (words * 32) as f32);
        let unlike = (1.0 - likeness * likeness).max(0.0);
        let signs = std::f32::consts::FRAC_PI_2;
        question.sure * ((unlike * (signs - bits / all) + question.noise * signs) / bits).sqrt()
    }

    /// The least that the front says of what is at least so alike.
    pub(super) fn least_by_front(&self, question: &Question, likeness: f32) -> f32 {
        let share = self.front as f32 / (self.front + self.back) as f32;
        self.least(question, self.front, likeness) * share
    }

    /// The least that the whole code says of what is at least so alike.
    pub(super) fn least_by_all(&self, question: &Question, likeness: f32) -> f32 {
        self.least(question, self.front + self.back, likeness)
    }

    fn least(&self, question: &Question, words: usize, likeness: f32) -> f32 {
        // Of what has no bound, neither has the estimate.
        let bounded = likeness > f32::NEG_INFINITY;
        if bounded { likeness - self.doubt(question, words, likeness) } else { likeness }
    }

    /// Adds to what fronts say what backs say.
    pub(super) fn refine(&self, question: &Question, found: &mut [Scored]) {
        if self.back == 0 {
            return;
        }
        let row = |slot: u32| &self.rows[slot as usize * self.back..][..self.back];
        for at in 0..found.len() {
            if let Some(later) = found.get(at + AHEAD) {
                kernels::fetch(row(later.slot));
            }
            let found = &mut found[at];
            let differ = kernels::digits(row(found.slot), &question.back);
            found.score += question.back.says(differ) * self.factors[found.slot as usize];
        }
    }

    /// A few of the places allowed, from everywhere, with what their fronts say.
    pub(super) fn sample(&self, question: &Question, allowed: impl Fn(u32) -> bool) -> Vec<Scored> {
        let mut sample = Vec::with_capacity(self.factors.len() / SAMPLED + ROWS);
        let mut estimates = [0f32; ROWS];
        let blocks = self.blocks.chunks_exact(ROWS * self.front).zip(self.factors.chunks_exact(ROWS));
        for (block, (rows, factors)) in blocks.enumerate().step_by(SAMPLED) {
            kernels::estimate(rows, factors, &question.front, &mut estimates);
            for (at, score) in estimates.iter().enumerate() {
                let slot = (block * ROWS + at) as u32;
                if !score.is_nan() && allowed(slot) {
                    sample.push(Scored { score: *score, key: 0, slot });
                }
            }
        }
        sample
    }

    /// The places allowed whose front says at least so much. Where they are many, `fewer` leaves some out, and says how
    /// much must be said from then on.
    pub(super) fn scan(
        &self,
        question: &Question,
        least: f32,
        allowed: impl Fn(u32) -> bool,
        mut fewer: impl FnMut(&mut Vec<Scored>) -> f32,
    ) -> Vec<Scored> {
        let (mut least, mut full) = (least, MANY);
        let mut found: Vec<Scored> = Vec::with_capacity(MANY + CHUNK);
        let (mut estimates, mut places) = ([f32::NAN; CHUNK], [0u32; kernels::ROOM]);
        let chunks = self.blocks.chunks(CHUNK * self.front).zip(self.factors.chunks(CHUNK));
        for (chunk, (blocks, factors)) in chunks.enumerate() {
            kernels::estimate(blocks, factors, &question.front, &mut estimates);
            estimates[factors.len()..].fill(f32::NAN);
            let count = kernels::above(&estimates, least, &mut places);
            for at in &places[..count] {
                let slot = (chunk * CHUNK) as u32 + at;
                if allowed(slot) {
                    found.push(Scored { score: estimates[*at as usize], key: 0, slot });
                }
            }
            if found.len() >= full {
                least = fewer(&mut found);
                full = MANY.max(2 * found.len());
            }
        }
        found
    }
}

/// Keeps the best `wanted` of more than that. The score of the worst of them.
pub(super) fn keep(best: &mut Vec<Scored>, wanted: usize) -> f32 {
    if wanted == 0 || best.len() <= wanted {
        return f32::NEG_INFINITY;
    }
    let (_, worst, _) = best.select_nth_unstable_by(wanted - 1, |a, b| b.score.total_cmp(&a.score));
    let worst = worst.score;
    best.truncate(wanted);
    worst
}

/// A question's planes: for each 32 dimensions, which of their numbers' digits `p` are plus rather than minus one.
pub(super) struct Planes {
    pub digits: Vec<[u32; PLANES]>,
    /// What all digits agreeing would say.
    pub most: f32,
    /// What a unit of the digits is worth.
    pub unit: f32,
}

impl Planes {
    /// The first words and the others.
    fn split(self, front: usize) -> (Self, Self) {
        let part = |digits: &[[u32; PLANES]]| {
            let most = (digits.len() * 32 * ((1 << PLANES) - 1)) as f32;
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

/// A question's planes, and the square of what they add to it.
fn planes(unit: &[f32]) -> (Planes, f32) {
    let turned = turn(unit);
    let levels = 1u32 << PLANES;
    let largest = turned.iter().fold(0f32, |most, n| most.max(n.abs()));
    // Numbers are near a bell curve: its far ends are worth less than finer steps.
    let deviation = (turned.iter().map(|n| n * n).sum::<f32>() / turned.len().max(1) as f32).sqrt();
    let reach = largest.min(2.5 * deviation).max(f32::MIN_POSITIVE);
    let step = 2.0 * reach / levels as f32;
    let mut digits = vec![[0; PLANES]; turned.len() / 32];
    let (mut square, mut product, mut said) = (0f32, 0f32, 0f32);
    for (at, number) in turned.iter().enumerate() {
        let level = (((number + reach) / step).floor().max(0.0) as u32).min(levels - 1);
        for (plane, digits) in digits[at / 32].iter_mut().enumerate() {
            *digits |= (level >> plane & 1) << (at % 32);
        }
        // A level stands for the middle of its step: an odd number of units, which is a sum of +-2^plane.
        let middle = 2.0 * level as f32 + 1.0 - levels as f32;
        square += number * number;
        product += number * middle;
        said += middle * middle;
    }
    // So that what the levels say of the question itself is right: else likeness would be estimated too low.
    let unit = if product > 0.0 { square / product } else { 0.0 };
    let noise = (said * unit * unit - square).max(0.0);
    (Planes { digits, most: (turned.len() * (levels as usize - 1)) as f32, unit }, noise)
}

/// How many bits a code has.
fn length(dimensions: usize) -> usize {
    dimensions.next_multiple_of(64).max(64)
}

/// A fixed rotation into [`length`] dimensions. Each step turns signs at random and mixes by a Hadamard transform as many
/// numbers as are a power of two: the first and the last by turns, and then each half with the other.
fn turn(numbers: &[f32]) -> Vec<f32> {
    let mut turned = numbers.to_vec();
    turned.resize(length(numbers.len()), 0.0);
    let all = turned.len();
    let part = 1 << all.ilog2();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let steps = if part == all { 3 } else { 4 };
    for step in 0..steps {
        for numbers in turned.chunks_mut(64) {
            // SplitMix64: the same signs for ever, for all that is kept.
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            kernels::flip(numbers, mixed);
        }
        let from = if step % 2 == 0 { 0 } else { all - part };
        let mixed = &mut turned[from..from + part];
        kernels::hadamard(mixed);
        let scale = 1.0 / (part as f32).sqrt();
        for number in mixed {
            *number *= scale;
        }
        if part < all {
            let (left, right) = turned.split_at_mut(all / 2);
            for (left, right) in left.iter_mut().zip(right) {
                let half = std::f32::consts::FRAC_1_SQRT_2;
                (*left, *right) = ((*left + *right) * half, (*left - *right) * half);
            }
        }
    }
    turned
}
