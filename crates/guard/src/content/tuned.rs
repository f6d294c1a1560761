//! The encoder's last two layers, tuned for the filters, on the states that the plain encoder has below them: one pass
//! through the lower four serves both. Of the second tuned layer only the first token is worked out, so that nothing of it
//! is a product over all tokens: keys and values are never made, the query and what was attended to go through their
//! matrices instead. The heads read that token and the mean of the first tuned layer.

use super::heads::HEADS;
use super::kernels::{View, dot, gelu, multiply, norm, softmax};
use super::tensors::Tensors;
use crate::Refused;

/// The values of a state.
pub const WIDTH: usize = 384;
/// The heads of attention.
pub const ATTENTION: usize = 12;
/// The values inside a layer.
pub const INNER: usize = 1536;
const HEAD: usize = WIDTH / ATTENTION;
/// Of scores, one over the root of [`HEAD`].
const SCALE: f32 = 0.176_776_7;

/// The weights of an output in a row, or input by input: the product of many rows wants to read them so.
struct Dense {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    query: Dense,
    pair: Dense,
    attended: Dense,
    attended_norm: Norm,
    inner: Dense,
    outer: Dense,
    outer_norm: Norm,
}

pub(super) struct Tuned {
    first: Layer,
    last: Layer,
    heads: Dense,
}

impl Tuned {
    pub(super) fn load(tensors: &Tensors<'_>) -> Result<Self, Refused> {
        let dense = |name: String, outputs: usize, inputs: usize| -> Result<Dense, Refused> {
            let bias = tensors.f32(&format!("{name}.bias"), &[outputs])?;
            Ok(Dense { weight: tensors.rows(&name, outputs, inputs)?, bias })
        };
        let norm = |name: String| -> Result<Norm, Refused> {
            let weight = tensors.f32(&name, &[WIDTH])?;
            Ok(Norm { weight, bias: tensors.f32(&format!("{name}.bias"), &[WIDTH])? })
        };
        let layer = |at: usize| -> Result<Layer, Refused> {
            Ok(Layer {
                query: dense(format!("tuned.{at}.query"), WIDTH, WIDTH)?,
                pair: dense(format!("tuned.{at}.pair"), 2 * WIDTH, WIDTH)?,
                attended: dense(format!("tuned.{at}.attended"), WIDTH, WIDTH)?,
                attended_norm: norm(format!("tuned.{at}.attended_norm"))?,
                inner: dense(format!("tuned.{at}.inner"), INNER, WIDTH)?,
                outer: dense(format!("tuned.{at}.outer"), WIDTH, INNER)?,
                outer_norm: norm(format!("tuned.{at}.outer_norm"))?,
            })
        };
        let (mut first, mut last) = (layer(0)?, layer(1)?);
        // The scale of the scores goes into the queries once, here.
        for query in [&mut first.query, &mut last.query] {
            query.weight.iter_mut().chain(&mut query.bias).for_each(|x| *x *= SCALE);
        }
        for dense in [&mut first.query, &mut first.pair, &mut first.attended, &mut first.inner, &mut first.outer] {
            dense.turn();
        }
        Ok(Self { first, last, heads: dense("tuned.heads".to_owned(), HEADS, 2 * WIDTH)? })
    }

    /// The heads' values for a text's states, token after token.
    pub(super) fn logits(&self, states: &[f32]) -> [f32; HEADS] {
        let mut logits = [0.0; HEADS];
        let tokens = states.len() / WIDTH;
        let Some(states) = states.get(..tokens * WIDTH).filter(|states| !states.is_empty()) else { return logits };
        let all = self.first.forward(states, tokens);
        let mut read = self.last.of_first(&all);
        let mut mean = vec![0.0; WIDTH];
        for row in all.chunks_exact(WIDTH) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / tokens as f32);
        }
        read.append(&mut mean);
        let values = self.heads.of_one(&read);
        logits.iter_mut().zip(values).for_each(|(logit, value)| *logit = value);
        logits
    }
}

impl Layer {
    /// The states of all tokens after this layer.
    fn forward(&self, states: &[f32], tokens: usize) -> Vec<f32> {
        let query = self.query.of_all(states);
        let pair = self.pair.of_all(states);
        let (mut context, mut scores) = (vec![0.0; tokens * WIDTH], vec![0.0; tokens * tokens]);
        for head in 0..ATTENTION {
            let at = |values, offset: usize, row, column| View { values: from(values, offset), row, column };
            let (query, key) = (at(&query, head * HEAD, WIDTH, 1), at(&pair, head * HEAD, 1, 2 * WIDTH));
            multiply([tokens, HEAD, tokens], query, key, 0.0, &mut scores, tokens);
            softmax(&mut scores, tokens);
            let weights = View { values: &scores, row: tokens, column: 1 };
            let into = context.get_mut(head * HEAD..).unwrap_or_default();
            multiply([tokens, tokens, HEAD], weights, at(&pair, WIDTH + head * HEAD, 2 * WIDTH, 1), 0.0, into, WIDTH);
        }
        self.rest(states, &context, Dense::of_all)
    }

    /// The state of the first token after this layer. A score is the query times a key, and a key is a matrix times a
    /// state: the query goes through the matrix first. The keys' bias adds the same to all scores, which changes nothing;
    /// the values' bias is added once, for what is attended to adds up to one.
    fn of_first(&self, states: &[f32]) -> Vec<f32> {
        let tokens = states.len() / WIDTH;
        let asking = states.get(..WIDTH).unwrap_or_default();
        let query = self.query.of_one(asking);
        let (keys, values) = self.pair.weight.split_at(WIDTH * WIDTH);
        let mut asked = vec![0.0; ATTENTION * WIDTH];
        for (asked, (query, keys)) in
            asked.chunks_exact_mut(WIDTH).zip(query.chunks_exact(HEAD).zip(keys.chunks_exact(HEAD * WIDTH)))
        {
            for (q, key) in query.iter().zip(keys.chunks_exact(WIDTH)) {
                asked.iter_mut().zip(key).for_each(|(sum, x)| *sum += q * x);
            }
        }
        let (mut scores, mut seen) = (vec![0.0; ATTENTION * tokens], vec![0.0; ATTENTION * WIDTH]);
        let view = |values, row, column| View { values, row, column };
        multiply([ATTENTION, WIDTH, tokens], view(&asked, WIDTH, 1), view(states, 1, WIDTH), 0.0, &mut scores, tokens);
        softmax(&mut scores, tokens);
        multiply([ATTENTION, tokens, WIDTH], view(&scores, tokens, 1), view(states, WIDTH, 1), 0.0, &mut seen, WIDTH);
        let biases = self.pair.bias.iter().skip(WIDTH);
        let rows = values.chunks_exact(WIDTH).zip(biases).enumerate();
        let context: Vec<f32> = rows.map(|(at, (row, bias))| bias + dot(row, from(&seen, at / HEAD * WIDTH))).collect();
        self.rest(asking, &context, Dense::of_one)
    }

    /// What a layer does after attention, each token by itself.
    fn rest(&self, asking: &[f32], context: &[f32], dense: fn(&Dense, &[f32]) -> Vec<f32>) -> Vec<f32> {
        let mut middle = dense(&self.attended, context);
        middle.iter_mut().zip(asking).for_each(|(x, state)| *x += state);
        norm(&mut middle, &self.attended_norm.weight, &self.attended_norm.bias);
        let mut inner = dense(&self.inner, &middle);
        gelu(&mut inner);
        let mut out = dense(&self.outer, &inner);
        out.iter_mut().zip(&middle).for_each(|(x, state)| *x += state);
        norm(&mut out, &self.outer_norm.weight, &self.outer_norm.bias);
        out
    }
}

impl Dense {
    /// From output by output to input by input.
    fn turn(&mut self) {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs.max(1);
        let columns = (0..inputs).flat_map(|input| self.weight.iter().skip(input).step_by(inputs));
        self.weight = columns.copied().collect();
    }

    /// The outputs of one row, by weights output by output.
    fn of_one(&self, row: &[f32]) -> Vec<f32> {
        let inputs = row.len().max(1);
        self.weight.chunks_exact(inputs).zip(&self.bias).map(|(weight, bias)| bias + dot(weight, row)).collect()
    }

    /// The outputs of many rows, by weights input by input.
    fn of_all(&self, rows: &[f32]) -> Vec<f32> {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs.max(1);
        let count = rows.len() / inputs.max(1);
        let mut out = Vec::with_capacity(count * outputs);
        (0..count).for_each(|_| out.extend_from_slice(&self.bias));
        let rows = View { values: rows, row: inputs, column: 1 };
        let weight = View { values: &self.weight, row: outputs, column: 1 };
        multiply([count, inputs, outputs], rows, weight, 1.0, &mut out, outputs);
        out
    }
}

fn from(values: &[f32], offset: usize) -> &[f32] {
    values.get(offset..).unwrap_or_default()
}
