use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A model that holds a share until it is asked to leave.
struct Model {
    used: Instant,
    answering: AtomicBool,
    share: Mutex<Option<Share>>,
}

impl Occupant for Model {
    fn used(&self) -> Instant {
        self.used
    }
    fn leave(&self) -> bool {
        if self.answering.load(Ordering::SeqCst) {
            return false;
        }
        self.share.lock().unwrap().take().is_some()
    }
}

impl Model {
    fn stays(&self) -> bool {
        self.share.lock().unwrap().is_some()
    }
}

fn resident(memory: &Arc<Memory>, bytes: u64, age: u64) -> Arc<Model> {
    let share = memory.claim(bytes, Duration::ZERO).unwrap();
    let model = Arc::new(Model {
        used: Instant::now() + Duration::from_secs(1000 - age),
        answering: AtomicBool::new(false),
        share: Mutex::new(Some(share)),
    });
    let occupant: Weak<Model> = Arc::downgrade(&model);
    memory.admit(occupant);
    model
}

#[test]
fn a_share_ends_with_its_last_part() {
    let memory = Memory::new(100);
    let mut weights = memory.claim(100, Duration::ZERO).unwrap();
    let cache = weights.split(40);
    drop(weights);
    assert_eq!(memory.held(), 40);
    drop(cache);
    assert_eq!(memory.held(), 0);
}

#[test]
fn who_was_used_the_longest_ago_leaves_first_and_no_more_than_needed() {
    let memory = Memory::new(100);
    let young = resident(&memory, 30, 1);
    let old = resident(&memory, 30, 3);
    let middle = resident(&memory, 30, 2);
    let share = memory.claim(50, Duration::ZERO).unwrap();
    assert!(young.stays() && !old.stays() && !middle.stays());
    assert_eq!(memory.held(), 80);
    drop(share);
    let _share = memory.claim(70, Duration::ZERO).unwrap();
    assert!(young.stays());
}

#[test]
fn who_answers_stays_and_the_claim_waits_or_fails() {
    let memory = Memory::new(100);
    let busy = resident(&memory, 60, 9);
    busy.answering.store(true, Ordering::SeqCst);
    assert_eq!(memory.claim(50, Duration::ZERO).err(), Some(Refused::NoRoom));
    assert!(busy.stays());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| memory.claim(50, Duration::from_secs(60)));
        busy.answering.store(false, Ordering::SeqCst);
        assert!(waiting.join().unwrap().is_ok());
    });
    assert!(!busy.stays());
}

#[test]
fn more_than_there_is_is_refused_and_disturbs_nobody() {
    let memory = Memory::new(100);
    let idle = resident(&memory, 60, 9);
    assert_eq!(memory.claim(101, Duration::from_secs(60)).err(), Some(Refused::TooLarge));
    assert!(idle.stays());
}

#[test]
fn growing_is_claiming() {
    let memory = Memory::new(100);
    let mut share = memory.claim(60, Duration::ZERO).unwrap();
    share.grow(40).unwrap();
    assert_eq!((share.grow(1), memory.held()), (Err(Refused::NoRoom), 100));
    drop(share);
    assert_eq!(memory.held(), 0);
}

#[test]
fn claims_at_once_never_exceed_the_limit() {
    let memory = Memory::new(10);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let share = memory.claim(3, Duration::from_secs(60)).unwrap();
                    assert!(memory.held() <= 10);
                    drop(share);
                }
            });
        }
    });
    assert_eq!(memory.held(), 0);
}

#[test]
fn the_machine_says_how_much_there_is() {
    assert_eq!(total_of("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24576 * 1024));
    assert_eq!(total_of("MemFree: 1 kB\n"), None);
    assert!(default_limit() > 100 << 20);
}
