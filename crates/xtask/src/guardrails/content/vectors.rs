//! Static word vectors: the encoder's own table on its strongest axes to begin with, then learned together with the
//! small network that reads their mean (lazy Adam over seeded batches, some pieces of every text left out).

use std::collections::HashMap;
use std::path::Path;

use outcrop_guard::content::kernels::{View, multiply};
use outcrop_guard::content::{DIMENSIONS, HEADS, HIDDEN, Vocabulary, counted, counting, repeated};

use super::Example;
use crate::guardrails::tensors::{File, Tensors};

const EPOCHS: usize = 3;
const BATCH: usize = 256;
const RATE: f32 = 2e-3;
/// So many pieces of a text are left out while training, in a hundred.
const DROPPED: u32 = 15;
/// A piece that is so frequent counts half as much as a rare one (smooth inverse frequency).
const FREQUENT: f32 = 1e-3;
/// The length of a vector to begin with, in the mean.
const LENGTH: f32 = 4.0;
/// The width of the encoder's own table.
const WIDE: usize = 384;

/// What every training begins with.
pub(super) struct Base {
    pieces: Vec<String>,
    pub vocabulary: Vocabulary,
    table: Vec<f32>,
}

impl Base {
    /// From the folder of the encoder. Pieces of other scripts than Latin letters without accents cannot stand in folded
    /// text that the filters know, so they are left out.
    pub(super) fn load(model: &Path) -> Result<Self, String> {
        let path = model.with_file_name("vocab.txt");
        let all = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let wide = Tensors::read(model)?.f32("embeddings.word_embeddings.weight")?;
        let (mut pieces, mut rows) = (Vec::new(), Vec::new());
        for (piece, row) in all.lines().zip(wide.chunks_exact(WIDE)) {
            if piece.bytes().all(|b| b.is_ascii_graphic()) && !(piece.len() > 2 && piece.starts_with('[')) {
                pieces.push(piece.to_owned());
                rows.extend_from_slice(row);
            }
        }
        let vocabulary = Vocabulary::new(pieces.iter().map(String::as_str));
        Ok(Self { pieces, vocabulary, table: strongest(rows) })
    }
}

/// Rows of [`WIDE`] values on their [`DIMENSIONS`] strongest axes.
fn strongest(mut rows: Vec<f32>) -> Vec<f32> {
    let count = rows.len() / WIDE;
    let mut mean = [0.0f32; WIDE];
    for row in rows.as_chunks::<WIDE>().0 {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / count as f32);
    }
    for row in rows.as_chunks_mut::<WIDE>().0 {
        row.iter_mut().zip(mean).for_each(|(x, m)| *x -= m);
    }
    let mut spread = vec![0.0f32; WIDE * WIDE];
    multiply([WIDE, count, WIDE], view(&rows, 1, WIDE), view(&rows, WIDE, 1), 0.0, &mut spread, WIDE);
    // Orthogonal iteration; the axes are rows.
    let mut random = fastrand::Rng::with_seed(3);
    let mut axes: Vec<f32> = (0..DIMENSIONS * WIDE).map(|_| random.f32() - 0.5).collect();
    for _ in 0..40 {
        let mut next = vec![0.0f32; DIMENSIONS * WIDE];
        multiply([DIMENSIONS, WIDE, WIDE], view(&axes, WIDE, 1), view(&spread, WIDE, 1), 0.0, &mut next, WIDE);
        let mut done: Vec<[f32; WIDE]> = Vec::new();
        for axis in next.as_chunks_mut::<WIDE>().0 {
            for other in &done {
                let along: f32 = axis.iter().zip(other).map(|(x, y)| x * y).sum();
                axis.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
            }
            let length = axis.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
            axis.iter_mut().for_each(|x| *x /= length);
            done.push(*axis);
        }
        axes = next;
    }
    let mut table = vec![0.0f32; count * DIMENSIONS];
    multiply([count, WIDE, DIMENSIONS], view(&rows, WIDE, 1), view(&axes, 1, WIDE), 0.0, &mut table, DIMENSIONS);
    let length = (table.iter().map(|x| x * x).sum::<f32>() / count as f32).sqrt();
    table.iter_mut().for_each(|x| *x *= LENGTH / length);
    table
}

fn view(values: &[f32], row: usize, column: usize) -> View<'_> {
    View { values, row, column }
}

/// A layer with what Adam remembers of it.
struct Layer {
    w: Vec<f32>,
    g: Vec<f32>,
    m: Vec<f32>,
    v: Vec<f32>,
}

impl Layer {
    fn new(w: Vec<f32>) -> Self {
        let zeros = vec![0.0; w.len()];
        Self { g: zeros.clone(), m: zeros.clone(), v: zeros, w }
    }

    fn step(&mut self, range: std::ops::Range<usize>, rate: f32) {
        for at in range {
            let g = std::mem::take(&mut self.g[at]);
            self.m[at] += 0.1 * (g - self.m[at]);
            self.v[at] += 0.001 * (g * g - self.v[at]);
            self.w[at] -= rate * self.m[at] / (self.v[at].sqrt() + 1e-8);
        }
    }
}

pub(super) struct Model {
    weights: Vec<f32>,
    /// The table, the inner layer and its bias, the outer one, the one that goes past the inner one, the bias.
    layers: [Layer; 6],
}

/// The mean of a text's vectors and what the network makes of it.
struct Pass {
    mean: [f32; DIMENSIONS],
    hidden: [f32; HIDDEN],
    logits: [f32; HEADS],
}

pub(super) fn train(base: &Base, examples: &[(&[(u32, u32)], Example)], seed: u64) -> Model {
    let mut counts: HashMap<u32, f32> = HashMap::new();
    let mut total = base.pieces.len() as f32;
    for (at, times) in examples.iter().flat_map(|(pieces, _)| pieces.iter()) {
        *counts.entry(*at).or_default() += *times as f32;
        total += *times as f32;
    }
    let share = |at: u32| (1.0 + counts.get(&at).copied().unwrap_or_default()) / total;
    // Rounded before anything is learned by them.
    let weights =
        (0..base.pieces.len() as u32).map(|at| counted(counting(FREQUENT / (FREQUENT + share(at))))).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let inner = (0..HIDDEN * DIMENSIONS).map(|_| (random.f32() - 0.5) * 3.4 / (DIMENSIONS as f32).sqrt()).collect();
    let mut model = Model {
        weights,
        layers: [
            Layer::new(base.table.clone()),
            Layer::new(inner),
            Layer::new(vec![0.0; HIDDEN]),
            Layer::new(vec![0.0; HEADS * HIDDEN]),
            Layer::new(vec![0.0; HEADS * DIMENSIONS]),
            Layer::new(vec![-2.0; HEADS]),
        ],
    };
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let (mut step, steps) = (0, EPOCHS * order.len().div_ceil(BATCH));
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for batch in order.chunks(BATCH) {
            let mut touched = Vec::new();
            for (pieces, example) in batch.iter().filter_map(|at| examples.get(*at)) {
                let kept: Vec<(u32, u32)> = pieces.iter().copied().filter(|_| random.u32(0..100) >= DROPPED).collect();
                model.learn(&kept, example, batch.len() as f32);
                touched.extend(kept.into_iter().map(|(at, _)| at as usize));
            }
            touched.sort_unstable();
            touched.dedup();
            step += 1;
            let rate = RATE * (1.0 - step as f32 / steps as f32) * (1.0 - 0.999f32.powi(step)).sqrt()
                / (1.0 - 0.9f32.powi(step));
            let [table, others @ ..] = &mut model.layers;
            touched.into_iter().for_each(|at| table.step(at * DIMENSIONS..(at + 1) * DIMENSIONS, rate));
            others.iter_mut().for_each(|layer| layer.step(0..layer.w.len(), rate));
        }
    }
    model
}

impl Model {
    pub(super) fn logits(&self, pieces: &[(u32, u32)]) -> [f32; HEADS] {
        self.forward(pieces).logits
    }

    fn forward(&self, pieces: &[(u32, u32)]) -> Pass {
        let [table, inner, inner_bias, outer, straight, bias] = &self.layers;
        let (mut mean, mut total) = ([0.0f32; DIMENSIONS], 0.0);
        for (at, times) in pieces {
            let weight = self.weights[*at as usize] * repeated(*times);
            let row = &table.w[*at as usize * DIMENSIONS..(*at as usize + 1) * DIMENSIONS];
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
            total += weight;
        }
        mean.iter_mut().for_each(|x| *x /= total.max(1e-6));
        let mut hidden = [0.0f32; HIDDEN];
        let rows = inner.w.as_chunks::<DIMENSIONS>().0.iter().zip(&inner_bias.w);
        for (value, (row, bias)) in hidden.iter_mut().zip(rows) {
            *value = (bias + row.iter().zip(mean).map(|(w, x)| w * x).sum::<f32>()).max(0.0);
        }
        let mut logits = [0.0; HEADS];
        let rows = outer.w.as_chunks::<HIDDEN>().0.iter().zip(straight.w.as_chunks::<DIMENSIONS>().0);
        for ((logit, (outer, straight)), bias) in logits.iter_mut().zip(rows).zip(&bias.w) {
            let inside: f32 = outer.iter().zip(hidden).map(|(w, x)| w * x).sum();
            *logit = bias + inside + straight.iter().zip(mean).map(|(w, x)| w * x).sum::<f32>();
        }
        Pass { mean, hidden, logits }
    }

    /// Adds one text's slopes, divided by the size of its batch.
    fn learn(&mut self, pieces: &[(u32, u32)], example: &Example, batch: f32) {
        let Pass { mean, hidden, logits } = self.forward(pieces);
        let slopes = example.slopes(&logits).map(|slope| slope / batch);
        let [table, inner, inner_bias, outer, straight, bias] = &mut self.layers;
        let (mut d_hidden, mut d_mean) = ([0.0f32; HIDDEN], [0.0f32; DIMENSIONS]);
        for (head, slope) in slopes.into_iter().enumerate().filter(|(_, slope)| *slope != 0.0) {
            bias.g[head] += slope;
            for at in 0..HIDDEN {
                outer.g[head * HIDDEN + at] += slope * hidden[at];
                d_hidden[at] += slope * outer.w[head * HIDDEN + at];
            }
            for at in 0..DIMENSIONS {
                straight.g[head * DIMENSIONS + at] += slope * mean[at];
                d_mean[at] += slope * straight.w[head * DIMENSIONS + at];
            }
        }
        for (unit, slope) in d_hidden.into_iter().enumerate().filter(|(unit, _)| hidden[*unit] > 0.0) {
            inner_bias.g[unit] += slope;
            for at in 0..DIMENSIONS {
                inner.g[unit * DIMENSIONS + at] += slope * mean[at];
                d_mean[at] += slope * inner.w[unit * DIMENSIONS + at];
            }
        }
        let weight = |at: u32, times: u32| self.weights[at as usize] * repeated(times);
        let total: f32 = pieces.iter().map(|(at, times)| weight(*at, *times)).sum();
        for (at, times) in pieces {
            let scale = weight(*at, *times) / total.max(1e-6);
            let row = &mut table.g[*at as usize * DIMENSIONS..(*at as usize + 1) * DIMENSIONS];
            row.iter_mut().zip(d_mean).for_each(|(g, d)| *g += scale * d);
        }
    }

    pub(super) fn store(&self, base: &Base, file: &mut File) {
        let [table, inner, inner_bias, outer, straight, bias] = &self.layers;
        let pieces = base.pieces.join("\n");
        file.i8("vectors.pieces", &[pieces.len()], pieces.bytes().map(u8::cast_signed).collect());
        file.rows("vectors.table", DIMENSIONS, &table.w);
        file.i8("vectors.weights", &[self.weights.len()], self.weights.iter().map(|w| counting(*w)).collect());
        file.f32("vectors.inner", &[HIDDEN, DIMENSIONS], &inner.w);
        file.f32("vectors.inner.bias", &[HIDDEN], &inner_bias.w);
        file.f32("vectors.outer", &[HEADS, HIDDEN], &outer.w);
        file.f32("vectors.straight", &[HEADS, DIMENSIONS], &straight.w);
        file.f32("vectors.bias", &[HEADS], &bias.w);
    }
}
