//! The products with a layer's weights, which are nearly all the work.
//!
//! A general matrix product first copies both sides into the order that its inner loop reads. Weights are the larger side
//! by far (a question has fifteen tokens, a layer 1,536 rows), so copying them took two thirds of a question's time: here
//! they lie in that order from the start.

#[cfg(test)]
mod tests;

/// Outputs that are computed together: with two blocks of tokens, as many sums as registers hold.
const OUTPUTS: usize = 12;

/// Tokens of a block: a register's numbers.
pub(super) const LANES: usize = 16;

/// Blocks that stay near the processor while all panels pass.
const TOGETHER: usize = 8;

/// One input of [`LANES`] tokens. In a line of the cache of its own, for reading across two costs twice.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Block([f32; LANES]);

/// Tokens as the products read them: all inputs of the first [`LANES`] tokens, then of the next.
pub(super) type Columns = Vec<Block>;

/// What one panel of weights says of up to two blocks of tokens.
type Sums = [[[f32; LANES]; 2]; OUTPUTS];

const EMPTY: Sums = [[[0.0; LANES]; 2]; OUTPUTS];

/// Weights and biases of a layer.
pub(super) struct Dense {
    inputs: usize,
    /// For each [`OUTPUTS`] outputs a panel: input by input, their weights side by side.
    panels: Vec<[f32; OUTPUTS]>,
    pub bias: Vec<f32>,
}

impl Dense {
    /// `rows` has all weights of the first output, then of the second; each has one of each input.
    pub fn new(rows: &[f32], bias: Vec<f32>) -> Self {
        let inputs = rows.len() / bias.len();
        let mut panels = vec![[0.0; OUTPUTS]; inputs * bias.len().div_ceil(OUTPUTS)];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            let panel = panels.iter_mut().skip(output / OUTPUTS * inputs);
            for (weights, weight) in panel.zip(row) {
                weights[output % OUTPUTS] = *weight;
            }
        }
        Self { inputs, panels, bias }
    }

    /// The products with `input`, a row of `width` tokens for each input, without biases: a row for each output.
    pub fn product(&self, input: &[f32], columns: &mut Columns, output: &mut [f32], width: usize) {
        let mut sums = EMPTY;
        for start in (0..width).step_by(TOGETHER * LANES) {
            let blocks = (width - start).div_ceil(LANES).min(TOGETHER);
            columns.clear();
            columns.resize(blocks * self.inputs, Block::default());
            for (at, row) in input.chunks_exact(width).enumerate() {
                let places = columns.iter_mut().skip(at).step_by(self.inputs);
                for (place, tokens) in places.zip(row[start..].chunks(LANES)) {
                    place.0[..tokens.len()].copy_from_slice(tokens);
                }
            }
            for (panel, rows) in self.panels.chunks_exact(self.inputs).zip(output.chunks_mut(OUTPUTS * width)) {
                for (pair, columns) in columns.chunks(2 * self.inputs).enumerate() {
                    let (first, second) = columns.split_at(self.inputs);
                    add_up(panel, first, second, &mut sums);
                    for (row, sums) in rows.chunks_exact_mut(width).zip(&sums) {
                        for (tokens, sums) in row[start..].chunks_mut(LANES).skip(pair * 2).zip(sums) {
                            tokens.copy_from_slice(&sums[..tokens.len()]);
                        }
                    }
                }
            }
        }
    }
}

/// A panel's sums over all inputs. Where `second` is empty, its sums are whatever they are.
fn add_up(panel: &[[f32; OUTPUTS]], first: &[Block], second: &[Block], sums: &mut Sums) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what the function needs.
            return unsafe { wide::avx512(panel, first, second, sums) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what the function needs.
            return unsafe { wide::avx2(panel, first, second, sums) };
        }
    }
    plain(panel, first, second, sums);
}

/// The sums where there are no wide registers, and what they are compared with where there are.
fn plain(panel: &[[f32; OUTPUTS]], first: &[Block], second: &[Block], sums: &mut Sums) {
    *sums = EMPTY;
    for (block, columns) in [first, second].into_iter().enumerate() {
        for (weights, tokens) in panel.iter().zip(columns) {
            for (sums, weight) in sums.iter_mut().zip(weights) {
                for (sum, token) in sums[block].iter_mut().zip(&tokens.0) {
                    *sum += weight * token;
                }
            }
        }
    }
}

// By hand: compilers keep so many sums in memory, not in registers.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;
    use std::mem::transmute;

    use super::{Block, LANES, OUTPUTS, Sums};

    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(panel: &[[f32; OUTPUTS]], first: &[Block], second: &[Block], sums: &mut Sums) {
        // SAFETY, here and below: a register's numbers and an array of so many are the same bytes.
        let load = |block: &Block| unsafe { transmute::<[f32; LANES], __m512>(block.0) };
        let store = |register| unsafe { transmute::<__m512, [f32; LANES]>(register) };
        let zero = _mm512_setzero_ps();
        if second.is_empty() {
            let mut all = [zero; OUTPUTS];
            for (weights, tokens) in panel.iter().zip(first) {
                let tokens = load(tokens);
                for output in 0..OUTPUTS {
                    all[output] = _mm512_fmadd_ps(_mm512_set1_ps(weights[output]), tokens, all[output]);
                }
            }
            for (sums, all) in sums.iter_mut().zip(all) {
                sums[0] = store(all);
            }
            return;
        }
        let mut all = [[zero; 2]; OUTPUTS];
        for ((weights, first), second) in panel.iter().zip(first).zip(second) {
            let (first, second) = (load(first), load(second));
            for output in 0..OUTPUTS {
                let weight = _mm512_set1_ps(weights[output]);
                all[output][0] = _mm512_fmadd_ps(weight, first, all[output][0]);
                all[output][1] = _mm512_fmadd_ps(weight, second, all[output][1]);
            }
        }
        for (sums, [first, second]) in sums.iter_mut().zip(all) {
            *sums = [store(first), store(second)];
        }
    }

    /// Half a panel and one block at a time: these registers hold a quarter as much.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(panel: &[[f32; OUTPUTS]], first: &[Block], second: &[Block], sums: &mut Sums) {
        const HALF: usize = OUTPUTS / 2;
        // SAFETY, here and below: two registers' numbers and an array of so many are the same bytes.
        let load = |block: &Block| unsafe { transmute::<[f32; LANES], [__m256; 2]>(block.0) };
        let store = |registers| unsafe { transmute::<[__m256; 2], [f32; LANES]>(registers) };
        for (block, columns) in [first, second].into_iter().enumerate() {
            for half in [0, HALF] {
                let mut all = [[_mm256_setzero_ps(); 2]; HALF];
                for (weights, tokens) in panel.iter().zip(columns) {
                    let [low, high] = load(tokens);
                    for output in 0..HALF {
                        let weight = _mm256_set1_ps(weights[half + output]);
                        all[output][0] = _mm256_fmadd_ps(weight, low, all[output][0]);
                        all[output][1] = _mm256_fmadd_ps(weight, high, all[output][1]);
                    }
                }
                for (sums, all) in sums.iter_mut().skip(half).zip(all) {
                    sums[block] = store(all);
                }
            }
        }
    }
}
