//! What could be saved, from real traffic, in dollars a month. Each finding says how it was computed and what speaks
//! against it; where there is too little traffic there is none, and that is said.
//!
//! Start at [`advise`]. The rules are one function each in `rules`.

mod rules;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Prices;
use crate::cost::Query;
use crate::ledger::{self, LedgerError};

use seen::Seen;

/// Answered calls below which nothing is said.
pub const FEWEST: u64 = 1_000;
/// Seconds between the first call and the last below which nothing is said.
pub const SHORTEST: i64 = 24 * 60 * 60;

/// What the catalogue knows of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The ids of models of the same maker and kind with a lower list price, the dearest first.
    pub cheaper: Vec<String>,
    /// The fewest tokens that its prompt cache keeps; none where it has no cache.
    pub cache_minimum: Option<u32>,
}

/// What could be done, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule: `max-tokens`, `prompt-cache`, `flex-or-batch`, `provisioned`, `cheaper-model`, `self-host`.
    pub rule: &'static str,
    /// Of whose calls of what.
    pub about: String,
    /// What to do.
    pub what: String,
    /// How it was computed.
    pub how: String,
    /// What it would save in 30 days of the same traffic.
    pub dollars_a_month: Decimal,
    /// What speaks against it.
    pub caveat: String,
}

/// All findings, the dearest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What was asked.
    pub query: Query,
    /// Calls that were answered.
    pub calls: u64,
    /// Seconds from the first of them to the last.
    pub seconds: i64,
    /// What could be saved.
    pub findings: Vec<Finding>,
    /// Why there is none, where there is too little traffic.
    pub too_little: Option<String>,
}

/// Looks at the calls of a query's time and filters.
pub fn advise(
    data: &Path,
    prices: &Prices,
    facts: &HashMap<String, Facts>,
    query: &Query,
) -> Result<Advice, LedgerError> {
    let mut seen = Seen::default();
    for entry in ledger::read(data, query.time.clone())? {
        let entry = entry?;
        if query.wants(&entry) {
            seen.add(&entry, prices, facts);
        }
    }
    let (calls, seconds) = (seen.calls, seen.seconds());
    let mut advice = Advice { query: query.clone(), calls, seconds, findings: Vec::new(), too_little: None };
    if calls < FEWEST || seconds < SHORTEST {
        advice.too_little = Some(format!(
            "Too little traffic to say anything: {calls} answered calls in {:.1} hours. It takes {FEWEST} over 24 hours.",
            seconds as f64 / 3600.0
        ));
        return Ok(advice);
    }
    advice.findings = rules::all(&seen, prices, facts);
    advice.findings.sort_by(|a, b| b.dollars_a_month.cmp(&a.dollars_a_month).then(a.about.cmp(&b.about)));
    Ok(advice)
}

impl Advice {
    /// As programs read it.
    pub fn json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "rule": finding.rule,
                "about": finding.about,
                "what": finding.what,
                "how": finding.how,
                "dollarsAMonth": finding.dollars_a_month.normalize().to_string(),
                "caveat": finding.caveat,
            })
        });
        json!({
            "from": self.query.time.start.to_string(),
            "to": self.query.time.end.to_string(),
            "currency": "USD",
            "calls": self.calls,
            "seconds": self.seconds,
            "tooLittle": self.too_little,
            "findings": findings.collect::<Vec<_>>(),
        })
    }
}
