//! The chunks nearest to a vector: found by their codes, then compared exactly.

use roaring::RoaringBitmap;

use super::codes::{Codes, Question, keep};
use super::file::{self, Vectors};
use super::kernels;
use super::state::State;
use super::top::{Scored, Top};
use crate::Vector;

/// Up to so many places are all compared exactly, and up to this share of all: reading them costs less than reading
/// every code.
const FEW: u64 = 2000;
const SHARE: u64 = 50;

/// Where fewer than so many for each that is wanted are allowed, codes are of no use.
const EACH: usize = 5;

/// So many of the best by their codes are compared at once, to learn how alike a place must be: at least so many, and
/// enough to fill the answer.
const FIRST: usize = 16;

/// At most so many places are looked at closer, and one in so many of all.
const MOST: usize = 4096;
const OF_ALL: usize = 8;

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

/// How many deviations an estimate is trusted not to err by: where likeness decides, and where it is one of two
/// judges of many, the last of which hardly matter.
pub(super) const SURE: f32 = 3.0;
pub(super) const LIKELY: f32 = 2.0;

/// The best `limit` of the places allowed, best first.
pub(super) fn nearest(
    state: &State,
    probe: &Probe,
    allowed: Option<&RoaringBitmap>,
    limit: usize,
    sure: f32,
) -> Vec<Scored> {
    let among = allowed.unwrap_or(state.columns.all());
    let count = among.len();
    let few = count <= FEW.max(u64::from(state.places()) / SHARE) || count <= limit.saturating_mul(EACH) as u64;
    let mut search = Search { state, probe, top: Top::new(limit), known: f32::NEG_INFINITY };
    match (probe, &state.codes) {
        (Probe::Float(unit), Some(codes)) if !few => {
            let passes = |slot| allowed.is_none_or(|allowed| allowed.contains(slot));
            search.by_codes(codes, &codes.question(unit, sure), limit, passes);
        }
        _ => {
            let mut later = among.iter();
            later.by_ref().take(AHEAD).for_each(drop);
            for slot in among {
                search.compare(slot, later.next());
            }
        }
    }
    search.top.sorted()
}

/// The best so far of what was compared exactly.
struct Search<'a> {
    state: &'a State,
    probe: &'a Probe,
    top: Top,
    /// So alike are as many as are wanted, as far as a sample says it.
    known: f32,
}

impl Search<'_> {
    /// One pass over all fronts. How alike a place must be is learnt from a sample, and again wherever much was found; what
    /// cannot be so alike by its front, and then by its whole code, is left out.
    fn by_codes(&mut self, codes: &Codes, question: &Question, limit: usize, passes: impl Fn(u32) -> bool) {
        let first = limit.max(FIRST);
        let mut sample = Search { top: Top::new(limit), ..*self };
        sample.compare_best(&mut codes.sample(question, &passes), first);
        self.known = sample.top.threshold();
        let most = MOST.max(self.state.places() as usize / OF_ALL);
        let least = codes.least_by_front(question, self.known);
        let mut found = codes.scan(question, least, &passes, |found| {
            self.compare_best(found, first);
            let least = codes.least_by_front(question, self.likeness());
            found.retain(|found| found.score >= least);
            least.max(keep(found, most))
        });
        self.compare_best(&mut found, first);
        let least = codes.least_by_front(question, self.likeness());
        found.retain(|found| found.score >= least);
        codes.refine(question, &mut found);
        let least = codes.least_by_all(question, self.likeness());
        found.retain(|found| found.score >= least);
        found.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        for (at, scored) in found.iter().enumerate() {
            if scored.score < codes.least_by_all(question, self.likeness()) {
                break;
            }
            self.compare(scored.slot, found.get(at + AHEAD).map(|later| later.slot));
        }
    }

    /// How alike a place must be at least to be among the best.
    fn likeness(&self) -> f32 {
        self.known.max(self.top.threshold())
    }

    /// Compares the best of those found, and takes them out.
    fn compare_best(&mut self, found: &mut Vec<Scored>, first: usize) {
        if found.len() > first {
            found.select_nth_unstable_by(first, |a, b| b.score.total_cmp(&a.score));
        }
        let first = first.min(found.len());
        for at in 0..first {
            self.compare(found[at].slot, found[..first].get(at + AHEAD).map(|later| later.slot));
        }
        found.drain(..first);
    }

    /// Compares one exactly, and asks memory for a later one.
    fn compare(&mut self, slot: u32, later: Option<u32>) {
        if let Some(later) = later {
            kernels::fetch(self.state.vectors.get(later));
        }
        let score = self.probe.likeness(&self.state.vectors, slot);
        if score >= self.top.threshold() {
            self.top.push(Scored { score, key: self.state.key(slot), slot });
        }
    }
}
