//! What things cost, and how long it is remembered.

use jiff::civil::Date;
use outcrop_telemetry::Rates;
use outcrop_telemetry::prices::{Factors, Row, TIERS};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[cost]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Cost {
    pub keep_days: u32,
    pub flex: Decimal,
    pub priority: Decimal,
    pub batch: Decimal,
}

impl Default for Cost {
    fn default() -> Self {
        let Factors { flex, priority, batch } = Factors::default();
        Self { keep_days: 400, flex, priority, batch }
    }
}

impl Cost {
    /// What tiers cost, in multiples of the standard tier.
    pub fn factors(&self) -> Factors {
        Factors { flex: self.flex, priority: self.priority, batch: self.batch }
    }
}

/// `[[prices]]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Price {
    pub provider: Option<String>,
    pub model: Option<String>,
    pub region: Option<String>,
    pub tier: Option<String>,
    #[serde(deserialize_with = "date")]
    pub from: Option<Date>,
    pub list: Option<Decimal>,
    pub input: Option<Decimal>,
    pub output: Option<Decimal>,
    pub cache_read: Option<Decimal>,
    pub cache_write: Option<Decimal>,
    pub cache_write_1h: Option<Decimal>,
    pub image: Option<Decimal>,
    pub query: Option<Decimal>,
    pub text_units: Option<Decimal>,
    pub training: Option<Decimal>,
    pub storage: Option<Decimal>,
    pub unit_hour: Option<Decimal>,
    pub unit_hour_1_month: Option<Decimal>,
    pub unit_hour_6_months: Option<Decimal>,
    pub machine_hour: Option<Decimal>,
    pub calls_at_once: Option<u32>,
}

/// TOML has dates of its own; people write them in quotes all the same.
fn date<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let text = match toml::Value::deserialize(from)? {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    text.parse().map(Some).map_err(|_| serde::de::Error::custom(format!("`{text}` is no day: write from = 2026-11-01")))
}

impl Price {
    /// The row of the table that it is.
    pub fn row(&self) -> Row {
        Row {
            model: self.model.clone(),
            provider: self.provider.clone(),
            region: self.region.clone(),
            tier: self.tier.clone(),
            from: self.from,
            list: self.list,
            rates: self.rates(),
        }
    }

    fn rates(&self) -> Rates {
        Rates {
            input: self.input,
            output: self.output,
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            cache_write_1h: self.cache_write_1h,
            image: self.image,
            query: self.query,
            text_units: self.text_units,
            training: self.training,
            storage: self.storage,
            unit_hour: self.unit_hour,
            unit_hour_1_month: self.unit_hour_1_month,
            unit_hour_6_months: self.unit_hour_6_months,
            machine_hour: self.machine_hour,
            calls_at_once: self.calls_at_once,
            local: self.machine_hour.is_some(),
        }
    }

    fn amounts(&self) -> impl Iterator<Item = Decimal> {
        let rates = [
            self.list,
            self.input,
            self.output,
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.image,
            self.query,
            self.text_units,
            self.training,
            self.storage,
            self.unit_hour,
            self.unit_hour_1_month,
            self.unit_hour_6_months,
            self.machine_hour,
        ];
        rates.into_iter().flatten()
    }
}

/// Above that it is a mistake, and sums could outgrow a decimal.
const MOST: i64 = 1_000_000;

fn sensible(amount: Decimal) -> bool {
    (Decimal::ZERO..=MOST.into()).contains(&amount)
}

pub(super) fn check(cost: &Cost, prices: &[Price]) -> Result<(), ConfigError> {
    for (key, factor) in [("cost.flex", cost.flex), ("cost.priority", cost.priority), ("cost.batch", cost.batch)] {
        if !sensible(factor) {
            return Err(impossible(key, &factor.to_string(), "a multiple of the standard tier, 0 or more"));
        }
    }
    for price in prices {
        if let Some(amount) = price.amounts().find(|amount| !sensible(*amount)) {
            return Err(impossible("prices", &amount.to_string(), "dollars, from 0 to 1,000,000"));
        }
        let named = price.model.as_deref().or(price.provider.as_deref()).unwrap_or("a row for everything");
        if price.amounts().next().is_none() {
            return Err(impossible("prices", named, "with a price: input, output, machine_hour and others, or list"));
        }
        if price.list.is_some() && !price.rates().is_empty() {
            return Err(impossible("prices.list", named, "without other prices: it takes the place of all of them"));
        }
        if let Some(tier) = price.tier.as_deref().filter(|tier| !TIERS.contains(tier)) {
            return Err(impossible("prices.tier", tier, &format!("one of {}", TIERS.join(", "))));
        }
        if price.calls_at_once == Some(0) {
            return Err(impossible("prices.calls_at_once", "0", "1 or more"));
        }
    }
    Ok(())
}
