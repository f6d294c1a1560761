//! Provisioned throughput: model units are paid by the hour, used or idle, from their making to their end.
//!
//! What is in force is looked at every minute ([`Lives::observe`]) and kept as lines of JSON, so that what was given
//! back is remembered. Every hour that was begun counts, as AWS bills it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::entry::Kind;
use crate::ledger::{self, LedgerError};
use crate::{Entry, Outcome, Prices, TextUnits, Tokens};

/// The operation of an hour of model units in reports.
pub const OPERATION: &str = "ProvisionedThroughput";

/// One provisioned model, from its making to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// Its ARN.
    pub arn: String,
    /// Whose it is.
    pub account: String,
    /// Where.
    pub region: String,
    /// The catalogue's id of its model.
    pub model: String,
    /// Its model units.
    pub units: u32,
    /// `OneMonth` or `SixMonths`; by the hour where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was seen to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// Keeps what was seen.
#[derive(Debug)]
pub struct Lives {
    path: PathBuf,
    in_force: BTreeMap<String, Life>,
}

impl Lives {
    /// Those of a data folder.
    pub fn open(data: &Path) -> Result<Self, LedgerError> {
        let path = path(data);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| LedgerError::io(folder, error))?;
        }
        let in_force = read(data)?.into_iter().filter(|(_, life)| life.ended.is_none()).collect();
        Ok(Self { path, in_force })
    }

    /// What is in force now: what is new and what is gone is written down.
    pub fn observe(&mut self, now: Timestamp, seen: Vec<Life>) -> Result<(), LedgerError> {
        let seen: BTreeMap<_, _> = seen.into_iter().map(|life| (life.arn.clone(), life)).collect();
        let mut changes: Vec<Life> =
            seen.values().filter(|life| !self.in_force.contains_key(&life.arn)).cloned().collect();
        let gone = self.in_force.values().filter(|life| !seen.contains_key(&life.arn));
        changes.extend(gone.map(|life| Life { ended: Some(now), ..life.clone() }));
        if changes.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for life in &changes {
            serde_json::to_writer(&mut lines, life).map_err(|error| LedgerError::io(&self.path, error.into()))?;
            lines.push(b'\n');
        }
        ledger::append(&self.path, &lines).1.map_err(|error| LedgerError::io(&self.path, error))?;
        self.in_force = seen;
        Ok(())
    }
}

fn path(data: &Path) -> PathBuf {
    data.join("telemetry").join("provisioned.jsonl")
}

/// What is known of each provisioned model: the last line of its ARN.
fn read(data: &Path) -> Result<BTreeMap<String, Life>, LedgerError> {
    let path = path(data);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        text => text.map_err(|error| LedgerError::io(&path, error))?,
    };
    let lives = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Life>(line).ok());
    Ok(lives.map(|life| (life.arn.clone(), life)).collect())
}

/// Tells every hour of model units that was begun in `time`, with what it cost, as a call that was none.
pub fn hours(
    data: &Path,
    prices: &Prices,
    time: Range<Timestamp>,
    mut tell: impl FnMut(&Entry, u64),
) -> Result<(), LedgerError> {
    let now = Timestamp::now();
    for life in read(data)?.into_values() {
        let end = life.ended.unwrap_or(now).min(time.end);
        // The first hour that begins in the time.
        let before = (time.start.as_second() - life.created.as_second()).max(0);
        let mut entry = entry(&life);
        for hour in (before + 3599) / 3600.. {
            let Ok(at) = life.created.checked_add(hour.hours()) else { break };
            if at >= end {
                break;
            }
            let price = |rates: &crate::Rates| rates.model_unit_hour(life.commitment.as_deref());
            let hour = prices.rate(&life.model, "local", &life.region, at, price);
            entry.at = at;
            entry.cost = hour.map(|hour| hour.saturating_mul(life.units.into()));
            tell(&entry, u64::from(life.units));
        }
    }
    Ok(())
}

fn entry(life: &Life) -> Entry {
    Entry {
        at: life.created,
        request_id: String::new(),
        account: life.account.clone(),
        region: life.region.clone(),
        operation: OPERATION.into(),
        kind: Kind::default(),
        principal: String::new(),
        key: None,
        tags: BTreeMap::new(),
        metadata: BTreeMap::new(),
        model: life.model.clone(),
        model_id: life.model.clone(),
        profile: Some(life.arn.clone()),
        provider: None,
        tier: None,
        resolved_tier: None,
        cross_region: false,
        tokens: Tokens::default(),
        images: 0,
        queries: 0,
        max_tokens: None,
        prefix: None,
        first_event_ms: None,
        total_ms: 0.0,
        attempts: 0,
        cached: false,
        streamed: false,
        outcome: Outcome::Answered,
        error: None,
        cost: None,
        text_units: TextUnits::default(),
        guardrails_cost: rust_decimal::Decimal::ZERO,
    }
}
