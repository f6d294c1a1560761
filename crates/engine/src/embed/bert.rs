//! The six layers. Texts of a batch lie one after the other without padding: the dense products run over all
//! tokens at once, attention within each text.
//!
//! States are kept with a row for each feature and a column for each token. In that order both sides of nearly
//! every product lie as the product wants to read them.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::EmbedError;
use super::dense::{Columns, Dense};
use super::kernels::{Norm, add_bias, add_norm, bias_gelu, softmax_numerators, unit};

pub(super) const HIDDEN: usize = 384;
const HEADS: usize = 12;
const HEAD: usize = HIDDEN / HEADS;
const INNER: usize = 1536;
const LAYERS: usize = 6;
const POSITIONS: usize = 512;

pub(super) struct Bert {
    words: Vec<f32>,
    /// Position and (only) segment embedding together.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    qkv: Dense,
    attended: Dense,
    attended_norm: Norm,
    inner: Dense,
    outer: Dense,
    outer_norm: Norm,
}

/// Work space, as large as the largest batch it has seen.
#[derive(Default)]
pub(super) struct Scratch {
    states: Vec<f32>,
    next: Vec<f32>,
    qkv: Vec<f32>,
    context: Vec<f32>,
    inner: Vec<f32>,
    columns: Columns,
    scores: Vec<f32>,
    sums: Vec<f32>,
}

impl Bert {
    /// Loads the weights; every tensor's shape and type is checked.
    pub fn load(path: &Path, vocabulary: usize) -> Result<Self, EmbedError> {
        let failed = |why: &dyn std::fmt::Display| EmbedError::model(path, why);
        let bytes = std::fs::read(path).map_err(|e| failed(&e))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| failed(&e))?;
        let source = Source { tensors, path };
        let mut positions = source.tensor("embeddings.position_embeddings.weight", &[POSITIONS, HIDDEN])?;
        let segments = source.tensor("embeddings.token_type_embeddings.weight", &[2, HIDDEN])?;
        for row in positions.chunks_exact_mut(HIDDEN) {
            for (p, s) in row.iter_mut().zip(&segments) {
                *p += s;
            }
        }
        let mut layers = Vec::with_capacity(LAYERS);
        for layer in 0..LAYERS {
            let at = |name: &str| format!("encoder.layer.{layer}.{name}");
            let names = ["query", "key", "value"].map(|name| at(&format!("attention.self.{name}")));
            let names = names.each_ref().map(String::as_str);
            let (mut rows, mut bias) = source.rows(&names, HIDDEN, HIDDEN)?;
            // The scores' scale goes into the query once, here.
            let scale = 1.0 / (HEAD as f32).sqrt();
            let queries = rows.iter_mut().take(HIDDEN * HIDDEN).chain(bias.iter_mut().take(HIDDEN));
            queries.for_each(|x| *x *= scale);
            layers.push(Layer {
                qkv: Dense::new(&rows, bias),
                attended: source.dense(&at("attention.output.dense"), HIDDEN, HIDDEN)?,
                attended_norm: source.norm(&at("attention.output.LayerNorm"))?,
                inner: source.dense(&at("intermediate.dense"), HIDDEN, INNER)?,
                outer: source.dense(&at("output.dense"), INNER, HIDDEN)?,
                outer_norm: source.norm(&at("output.LayerNorm"))?,
            });
        }
        Ok(Self {
            words: source.tensor("embeddings.word_embeddings.weight", &[vocabulary, HIDDEN])?,
            positions,
            norm: source.norm("embeddings.LayerNorm")?,
            layers,
        })
    }

    /// Runs the layers over `texts`; `after` sees the states after the embedding table and after every layer, a
    /// row for each feature.
    pub fn forward(&self, scratch: &mut Scratch, texts: &[&[u32]], after: &mut dyn FnMut(&[f32])) {
        let tokens: usize = texts.iter().map(|ids| ids.len()).sum();
        if tokens == 0 {
            return;
        }
        scratch.fit(tokens, texts.iter().map(|ids| ids.len()).max().unwrap_or(0));
        self.look_up(&mut scratch.states, &mut scratch.next, tokens, texts);
        after(&scratch.states);
        for layer in &self.layers {
            layer.forward(scratch, tokens, texts);
            after(&scratch.states);
        }
    }

    /// The mean of every text's states after [`Bert::forward`], scaled to length 1, and the length that it had.
    pub fn pooled(&self, scratch: &Scratch, texts: &[&[u32]]) -> Vec<(Vec<f32>, f32)> {
        let tokens: usize = texts.iter().map(|ids| ids.len()).sum();
        let mut start = 0;
        let mut vectors = Vec::with_capacity(texts.len());
        for ids in texts {
            let rows = scratch.states.chunks_exact(tokens.max(1));
            let mut vector: Vec<f32> = rows.map(|row| row.iter().skip(start).take(ids.len()).sum()).collect();
            let length = unit(&mut vector) / ids.len().max(1) as f32;
            vectors.push((vector, length));
            start += ids.len();
        }
        vectors
    }

    fn look_up(&self, states: &mut [f32], zeros: &mut [f32], width: usize, texts: &[&[u32]]) {
        let tokens = texts.iter().flat_map(|ids| ids.iter().zip(self.positions.chunks_exact(HIDDEN)));
        for (column, (&id, position)) in tokens.enumerate() {
            // The tokenizer and the table have the same size, so every id has its row.
            let word = self.words.chunks_exact(HIDDEN).nth(id as usize).unwrap_or(position);
            let places = states.iter_mut().skip(column).step_by(width);
            for ((x, w), p) in places.zip(word).zip(position) {
                *x = w + p;
            }
        }
        zeros.fill(0.0);
        add_norm(states, width, &[0.0; HIDDEN], zeros, &self.norm);
    }
}

/// States with a row for each token, from states with a row for each feature.
pub(super) fn by_token(states: &[f32]) -> Vec<f32> {
    let tokens = states.len() / HIDDEN;
    let columns = (0..tokens).flat_map(|token| states.iter().skip(token).step_by(tokens));
    columns.copied().collect()
}

impl Layer {
    fn forward(&self, scratch: &mut Scratch, width: usize, texts: &[&[u32]]) {
        let Scratch { states, next, qkv, context, inner, columns, scores, sums } = scratch;
        self.qkv.product(states, columns, qkv, width);
        add_bias(qkv, width, &self.qkv.bias);
        let mut start = 0;
        for ids in texts {
            attend(qkv, context, scores, sums, width, start, ids.len());
            start += ids.len();
        }
        self.attended.product(context, columns, next, width);
        add_norm(next, width, &self.attended.bias, states, &self.attended_norm);
        std::mem::swap(states, next);
        self.inner.product(states, columns, inner, width);
        bias_gelu(inner, width, &self.inner.bias);
        self.outer.product(inner, columns, next, width);
        add_norm(next, width, &self.outer.bias, states, &self.outer_norm);
        std::mem::swap(states, next);
    }
}

/// Attention of the text whose `n` tokens begin at column `start` of `width`.
fn attend(
    qkv: &[f32],
    context: &mut [f32],
    scores: &mut [f32],
    sums: &mut [f32],
    width: usize,
    start: usize,
    n: usize,
) {
    let (Some(scores), Some(sums)) = (scores.get_mut(..n * n), sums.get_mut(..n)) else { return };
    for head in 0..HEADS {
        let at = |part: usize| (part * HIDDEN + head * HEAD) * width + start;
        // A row for each token that is looked at, a column for each that looks.
        let key = Matrix { values: qkv, offset: at(1), row: 1, column: width };
        let query = Matrix { values: qkv, offset: at(0), row: width, column: 1 };
        multiply([n, HEAD, n], key, query, scores, 0, n);
        softmax_numerators(scores, sums);
        let value = Matrix { values: qkv, offset: at(2), row: width, column: 1 };
        let weights = Matrix { values: scores, offset: 0, row: n, column: 1 };
        multiply([HEAD, n, n], value, weights, context, at(0), width);
        for row in context.chunks_exact_mut(width).skip(head * HEAD).take(HEAD) {
            for (x, sum) in row.iter_mut().skip(start).zip(sums.iter()) {
                *x /= sum;
            }
        }
    }
}

/// A view: value (i, j) stands at `offset + i * row + j * column`.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    offset: usize,
    row: usize,
    column: usize,
}

impl Matrix<'_> {
    fn holds(&self, rows: usize, columns: usize) -> bool {
        self.offset + (rows - 1) * self.row + (columns - 1) * self.column < self.values.len()
    }
}

/// `output` (rows `row` apart, from `offset`) becomes `a` (m × k) times `b` (k × n).
fn multiply([m, k, n]: [usize; 3], a: Matrix, b: Matrix, output: &mut [f32], offset: usize, row: usize) {
    if m == 0 || k == 0 || n == 0 {
        return;
    }
    assert!(a.holds(m, k) && b.holds(k, n) && n <= row && offset + (m - 1) * row + n <= output.len());
    // SAFETY: the line above proved that every index of the three views lies inside its slice; `output` is
    // borrowed mutably, so it overlaps neither input, and its rows do not overlap each other.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.values.as_ptr().add(a.offset),
            a.row.cast_signed(),
            a.column.cast_signed(),
            b.values.as_ptr().add(b.offset),
            b.row.cast_signed(),
            b.column.cast_signed(),
            0.0,
            output.as_mut_ptr().add(offset),
            row.cast_signed(),
            1,
        );
    }
}

impl Scratch {
    fn fit(&mut self, tokens: usize, longest: usize) {
        for (buffer, width) in [
            (&mut self.states, HIDDEN),
            (&mut self.next, HIDDEN),
            (&mut self.context, HIDDEN),
            (&mut self.qkv, 3 * HIDDEN),
            (&mut self.inner, INNER),
        ] {
            buffer.resize(tokens * width, 0.0);
        }
        self.scores.resize(longest * longest, 0.0);
        self.sums.resize(longest, 0.0);
    }
}

struct Source<'a> {
    tensors: SafeTensors<'a>,
    path: &'a Path,
}

impl Source<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EmbedError> {
        let tensor = self.tensors.tensor(name).map_err(|e| EmbedError::model(self.path, e))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            let why = format!("{name} is {:?} {:?}, not F32 {shape:?}", tensor.dtype(), tensor.shape());
            return Err(EmbedError::model(self.path, why));
        }
        let (values, _) = tensor.data().as_chunks();
        Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    fn norm(&self, name: &str) -> Result<Norm, EmbedError> {
        let weight = self.tensor(&format!("{name}.weight"), &[HIDDEN])?;
        Ok(Norm { weight, bias: self.tensor(&format!("{name}.bias"), &[HIDDEN])? })
    }

    fn dense(&self, name: &str, inputs: usize, outputs: usize) -> Result<Dense, EmbedError> {
        let (rows, bias) = self.rows(&[name], inputs, outputs)?;
        Ok(Dense::new(&rows, bias))
    }

    /// Weights, output by output, and biases of the layers `names`, one after the other.
    fn rows(&self, names: &[&str], inputs: usize, outputs: usize) -> Result<(Vec<f32>, Vec<f32>), EmbedError> {
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            rows.extend(self.tensor(&format!("{name}.weight"), &[outputs, inputs])?);
            bias.extend(self.tensor(&format!("{name}.bias"), &[outputs])?);
        }
        Ok((rows, bias))
    }
}

#[cfg(test)]
impl Scratch {
    pub(super) fn bytes(&self) -> usize {
        use super::dense::LANES;
        let buffers = [&self.states, &self.next, &self.qkv, &self.context, &self.inner, &self.scores, &self.sums];
        let numbers: usize = buffers.iter().map(|buffer| buffer.capacity()).sum();
        (numbers + self.columns.capacity() * LANES) * size_of::<f32>()
    }
}
