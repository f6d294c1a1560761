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

/// How many candidates may be compared exactly: so many, so many for each that is wanted, and one in so many of all,
/// for among more chunks more look better than they are.
const LEAST: usize = 150;
const EACH: usize = 5;
const OF_ALL: usize = 700;

/// How many candidates ahead a vector is asked of memory.
const AHEAD: usize = 4;

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
    let candidates = limit.saturating_mul(EACH).saturating_add(LEAST + state.places() as usize / OF_ALL);
    let few = count <= FEW.max(u64::from(state.places()) / SHARE) || count <= candidates as u64;
    let mut top = Top::new(limit);
    let compare = |top: &mut Top, slot| {
        let score = probe.likeness(&state.vectors, slot);
        if score >= top.threshold() {
            top.push(Scored { score, key: state.key(slot), slot });
        }
    };
    match (probe, &state.codes) {
        (Probe::Float(unit), Some(codes)) if !few => {
            let passes = |slot| allowed.is_none_or(|allowed| allowed.contains(slot));
            let mut found = codes.candidates(unit, candidates, passes);
            found.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
            for (at, scored) in found.iter().enumerate() {
                // From here on none is better than the worst of the best, unless its estimate errs by more than
                // estimates do.
                if scored.score + codes.doubt() < top.threshold() {
                    break;
                }
                if let Some(later) = found.get(at + AHEAD) {
                    kernels::fetch(state.vectors.get(later.slot));
                }
                compare(&mut top, scored.slot);
            }
        }
        _ => {
            let mut later = among.iter();
            later.by_ref().take(AHEAD).for_each(drop);
            for slot in among {
                if let Some(later) = later.next() {
                    kernels::fetch(state.vectors.get(later));
                }
                compare(&mut top, slot);
            }
        }
    }
    top.sorted()
}
