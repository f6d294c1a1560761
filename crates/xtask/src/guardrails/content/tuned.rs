//! The encoder's last two layers, tuned for the filters: forward and backward over batches of texts that lie one after
//! the other, Adam with decay. The states below them are kept, so the lower layers run once a text and never change.

use std::path::Path;

use outcrop_guard::content::kernels::{GELU, View, dense, exp, gelu, multiply, norm, softmax};
use outcrop_guard::content::tower::{ATTENTION, INNER, WIDTH};
use outcrop_guard::content::{HEADS, SHARED_LAYERS};

use super::Example;
use crate::guardrails::encode::Encodings;
use crate::guardrails::tensors::{File, Tensors};

const HEAD: usize = WIDTH / ATTENTION;
const BATCH: usize = 16;
const RATE: f32 = 8e-5;
/// The heads begin at nothing and learn faster.
const HEADS_RATE: f32 = 1e-3;
const DECAY: f32 = 0.01;
/// So many of a text's tokens are left out while training, in a hundred.
const DROPPED: u32 = 10;

/// One matrix or vector with what Adam remembers of it.
#[derive(Clone)]
struct Param {
    name: String,
    columns: usize,
    w: Vec<f32>,
    g: Vec<f32>,
    m: Vec<f32>,
    v: Vec<f32>,
}

/// A layer's, in this order.
const NAMES: [(&str, usize); 14] = [
    ("query", WIDTH),
    ("query.bias", 1),
    ("pair", WIDTH),
    ("pair.bias", 1),
    ("attended", WIDTH),
    ("attended.bias", 1),
    ("attended_norm", 1),
    ("attended_norm.bias", 1),
    ("inner", WIDTH),
    ("inner.bias", 1),
    ("outer", INNER),
    ("outer.bias", 1),
    ("outer_norm", 1),
    ("outer_norm.bias", 1),
];
const Q: usize = 0;
const QB: usize = 1;
const P: usize = 2;
const PB: usize = 3;
const A: usize = 4;
const AB: usize = 5;
const AN: usize = 6;
const ANB: usize = 7;
const I: usize = 8;
const IB: usize = 9;
const O: usize = 10;
const OB: usize = 11;
const ON: usize = 12;
const ONB: usize = 13;

/// The two layers and the heads.
#[derive(Clone)]
pub(super) struct Model {
    layers: [Vec<Param>; 2],
    heads: [Param; 2],
}

/// What a layer's forward pass leaves for its backward pass.
struct Kept {
    asking: Vec<f32>,
    states: Vec<f32>,
    query: Vec<f32>,
    pair: Vec<f32>,
    weights: Vec<Vec<f32>>,
    context: Vec<f32>,
    middle: Vec<f32>,
    middle_scales: Vec<f32>,
    raw: Vec<f32>,
    inner: Vec<f32>,
    out: Vec<f32>,
    out_scales: Vec<f32>,
}

impl Param {
    fn new(name: &str, columns: usize, w: Vec<f32>) -> Self {
        let zeros = || vec![0.0; w.len()];
        Self { name: name.to_owned(), columns, g: zeros(), m: zeros(), v: zeros(), w }
    }

    fn step(&mut self, step: i32, rate: f32) {
        let rate = rate * (1.0 - 0.999f32.powi(step)).sqrt() / (1.0 - 0.9f32.powi(step));
        let decay = if self.columns > 1 { DECAY * rate } else { 0.0 };
        for (((w, g), m), v) in self.w.iter_mut().zip(&mut self.g).zip(&mut self.m).zip(&mut self.v) {
            *m += 0.1 * (*g - *m);
            *v += 0.001 * (*g * *g - *v);
            *w -= rate * *m / (v.sqrt() + 1e-8) + decay * *w;
            *g = 0.0;
        }
    }
}

impl Model {
    /// The last layers as they come with the encoder.
    pub(super) fn plain(model: &Path) -> Result<Self, String> {
        let tensors = Tensors::read(model)?;
        let read = |name: String| tensors.f32(&name);
        let layer = |at: usize| -> Result<Vec<Param>, String> {
            let mut params = Vec::new();
            for (name, columns) in NAMES {
                let kind = if name.ends_with(".bias") { "bias" } else { "weight" };
                let prefix = format!("encoder.layer.{}", at + SHARED_LAYERS);
                let w = match name.trim_end_matches(".bias") {
                    "query" => read(format!("{prefix}.attention.self.query.{kind}"))?,
                    "pair" => {
                        let mut both = read(format!("{prefix}.attention.self.key.{kind}"))?;
                        both.extend(read(format!("{prefix}.attention.self.value.{kind}"))?);
                        both
                    }
                    "attended" => read(format!("{prefix}.attention.output.dense.{kind}"))?,
                    "attended_norm" => read(format!("{prefix}.attention.output.LayerNorm.{kind}"))?,
                    "inner" => read(format!("{prefix}.intermediate.dense.{kind}"))?,
                    "outer" => read(format!("{prefix}.output.dense.{kind}"))?,
                    _ => read(format!("{prefix}.output.LayerNorm.{kind}"))?,
                };
                params.push(Param::new(&format!("tuned.{at}.{name}"), columns, w));
            }
            Ok(params)
        };
        let heads = [
            Param::new("tuned.heads", 2 * WIDTH, vec![0.0; HEADS * 2 * WIDTH]),
            Param::new("tuned.heads.bias", 1, vec![-1.0; HEADS]),
        ];
        Ok(Self { layers: [layer(0)?, layer(1)?], heads })
    }

    /// The heads' values of one text.
    pub(super) fn logits(&self, states: &[f32]) -> [f32; HEADS] {
        let (read, _) = self.forward(states, &[states.len() / WIDTH]);
        let mut logits = [0.0; HEADS];
        logits.copy_from_slice(
            dense(&read, &self.heads[0].w, &self.heads[1].w, 2 * WIDTH).get(..HEADS).unwrap_or(&[0.0; HEADS]),
        );
        logits
    }

    fn forward(&self, states: &[f32], lengths: &[usize]) -> (Vec<f32>, [Kept; 2]) {
        let first = layer_forward(&self.layers[0], states, lengths, false);
        let second = layer_forward(&self.layers[1], &first.out, lengths, true);
        let mut read = Vec::with_capacity(lengths.len() * 2 * WIDTH);
        let mut start = 0;
        for (length, row) in lengths.iter().zip(second.out.chunks_exact(WIDTH)) {
            read.extend_from_slice(row);
            let mut mean = vec![0.0; WIDTH];
            for row in first.out.chunks_exact(WIDTH).skip(start).take(*length) {
                mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / *length as f32);
            }
            read.extend(mean);
            start += length;
        }
        (read, [first, second])
    }

    /// One batch: adds to the slopes and answers the loss's sum.
    fn learn(&mut self, states: &[f32], lengths: &[usize], examples: &[Example]) {
        let (read, [first, second]) = self.forward(states, lengths);
        let logits = dense(&read, &self.heads[0].w, &self.heads[1].w, 2 * WIDTH);
        let mut slopes = Vec::with_capacity(logits.len());
        for (row, example) in logits.as_chunks::<HEADS>().0.iter().zip(examples) {
            slopes.extend(example.slopes(row).map(|slope| slope / lengths.len() as f32));
        }
        let [weight, bias] = &mut self.heads;
        let d_read = back(&slopes, &read, weight, bias, 2 * WIDTH);
        let mut d_second = Vec::with_capacity(lengths.len() * WIDTH);
        let mut d_mean = Vec::with_capacity(first.out.len());
        for (row, length) in d_read.chunks_exact(2 * WIDTH).zip(lengths) {
            let (cls, mean) = row.split_at(WIDTH);
            d_second.extend_from_slice(cls);
            for _ in 0..*length {
                d_mean.extend(mean.iter().map(|x| x / *length as f32));
            }
        }
        let mut d_first = layer_backward(&mut self.layers[1], &second, d_second, lengths, true).unwrap_or_default();
        d_first.iter_mut().zip(d_mean).for_each(|(x, mean)| *x += mean);
        layer_backward(&mut self.layers[0], &first, d_first, lengths, false);
    }

    fn step(&mut self, step: i32, share: f32) {
        for param in self.layers.iter_mut().flatten() {
            param.step(step, RATE * share);
        }
        for param in &mut self.heads {
            param.step(step, HEADS_RATE * share);
        }
    }

    /// A model that [`Model::store`] wrote without rounding.
    pub(super) fn read(mut self, path: &Path) -> Result<Self, String> {
        let tensors = Tensors::read(path)?;
        for param in self.layers.iter_mut().flatten().chain(&mut self.heads) {
            param.w = tensors.f32(&param.name)?;
        }
        Ok(self)
    }

    /// Every value as it is.
    pub(super) fn exact(&self, file: &mut File) {
        for param in self.layers.iter().flatten().chain(&self.heads) {
            file.f32(&param.name, &[param.w.len()], &param.w);
        }
    }

    pub(super) fn store(&self, file: &mut File) {
        for param in self.layers.iter().flatten().chain(&self.heads) {
            match param.columns {
                1 => file.f32(&param.name, &[param.w.len()], &param.w),
                columns => file.rows(&param.name, columns, &param.w),
            }
        }
    }
}

/// Longer texts are cut to so many tokens while training: most say early what they are.
const LONGEST: usize = 128;

/// Tunes `model` on `texts`, once through them.
pub(super) fn train(mut model: Model, texts: &[(&str, Example)], encodings: &Encodings, seed: u64) -> Model {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut order: Vec<usize> = (0..texts.len()).collect();
    random.shuffle(&mut order);
    let steps = order.len().div_ceil(BATCH) as f32;
    for (step, batch) in (1..).zip(order.chunks(BATCH)) {
        let (mut states, mut lengths, mut examples) = (Vec::new(), Vec::new(), Vec::new());
        for (text, example) in batch.iter().filter_map(|at| texts.get(*at)) {
            let encoded = encodings.encoded(text);
            let before = states.len();
            for (at, row) in encoded.states.chunks_exact(WIDTH).take(LONGEST).enumerate() {
                if at == 0 || random.u32(0..100) >= DROPPED {
                    states.extend_from_slice(row);
                }
            }
            lengths.push((states.len() - before) / WIDTH);
            examples.push(*example);
        }
        model.learn(&states, &lengths, &examples);
        let share = (step as f32 / (0.06 * steps)).min(1.0 - step as f32 / steps).clamp(0.0, 1.0);
        model.step(step, share);
        if step % 50 == 0 {
            eprintln!("step {step} of {steps}");
        }
    }
    model
}

fn layer_forward(p: &[Param], states: &[f32], lengths: &[usize], first_only: bool) -> Kept {
    let asking = if first_only {
        let mut start = 0;
        let mut rows = Vec::new();
        for length in lengths {
            rows.extend_from_slice(&states[start * WIDTH..(start + 1) * WIDTH]);
            start += length;
        }
        rows
    } else {
        states.to_vec()
    };
    let query = dense(&asking, &p[Q].w, &p[QB].w, WIDTH);
    let pair = dense(states, &p[P].w, &p[PB].w, WIDTH);
    let mut context = vec![0.0; asking.len()];
    let mut weights = Vec::new();
    let (mut start, mut from) = (0, 0);
    for &n in lengths {
        let m = if first_only { 1 } else { n };
        for head in 0..ATTENTION {
            let mut scores = vec![0.0; m * n];
            let q = View { values: &query[from * WIDTH + head * HEAD..], row: WIDTH, column: 1 };
            let k = View { values: &pair[start * 2 * WIDTH + head * HEAD..], row: 1, column: 2 * WIDTH };
            multiply([m, HEAD, n], q, k, 0.0, &mut scores, n);
            scores.iter_mut().for_each(|x| *x /= (HEAD as f32).sqrt());
            softmax(&mut scores, n);
            let v = View { values: &pair[start * 2 * WIDTH + WIDTH + head * HEAD..], row: 2 * WIDTH, column: 1 };
            let s = View { values: &scores, row: n, column: 1 };
            multiply([m, n, HEAD], s, v, 0.0, &mut context[from * WIDTH + head * HEAD..], WIDTH);
            weights.push(scores);
        }
        start += n;
        from += m;
    }
    let mut middle = dense(&context, &p[A].w, &p[AB].w, WIDTH);
    middle.iter_mut().zip(&asking).for_each(|(x, state)| *x += state);
    let middle_scales = norm(&mut middle, &p[AN].w, &p[ANB].w);
    let raw = dense(&middle, &p[I].w, &p[IB].w, WIDTH);
    let mut inner = raw.clone();
    gelu(&mut inner);
    let mut out = dense(&inner, &p[O].w, &p[OB].w, INNER);
    out.iter_mut().zip(&middle).for_each(|(x, state)| *x += state);
    let out_scales = norm(&mut out, &p[ON].w, &p[ONB].w);
    Kept {
        asking,
        states: states.to_vec(),
        query,
        pair,
        weights,
        context,
        middle,
        middle_scales,
        raw,
        inner,
        out,
        out_scales,
    }
}

/// The slope at a layer's input, where the layer below learns too.
fn layer_backward(
    p: &mut [Param],
    kept: &Kept,
    d_out: Vec<f32>,
    lengths: &[usize],
    first_only: bool,
) -> Option<Vec<f32>> {
    let mut split = p.iter_mut();
    let mut next = || split.next();
    let (q, qb, pw, pb, a, ab, an, anb, i, ib, o, ob, on, onb) = (
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
        next()?,
    );
    let d_sum = norm_back(d_out, &kept.out, &kept.out_scales, on, onb);
    let mut d_inner = back(&d_sum, &kept.inner, o, ob, INNER);
    for (d, x) in d_inner.iter_mut().zip(&kept.raw) {
        let u = GELU[0] * (x + GELU[1] * x * x * x);
        let s = 1.0 / (1.0 + exp(-u));
        *d *= s + x * s * (1.0 - s) * GELU[0] * (1.0 + 3.0 * GELU[1] * x * x);
    }
    let mut d_middle = back(&d_inner, &kept.middle, i, ib, WIDTH);
    d_middle.iter_mut().zip(&d_sum).for_each(|(d, x)| *d += x);
    let d_asking = norm_back(d_middle, &kept.middle, &kept.middle_scales, an, anb);
    let d_context = back(&d_asking, &kept.context, a, ab, WIDTH);
    let (mut d_query, mut d_pair) = (vec![0.0; kept.query.len()], vec![0.0; kept.pair.len()]);
    let (mut start, mut from, mut weights) = (0, 0, kept.weights.iter());
    let root = 1.0 / (HEAD as f32).sqrt();
    for &n in lengths {
        let m = if first_only { 1 } else { n };
        for head in 0..ATTENTION {
            let s = weights.next()?;
            let at = from * WIDTH + head * HEAD;
            let (key, value) = (start * 2 * WIDTH + head * HEAD, start * 2 * WIDTH + WIDTH + head * HEAD);
            let d_c = View { values: &d_context[at..], row: WIDTH, column: 1 };
            let mut d_s = vec![0.0; m * n];
            multiply(
                [m, HEAD, n],
                d_c,
                View { values: &kept.pair[value..], row: 1, column: 2 * WIDTH },
                0.0,
                &mut d_s,
                n,
            );
            multiply([n, m, HEAD], View { values: s, row: 1, column: n }, d_c, 0.0, &mut d_pair[value..], 2 * WIDTH);
            for (d, w) in d_s.chunks_exact_mut(n).zip(s.chunks_exact(n)) {
                let sum: f32 = d.iter().zip(w).map(|(d, w)| d * w).sum();
                d.iter_mut().zip(w).for_each(|(d, w)| *d = w * (*d - sum) * root);
            }
            let d_s = |row, column| View { values: &d_s, row, column };
            multiply(
                [m, n, HEAD],
                d_s(n, 1),
                View { values: &kept.pair[key..], row: 2 * WIDTH, column: 1 },
                0.0,
                &mut d_query[at..],
                WIDTH,
            );
            multiply(
                [n, m, HEAD],
                d_s(1, n),
                View { values: &kept.query[at..], row: WIDTH, column: 1 },
                0.0,
                &mut d_pair[key..],
                2 * WIDTH,
            );
        }
        start += n;
        from += m;
    }
    let from_query = back(&d_query, &kept.asking, q, qb, WIDTH);
    let mut d_states = back(&d_pair, &kept.states, pw, pb, WIDTH);
    let mut start = 0;
    let mut rows = from_query.chunks_exact(WIDTH).zip(d_asking.chunks_exact(WIDTH));
    for &n in lengths {
        for row in d_states.chunks_exact_mut(WIDTH).skip(start).take(if first_only { 1 } else { n }) {
            let (one, other) = rows.next()?;
            row.iter_mut().zip(one.iter().zip(other)).for_each(|(d, (x, y))| *d += x + y);
        }
        start += n;
    }
    Some(d_states)
}

/// Backward through a dense product: slopes of weight and bias are added, the slope at its input answered.
fn back(d: &[f32], input: &[f32], weight: &mut Param, bias: &mut Param, inputs: usize) -> Vec<f32> {
    let outputs = bias.w.len();
    let rows = d.len() / outputs;
    for row in d.chunks_exact(outputs) {
        bias.g.iter_mut().zip(row).for_each(|(g, x)| *g += x);
    }
    let view = |values, row, column| View { values, row, column };
    multiply([outputs, rows, inputs], view(d, 1, outputs), view(input, inputs, 1), 1.0, &mut weight.g, inputs);
    let mut d_input = vec![0.0; rows * inputs];
    multiply([rows, outputs, inputs], view(d, outputs, 1), view(&weight.w, inputs, 1), 0.0, &mut d_input, inputs);
    d_input
}

/// Backward through a layer norm whose results and scales were kept.
fn norm_back(mut d: Vec<f32>, out: &[f32], scales: &[f32], weight: &mut Param, bias: &mut Param) -> Vec<f32> {
    for ((d, out), scale) in d.chunks_exact_mut(WIDTH).zip(out.chunks_exact(WIDTH)).zip(scales) {
        let mut hats = [0.0f32; WIDTH];
        for (((hat, y), w), b) in hats.iter_mut().zip(out).zip(&weight.w).zip(&bias.w) {
            *hat = if w.abs() > 1e-6 { (y - b) / w } else { 0.0 };
        }
        let (mut sum, mut product) = (0.0, 0.0);
        for (((d, hat), (w, gw)), gb) in d.iter_mut().zip(hats).zip(weight.w.iter().zip(&mut weight.g)).zip(&mut bias.g)
        {
            *gw += *d * hat;
            *gb += *d;
            *d *= w;
            sum += *d;
            product += *d * hat;
        }
        for (d, hat) in d.iter_mut().zip(hats) {
            *d = scale * (*d - (sum + hat * product) / WIDTH as f32);
        }
    }
    d
}

#[cfg(test)]
mod tests;
