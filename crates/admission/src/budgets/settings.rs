//! What budgets there are.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::matching::Match;
use super::period::Period;

/// A billion dollars, in billionths, or as many tokens: what is more is taken for it, so that sums never overflow.
pub(super) const MOST: i64 = 1_000_000_000_000_000_000;

/// All budgets of one configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// In the order in which they are asked.
    pub budgets: Vec<Budget>,
}

/// How much may be spent, by whom, in which time.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Unique; what is spent is kept under it. Letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// How much.
    pub limit: Limit,
    /// In which time.
    pub period: Period,
    /// Whose calls count.
    pub matches: Match,
    /// Shares of the limit at which a warning is given.
    pub warn_at: Vec<Decimal>,
    /// The share of the limit at which running calls are cut; at least 1.
    pub hard_limit: Decimal,
    /// What becomes of calls of models without a price, where the limit is in dollars.
    pub unpriced: Unpriced,
}

/// An amount that may be spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// US dollars.
    Usd(Decimal),
    /// Tokens, read, written and cached alike.
    Tokens(u64),
}

/// What an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// US dollars; in counters as billionths, whole.
    Usd,
    /// Tokens.
    Tokens,
}

/// What becomes of calls that nobody can price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unpriced {
    /// They are refused: what has no price cannot be held to a limit in dollars.
    #[default]
    Refuse,
    /// They are let in without being counted; the report says how many.
    Allow,
}

impl Budget {
    /// What cannot be meant, in the words of whoever configured it.
    pub fn check(&self) -> Result<(), String> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(good) {
            return Err("name must be 1 to 64 letters, digits, dots, underscores and hyphens".into());
        }
        if self.limit.amount() <= 0 {
            return Err("limit must be above 0".into());
        }
        if self.warn_at.iter().any(|share| *share <= Decimal::ZERO || *share >= Decimal::ONE) {
            return Err("warn_at must be shares between 0 and 1, such as 0.8".into());
        }
        if self.hard_limit < Decimal::ONE || self.hard_limit > Decimal::from(100) {
            return Err("hard_limit must be a share from 1 to 100, such as 1.1".into());
        }
        Ok(())
    }
}

impl Limit {
    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            Self::Usd(_) => Unit::Usd,
            Self::Tokens(_) => Unit::Tokens,
        }
    }

    pub(super) fn amount(self) -> i64 {
        match self {
            // Rounded down: a limit is never more than was said.
            Self::Usd(dollars) => nanos(dollars.trunc_with_scale(9)),
            Self::Tokens(tokens) => whole(tokens),
        }
    }
}

impl Unit {
    /// `amount` for people.
    pub(super) fn shown(self, amount: i64) -> String {
        match self {
            Self::Usd => format!("{} USD", self.decimal(amount)),
            Self::Tokens => format!("{amount} tokens"),
        }
    }

    pub(super) fn decimal(self, amount: i64) -> Decimal {
        match self {
            Self::Usd => Decimal::new(amount, 9).normalize(),
            Self::Tokens => Decimal::from(amount),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Tokens => "tokens",
        }
    }
}

/// Billionths of a dollar, rounded up: nothing is spent for nothing.
pub(super) fn nanos(dollars: Decimal) -> i64 {
    let nanos = dollars.checked_mul(Decimal::from(1_000_000_000)).map(|nanos| nanos.ceil());
    nanos.and_then(|nanos| nanos.to_i64()).unwrap_or(MOST).clamp(0, MOST)
}

/// A count of tokens.
pub(super) fn whole(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(MOST).min(MOST)
}

/// `share` of `amount`, rounded up.
pub(super) fn share_of(amount: i64, share: Decimal) -> i64 {
    let part = Decimal::from(amount).checked_mul(share).map(|part| part.ceil());
    part.and_then(|part| part.to_i64()).unwrap_or(i64::MAX)
}
