use std::sync::Arc;

use super::*;

#[test]
fn the_highest_priority_goes_first_and_the_oldest_of_it() {
    let queue = Queue::new();
    queue.open();
    for (job, priority) in [(1, Priority::Low), (2, Priority::Normal), (3, Priority::High), (4, Priority::Normal)] {
        queue.push(job, priority).unwrap();
    }
    assert_eq!(
        [queue.take(), queue.take(), queue.take(), queue.take(), queue.take()],
        [Some(3), Some(2), Some(4), Some(1), None]
    );
}

#[test]
fn a_job_wakes_the_thread() {
    let queue = Arc::new(Queue::new());
    queue.open();
    let waiting = queue.clone();
    let thread = std::thread::spawn(move || waiting.wait(Duration::from_secs(60), || panic!("left")));
    queue.push(1, Priority::Normal).unwrap();
    assert_eq!(thread.join().unwrap(), Woken::Work);
}

#[test]
fn after_an_idle_time_jobs_come_back() {
    let queue = Queue::new();
    assert_eq!(queue.push(1, Priority::Normal), Err(1));
    queue.open();
    let mut left = false;
    assert_eq!(queue.wait(Duration::ZERO, || left = true), Woken::Idle);
    assert!(left);
    assert_eq!(queue.push(1, Priority::Normal), Err(1));
}

#[test]
fn a_job_that_waits_keeps_the_thread() {
    let queue = Queue::new();
    queue.open();
    queue.push(1, Priority::Normal).unwrap();
    assert_eq!(queue.wait(Duration::ZERO, || panic!("left")), Woken::Work);
}

#[test]
fn closing_ends_a_wait_and_refuses_jobs() {
    let queue = Queue::new();
    queue.open();
    queue.close();
    assert_eq!(queue.push(1, Priority::Normal), Err(1));
    assert_eq!(queue.wait(Duration::from_secs(60), || panic!("left")), Woken::Closing);
}

#[test]
fn abandoned_jobs_are_forgotten() {
    let queue = Queue::new();
    queue.open();
    queue.push(1, Priority::Normal).unwrap();
    queue.push(2, Priority::Normal).unwrap();
    queue.forget(|job| *job == 1);
    assert_eq!([queue.take(), queue.take()], [Some(2), None]);
}

#[test]
fn only_a_thread_with_nothing_to_do_is_dismissed() {
    let queue = Arc::new(Queue::new());
    assert!(!queue.dismiss(), "no thread serves");
    queue.open();
    assert!(!queue.dismiss(), "the thread is at work");
    let waiting = queue.clone();
    let thread = std::thread::spawn(move || waiting.wait(Duration::from_secs(60), || ()));
    while !queue.dismiss() {
        std::thread::yield_now();
    }
    assert_eq!(thread.join().unwrap(), Woken::Idle);
    assert_eq!(queue.push(1, Priority::Normal), Err(1));
}
