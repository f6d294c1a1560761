//! What work costs: time on the processor, because others may use the machine, too.

use std::time::Instant;

/// How many seconds `run` has its thread on the processor, and what it answers.
pub(crate) fn seconds<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let (start, wall) = (on_cpu(), Instant::now());
    let answer = run();
    let seconds = match (start, on_cpu()) {
        (Some(start), Some(end)) if end > start => (end - start) as f64 / 1e9,
        _ => wall.elapsed().as_secs_f64(),
    };
    (seconds, answer)
}

/// The least seconds of five runs.
pub(crate) fn least(mut run: impl FnMut() -> usize) -> f64 {
    (0..5).map(|_| seconds(|| std::hint::black_box(run())).0).fold(f64::MAX, f64::min)
}

/// How many nanoseconds this thread has run, where the kernel tells.
fn on_cpu() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}
