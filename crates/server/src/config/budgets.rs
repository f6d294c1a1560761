//! What may be spent.

use std::collections::{BTreeMap, BTreeSet};

use outcrop_admission::budgets::{self, Limit, Match, Period, Unpriced, Which};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, impossible};

/// The value that stands for every one.
const EACH: &str = "each";

/// `[[budgets]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Budget {
    pub name: String,
    pub limit: String,
    pub period: Period,
    #[serde(default)]
    pub r#match: BudgetMatch,
    #[serde(default = "warn_at")]
    pub warn_at: Vec<f64>,
    #[serde(default = "hard_limit")]
    pub hard_limit: f64,
    #[serde(default)]
    pub unpriced: Unpriced,
}

/// `budgets.match`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct BudgetMatch {
    pub account: Option<String>,
    pub key: Option<String>,
    pub principal: Option<String>,
    pub model: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub metadata: BTreeMap<String, String>,
}

fn warn_at() -> Vec<f64> {
    vec![0.8]
}

fn hard_limit() -> f64 {
    1.1
}

impl Config {
    /// The budgets, in admission's words.
    pub fn budgets(&self) -> Result<budgets::Settings, ConfigError> {
        let mut names = BTreeSet::new();
        let mut all = Vec::with_capacity(self.budgets.len());
        for budget in &self.budgets {
            if !names.insert(&budget.name) {
                return Err(impossible("budgets.name", &budget.name, "a name that no other budget has"));
            }
            all.push(budget.read()?);
        }
        Ok(budgets::Settings { budgets: all })
    }
}

impl Budget {
    fn read(&self) -> Result<budgets::Budget, ConfigError> {
        let key = |key: &str| format!("budgets.{key} (of {})", self.name);
        let share = |name: &str, share: f64| {
            let read = share.to_string().parse::<Decimal>();
            read.map_err(|_| impossible(&key(name), &share.to_string(), "a share such as 0.8"))
        };
        let limit = limit(&self.limit).ok_or_else(|| {
            impossible(&key("limit"), &self.limit, "an amount above 0 such as \"1.00 USD\" or \"500000 tokens\"")
        })?;
        let warn_at: Result<_, _> = self.warn_at.iter().map(|at| share("warn_at", *at)).collect();
        let budget = budgets::Budget {
            name: self.name.clone(),
            limit,
            period: self.period,
            matches: self.r#match.read(),
            warn_at: warn_at?,
            hard_limit: share("hard_limit", self.hard_limit)?,
            unpriced: self.unpriced,
        };
        budget.check().map_err(|what| impossible("budgets", &self.name, &format!("one that can be meant: {what}")))?;
        Ok(budget)
    }
}

impl BudgetMatch {
    fn read(&self) -> Match {
        let one = |value: &String| if value == EACH { Which::Each } else { Which::Is(value.clone()) };
        let all = |map: &BTreeMap<String, String>| map.iter().map(|(key, value)| (key.clone(), one(value))).collect();
        Match {
            account: self.account.as_ref().map(one),
            key: self.key.as_ref().map(one),
            principal: self.principal.as_ref().map(one),
            model: self.model.as_ref().map(one),
            tags: all(&self.tags),
            metadata: all(&self.metadata),
        }
    }
}

/// An amount and what it counts.
fn limit(text: &str) -> Option<Limit> {
    let (amount, unit) = text.trim().split_once(' ')?;
    let amount = amount.replace('_', "");
    match unit.trim() {
        "USD" => amount.parse().ok().filter(|dollars| *dollars > Decimal::ZERO).map(Limit::Usd),
        "tokens" => amount.parse().ok().filter(|tokens| *tokens > 0).map(Limit::Tokens),
        _ => None,
    }
}
