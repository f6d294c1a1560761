//! Draws the next token from its logits.
//!
//! In plain code rather than through llama.cpp's samplers: greedy needs no copy of 50,000 candidates, and the
//! same seed draws the same tokens on every platform.

use crate::generate::Sampling;

/// What a model is sampled with where the caller does not say: its file's settings, else llama.cpp's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults {
    pub(crate) temperature: f32,
    pub(crate) top_p: f32,
    pub(crate) top_k: u32,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { temperature: 0.8, top_p: 0.95, top_k: 40 }
    }
}

/// Draws the tokens of one answer.
pub(crate) struct Sampler {
    temperature: f32,
    top_p: f32,
    top_k: usize,
    random: fastrand::Rng,
    weights: Vec<(u32, f32)>,
}

impl Sampler {
    pub(crate) fn new(sampling: &Sampling, defaults: Defaults) -> Self {
        Self {
            temperature: sampling.temperature.unwrap_or(defaults.temperature),
            top_p: sampling.top_p.unwrap_or(defaults.top_p),
            top_k: sampling.top_k.unwrap_or(defaults.top_k) as usize,
            random: sampling.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            weights: Vec::new(),
        }
    }

    /// The next token. `mask` has a bit for every token that the grammar allows. Nothing where it allows none.
    pub(crate) fn pick(&mut self, logits: &[f32], mask: Option<&[u32]>) -> Option<u32> {
        let best = likeliest(logits, mask)?;
        // A temperature near zero is greedy too: dividing by it would overflow.
        if self.temperature < 1e-4 || self.top_k == 1 {
            return Some(best);
        }
        let most = logits[best as usize];
        let scale = 1.0 / self.temperature;
        self.weights.clear();
        for (token, &logit) in (0_u32..).zip(logits) {
            let weight = ((logit - most) * scale).exp();
            if weight > 0.0 && allowed(mask, token) {
                self.weights.push((token, weight));
            }
        }
        if self.top_k > 0 {
            keep_heaviest(&mut self.weights, self.top_k);
        }
        if self.top_p < 1.0 {
            self.keep_nucleus();
        }
        let total: f32 = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut left = self.random.f32() * total;
        for &(token, weight) in &self.weights {
            left -= weight;
            if left < 0.0 {
                return Some(token);
            }
        }
        Some(best)
    }

    /// Keeps the heaviest tokens whose probabilities first reach `top_p`.
    fn keep_nucleus(&mut self) {
        let total: f32 = self.weights.iter().map(|(_, weight)| weight).sum();
        let wanted = total * self.top_p;
        // The nucleus is nearly always among a few hundred; sorting the whole vocabulary would cost milliseconds.
        let mut head = 256;
        loop {
            let all = head >= self.weights.len();
            let mut heaviest = self.weights.clone();
            keep_heaviest(&mut heaviest, head);
            heaviest.sort_unstable_by(heavier);
            let mut sum = 0.0;
            let reached = heaviest.iter().position(|(_, weight)| {
                sum += weight;
                sum >= wanted
            });
            if reached.is_some() || all {
                heaviest.truncate(reached.map_or(heaviest.len(), |last| last + 1));
                self.weights = heaviest;
                return;
            }
            head *= 8;
        }
    }
}

/// Heavier first; of equals the lower token, so that the order never depends on anything else.
fn heavier(a: &(u32, f32), b: &(u32, f32)) -> std::cmp::Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

fn keep_heaviest(weights: &mut Vec<(u32, f32)>, count: usize) {
    if count < weights.len() {
        weights.select_nth_unstable_by(count, heavier);
        weights.truncate(count);
    }
}

fn allowed(mask: Option<&[u32]>, token: u32) -> bool {
    mask.is_none_or(|mask| mask.get(token as usize / 32).is_some_and(|word| word >> (token % 32) & 1 == 1))
}

fn likeliest(logits: &[f32], mask: Option<&[u32]>) -> Option<u32> {
    let mut best = None;
    let mut most = f32::NEG_INFINITY;
    for (token, &logit) in (0_u32..).zip(logits) {
        if logit > most && allowed(mask, token) {
            most = logit;
            best = Some(token);
        }
    }
    best
}

#[cfg(test)]
mod tests;
