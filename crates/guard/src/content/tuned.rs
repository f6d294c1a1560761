//! The encoder's last two layers, tuned for the filters, on the states that the plain encoder has below them: one pass
//! through the lower four serves both. Of the second tuned layer only the first token is worked out, and the heads
//! read it and the mean of the first tuned layer: so it costs a fifth of the encoder, not a third.

use super::heads::HEADS;
use super::kernels::{View, dense, gelu, multiply, norm, softmax};
use super::tensors::Tensors;
use crate::Refused;

/// The values of a state.
pub const WIDTH: usize = 384;
/// The heads of attention.
pub const ATTENTION: usize = 12;
/// The values inside a layer.
pub const INNER: usize = 1536;
const HEAD: usize = WIDTH / ATTENTION;

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
    layers: [Layer; 2],
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
        Ok(Self { layers: [layer(0)?, layer(1)?], heads: dense("tuned.heads".to_owned(), HEADS, 2 * WIDTH)? })
    }

    /// The heads' values for a text's states, token after token.
    pub(super) fn logits(&self, states: &[f32]) -> [f32; HEADS] {
        let mut logits = [0.0; HEADS];
        let tokens = states.len() / WIDTH;
        let Some(states) = states.get(..tokens * WIDTH).filter(|states| !states.is_empty()) else { return logits };
        let [first, second] = &self.layers;
        let all = first.forward(states, tokens);
        let mut read = second.forward(&all, 1);
        let mut mean = vec![0.0; WIDTH];
        for row in all.chunks_exact(WIDTH) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / tokens as f32);
        }
        read.append(&mut mean);
        let values = dense(&read, &self.heads.weight, &self.heads.bias, 2 * WIDTH);
        logits.iter_mut().zip(values).for_each(|(logit, value)| *logit = value);
        logits
    }
}

impl Layer {
    /// The states of the first `some` tokens after this layer.
    fn forward(&self, states: &[f32], some: usize) -> Vec<f32> {
        let tokens = states.len() / WIDTH;
        let asking = states.get(..some * WIDTH).unwrap_or_default();
        let query = dense(asking, &self.query.weight, &self.query.bias, WIDTH);
        let pair = dense(states, &self.pair.weight, &self.pair.bias, WIDTH);
        let (mut context, mut scores) = (vec![0.0; some * WIDTH], vec![0.0; some * tokens]);
        for head in 0..ATTENTION {
            let at = |values, offset: usize, row, column| View { values: from(values, offset), row, column };
            multiply(
                [some, HEAD, tokens],
                at(&query, head * HEAD, WIDTH, 1),
                at(&pair, head * HEAD, 1, 2 * WIDTH),
                0.0,
                &mut scores,
                tokens,
            );
            scores.iter_mut().for_each(|x| *x /= (HEAD as f32).sqrt());
            softmax(&mut scores, tokens);
            let weights = View { values: &scores, row: tokens, column: 1 };
            let into = context.get_mut(head * HEAD..).unwrap_or_default();
            multiply([some, tokens, HEAD], weights, at(&pair, WIDTH + head * HEAD, 2 * WIDTH, 1), 0.0, into, WIDTH);
        }
        let mut middle = dense(&context, &self.attended.weight, &self.attended.bias, WIDTH);
        middle.iter_mut().zip(asking).for_each(|(x, state)| *x += state);
        norm(&mut middle, &self.attended_norm.weight, &self.attended_norm.bias);
        let mut inner = dense(&middle, &self.inner.weight, &self.inner.bias, WIDTH);
        gelu(&mut inner);
        let mut out = dense(&inner, &self.outer.weight, &self.outer.bias, INNER);
        out.iter_mut().zip(&middle).for_each(|(x, state)| *x += state);
        norm(&mut out, &self.outer_norm.weight, &self.outer_norm.bias);
        out
    }
}

fn from(values: &[f32], offset: usize) -> &[f32] {
    values.get(offset..).unwrap_or_default()
}
