mod days;
mod fairness;
mod flood;
mod levels;
mod limits;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::*;

pub(super) const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
/// Noon of a day.
const NOON: i64 = 20_000 * 86_400 + 43_200;
static NO_TAGS: LazyLock<BTreeMap<String, String>> = LazyLock::new(BTreeMap::new);

/// A clock that only tests move.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
    at: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        let began = Instant::now();
        Self { began, at: began }
    }

    pub(super) fn now(&self) -> Now {
        self.shows(NOON + i64::try_from(self.at.duration_since(self.began).as_secs()).unwrap())
    }

    pub(super) fn on(&mut self, seconds: f64) -> Now {
        self.at += Duration::from_secs_f64(seconds);
        self.now()
    }

    /// The same moment, while the clock on the wall shows another time.
    pub(super) fn shows(&self, unix: i64) -> Now {
        Now { at: self.at, unix }
    }
}

pub(super) fn call(key: &'static str, input: u64, output: u64) -> Call<'static> {
    Call {
        account: "111122223333",
        region: "us-east-1",
        key: Some(key),
        principal: "arn:aws:iam::111122223333:user/ada",
        tags: &NO_TAGS,
        metadata: None,
        model: HAIKU,
        model_name: "Claude 3 Haiku",
        maker: "Anthropic",
        cross_region: false,
        provisioned: false,
        input,
        output,
        cost: None,
        likeness: None,
    }
}

pub(super) fn minute(tokens: u64) -> Settings {
    Settings { all: OfModel { tokens_per_minute: Some(tokens), ..OfModel::default() }, ..Settings::default() }
}

pub(super) fn spent(input: u64, output: u64) -> Spent {
    Spent { input, output, ..Spent::default() }
}

impl Quotas {
    /// A call that takes exactly what it asks for, and is over at once.
    pub(super) fn whole(&self, key: &'static str, tokens: u64, now: Now) -> Result<(), Fault> {
        let mut hold = self.admit_at(&call(key, tokens, 0), now)?;
        hold.settle(&spent(tokens, 0));
        hold.drop_at(now);
        Ok(())
    }
}
