//! The recent distribution of durations, without a lock.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Steps within one doubling: what is read back is at most a tenth too long.
const STEPS: u32 = 8;
/// From 1 ms to 2^22 ms, more than an hour.
const BUCKETS: usize = 22 * STEPS as usize;
/// So many durations are recent: then the older ones count half.
const RECENT: u32 = 1024;

/// Durations by size. Recording is two atomic additions.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU32; BUCKETS],
    count: AtomicU32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU32::new(0) }; BUCKETS], count: AtomicU32::new(0) }
    }
}

impl Histogram {
    /// One more.
    pub fn record(&self, duration: Duration) {
        let ms = duration.as_secs_f64() * 1000.0;
        let at = (ms.max(1.0).log2() * f64::from(STEPS)) as usize;
        if let Some(bucket) = self.buckets.get(at.min(BUCKETS - 1)) {
            bucket.fetch_add(1, Relaxed);
        }
        if self.count.fetch_add(1, Relaxed) + 1 == RECENT {
            // Others may record meanwhile; a count more or less in a thousand does not matter.
            let mut left = 0;
            for bucket in &self.buckets {
                let half = bucket.load(Relaxed) / 2;
                bucket.store(half, Relaxed);
                left += half;
            }
            self.count.store(left, Relaxed);
        }
    }

    /// How many are remembered.
    pub fn count(&self) -> u32 {
        self.count.load(Relaxed)
    }

    /// What `share` (0 to 1) of the durations do not exceed; none before the first.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let counts: Vec<u32> = self.buckets.iter().map(|b| b.load(Relaxed)).collect();
        let total: u32 = counts.iter().sum();
        if total == 0 {
            return None;
        }
        let wanted = (f64::from(total) * share).ceil().max(1.0) as u32;
        let mut seen = 0;
        let at = counts.iter().position(|n| {
            seen += n;
            seen >= wanted
        })?;
        let upper = ((at + 1) as f64 / f64::from(STEPS)).exp2();
        Some(Duration::from_secs_f64(upper / 1000.0))
    }
}
