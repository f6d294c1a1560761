//! The rules, one function each.

use std::collections::HashMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::seen::{Seen, Took, Who};
use super::{Facts, Finding};
use crate::cost::show::dollars;
use crate::{Prices, Rates};

/// Calls of a group below which no rule looks at it.
const FEW: u64 = 100;
/// `max_tokens` is far above what is written where it is that many times as much.
const FAR: u64 = 4;
/// Hours of the 30 days that findings are about.
const HOURS: u32 = 720;

struct Look<'a> {
    seen: &'a Seen,
    prices: &'a Prices,
    facts: &'a HashMap<String, Facts>,
    now: Timestamp,
}

/// What every rule found.
pub(super) fn all(seen: &Seen, prices: &Prices, facts: &HashMap<String, Facts>) -> Vec<Finding> {
    let look = Look { seen, prices, facts, now: Timestamp::now() };
    let mut findings = Vec::new();
    for (who, took) in seen.groups.iter().filter(|(_, took)| took.calls >= FEW) {
        findings.extend(look.max_tokens(who, took));
        findings.extend(look.prompt_cache(who));
        findings.extend(look.flex_or_batch(who, took));
        findings.extend(look.cheaper_model(who, took));
    }
    findings.extend(look.provisioned());
    findings.extend(look.self_host());
    findings
}

fn about(who: &Who) -> String {
    format!("{} calling {} of {} in {}", who.principal, who.model_id, who.provider, who.region)
}

impl Look<'_> {
    fn rates(&self, model_id: &str, provider: &str, region: &str, tier: &str) -> Option<&Rates> {
        self.prices.rates(model_id, provider, region, tier, self.now).filter(|rates| !rates.local)
    }

    /// Nothing is paid for tokens that are not written: what they cost is quota.
    fn max_tokens(&self, who: &Who, took: &Took) -> Option<Finding> {
        let (p99, mean) = (took.p99(), took.limits.checked_div(took.limited)?);
        if took.limited < FEW || mean < FAR * p99.max(64) {
            return None;
        }
        Some(Finding {
            rule: "max-tokens",
            about: about(who),
            what: format!("Ask for at most {} tokens instead of {mean}.", p99 * 2),
            how: format!(
                "{} calls asked for {mean} tokens on average; 99 of 100 wrote {p99} or fewer. Each call reserves what it \
                 asks for of its tokens-per-minute quota until it ends: with {} each, {} times as many calls fit.",
                took.limited,
                p99 * 2,
                mean / (p99 * 2).max(1)
            ),
            dollars_a_month: Decimal::ZERO,
            caveat:
                "It saves throttling, not money: tokens that are not written are not paid for. An answer that needs \
                     more than you ask for is cut off."
                    .into(),
        })
    }

    fn prompt_cache(&self, who: &Who) -> Option<Finding> {
        let prefixes = self.seen.prefixes.get(who)?;
        let rates = self.rates(&who.model_id, &who.provider, &who.region, "default")?;
        let (input, read) = (rates.input?, rates.cache_read?);
        let write = rates.cache_write.unwrap_or(input);
        let minimum = self.facts.get(&who.model_id)?.cache_minimum?;
        let (mut calls, mut writes) = (0, 0);
        for one in prefixes.values().filter(|one| one.calls > one.writes) {
            calls += one.calls;
            writes += one.writes;
        }
        let tokens = |count: u64| Decimal::from(count.saturating_mul(minimum.into()));
        let saved = tokens(calls - writes).saturating_mul(input - read);
        let extra = tokens(writes).saturating_mul((write - input).max(Decimal::ZERO));
        let saved = self.seen.month(saved.saturating_sub(extra).saturating_mul(Decimal::new(1, 6)));
        (calls >= FEW && saved > Decimal::ZERO).then(|| Finding {
            rule: "prompt-cache",
            about: about(who),
            what: "Put a cache point behind what all of these prompts begin with.".into(),
            how: format!(
                "{calls} calls began with a text of 4 KB that another call began with, too, and read nothing from a \
                 cache. {writes} would have written it (the first, and one after each pause of five minutes), the others \
                 read it. Reckoned with the {minimum} tokens that a cache keeps at the least: {} a million to read them \
                 from the cache instead of {}, and {} to write.",
                dollars(read),
                dollars(input),
                dollars(write)
            ),
            dollars_a_month: saved,
            caveat: "Only the first 4 KB of prompts are compared: what is repeated may be longer, and save more; it must \
                     be at least as long as the least that the model's cache keeps."
                .into(),
        })
    }

    /// Latency-insensitive is, to this rule, a principal that never streamed: nobody reads along.
    fn flex_or_batch(&self, who: &Who, took: &Took) -> Option<Finding> {
        if took.streamed > 0 || took.standard < FEW {
            return None;
        }
        let cost = |tier| {
            let rates = self.rates(&who.model_id, &who.provider, &who.region, tier)?;
            Some(rates.cost(&took.standard_tokens, 0, 0))
        };
        let (now, flex, batch) = (cost("default")?, cost("flex")?, cost("batch")?);
        let saved = self.seen.month(now.saturating_sub(flex.min(batch)));
        (saved > Decimal::ZERO).then(|| Finding {
            rule: "flex-or-batch",
            about: about(who),
            what: "Ask for the service tier flex, or make a batch of what need not be answered at once.".into(),
            how: format!(
                "Its {} calls of the standard tier cost {}; as flex they would have cost {}, in batches {}. None of its \
                 calls was streamed, so nobody seems to read along.",
                took.standard,
                dollars(now),
                dollars(flex),
                dollars(batch)
            ),
            dollars_a_month: saved,
            caveat: "Whether somebody waits for the answers only you know. Not every model has these tiers; their factors \
                     are those of [cost] and [[prices]] in the configuration."
                .into(),
        })
    }

    fn cheaper_model(&self, who: &Who, took: &Took) -> Option<Finding> {
        let now = self.rates(&who.model_id, &who.provider, &who.region, "default")?.cost(&took.tokens, 0, 0);
        let cheaper = self.facts.get(&who.model_id)?.cheaper.iter().find_map(|id| {
            let rates = self.rates(id, &who.provider, &who.region, "default")?;
            Some((id, rates.cost(&took.tokens, 0, 0))).filter(|(_, cost)| *cost < now)
        });
        let (id, cost) = cheaper?;
        let saved = self.seen.month(now - cost);
        // Long answers are what large models are taken for.
        (saved > Decimal::ZERO && took.p99() <= 512).then(|| Finding {
            rule: "cheaper-model",
            about: about(who),
            what: format!("Try {id}."),
            how: format!(
                "99 of 100 answers have {} tokens or fewer, which often is a simple step. The same tokens cost {} now and \
                 would have cost {} there.",
                took.p99(),
                dollars(now),
                dollars(cost)
            ),
            dollars_a_month: saved,
            caveat: "To be proved by an eval: nothing here knows whether its answers are as good. Another model counts \
                     other tokens."
                .into(),
        })
    }

    /// On-demand spend of a model in a Region beside what one model unit costs.
    fn provisioned(&self) -> Vec<Finding> {
        let mut by_model: HashMap<(&str, &str, &str), (Decimal, u64)> = HashMap::new();
        for (who, took) in &self.seen.groups {
            let sum = by_model.entry((&who.model_id, &who.provider, &who.region)).or_default();
            sum.0 = sum.0.saturating_add(took.cost);
            sum.1 += took.calls;
        }
        let mut findings = Vec::new();
        for ((model, provider, region), (cost, calls)) in by_model {
            let terms =
                [(None, "without commitment"), (Some("OneMonth"), "for a month"), (Some("SixMonths"), "for six")];
            let known = terms.into_iter().filter_map(|(term, name)| {
                let hour = |rates: &Rates| rates.model_unit_hour(term);
                Some((self.prices.rate(model, provider, region, self.now, hour)?.saturating_mul(HOURS.into()), name))
            });
            let (Some((unit, term)), spend) = (known.min(), self.seen.month(cost)) else { continue };
            if calls < FEW || spend <= unit {
                continue;
            }
            findings.push(Finding {
                rule: "provisioned",
                about: format!("{model} of {provider} in {region}"),
                what: "See whether one model unit carries this traffic.".into(),
                how: format!(
                    "It costs {} in 30 days on demand. A model unit committed {term} costs {} in {HOURS} hours, so one \
                     unit pays if it carries at least {} % of the traffic.",
                    dollars(spend),
                    dollars(unit),
                    (unit * Decimal::from(100)).checked_div(spend).unwrap_or_default().round_dp(0)
                ),
                dollars_a_month: spend - unit,
                caveat:
                    "At the most: it takes one unit to carry all of it, at its peaks too. Units cost while idle, and a \
                         commitment cannot be given back."
                        .into(),
            });
        }
        findings
    }

    /// What this machine's own models answered, at the price of everybody else who has one for the same model.
    fn self_host(&self) -> Vec<Finding> {
        let mut machines: HashMap<&str, (Decimal, Decimal, f64)> = HashMap::new();
        for (who, took) in &self.seen.groups {
            let rates = self.prices.rates(&who.model_id, &who.provider, &who.region, "default", self.now);
            let Some(hour) = rates.and_then(|rates| rates.machine_hour) else { continue };
            let Some(bought) = self.prices.list_price(&who.model_id) else { continue };
            let sum = machines.entry(&who.provider).or_insert((hour, Decimal::ZERO, 0.0));
            sum.1 = sum.1.saturating_add(bought.cost(&took.tokens, took.images, took.queries));
            sum.2 += took.machine_ms;
        }
        let mut findings = Vec::new();
        for (provider, (hour, bought, ms)) in machines {
            let (machine, bought) = (hour.saturating_mul(HOURS.into()), self.seen.month(bought));
            let busy = ms / 1e3 / self.seen.seconds().max(1) as f64;
            let cheaper =
                if machine > bought { "Buying these tokens at list price would be cheaper." } else { "Keep it." };
            findings.push(Finding {
                rule: "self-host",
                about: format!("the machine of {provider}"),
                what: cheaper.into(),
                how: format!(
                    "It costs {} in {HOURS} hours, used or idle; the tokens of its models that have a list price would \
                     cost {} in the same time. On average {busy:.2} calls were under way.",
                    dollars(machine),
                    dollars(bought)
                ),
                dollars_a_month: (machine - bought).max(Decimal::ZERO),
                caveat:
                    "Models without a list price are not reckoned, and a stand-in answers in another model's name: \
                         compare what the answers are worth, too."
                        .into(),
            });
        }
        findings
    }
}
