//! What things cost: a table of rates by model, provider, Region, tier and date. All of it exact decimals, in dollars.
//!
//! A list price belongs to the providers that really charge it ([`Table::charged_by`]). What this server's own machines
//! answer costs what its owner says that the machine costs by the hour, else nothing, marked as local. Everybody else
//! has the prices that the configuration gives, or none: no price is not the same as nothing.
//!
//! Start at [`Prices::cost`], which is asked once a call.

mod guardrails;
mod rates;
#[cfg(test)]
mod tests;

pub use guardrails::GUARDRAILS;
pub use rates::Rates;

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::Entry;

/// The tiers that have rates of their own, in Bedrock's words; `batch` is that of batch inference.
pub const TIERS: [&str; 4] = ["default", "flex", "priority", "batch"];

/// Some rates, and what they are for. What is not said is for all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// The catalogue's id of the model.
    pub model: Option<String>,
    /// The provider, by its name in the configuration.
    pub provider: Option<String>,
    /// The Region that was called.
    pub region: Option<String>,
    /// One of [`TIERS`]. Without one the other tiers follow by [`Table::factors`].
    pub tier: Option<String>,
    /// The first day, in UTC, on which they hold.
    pub from: Option<Date>,
    /// So many times the list price of every model of the row, instead of `rates`.
    pub list: Option<Decimal>,
    /// They themselves.
    pub rates: Rates,
}

/// What tiers cost, in multiples of the standard tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    /// Of the tier `flex`.
    pub flex: Decimal,
    /// Of the tier `priority`.
    pub priority: Decimal,
    /// Of batch inference.
    pub batch: Decimal,
}

impl Default for Factors {
    fn default() -> Self {
        Self { flex: Decimal::new(5, 1), priority: Decimal::new(175, 2), batch: Decimal::new(5, 1) }
    }
}

impl Factors {
    fn of(&self, tier: &str) -> Decimal {
        match tier {
            "flex" => self.flex,
            "priority" => self.priority,
            "batch" => self.batch,
            _ => Decimal::ONE,
        }
    }
}

/// What a table of prices is made from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// List prices, by the catalogue's id of the model.
    pub list: Vec<(String, Rates)>,
    /// The providers that charge them.
    pub charged_by: Vec<String>,
    /// The providers that are this server's own machine.
    pub local: Vec<String>,
    /// What the configuration says; it goes before everything else.
    pub own: Vec<Row>,
    /// The other tiers of rows that name none.
    pub factors: Factors,
}

/// The table, ready to be asked on the path of every call: a look-up allocates nothing.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    list: HashMap<Box<str>, Rates>,
    by_model: HashMap<Box<str>, Vec<Ready>>,
    of_all: Vec<Ready>,
}

#[derive(Debug, Clone)]
struct Ready {
    provider: Option<Box<str>>,
    region: Option<Box<str>>,
    tier: Option<usize>,
    from: Timestamp,
    /// How much it says of what it is for: the row that says most is taken, then the newest.
    weight: u8,
    /// In the order of [`TIERS`]; one where the row names its tier.
    rates: Vec<Rates>,
}

impl Prices {
    /// The table, put together.
    pub fn new(table: &Table) -> Self {
        let list = table.list.iter().map(|(model, rates)| (model.as_str().into(), rates.clone())).collect();
        let mut prices = Self { list, ..Self::default() };
        let listed: Vec<(String, Rates)> = table.list.iter().cloned().chain(guardrails::list()).collect();
        for provider in &table.local {
            let row = Row { provider: Some(provider.clone()), rates: Rates::local(), ..Row::default() };
            prices.add(&row, 0, &table.factors);
        }
        for (model, rates) in &table.list {
            for provider in &table.charged_by {
                let (model, provider) = (Some(model.clone()), Some(provider.clone()));
                let row = Row { model, provider, rates: rates.clone(), ..Row::default() };
                prices.add(&row, 1, &table.factors);
            }
        }
        for row in &table.own {
            let said = [(row.model.is_some(), 8), (row.provider.is_some(), 4), (row.region.is_some(), 2)];
            let weight = said.iter().filter(|(said, _)| *said).map(|(_, weight)| weight).sum::<u8>();
            let weight = 16 + weight + u8::from(row.tier.is_some());
            let Some(factor) = row.list else {
                prices.add(row, weight, &table.factors);
                continue;
            };
            for (model, rates) in listed.iter().filter(|(id, _)| row.model.as_ref().is_none_or(|named| named == id)) {
                let row = Row { model: Some(model.clone()), rates: rates.times(factor), ..row.clone() };
                prices.add(&row, weight, &table.factors);
            }
        }
        for rows in prices.by_model.values_mut().chain([&mut prices.of_all]) {
            rows.sort_by_key(|row| std::cmp::Reverse((row.weight, row.from)));
        }
        prices
    }

    fn add(&mut self, row: &Row, weight: u8, factors: &Factors) {
        let tier = row.tier.as_deref().map(tier);
        let ready = Ready {
            provider: row.provider.as_deref().map(Into::into),
            region: row.region.as_deref().map(Into::into),
            tier,
            from: row.from.map_or(Timestamp::MIN, midnight),
            weight,
            rates: match tier {
                Some(_) => vec![row.rates.clone()],
                None => TIERS.iter().map(|tier| row.rates.in_tier(factors.of(tier))).collect(),
            },
        };
        match &row.model {
            Some(model) => self.by_model.entry(model.as_str().into()).or_default().push(ready),
            None => self.of_all.push(ready),
        }
    }

    /// What `provider` charged for calls of the model in that tier at that time; none where there is no price.
    pub fn rates(
        &self,
        model_id: &str,
        provider: &str,
        region: &str,
        tier_name: &str,
        at: Timestamp,
    ) -> Option<&Rates> {
        self.find(model_id, provider, region, tier_name, at, Rates::by_use)
    }

    /// The list price of a model, whoever answers for it.
    pub fn list_price(&self, model_id: &str) -> Option<&Rates> {
        self.list.get(model_id)
    }

    /// Another price of the model: `|rates| rates.storage`. The row that says most and has it counts.
    pub fn rate(
        &self,
        model_id: &str,
        provider: &str,
        region: &str,
        at: Timestamp,
        what: impl Fn(&Rates) -> Option<Decimal>,
    ) -> Option<Decimal> {
        self.find(model_id, provider, region, "default", at, |rates| what(rates).is_some()).and_then(&what)
    }

    fn find(
        &self,
        model_id: &str,
        provider: &str,
        region: &str,
        tier_name: &str,
        at: Timestamp,
        has: impl Fn(&Rates) -> bool,
    ) -> Option<&Rates> {
        let tier = tier(tier_name);
        let found = |rows: &'_ [Ready]| {
            rows.iter().position(|row| {
                row.provider.as_deref().is_none_or(|named| named == provider)
                    && row.region.as_deref().is_none_or(|named| named == region)
                    && row.tier.is_none_or(|named| named == tier)
                    && row.from <= at
                    && row.rates.first().is_some_and(&has)
            })
        };
        let of_model = self.by_model.get(model_id).map_or(&[][..], Vec::as_slice);
        let row = match (found(of_model), found(&self.of_all)) {
            (Some(one), Some(other)) if self.of_all[other].weight > of_model[one].weight => &self.of_all[other],
            (Some(one), _) => &of_model[one],
            (None, Some(other)) => &self.of_all[other],
            (None, None) => return None,
        };
        row.rates.get(if row.tier.is_some() { 0 } else { tier })
    }

    /// What a call cost; none where there is no price. An answer from the response cache, a call that used nothing and
    /// one of provisioned throughput, which is paid by the hour, cost nothing.
    pub fn cost(&self, entry: &Entry) -> Option<Decimal> {
        let tokens = &entry.tokens;
        let used = [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write, entry.images, entry.queries];
        let provisioned = entry.profile.as_deref().is_some_and(|arn| arn.contains(":provisioned-model/"));
        if entry.cached || used == [0; 6] || provisioned {
            return Some(Decimal::ZERO);
        }
        let provider = entry.provider.as_deref()?;
        let rates = self.rates(&entry.model_id, provider, &entry.region, tier_of(entry), entry.at)?;
        Some(rates.cost(tokens, entry.images, entry.queries).saturating_add(rates.machine(entry.total_ms)))
    }
}

/// The tier by which a call is charged.
pub(crate) fn tier_of(entry: &Entry) -> &str {
    entry.resolved_tier.as_deref().or(entry.tier.as_deref()).unwrap_or("default")
}

/// A tier that is not known is charged like the standard one.
fn tier(name: &str) -> usize {
    TIERS.iter().position(|known| *known == name).unwrap_or_default()
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp())
}
