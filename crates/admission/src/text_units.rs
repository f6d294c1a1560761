//! Text units: how much text a second an account may have judged by guardrails in a Region, by policy.
//!
//! A second's units may come at once. A text that is larger than that is let in where nothing has been taken, and those
//! behind it wait until it is paid off: so every text that a request may have is judged some time.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use outcrop_api::{Fault, Kind};
use outcrop_telemetry::TextUnits;

/// The most accounts and Regions that are told apart at a time.
const MOST: usize = 10_000;
/// What has a quota of its own, as refusals name it.
const NAMES: [&str; 5] = [
    "content filter policy (Classic tier)",
    "denied topic policy (Classic tier)",
    "word filter policy",
    "sensitive information filter policy",
    "contextual grounding policy",
];

/// Text units a second for each policy of an account in a Region; without limit where none is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Content filters.
    pub content: Option<u64>,
    /// Denied topics.
    pub topic: Option<u64>,
    /// Word filters.
    pub word: Option<u64>,
    /// Sensitive information.
    pub sensitive: Option<u64>,
    /// Contextual grounding.
    pub grounding: Option<u64>,
}

impl Settings {
    fn limits(&self) -> [Option<u64>; 5] {
        [self.content, self.topic, self.word, self.sensitive, self.grounding]
    }
}

/// The quotas of this process. Cheap to clone, and every clone counts the same units.
#[derive(Debug, Clone, Default)]
pub struct Quotas {
    limits: [Option<u64>; 5],
    taken: Arc<Mutex<HashMap<(String, String), Taken>>>,
}

/// What an account has taken of each quota and not paid off by then.
#[derive(Debug, Clone, Copy)]
struct Taken {
    units: [f64; 5],
    at: Instant,
}

impl Quotas {
    /// The same, and what is taken of it, under other settings.
    #[must_use]
    pub fn under(&self, settings: Settings) -> Self {
        Self { limits: settings.limits(), taken: Arc::clone(&self.taken) }
    }

    /// Lets texts be judged, or says which quota keeps them out.
    pub fn admit(&self, account: &str, region: &str, units: &TextUnits) -> Result<(), Fault> {
        self.take(account, region, units, true, Instant::now())
    }

    /// Counts texts that are judged whatever that takes: a model's answer is there already.
    pub fn count(&self, account: &str, region: &str, units: &TextUnits) {
        // It refuses nothing.
        let _ = self.take(account, region, units, false, Instant::now());
    }

    fn take(&self, account: &str, region: &str, units: &TextUnits, refuses: bool, now: Instant) -> Result<(), Fault> {
        if self.limits.iter().all(Option::is_none) {
            return Ok(());
        }
        let wanted = [units.content, units.topic, units.word, units.sensitive, units.grounding];
        let mut all = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (account.to_owned(), region.to_owned());
        if all.len() >= MOST && !all.contains_key(&key) {
            all.retain(|_, taken| {
                taken.pay(&self.limits, now);
                taken.units.iter().any(|units| *units > 0.0)
            });
            if all.len() >= MOST {
                key = Default::default(); // The others share one.
            }
        }
        let taken = all.entry(key).or_insert(Taken { units: [0.0; 5], at: now });
        taken.pay(&self.limits, now);
        let places = || self.limits.iter().zip(wanted).enumerate();
        for (at, (limit, wanted)) in places() {
            let Some(limit) = limit.filter(|_| refuses && wanted > 0) else { continue };
            if taken.units[at] > 0.0 && taken.units[at] + wanted as f64 > limit as f64 {
                let text = format!(
                    "Too many requests sent to ApplyGuardrail: On-demand ApplyGuardrail {} text units per second limit \
                     exceeded.",
                    NAMES[at]
                );
                return Err(Fault::new(Kind::Throttling, text));
            }
        }
        for (at, (limit, wanted)) in places() {
            if limit.is_some() {
                taken.units[at] += wanted as f64;
            }
        }
        Ok(())
    }
}

impl Taken {
    /// What the time since has paid off.
    fn pay(&mut self, limits: &[Option<u64>; 5], now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        for (units, limit) in self.units.iter_mut().zip(limits) {
            *units = limit.map_or(0.0, |limit| (*units - limit as f64 * seconds).max(0.0));
        }
        self.at = now;
    }
}
