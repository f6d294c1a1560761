use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use outcrop_providers::Priority::{self, High, Low, Normal};
use tokio::sync::mpsc;

use super::{Slot, State};

/// Waits for a place, says so, and keeps it until told.
fn waiter(state: &Arc<State>, priority: Priority, name: u32, told: &mpsc::UnboundedSender<(u32, Option<Slot>)>) {
    let (state, told) = (Arc::clone(state), told.clone());
    tokio::spawn(async move {
        let slot = Slot::wait(&state, 1, priority).await;
        told.send((name, slot)).ok();
    });
}

#[tokio::test]
async fn places_go_by_tier_and_by_arrival_within_one() {
    let state = Arc::new(State::default());
    let held = Slot::take(&state, Some(1)).unwrap();
    assert!(Slot::take(&state, Some(1)).is_none());
    let (sender, mut told) = mpsc::unbounded_channel();
    for (before, (priority, name)) in (0..).zip([(Low, 4), (Normal, 2), (High, 1), (Normal, 3)]) {
        waiter(&state, priority, name, &sender);
        while state.queue.waiting.load(SeqCst) == before {
            tokio::task::yield_now().await;
        }
    }
    drop(held);
    for expected in 1..=4 {
        let (name, slot) = told.recv().await.unwrap();
        assert_eq!((name, slot.is_some()), (expected, true));
        assert_eq!(state.in_flight.load(SeqCst), 1);
        drop(slot);
    }
    assert_eq!((state.in_flight.load(SeqCst), state.queue.waiting.load(SeqCst)), (0, 0));
}

#[tokio::test]
async fn flex_is_turned_away_first_when_too_many_wait() {
    let state = Arc::new(State::default());
    let held = Slot::take(&state, Some(1)).unwrap();
    let (sender, mut told) = mpsc::unbounded_channel();
    for name in 0..4 {
        waiter(&state, Low, name, &sender);
        tokio::task::yield_now().await;
    }
    // Full: another of the lowest tier is refused, one of a higher takes the place of the last.
    assert!(Slot::wait(&state, 1, Low).await.is_none());
    waiter(&state, Normal, 9, &sender);
    assert!(matches!(told.recv().await, Some((3, None))));
    drop(held);
    assert!(matches!(told.recv().await, Some((9, Some(_)))));
}

#[tokio::test]
async fn who_goes_away_leaves_no_hole() {
    let state = Arc::new(State::default());
    let held = Slot::take(&state, Some(1)).unwrap();
    let gone = tokio::spawn({
        let state = Arc::clone(&state);
        async move { Slot::wait(&state, 1, Normal).await.is_some() }
    });
    tokio::task::yield_now().await;
    let (sender, mut told) = mpsc::unbounded_channel();
    waiter(&state, Normal, 1, &sender);
    tokio::task::yield_now().await;
    gone.abort();
    gone.await.unwrap_err();
    drop(held);
    assert!(matches!(told.recv().await, Some((1, Some(_)))));
    assert_eq!(state.in_flight.load(SeqCst), 0);
}
