//! The chunks nearest to a vector.

use roaring::RoaringBitmap;

use super::file::{self, Vectors};
use super::state::State;
use super::top::{Scored, Top};
use crate::Vector;

/// A question's vector, as it is compared.
pub(super) enum Probe {
    /// Of length one.
    Float(Vec<f32>),
    Binary(Vec<u8>),
}

impl Probe {
    pub(super) fn new(vector: &Vector) -> Self {
        match vector {
            Vector::Float(_) => Self::Float(file::unit(vector)),
            Vector::Binary(bytes) => Self::Binary(bytes.clone()),
        }
    }

    /// How alike a chunk is: the cosine, or for bits what would be it: 1 where all agree, 0 where half do.
    pub(super) fn likeness(&self, vectors: &Vectors, slot: u32) -> f32 {
        let kept = vectors.get(slot);
        match self {
            Self::Float(numbers) => dot(numbers, kept),
            Self::Binary(bits) => {
                let differ: u32 = bits.iter().zip(kept).map(|(a, b)| (a ^ b).count_ones()).sum();
                1.0 - 2.0 * differ as f32 / (bits.len().max(1) * 8) as f32
            }
        }
    }
}

/// The best `limit` of the places allowed, best first.
pub(super) fn nearest(state: &State, probe: &Probe, allowed: Option<&RoaringBitmap>, limit: usize) -> Vec<Scored> {
    let mut top = Top::new(limit);
    for slot in allowed.unwrap_or(state.columns.all()) {
        let score = probe.likeness(&state.vectors, slot);
        top.push(Scored { score, key: state.key(slot), slot });
    }
    top.sorted()
}

/// The product of numbers with numbers kept as bytes. Sixteen sums side by side: the order of additions is fixed, so
/// every machine finds the same.
fn dot(numbers: &[f32], kept: &[u8]) -> f32 {
    let mut sums = [0f32; 16];
    let (blocks, rest) = numbers.as_chunks::<16>();
    let (kept_blocks, kept_rest) = kept.as_chunks::<64>();
    for (a, b) in blocks.iter().zip(kept_blocks) {
        let (b, _) = b.as_chunks::<4>();
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * f32::from_le_bytes(*b);
        }
    }
    let rest: f32 = rest.iter().zip(kept_rest.as_chunks::<4>().0).map(|(a, b)| a * f32::from_le_bytes(*b)).sum();
    sums.iter().sum::<f32>() + rest
}
