//! The best few of many.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Something with a score. More is better; of equals, the older is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scored {
    pub score: f32,
    /// The chunk's key, which grows with age.
    pub key: i64,
    pub slot: u32,
}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.key.cmp(&self.key))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scored {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scored {}

/// Keeps the best `limit` of what it is given.
pub(super) struct Top {
    limit: usize,
    heap: BinaryHeap<Reverse<Scored>>,
}

impl Top {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::with_capacity(limit.min(4096) + 1) }
    }

    /// The score that one must reach to be kept.
    pub(super) fn threshold(&self) -> f32 {
        match self.heap.peek() {
            Some(least) if self.heap.len() >= self.limit => least.0.score,
            _ => f32::NEG_INFINITY,
        }
    }

    pub(super) fn push(&mut self, scored: Scored) {
        if self.heap.len() < self.limit {
            self.heap.push(Reverse(scored));
        } else if let Some(mut least) = self.heap.peek_mut()
            && scored > least.0
        {
            *least = Reverse(scored);
        }
    }

    /// Best first.
    pub(super) fn sorted(self) -> Vec<Scored> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(scored)| scored).collect()
    }
}
