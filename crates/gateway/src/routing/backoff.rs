//! How long to wait before the same target is asked again.

use std::time::Duration;

/// The first pause is up to this long; each further one up to twice the one before.
const BASE: Duration = Duration::from_millis(100);

/// A pause before round `round`, which is 1 for the first repetition: anything up to the full length, so that callers
/// who failed together do not come back together ("full jitter").
pub fn pause(round: u32, longest: Duration) -> Duration {
    let full = BASE.saturating_mul(1 << (round - 1).min(16)).min(longest);
    full.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_are_spread() {
        let longest = Duration::from_secs(2);
        let most = |round| (0..2000).map(|_| pause(round, longest)).max().unwrap();
        let least = |round| (0..2000).map(|_| pause(round, longest)).min().unwrap();
        assert!(most(1) <= BASE && most(1) > BASE / 2 && least(1) < BASE / 2);
        assert!(most(3) > BASE * 2 && most(3) <= BASE * 4);
        assert!(most(40) <= longest && most(40) > longest / 2);
    }
}
