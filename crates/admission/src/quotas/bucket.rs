//! One quota's state: what is taken of it, and by whom.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Now;
use super::day::{Day, Telling};
use super::fair::{Callers, Remembered, line};
use super::level::{Level, Mark};
use super::settings::Limits;

/// A level has to be over its limit by this much to be over it: less is the clock's, not the caller's.
const CLOCK: f64 = 0.01;
/// After so long a level is empty, whatever was owed.
const QUIET: Duration = Duration::from_secs(600);
/// How long a place is kept for who was told to come back, from then on.
const GRACE: Duration = Duration::from_secs(2);

/// Which limit keeps a call out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Refused {
    /// So many calls are under way.
    Concurrency,
    Requests {
        wait: Duration,
    },
    Tokens {
        wait: Duration,
        /// Where it is not the quota that is used up but the caller's share: how many callers there are.
        among: Option<usize>,
    },
    Day {
        wait: Duration,
    },
    /// A minute has not as many tokens.
    NeverAMinute,
    /// A day has not as many.
    NeverADay,
}

/// What a call asks of every quota.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) tokens: u64,
    /// Who asks, where the quota is to be shared fairly.
    pub(super) caller: Option<u64>,
}

/// What a call was given.
#[derive(Debug)]
pub(super) struct Taken {
    limits: Limits,
    wanted: Wanted,
    at: Instant,
    tokens: Option<Mark>,
    requests: Option<Mark>,
    day: Option<i64>,
}

/// A quota's use, for people.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct InUse {
    pub(super) tokens: u64,
    pub(super) requests: u64,
    pub(super) day: u64,
    pub(super) calls: u64,
}

/// The lock is held for a few additions and never across an await.
pub(super) struct Bucket(Mutex<State>);

struct State {
    tokens: Level,
    requests: Level,
    calls: u64,
    day: Day,
    callers: Callers,
    waiting: Option<Waiting>,
}

/// A caller within its share that was refused: those beyond theirs leave room for it.
struct Waiting {
    caller: u64,
    tokens: f64,
    until: Instant,
}

impl Bucket {
    pub(super) fn new(now: Instant, remembered: Remembered) -> Self {
        Self(Mutex::new(State {
            tokens: Level::new(now),
            requests: Level::new(now),
            calls: 0,
            day: Day::default(),
            callers: Callers::new(now, remembered),
            waiting: None,
        }))
    }

    /// Takes all that is wanted, or nothing.
    pub(super) fn take(&self, limits: Limits, wanted: Wanted, now: Now) -> Result<Taken, Refused> {
        if limits.tokens_per_minute.is_some_and(|minute| wanted.tokens > minute) {
            return Err(Refused::NeverAMinute);
        }
        let mut state = self.lock();
        if limits.concurrency.is_some_and(|most| state.calls >= most) {
            return Err(Refused::Concurrency);
        }
        if let Some(minute) = limits.requests_per_minute {
            let over = state.requests.now(minute, now.at) + 1.0 - minute as f64;
            if over > CLOCK {
                return Err(Refused::Requests { wait: back(over, minute) });
            }
        }
        if let Some(of_day) = limits.tokens_per_day {
            state.day.turn(now.unix);
            if wanted.tokens > of_day {
                return Err(Refused::NeverADay);
            }
            if state.day.used().saturating_add(wanted.tokens) > of_day {
                return Err(Refused::Day { wait: Duration::from_secs(state.day.left(now.unix)) });
            }
        }
        if let Some(minute) = limits.tokens_per_minute {
            state.room(minute, wanted, now.at)?;
        }
        state.calls += 1;
        let tokens = limits.tokens_per_minute.map(|_| state.tokens.take(wanted.tokens));
        if let Some(caller) = wanted.caller.filter(|_| tokens.is_some()) {
            state.callers.count(caller, wanted.tokens as f64, now.at, now.at);
        }
        let day = limits.tokens_per_day.map(|_| state.day.number());
        if day.is_some() {
            state.day.take(wanted.tokens);
        }
        let requests = limits.requests_per_minute.map(|_| state.requests.take(1));
        Ok(Taken { limits, wanted, at: now.at, tokens, requests, day })
    }

    /// Gives a call's place back, and counts what was `used` in place of what was reserved. Where nothing was, the
    /// call is as if it had never been.
    pub(super) fn settle(&self, taken: &Taken, used: Option<u64>, now: Now) {
        let mut state = self.lock();
        state.calls = state.calls.saturating_sub(1);
        let (reserved, count) = (taken.wanted.tokens, used.unwrap_or(0));
        if let (Some(mark), Some(minute)) = (taken.tokens, taken.limits.tokens_per_minute) {
            state.tokens.now(minute, now.at);
            match count.checked_sub(reserved) {
                // Used beyond is owed: it is taken from what comes back.
                Some(beyond) => _ = state.tokens.take(beyond),
                None => state.tokens.give_back(mark, reserved - count),
            }
            if let Some(caller) = taken.wanted.caller {
                state.callers.count(caller, count as f64 - reserved as f64, taken.at, now.at);
            }
        }
        if let Some(day) = taken.day {
            state.day.turn(now.unix);
            state.day.correct(day, reserved, count);
        }
        if let (Some(mark), Some(minute), None) = (taken.requests, taken.limits.requests_per_minute, used) {
            state.requests.now(minute, now.at);
            state.requests.give_back(mark, 1);
        }
    }

    /// What is in use under `limits`.
    pub(super) fn in_use(&self, limits: Limits, now: Now) -> InUse {
        let mut state = self.lock();
        if limits.tokens_per_day.is_some() {
            state.day.turn(now.unix);
        }
        InUse {
            tokens: limits.tokens_per_minute.map_or(0, |minute| state.tokens.now(minute, now.at).round() as u64),
            requests: limits.requests_per_minute.map_or(0, |minute| state.requests.now(minute, now.at).ceil() as u64),
            day: state.day.used(),
            calls: state.calls,
        }
    }

    /// Whether nothing is lost when it is forgotten: nobody is in it or was for a minute, and it has nothing of today.
    pub(super) fn is_idle(&self, now: Now) -> bool {
        let state = self.lock();
        let quiet = |level: &Level| {
            let (amount, counted) = level.last();
            amount == 0.0 || now.at.saturating_duration_since(counted) >= QUIET
        };
        state.calls == 0 && quiet(&state.tokens) && quiet(&state.requests) && state.day.is_over(now.unix)
    }

    pub(super) fn untold(&self) -> Option<Telling> {
        self.lock().day.untold()
    }

    pub(super) fn told(&self, telling: Telling, day: i64, sum: i64) {
        self.lock().day.told(telling, day, sum);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether there is room for tokens, for who asks.
    fn room(&mut self, minute: u64, wanted: Wanted, now: Instant) -> Result<(), Refused> {
        let (quota, tokens) = (minute as f64, wanted.tokens as f64);
        let level = self.tokens.now(minute, now);
        let Some(caller) = wanted.caller else {
            let over = level + tokens - quota;
            return if over > CLOCK { Err(Refused::Tokens { wait: back(over, minute), among: None }) } else { Ok(()) };
        };
        let shares = self.callers.shares(caller, quota, now);
        if self.waiting.as_ref().is_some_and(|waiting| now > waiting.until) {
            self.waiting = None;
        }
        let mine = self.waiting.as_ref().is_some_and(|waiting| waiting.caller == caller);
        let kept = match &self.waiting {
            Some(waiting) if !mine && shares > 1.0 => waiting.tokens,
            _ => 0.0,
        };
        // A call that is larger than the line gets in when it is the only one.
        let line = (line(quota, shares) - kept).max(tokens);
        let over = level + tokens - line;
        if over <= CLOCK {
            if mine {
                self.waiting = None;
            }
            return Ok(());
        }
        let wait = back(over, minute);
        let among = (level + tokens - quota <= CLOCK).then(|| self.callers.active());
        if shares <= 1.0 && self.waiting.is_none() && self.callers.active() > 1 {
            self.waiting = Some(Waiting { caller, tokens, until: now + wait + GRACE });
        }
        Err(Refused::Tokens { wait, among })
    }
}

/// How long it takes until so much has come back.
fn back(over: f64, per_minute: u64) -> Duration {
    if per_minute == 0 {
        return Duration::from_secs(60);
    }
    Duration::try_from_secs_f64(over * 60.0 / per_minute as f64).unwrap_or(Duration::from_secs(60))
}
