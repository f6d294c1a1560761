//! A target's places, and the queue for them.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use outcrop_providers::Priority;
use tokio::sync::oneshot;

use super::state::State;

/// Attempts that wait for a place, for each of a target's. Beyond it they are refused.
const WAITING: usize = 4;

/// Who waits, by service tier: `priority`, then the default, then `flex`, which gives way to everybody.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: AtomicU64,
    tiers: Mutex<[VecDeque<oneshot::Sender<Slot>>; 3]>,
}

/// A place. Given back when it is dropped, to whoever waits.
#[derive(Debug)]
pub struct Slot {
    state: Arc<State>,
    most: Option<u32>,
}

const fn tier(priority: Priority) -> usize {
    match priority {
        Priority::High => 0,
        Priority::Normal => 1,
        Priority::Low => 2,
    }
}

impl Slot {
    /// A place of `state`, which has `most`, if one is free.
    pub fn take(state: &Arc<State>, most: Option<u32>) -> Option<Self> {
        let before = state.in_flight.fetch_add(1, SeqCst);
        if most.is_some_and(|most| before >= u64::from(most)) {
            state.in_flight.fetch_sub(1, SeqCst);
            return None;
        }
        Some(Self { state: Arc::clone(state), most })
    }

    /// Waits for a place; none where too many wait already. Whoever waits in a lower tier is turned away for it.
    pub async fn wait(state: &Arc<State>, most: u32, priority: Priority) -> Option<Self> {
        let receiver = {
            let queue = &state.queue;
            let mut tiers = queue.tiers.lock().unwrap_or_else(PoisonError::into_inner);
            for tier in tiers.iter_mut() {
                tier.retain(|sender| !sender.is_closed());
            }
            let waiting: usize = tiers.iter().map(VecDeque::len).sum();
            if waiting >= (most as usize).saturating_mul(WAITING) {
                let lowest = (tier(priority) + 1..tiers.len()).rev().find(|tier| !tiers[*tier].is_empty())?;
                // Dropped, it tells its receiver that there will be no place.
                tiers[lowest].pop_back();
            }
            let (sender, receiver) = oneshot::channel();
            tiers[tier(priority)].push_back(sender);
            queue.waiting.store(tiers.iter().map(VecDeque::len).sum::<usize>() as u64, SeqCst);
            receiver
        };
        // A place that was given back a moment ago, before anybody was seen to wait.
        if let Some(slot) = Self::take(state, Some(most)) {
            drop(slot);
        }
        receiver.await.ok()
    }

    fn next(&self) -> Option<oneshot::Sender<Self>> {
        let queue = &self.state.queue;
        let mut tiers = queue.tiers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = tiers.iter_mut().find_map(VecDeque::pop_front);
        queue.waiting.store(tiers.iter().map(VecDeque::len).sum::<usize>() as u64, SeqCst);
        next
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, SeqCst);
        // Between the two, whoever begins to wait looks once more for a place: nobody is overlooked.
        while self.state.queue.waiting.load(SeqCst) > 0 {
            let Some(mut slot) = Self::take(&self.state, self.most) else { return };
            loop {
                // Where nobody waits any more the place is free, and giving it back wakes nobody.
                let Some(next) = slot.next() else { return };
                match next.send(slot) {
                    Ok(()) => break,
                    // It has gone away. The place is the next one's.
                    Err(back) => slot = back,
                }
            }
        }
    }
}
