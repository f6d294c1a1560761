//! A store that has counters only. Several handles may share them, as processes do; each can be cut off.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use outcrop_store::{
    Batch, Change, Document, Error, Key, Op, Outcome, Query, Receipt, Result, Scope, Secret, Store, Tag, Ticks,
};
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub enum Mood {
    Well,
    /// Every commit is refused, and nothing is done.
    Fails(Error),
    /// Commits wait until the mood is another.
    Hangs,
}

pub struct Memory {
    counters: Arc<Mutex<BTreeMap<String, i64>>>,
    mood: watch::Sender<Mood>,
    pub commits: AtomicU64,
    /// How often a commit lets others go first.
    pub yields: u64,
}

impl Memory {
    pub fn new() -> Arc<Self> {
        Self::sharing(Arc::default(), 0)
    }

    fn sharing(counters: Arc<Mutex<BTreeMap<String, i64>>>, yields: u64) -> Arc<Self> {
        Arc::new(Self { counters, mood: watch::Sender::new(Mood::Well), commits: AtomicU64::new(0), yields })
    }

    /// Another process's handle.
    pub fn another(&self, yields: u64) -> Arc<Self> {
        Self::sharing(Arc::clone(&self.counters), yields)
    }

    pub fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// All counters together.
    pub fn sum(&self) -> i64 {
        self.counters.lock().unwrap().values().sum()
    }

    pub fn names(&self) -> Vec<String> {
        self.counters.lock().unwrap().keys().cloned().collect()
    }

    async fn ready(&self) -> Result<()> {
        let mut moods = self.mood.subscribe();
        let mood = moods.wait_for(|mood| !matches!(mood, Mood::Hangs)).await.unwrap().clone();
        for _ in 0..self.yields {
            tokio::task::yield_now().await;
        }
        match mood {
            Mood::Fails(error) => Err(error),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Store for Memory {
    fn secrets_mark(&self) -> Option<u128> {
        None
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.ready().await?;
        let mut counters = self.counters.lock().unwrap();
        let (mut next, mut outcomes) = (counters.clone(), Vec::new());
        for op in batch.ops {
            match op {
                Op::Add { counter, by, min, max, .. } => {
                    let value = next.get(&counter).copied().unwrap_or(0);
                    let Some(sum) = value.checked_add(by).filter(|sum| (min..=max).contains(sum)) else {
                        return Err(Error::OutOfBounds { counter, value });
                    };
                    next.insert(counter, sum);
                    outcomes.push(Outcome::Counter(sum));
                }
                Op::Forget { counter, .. } => {
                    next.remove(&counter);
                    outcomes.push(Outcome::Done);
                }
                other => panic!("budgets do not {other:?}"),
            }
        }
        *counters = next;
        Ok(Receipt::Done(outcomes))
    }

    async fn counter(&self, _: Scope, counter: String) -> Result<i64> {
        self.ready().await?;
        Ok(self.counters.lock().unwrap().get(&counter).copied().unwrap_or(0))
    }

    async fn counters(&self, _: Scope, prefix: String, limit: usize) -> Result<Vec<(String, i64)>> {
        self.ready().await?;
        let counters = self.counters.lock().unwrap();
        let found = counters.iter().filter(|(name, _)| name.starts_with(&prefix));
        Ok(found.take(limit).map(|(name, value)| (name.clone(), *value)).collect())
    }

    async fn get(&self, _: Key) -> Result<Option<Document>> {
        Err(Error::Closed)
    }

    async fn find(&self, _: Scope, _: String, _: String) -> Result<Option<Document>> {
        Err(Error::Closed)
    }

    async fn list(&self, _: Query) -> Result<Vec<Document>> {
        Err(Error::Closed)
    }

    async fn tags(&self, _: Scope, _: String) -> Result<Vec<Tag>> {
        Err(Error::Closed)
    }

    async fn secret(&self, _: String, _: String) -> Result<Option<Secret>> {
        Err(Error::Closed)
    }

    async fn secret_ids(&self, _: String) -> Result<Vec<String>> {
        Err(Error::Closed)
    }

    async fn changes(&self, _: u64, _: usize) -> Result<Vec<Change>> {
        Err(Error::Closed)
    }

    async fn latest_change(&self) -> Result<u64> {
        Err(Error::Closed)
    }

    fn watch(&self) -> Ticks {
        watch::Sender::new(0).subscribe()
    }
}
