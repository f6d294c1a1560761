//! What calls used and cost together.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{Entry, Outcome};

/// Sums over calls, and over hours of model units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Calls, whatever became of them.
    pub calls: u64,
    /// Those that ended with a whole answer.
    pub answered: u64,
    /// Input tokens, those of a cache apart.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Tokens read from a cache.
    pub cache_read: u64,
    /// Tokens written to a cache.
    pub cache_write: u64,
    /// Images.
    pub images: u64,
    /// Queries of rerankers.
    pub queries: u64,
    /// Text units of guardrails, the free ones aside.
    pub text_units: u64,
    /// Hours of model units, used or idle.
    pub unit_hours: u64,
    /// US dollars, of all that has a price.
    pub cost: Decimal,
    /// Those of them that guardrails cost.
    pub guardrails_cost: Decimal,
    /// Calls without a price, and
    pub unpriced_calls: u64,
    /// their tokens, of every kind.
    pub unpriced_tokens: u64,
    /// Hours of model units without a price.
    pub unpriced_unit_hours: u64,
}

impl Sums {
    /// Adds one call, or so many hours of a model unit.
    pub fn add(&mut self, entry: &Entry, unit_hours: u64) {
        let tokens = &entry.tokens;
        match entry.cost {
            Some(cost) => self.cost = self.cost.saturating_add(cost),
            None if unit_hours > 0 => self.unpriced_unit_hours += unit_hours,
            None => {
                self.unpriced_calls += 1;
                for some in [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write] {
                    self.unpriced_tokens = self.unpriced_tokens.saturating_add(some);
                }
            }
        }
        self.cost = self.cost.saturating_add(entry.guardrails_cost);
        self.guardrails_cost = self.guardrails_cost.saturating_add(entry.guardrails_cost);
        self.text_units = self.text_units.saturating_add(entry.text_units.counted());
        self.unit_hours += unit_hours;
        if unit_hours > 0 {
            return;
        }
        self.calls += 1;
        self.answered += u64::from(entry.outcome == Outcome::Answered);
        self.input = self.input.saturating_add(tokens.input);
        self.output = self.output.saturating_add(tokens.output);
        self.cache_read = self.cache_read.saturating_add(tokens.cache_read);
        self.cache_write = self.cache_write.saturating_add(tokens.cache_write);
        self.images = self.images.saturating_add(entry.images);
        self.queries = self.queries.saturating_add(entry.queries);
    }

    /// What has no price, in words; none where everything has one.
    pub fn unpriced(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.unpriced_calls > 0 {
            parts.push(format!("no price: {} calls, {} tokens", self.unpriced_calls, self.unpriced_tokens));
        }
        if self.unpriced_unit_hours > 0 {
            parts.push(format!("no price: {} model-unit hours", self.unpriced_unit_hours));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// As programs read it.
    pub fn json(&self) -> Value {
        json!({
            "cost": self.cost.normalize().to_string(),
            "calls": self.calls,
            "answered": self.answered,
            "inputTokens": self.input,
            "outputTokens": self.output,
            "cacheReadTokens": self.cache_read,
            "cacheWriteTokens": self.cache_write,
            "images": self.images,
            "queries": self.queries,
            "unitHours": self.unit_hours,
            "textUnits": self.text_units,
            "guardrailsCost": self.guardrails_cost.normalize().to_string(),
            "unpriced": {
                "calls": self.unpriced_calls,
                "tokens": self.unpriced_tokens,
                "unitHours": self.unpriced_unit_hours,
            },
        })
    }
}
