//! A linear-chain conditional random field, trained by AdaGrad.

use outcrop_guard::sensitive::tagger::{BITS, LABELS, allowed};

use super::data::{Random, Sequence};

const RATE: f32 = 0.12;
/// Each feature is hidden this many times in a hundred, so that no single one is relied upon.
const HIDDEN: usize = 15;
/// Weights shrink towards zero by this much of themselves a step.
const DECAY: f32 = 2e-6;
const MASK: usize = (1 << BITS) - 1;
const IMPOSSIBLE: f32 = -1e4;

/// The weights.
pub(crate) struct Model {
    weights: Vec<[f32; LABELS]>,
    squares: Vec<[f32; LABELS]>,
    transitions: [[f32; LABELS]; LABELS + 1],
    transition_squares: [[f32; LABELS]; LABELS + 1],
}

/// Trains on `sequences`, `epochs` times.
pub(crate) fn train(sequences: &[Sequence], epochs: usize, random: &mut Random) -> Model {
    let mut transitions = [[0.0; LABELS]; LABELS + 1];
    for (from, row) in transitions.iter_mut().enumerate() {
        for (to, weight) in row.iter_mut().enumerate() {
            if !allowed((from < LABELS).then_some(from), to) {
                *weight = IMPOSSIBLE;
            }
        }
    }
    let mut model = Model {
        weights: vec![[0.0; LABELS]; MASK + 1],
        squares: vec![[1e-3; LABELS]; MASK + 1],
        transitions,
        transition_squares: [[1e-1; LABELS]; LABELS + 1],
    };
    let mut order: Vec<usize> = (0..sequences.len()).filter(|at| !sequences[*at].labels.is_empty()).collect();
    for epoch in 0..epochs {
        random.shuffle(&mut order);
        let loss: f32 = order.iter().map(|at| model.step(&thinned(&sequences[*at], random))).sum();
        eprintln!("epoch {epoch}: {:.4} a text", loss / order.len() as f32);
    }
    model
}

fn thinned(sequence: &Sequence, random: &mut Random) -> Sequence {
    let mut thin = |list: &Vec<u32>| list.iter().copied().filter(|_| random.below(100) >= HIDDEN).collect();
    Sequence { features: sequence.features.iter().map(&mut thin).collect(), labels: sequence.labels.clone() }
}

impl Model {
    /// One text: moves the weights against the gradient, returns the loss before.
    fn step(&mut self, sequence: &Sequence) -> f32 {
        let length = sequence.labels.len();
        let emitted: Vec<[f32; LABELS]> = sequence.features.iter().map(|list| self.emit(list)).collect();
        let mut forward = vec![[0.0_f32; LABELS]; length];
        let mut backward = vec![[0.0_f32; LABELS]; length];
        for to in 0..LABELS {
            forward[0][to] = self.transitions[LABELS][to] + emitted[0][to];
        }
        for at in 1..length {
            for to in 0..LABELS {
                forward[at][to] = emitted[at][to] + log_sum(|from| forward[at - 1][from] + self.transitions[from][to]);
            }
        }
        for at in (0..length - 1).rev() {
            for from in 0..LABELS {
                backward[at][from] =
                    log_sum(|to| self.transitions[from][to] + emitted[at + 1][to] + backward[at + 1][to]);
            }
        }
        let all = log_sum(|label| forward[length - 1][label]);
        let mut score = 0.0;
        let mut from = LABELS;
        let mut pairs = [[0.0_f32; LABELS]; LABELS + 1];
        for at in 0..length {
            let truth = usize::from(sequence.labels[at]);
            score += emitted[at][truth] + self.transitions[from][truth];
            pairs[from][truth] -= 1.0;
            from = truth;
            let mut gradient = [0.0; LABELS];
            for label in 0..LABELS {
                gradient[label] = (forward[at][label] + backward[at][label] - all).exp();
                if at == 0 {
                    pairs[LABELS][label] += gradient[label];
                } else {
                    for before in 0..LABELS {
                        pairs[before][label] += (forward[at - 1][before]
                            + self.transitions[before][label]
                            + emitted[at][label]
                            + backward[at][label]
                            - all)
                            .exp();
                    }
                }
            }
            gradient[truth] -= 1.0;
            self.apply(&sequence.features[at], &gradient);
        }
        for (from, row) in pairs.iter().enumerate() {
            for (to, gradient) in row.iter().enumerate() {
                if self.transitions[from][to] > IMPOSSIBLE / 2.0 {
                    let square = &mut self.transition_squares[from][to];
                    *square += gradient * gradient;
                    self.transitions[from][to] -= RATE * gradient / square.sqrt();
                }
            }
        }
        all - score
    }

    fn emit(&self, features: &[u32]) -> [f32; LABELS] {
        let mut sum = [0.0; LABELS];
        for feature in features {
            for (sum, weight) in sum.iter_mut().zip(self.weights[*feature as usize & MASK]) {
                *sum += weight;
            }
        }
        sum
    }

    fn apply(&mut self, features: &[u32], gradient: &[f32; LABELS]) {
        if gradient.iter().all(|part| part.abs() < 1e-4) {
            return;
        }
        for feature in features {
            let at = *feature as usize & MASK;
            let kept = self.weights[at].iter_mut().zip(&mut self.squares[at]);
            for ((weight, square), slope) in kept.zip(gradient) {
                *square += slope * slope;
                *weight -= RATE * slope / square.sqrt() + DECAY * *weight;
            }
        }
    }

    /// The weights as bytes on one scale, then the transitions on the same.
    pub(crate) fn quantised(&self) -> Vec<u8> {
        let most = self.weights.iter().flatten().fold(0.0_f32, |most, weight| most.max(weight.abs()));
        // A few weights are large; cutting them at three costs nothing and keeps the small ones apart.
        let scale = 127.0 / most.min(3.0);
        let mut bytes = Vec::new();
        for weight in self.weights.iter().flatten() {
            bytes.push((weight * scale).round().clamp(-127.0, 127.0) as i8 as u8);
        }
        for weight in self.transitions.iter().flatten() {
            bytes.extend_from_slice(&((weight * scale).round().clamp(-32_000.0, 32_000.0) as i16).to_le_bytes());
        }
        bytes
    }
}

fn log_sum(term: impl Fn(usize) -> f32) -> f32 {
    let terms: [f32; LABELS] = std::array::from_fn(term);
    let most = terms.iter().copied().fold(f32::MIN, f32::max);
    most + terms.iter().map(|term| (term - most).exp()).sum::<f32>().ln()
}
