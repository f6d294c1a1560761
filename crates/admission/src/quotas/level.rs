//! What is taken of something that comes back over a minute.

use std::time::Instant;

/// An amount that drains. A part of it can be given back by whoever took it, as far as it has not drained by then:
/// everything that is taken drains alike, so that what is left of any part is one factor, whoever settles first.
#[derive(Debug)]
pub(super) struct Level {
    amount: f64,
    /// The logarithm of what is left of a part that was taken when the level was last empty.
    left: f64,
    /// Counts how often it was empty: what was taken before has drained.
    emptied: u64,
    counted: Instant,
}

/// When a part was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    emptied: u64,
    left: f64,
}

impl Level {
    pub(super) fn new(now: Instant) -> Self {
        Self { amount: 0.0, left: 0.0, emptied: 0, counted: now }
    }

    /// What is taken now, of which `per_minute` comes back in a minute. An earlier time than the last changes nothing.
    pub(super) fn now(&mut self, per_minute: u64, now: Instant) -> f64 {
        let back = now.saturating_duration_since(self.counted).as_secs_f64() * per_minute as f64 / 60.0;
        self.counted = self.counted.max(now);
        if back >= self.amount {
            if self.amount > 0.0 {
                self.emptied += 1;
            }
            (self.amount, self.left) = (0.0, 0.0);
        } else if back > 0.0 {
            self.left += ((self.amount - back) / self.amount).ln();
            self.amount -= back;
        }
        self.amount
    }

    pub(super) fn take(&mut self, amount: u64) -> Mark {
        self.amount += amount as f64;
        Mark { emptied: self.emptied, left: self.left }
    }

    /// Takes back what has not drained of `amount`, which is some of what was taken at `mark`.
    pub(super) fn give_back(&mut self, mark: Mark, amount: u64) {
        if mark.emptied == self.emptied {
            self.amount = (self.amount - amount as f64 * (self.left - mark.left).exp()).max(0.0);
        }
    }

    /// As last counted.
    pub(super) fn last(&self) -> (f64, Instant) {
        (self.amount, self.counted)
    }
}
