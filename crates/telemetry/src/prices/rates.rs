//! The rates of one row of the table.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::Tokens;

/// US dollars. Tokens are by the million.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rates {
    /// For 1,000,000 input tokens.
    pub input: Option<Decimal>,
    /// For 1,000,000 output tokens.
    pub output: Option<Decimal>,
    /// For 1,000,000 tokens read from the cache; as input where it is not said.
    pub cache_read: Option<Decimal>,
    /// For 1,000,000 tokens written to the cache for five minutes; as input where it is not said.
    pub cache_write: Option<Decimal>,
    /// For 1,000,000 tokens written to the cache for an hour; as for five minutes where it is not said.
    pub cache_write_1h: Option<Decimal>,
    /// For one image.
    pub image: Option<Decimal>,
    /// For one query of a reranker.
    pub query: Option<Decimal>,
    /// For 1,000 text units of a guardrail.
    pub text_units: Option<Decimal>,
    /// For 1,000,000 tokens of training.
    pub training: Option<Decimal>,
    /// For a month of keeping a custom model.
    pub storage: Option<Decimal>,
    /// For an hour of a model unit without commitment.
    pub unit_hour: Option<Decimal>,
    /// The same, committed for a month.
    pub unit_hour_1_month: Option<Decimal>,
    /// The same, committed for six months.
    pub unit_hour_6_months: Option<Decimal>,
    /// For an hour of the machine that answers.
    pub machine_hour: Option<Decimal>,
    /// How many calls that machine answers at once: each costs its part of the hour. One where it is not said.
    pub calls_at_once: Option<u32>,
    /// It is a machine of this server's owner: what is not said costs nothing.
    pub local: bool,
}

impl Rates {
    /// Those of a machine of which nothing is said: nothing.
    pub fn local() -> Self {
        Self { local: true, ..Self::default() }
    }

    /// What was used, in dollars. Exact.
    pub fn cost(&self, tokens: &Tokens, images: u64, queries: u64) -> Decimal {
        let input = self.input.unwrap_or_default();
        let write = self.cache_write.unwrap_or(input);
        let hour = tokens.cache_write_1h.min(tokens.cache_write);
        let millionths = [
            (tokens.input, input),
            (tokens.output, self.output.unwrap_or_default()),
            (tokens.cache_read, self.cache_read.unwrap_or(input)),
            (tokens.cache_write - hour, write),
            (hour, self.cache_write_1h.unwrap_or(write)),
        ];
        let mut sum = sum(millionths).saturating_mul(Decimal::new(1, 6));
        if images > 0 || queries > 0 {
            let whole = [(images, self.image.unwrap_or_default()), (queries, self.query.unwrap_or_default())];
            sum = sum.saturating_add(self::sum(whole));
        }
        sum.normalize()
    }

    /// The most that a call can cost which reads `input` tokens and writes at most `output`: all of it written to the
    /// cache for the longest time, if that costs more.
    pub fn most(&self, input: u64, output: u64) -> Decimal {
        let reading = [self.input, self.cache_write, self.cache_write_1h].into_iter().flatten().max();
        let parts = [(input, reading.unwrap_or_default()), (output, self.output.unwrap_or_default())];
        sum(parts).saturating_mul(Decimal::new(1, 6)).normalize()
    }

    /// The part of the machine's hour that a call of so many milliseconds has, to a millionth of a millionth of a dollar.
    pub fn machine(&self, ms: f64) -> Decimal {
        let Some(hour) = self.machine_hour else { return Decimal::ZERO };
        let ms = Decimal::from_f64(ms.max(0.0)).unwrap_or_default().round_dp(3);
        let parts = Decimal::from(3_600_000).saturating_mul(self.calls_at_once.unwrap_or(1).max(1).into());
        hour.saturating_mul(ms).checked_div(parts).unwrap_or_default().round_dp(12).normalize()
    }

    /// An hour of a model unit under a commitment, as `CreateProvisionedModelThroughput` names it. Where the committed
    /// price is not said there is none.
    pub fn model_unit_hour(&self, commitment: Option<&str>) -> Option<Decimal> {
        match commitment {
            Some("OneMonth") => self.unit_hour_1_month,
            Some("SixMonths") => self.unit_hour_6_months,
            _ => self.unit_hour,
        }
    }

    /// Whether calls are charged by it.
    pub(super) fn by_use(&self) -> bool {
        let said = [self.input, self.output, self.image, self.query, self.machine_hour];
        self.local || said.iter().any(Option::is_some)
    }

    /// Whether it says no price of anything.
    pub fn is_empty(&self) -> bool {
        *self == Self { local: self.local, calls_at_once: self.calls_at_once, ..Self::default() }
    }

    /// All that is charged by use, so many times.
    pub(super) fn times(&self, factor: Decimal) -> Self {
        let times = |rate: Option<Decimal>| rate.map(|rate| rate.saturating_mul(factor).normalize());
        Self {
            text_units: times(self.text_units),
            training: times(self.training),
            storage: times(self.storage),
            unit_hour: times(self.unit_hour),
            unit_hour_1_month: times(self.unit_hour_1_month),
            unit_hour_6_months: times(self.unit_hour_6_months),
            ..self.in_tier(factor)
        }
    }

    /// A tier changes what inference costs, and nothing else.
    pub(super) fn in_tier(&self, factor: Decimal) -> Self {
        let times = |rate: Option<Decimal>| rate.map(|rate| rate.saturating_mul(factor).normalize());
        Self {
            input: times(self.input),
            output: times(self.output),
            cache_read: times(self.cache_read),
            cache_write: times(self.cache_write),
            cache_write_1h: times(self.cache_write_1h),
            image: times(self.image),
            query: times(self.query),
            ..self.clone()
        }
    }
}

/// The sum of so many at such a price. At most what a decimal holds, rather than a panic.
fn sum<const N: usize>(parts: [(u64, Decimal); N]) -> Decimal {
    let mut sum = Decimal::ZERO;
    for (count, price) in parts {
        if count > 0 {
            sum = sum.saturating_add(Decimal::from(count).saturating_mul(price));
        }
    }
    sum
}
