//! The chunks nearest to a vector: found by their codes, then compared exactly.

use roaring::RoaringBitmap;

use super::file::{self, Vectors};
use super::kernels;
use super::state::State;
use super::top::{Scored, Top};
use crate::Vector;

/// Up to so many places are all compared exactly, and up to this share of all: reading them costs less than reading
/// every code.
const FEW: u64 = 2000;
const SHARE: u64 = 50;

/// How many candidates are compared exactly: so many, and so many for each that is wanted.
const LEAST: usize = 400;
const EACH: usize = 10;

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
            Self::Float(numbers) => kernels::dot(numbers, kept),
            Self::Binary(bits) => {
                let differ = kernels::differ(bits, kept);
                1.0 - 2.0 * differ as f32 / (bits.len().max(1) * 8) as f32
            }
        }
    }
}

/// The best `limit` of the places allowed, best first.
pub(super) fn nearest(state: &State, probe: &Probe, allowed: Option<&RoaringBitmap>, limit: usize) -> Vec<Scored> {
    let among = allowed.unwrap_or(state.columns.all());
    let count = among.len();
    let candidates = limit.saturating_mul(EACH).saturating_add(LEAST);
    let few = count <= FEW.max(u64::from(state.places()) / SHARE) || count <= candidates as u64;
    let mut top = Top::new(limit);
    let mut compare = |slot| {
        let score = probe.likeness(&state.vectors, slot);
        top.push(Scored { score, key: state.key(slot), slot });
    };
    match (probe, &state.codes) {
        (Probe::Float(unit), Some(codes)) if !few => {
            let passes = |slot| allowed.is_none_or(|allowed| allowed.contains(slot));
            let mut found = codes.candidates(unit, candidates, passes);
            // In the file's order, which is the disk's.
            found.sort_unstable_by_key(|scored| scored.slot);
            found.into_iter().for_each(|scored| compare(scored.slot));
        }
        _ => among.iter().for_each(compare),
    }
    top.sorted()
}
