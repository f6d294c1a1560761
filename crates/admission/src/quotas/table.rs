//! All buckets, found by whose they are; never more than there is room for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Now;
use super::bucket::Bucket;
use super::fair::Remembered;

const SHARDS: usize = 64;
/// How often a full shard looks for what can be forgotten.
const LOOK: Duration = Duration::from_secs(1);

/// Whose a bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// An account's, for a model in a Region.
    Account { account: Box<str>, region: Box<str>, model: Box<str>, cross_region: bool },
    /// A value's, by a rule.
    Value { account: Box<str>, rule: Box<str>, value: Box<str> },
    /// Everybody's for whom there was no room, by a rule; or, without one, of accounts.
    Others { rule: Box<str> },
}

/// A bucket and whose it is.
pub(super) struct Held {
    pub(super) whose: Whose,
    pub(super) bucket: Bucket,
}

pub(super) struct Table {
    shards: [Mutex<Shard>; SHARDS],
    /// Shared by those for whom there was no room: one for each rule, and one for accounts.
    others: Mutex<HashMap<u64, Arc<Held>>>,
    /// The most that one shard holds.
    most: usize,
    overflowed: AtomicU64,
    remembered: Remembered,
}

struct Shard {
    buckets: HashMap<u64, Arc<Held>>,
    looked: Option<Instant>,
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Shard { buckets: HashMap::new(), looked: None })),
            others: Mutex::default(),
            most: most.div_ceil(SHARDS),
            overflowed: AtomicU64::new(0),
            remembered: Remembered::default(),
        }
    }

    /// The bucket `id`, made where there is none; where there is no room, the one of all others.
    pub(super) fn get(&self, id: u64, others: u64, now: Now, whose: impl Fn(bool) -> Whose) -> Arc<Held> {
        // The low bits choose a place within the shard's own map.
        let mut shard = lock(&self.shards[(id >> 56) as usize % SHARDS]);
        if let Some(held) = shard.buckets.get(&id) {
            return Arc::clone(held);
        }
        if shard.buckets.len() >= self.most {
            shard.forget(now, false);
        }
        if shard.buckets.len() < self.most {
            let held = self.made(whose(true), now);
            shard.buckets.insert(id, Arc::clone(&held));
            return held;
        }
        drop(shard);
        let times = self.overflowed.fetch_add(1, Relaxed) + 1;
        if times.is_power_of_two() {
            tracing::warn!(times, "too many callers, tags or metadata values at a time: some share one quota");
        }
        let mut shared = lock(&self.others);
        Arc::clone(shared.entry(others).or_insert_with(|| self.made(whose(false), now)))
    }

    fn made(&self, whose: Whose, now: Now) -> Arc<Held> {
        Arc::new(Held { whose, bucket: Bucket::new(now.at, Arc::clone(&self.remembered)) })
    }

    /// Forgets all that nobody uses.
    pub(super) fn sweep(&self, now: Now) {
        for shard in &self.shards {
            lock(shard).forget(now, true);
        }
    }

    /// Everything, one shard at a time.
    pub(super) fn all(&self) -> Vec<Arc<Held>> {
        let mut all: Vec<_> = lock(&self.others).values().map(Arc::clone).collect();
        for shard in &self.shards {
            all.extend(lock(shard).buckets.values().map(Arc::clone));
        }
        all
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).buckets.len()).sum()
    }

    /// How often somebody found no room.
    pub(super) fn overflowed(&self) -> u64 {
        self.overflowed.load(Relaxed)
    }
}

impl Shard {
    /// Who has a bucket in hand holds it by another count; it is given out under this lock only.
    fn forget(&mut self, now: Now, at_once: bool) {
        if !at_once && self.looked.is_some_and(|looked| now.at.saturating_duration_since(looked) < LOOK) {
            return;
        }
        self.looked = Some(now.at);
        self.buckets.retain(|_, held| Arc::strong_count(held) > 1 || !held.bucket.is_idle(now));
        if self.buckets.capacity() > 4 * self.buckets.len() {
            self.buckets.shrink_to_fit();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
