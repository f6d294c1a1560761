//! What guardrails cost.
//!
//! They judge on this server's own machine, so they cost nothing unless the configuration says what: the list price
//! (`provider = "guardrails"`, `list = 1`), or another one for 1,000 text units.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Prices, Rates};
use crate::TextUnits;

/// The provider under which rows price guardrails, and under which entries of judgements without a model stand.
pub const GUARDRAILS: &str = "guardrails";

/// By the names under which rows price them, US dollars for 1,000 text units: the price list of Amazon Bedrock
/// (aws.amazon.com/bedrock/pricing, "Guardrails"), as of August 2026. Word filters and expressions are free there.
const LIST: [(&str, Decimal); 4] = [
    ("guardrails.content", Decimal::from_parts(15, 0, 0, false, 2)),
    ("guardrails.topic", Decimal::from_parts(15, 0, 0, false, 2)),
    ("guardrails.sensitive", Decimal::from_parts(10, 0, 0, false, 2)),
    ("guardrails.grounding", Decimal::from_parts(10, 0, 0, false, 2)),
];

/// The list prices, for rows that are so many times these.
pub(super) fn list() -> impl Iterator<Item = (String, Rates)> {
    LIST.iter().map(|(name, price)| ((*name).to_owned(), Rates { text_units: Some(*price), ..Rates::default() }))
}

impl Prices {
    /// What text units cost. Nothing where no row prices them.
    pub fn text_units(&self, units: &TextUnits, region: &str, at: Timestamp) -> Decimal {
        let counts = [units.content, units.topic, units.sensitive, units.grounding];
        let mut sum = Decimal::ZERO;
        for ((name, _), count) in LIST.iter().zip(counts).filter(|(_, count)| *count > 0) {
            let price = self.rate(name, GUARDRAILS, region, at, |rates| rates.text_units);
            sum = sum.saturating_add(price.unwrap_or_default().saturating_mul(count.into()));
        }
        sum.saturating_mul(Decimal::new(1, 3)).normalize()
    }
}
