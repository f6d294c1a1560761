//! What the caller is told when nobody answered.

#[cfg(test)]
mod tests;

use std::time::Duration;

use outcrop_api::{Fault, Kind};
use outcrop_providers::{Cause, Failure};

/// The header that says how many targets a call was put to, repetitions included, where it was more than one.
pub const ATTEMPTS: &str = "x-outcrop-attempts";

/// What went wrong so far.
#[derive(Default)]
pub struct Failures {
    /// Attempts that were made.
    pub made: u32,
    worst: Option<Failure>,
    retry_after: Option<Duration>,
    /// The shortest pause of a breaker that kept a target from being asked.
    pause: Option<Duration>,
    full: bool,
}

/// The most telling first: what the caller can do something about, then what says most of the target.
fn rank(cause: Cause) -> u8 {
    match cause {
        Cause::Request => 0,
        Cause::Throttled => 1,
        Cause::TimedOut => 2,
        Cause::Unavailable => 3,
        Cause::Broken => 4,
        Cause::Unreachable => 5,
        Cause::Unmappable => 6,
        Cause::NoModel => 7,
        Cause::Credentials => 8,
        Cause::Blocked => 9,
    }
}

fn sooner(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    a.into_iter().chain(b).min()
}

impl Failures {
    /// An attempt failed.
    pub fn push(&mut self, failure: Failure) {
        self.retry_after = sooner(self.retry_after, failure.retry_after);
        let worse = self.worst.as_ref().is_none_or(|worst| rank(failure.cause) < rank(worst.cause));
        if worse {
            self.worst = Some(failure);
        }
    }

    /// A target was not asked, for its breaker is open.
    pub fn open(&mut self, left: Duration) {
        self.pause = sooner(self.pause, Some(left));
    }

    /// A target was not asked, for it has all the calls that it may have.
    pub fn full(&mut self) {
        self.full = true;
    }

    /// What the caller reads.
    pub fn fault(self) -> Fault {
        let (fault, retry_after) = match self.worst {
            Some(failure) => (failure.fault, sooner(self.retry_after, self.pause)),
            None if self.full => {
                (Fault::new(Kind::Throttling, "Too many requests, please wait before trying again."), None)
            }
            None => {
                let text = "The model is temporarily unavailable: its providers fail and are left alone for a moment.";
                (Fault::new(Kind::ServiceUnavailable, text), self.pause)
            }
        };
        let again = matches!(fault.kind, Kind::Throttling | Kind::ServiceUnavailable | Kind::ModelNotReady);
        let fault = if self.made > 1 { fault.with(ATTEMPTS, self.made) } else { fault };
        match retry_after.filter(|_| again) {
            Some(wait) => fault.after(wait),
            None => fault,
        }
    }
}

/// The failure of an answer that did not begin in time.
pub fn late() -> Failure {
    Failure::new(Cause::TimedOut, Fault::new(Kind::ModelTimeout, "The model did not begin its answer in time."))
}
