//! A circuit breaker: leaves a target alone that has failed too often, and looks carefully whether it has recovered.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerSettings {
    /// It opens after so many failures in a row ...
    pub consecutive: u32,
    /// ... or when this share of the calls in a window failed ...
    pub ratio: f64,
    /// ... of at least so many calls ...
    pub minimum: u32,
    /// ... in windows of this length.
    pub window: Duration,
    /// The first pause; each further one is twice the one before.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            consecutive: 8,
            ratio: 0.6,
            minimum: 40,
            window: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            longest: Duration::from_secs(60),
        }
    }
}

/// `until` while one call finds out whether the target has recovered.
const PROBING: u64 = u64::MAX;

/// Closed: calls pass. Open: none does until a pause is over. Then one call passes as a probe, and decides.
#[derive(Debug)]
pub struct Breaker {
    base: Instant,
    consecutive: AtomicU32,
    /// The window's number (24 bits), its failures and its calls (20 bits each).
    window: AtomicU64,
    /// The end of the pause, in milliseconds since `base`; 0 while closed.
    until: AtomicU64,
    /// How often it opened since it was closed.
    opened: AtomicU32,
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Calls pass.
    Closed,
    /// None does for this long.
    Open(Duration),
    /// The next call finds out.
    HalfOpen,
}

/// Whether a call that was let through is the one that finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// One of many.
    Usual,
    /// The only one.
    Probe,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            base: Instant::now(),
            consecutive: AtomicU32::new(0),
            window: AtomicU64::new(0),
            until: AtomicU64::new(0),
            opened: AtomicU32::new(0),
        }
    }
}

impl Breaker {
    fn now(&self) -> u64 {
        // Never 0, which stands for closed.
        u64::try_from(self.base.elapsed().as_millis()).unwrap_or(PROBING - 2) + 1
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        match (self.until.load(Relaxed), self.now()) {
            (0, _) => Standing::Closed,
            (PROBING, _) => Standing::Open(Duration::ZERO),
            (until, now) if now < until => Standing::Open(Duration::from_millis(until - now)),
            _ => Standing::HalfOpen,
        }
    }

    /// Lets a call through, or says how long to wait.
    pub fn enter(&self) -> Result<Entry, Duration> {
        match self.standing() {
            Standing::Closed => Ok(Entry::Usual),
            Standing::Open(left) => Err(left),
            Standing::HalfOpen => {
                let until = self.until.load(Relaxed);
                let mine = until != 0
                    && until <= self.now()
                    && self.until.compare_exchange(until, PROBING, Relaxed, Relaxed).is_ok();
                if mine { Ok(Entry::Probe) } else { Err(Duration::ZERO) }
            }
        }
    }

    /// The target answered.
    pub fn succeeded(&self, entry: Entry, settings: &BreakerSettings) {
        self.count(false, settings);
        // What began before it opened says nothing about now.
        if entry == Entry::Usual && self.until.load(Relaxed) != 0 {
            return;
        }
        self.consecutive.store(0, Relaxed);
        if entry == Entry::Probe {
            self.opened.store(0, Relaxed);
            self.window.store(0, Relaxed);
            self.until.store(0, Relaxed);
        }
    }

    /// The target failed. True where this opened the breaker.
    pub fn failed(&self, entry: Entry, settings: &BreakerSettings) -> bool {
        let in_a_row = self.consecutive.fetch_add(1, Relaxed) + 1;
        let (failures, calls) = self.count(true, settings);
        let often = calls >= settings.minimum && f64::from(failures) >= settings.ratio * f64::from(calls);
        if entry == Entry::Usual && in_a_row < settings.consecutive && !often {
            return false;
        }
        if entry == Entry::Usual && self.until.load(Relaxed) != 0 {
            return false;
        }
        let times = self.opened.fetch_add(1, Relaxed).min(16);
        let pause = settings.pause.saturating_mul(1 << times).min(settings.longest);
        // A little earlier or later, so that servers which saw the same failure do not probe together.
        let pause = pause.mul_f64(0.9 + 0.2 * fastrand::f64());
        let pause = u64::try_from(pause.as_millis()).unwrap_or(PROBING / 2);
        self.consecutive.store(0, Relaxed);
        self.until.store(self.now() + pause, Relaxed);
        true
    }

    /// A probe ended without a verdict: the next call may be one.
    pub fn abandoned(&self, entry: Entry) {
        if entry == Entry::Probe {
            let _ = self.until.compare_exchange(PROBING, self.now(), Relaxed, Relaxed);
        }
    }

    fn count(&self, failure: bool, settings: &BreakerSettings) -> (u32, u32) {
        const FIELD: u64 = (1 << 20) - 1;
        let length = u64::try_from(settings.window.as_millis()).unwrap_or(u64::MAX).max(1);
        let number = (self.now() / length) & 0xff_ffff;
        let next = |old: u64| {
            let old = if old >> 40 == number { old } else { number << 40 };
            let (mut failures, mut calls) = ((old >> 20) & FIELD, old & FIELD);
            if calls < FIELD {
                calls += 1;
                failures += u64::from(failure);
            }
            (number << 40) | (failures << 20) | calls
        };
        let old = self.window.fetch_update(Relaxed, Relaxed, |old| Some(next(old))).unwrap_or_default();
        let now = next(old);
        (((now >> 20) & FIELD) as u32, (now & FIELD) as u32)
    }
}
