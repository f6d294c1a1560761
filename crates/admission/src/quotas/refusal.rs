//! What a call reads that is kept out: Bedrock's words, then which quota, how much it is, and when to come back.

use std::time::Duration;

use outcrop_api::{Fault, Kind};

use super::bucket::Refused;
use super::names::{Metric, Quota};
use super::settings::{Limits, Rule};
use crate::Call;

/// Who refuses.
pub(super) enum By<'a> {
    Account,
    Rule(&'a Rule, &'a str),
}

pub(super) fn told(call: &Call<'_>, by: &By<'_>, limits: Limits, refused: Refused) -> Fault {
    let tokens = "Too many tokens, please wait before trying again.";
    let requests = "Too many requests, please wait before trying again.";
    let day = "Too many tokens per day, please wait before trying again.";
    let (metric, value, words, wait) = match refused {
        Refused::Concurrency => (None, limits.concurrency, requests, Some(Duration::from_secs(1))),
        Refused::Requests { wait } => {
            (Some(Metric::RequestsPerMinute), limits.requests_per_minute, requests, Some(wait))
        }
        Refused::Tokens { wait, .. } => (Some(Metric::TokensPerMinute), limits.tokens_per_minute, tokens, Some(wait)),
        Refused::NeverAMinute => (Some(Metric::TokensPerMinute), limits.tokens_per_minute, tokens, None),
        Refused::Day { wait } => (Some(Metric::TokensPerDay), limits.tokens_per_day, day, Some(wait)),
        Refused::NeverADay => (Some(Metric::TokensPerDay), limits.tokens_per_day, day, None),
    };
    let value = value.unwrap_or(0);
    let much = match metric {
        None => format!("{value} calls at a time"),
        Some(Metric::RequestsPerMinute) => format!("{value} requests a minute"),
        Some(Metric::TokensPerMinute) => format!("{value} tokens a minute"),
        Some(Metric::TokensPerDay) => format!("{value} tokens a day (UTC)"),
    };
    let which = match by {
        By::Account => {
            let Call { account, region, model, model_name, maker, cross_region, .. } = *call;
            let metric = metric.unwrap_or(Metric::RequestsPerMinute);
            let quota = Quota { metric, cross_region, model, model_name, maker };
            format!("The quota \"{}\" ({}) of account {account} in {region} is {much}", quota.name(), quota.code())
        }
        By::Rule(rule, value) => format!("The quota \"{}\" of {} \"{value}\" is {much}", rule.name, rule.by),
    };
    let asked = call.input.saturating_add(call.output);
    let call_takes = format!("{asked} ({} to read and at most {} to write)", call.input, call.output);
    let more = match refused {
        Refused::Concurrency => ", and as many are under way.".to_owned(),
        Refused::Requests { .. } => ".".to_owned(),
        Refused::Tokens { among: Some(among), .. } => format!(
            "; {among} callers share it, and you have used more than your share of late. This call may take {call_takes}."
        ),
        Refused::Tokens { .. } | Refused::Day { .. } => format!(". This call may take {call_takes}."),
        Refused::NeverAMinute | Refused::NeverADay => format!(
            ". This call alone may take {call_takes}, which never fits: ask for fewer tokens (maxTokens), or for a \
             larger quota."
        ),
    };
    let Some(wait) = wait else { return Fault::new(Kind::Throttling, format!("{words} {which}{more}")) };
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    let when = format!("Try again in {seconds} {}.", if seconds == 1.0 { "second" } else { "seconds" });
    Fault::new(Kind::Throttling, format!("{words} {which}{more} {when}")).after(wait)
}
