//! The ledger in the columns of FOCUS 1.0, the FinOps Open Cost and Usage Specification, as CSV.
//!
//! One row for each day, account, Region, model, provider, tier, profile, operation and set of tags. Columns that begin
//! with `x_` are beyond the specification, as it allows: tokens by kind, guardrails, and what had no price, which the
//! specification would show as costing nothing.

use std::collections::HashMap;
use std::path::Path;

use super::show::line;
use super::{BETWEEN, By, MOST_GROUPS, NONE, OTHER, Query, Sums, units};
use crate::ledger::{self, LedgerError};
use crate::prices::GUARDRAILS;
use crate::{Entry, Prices};

const COLUMNS: [&str; 52] = [
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_InputTokens",
    "x_OutputTokens",
    "x_CacheReadTokens",
    "x_CacheWriteTokens",
    "x_Calls",
    "x_UnpricedCalls",
    "x_UnpricedTokens",
    "x_TextUnits",
    "x_GuardrailsCost",
];

const BY: [By; 8] = [By::Day, By::Account, By::Region, By::Model, By::Provider, By::Tier, By::Profile, By::Operation];

/// The export of a query's time and filters; what it groups by is the export's own affair.
pub fn export(data: &Path, prices: &Prices, query: &Query) -> Result<String, LedgerError> {
    let mut groups: HashMap<String, Sums> = HashMap::new();
    let mut add = |entry: &Entry, hours: u64| {
        if !query.wants(entry) {
            return;
        }
        let mut key = String::new();
        for by in &BY {
            by.write(entry, &mut key);
            key.push(BETWEEN);
        }
        if groups.len() < MOST_GROUPS {
            key.push_str(&serde_json::to_string(&entry.tags).unwrap_or_default());
        } else if let Some((day, _)) = key.split_once(BETWEEN) {
            // By day still, and nothing else: the sum is right.
            key = [day]
                .into_iter()
                .chain([OTHER; BY.len() - 1])
                .chain(["{}"])
                .collect::<Vec<_>>()
                .join(&BETWEEN.to_string());
        }
        groups.entry(key).or_default().add(entry, hours);
    };
    for entry in ledger::read(data, query.time.clone())? {
        add(&entry?, 0);
    }
    units::hours(data, prices, query.time.clone(), &mut add)?;
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    let mut text = String::new();
    line(&mut text, COLUMNS.map(str::to_owned));
    for (key, sums) in &groups {
        let values: Vec<&str> = key.split(BETWEEN).collect();
        if let [day, account, region, model, provider, tier, profile, operation, tags] = values[..] {
            let of = Of { day, account, region, model, provider, tier, profile, operation, tags };
            line(&mut text, COLUMNS.iter().map(|column| of.value(column, sums)));
        }
    }
    Ok(text)
}

struct Of<'a> {
    day: &'a str,
    account: &'a str,
    region: &'a str,
    model: &'a str,
    provider: &'a str,
    tier: &'a str,
    profile: &'a str,
    operation: &'a str,
    tags: &'a str,
}

impl Of<'_> {
    fn value(&self, column: &str, sums: &Sums) -> String {
        let hours = self.operation == units::OPERATION;
        // Null, as the specification writes it in CSV, is nothing at all.
        let known = |value: &str| if value == NONE { String::new() } else { value.to_owned() };
        let tokens = || [sums.input, sums.output, sums.cache_read, sums.cache_write].iter().sum::<u64>();
        let guarded = sums.calls > 0 && self.provider == GUARDRAILS;
        let (quantity, unit) = match (hours, sums.images, sums.queries, tokens()) {
            (true, ..) => (sums.unit_hours, "Model Unit Hours"),
            _ if guarded => (sums.text_units, "Text Units"),
            (_, images, _, 0) if images > 0 => (images, "Images"),
            (_, _, queries, 0) if queries > 0 => (queries, "Queries"),
            (.., tokens) => (tokens, "Tokens"),
        };
        match column {
            "BilledCost" | "ContractedCost" | "EffectiveCost" | "ListCost" => sums.cost.normalize().to_string(),
            "BillingAccountId" | "SubAccountId" => self.account.to_owned(),
            "BillingCurrency" => "USD".to_owned(),
            "BillingPeriodStart" => self.month(false),
            "BillingPeriodEnd" => self.month(true),
            "ChargeCategory" => "Usage".to_owned(),
            "ChargeFrequency" => "Usage-Based".to_owned(),
            "ChargeDescription" => {
                let unpriced = sums.unpriced().map_or(String::new(), |text| format!(" ({text})"));
                format!("{} of {}{unpriced}", self.operation, self.model)
            }
            "ChargePeriodStart" => format!("{}T00:00:00Z", self.day),
            "ChargePeriodEnd" => self.next_day(),
            "ConsumedQuantity" | "PricingQuantity" => quantity.to_string(),
            "ConsumedUnit" | "PricingUnit" => unit.to_owned(),
            // Who is paid, by their name in the configuration.
            "InvoiceIssuerName" | "ProviderName" | "PublisherName" if hours => "Outcrop".to_owned(),
            "InvoiceIssuerName" | "ProviderName" | "PublisherName" => known(self.provider),
            "PricingCategory" if hours => "Committed".to_owned(),
            "PricingCategory" => "Standard".to_owned(),
            "RegionId" | "RegionName" => known(self.region),
            "ResourceId" if self.profile != NONE => known(self.profile),
            "ResourceId" | "ResourceName" => known(self.model),
            "ResourceType" if hours => "Provisioned Model".to_owned(),
            "ResourceType" if guarded => "Guardrail".to_owned(),
            "ResourceType" => "Foundation Model".to_owned(),
            "ServiceCategory" => "AI and Machine Learning".to_owned(),
            "ServiceName" => "Amazon Bedrock".to_owned(),
            "SkuId" => format!("{}/{}", self.model, self.tier),
            "SkuPriceId" => format!("{}/{}/{}", self.model, self.tier, self.region),
            "Tags" => self.tags.to_owned(),
            "x_InputTokens" => sums.input.to_string(),
            "x_OutputTokens" => sums.output.to_string(),
            "x_CacheReadTokens" => sums.cache_read.to_string(),
            "x_CacheWriteTokens" => sums.cache_write.to_string(),
            "x_Calls" => sums.calls.to_string(),
            "x_UnpricedCalls" => sums.unpriced_calls.to_string(),
            "x_UnpricedTokens" => sums.unpriced_tokens.to_string(),
            "x_TextUnits" => sums.text_units.to_string(),
            "x_GuardrailsCost" => sums.guardrails_cost.normalize().to_string(),
            _ => String::new(),
        }
    }

    fn next_day(&self) -> String {
        let day = self.day.parse::<jiff::civil::Date>().and_then(jiff::civil::Date::tomorrow);
        day.map_or(String::new(), |day| format!("{day}T00:00:00Z"))
    }

    fn month(&self, end: bool) -> String {
        let first = self.day.parse::<jiff::civil::Date>().map(jiff::civil::Date::first_of_month);
        let span = jiff::Span::new().months(i64::from(end));
        first.and_then(|first| first.checked_add(span)).map_or(String::new(), |day| format!("{day}T00:00:00Z"))
    }
}
