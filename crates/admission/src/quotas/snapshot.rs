//! What is in use now, for metrics and for people.

use serde::Serialize;

use super::table::Whose;
use super::{Limits, Now, Quotas};

/// What is in use of one quota. What has no limit is not counted, and not here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usage {
    /// Whose it is; none where it is shared by those for whom there was no room.
    pub account: Option<String>,
    /// The Region, where it is an account's quota of a model.
    pub region: Option<String>,
    /// The model's base id, likewise.
    pub model: Option<String>,
    /// Of cross-Region inference.
    pub cross_region: bool,
    /// The rule, where it is a rule's.
    pub rule: Option<String>,
    /// The key, principal, or value of the rule.
    pub value: Option<String>,
    /// Tokens that are not back yet, and how many come back in a minute.
    pub tokens_per_minute: Option<Used>,
    /// Tokens of this day.
    pub tokens_per_day: Option<Used>,
    /// Requests that are not back yet, and how many come back in a minute.
    pub requests_per_minute: Option<Used>,
    /// Calls under way.
    pub concurrency: Option<Used>,
}

/// So much of so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Used {
    /// In use.
    pub used: u64,
    /// In all.
    pub of: u64,
}

impl Quotas {
    /// All quotas of which something was used lately.
    pub fn snapshot(&self) -> Vec<Usage> {
        self.snapshot_at(Now::read())
    }

    pub(super) fn snapshot_at(&self, now: Now) -> Vec<Usage> {
        let text = |text: &str| Some(text.to_owned());
        let nobody = Usage {
            account: None,
            region: None,
            model: None,
            cross_region: false,
            rule: None,
            value: None,
            tokens_per_minute: None,
            tokens_per_day: None,
            requests_per_minute: None,
            concurrency: None,
        };
        let mut all = Vec::new();
        for held in self.shared.table.all() {
            let (whose, limits) = match &held.whose {
                Whose::Account { account, region, model, cross_region } => {
                    let limits = self.of_model(account, region, model).limits(*cross_region);
                    let (account, region, model) = (text(account), text(region), text(model));
                    (Usage { account, region, model, cross_region: *cross_region, ..nobody.clone() }, limits)
                }
                Whose::Value { account, rule, value } => {
                    let limits = self.of_rule(rule);
                    (Usage { account: text(account), rule: text(rule), value: text(value), ..nobody.clone() }, limits)
                }
                Whose::Others { rule } => (Usage { rule: text(rule), ..nobody.clone() }, self.of_rule(rule)),
            };
            if limits.is_none() {
                continue;
            }
            let in_use = held.bucket.in_use(limits, now);
            let used = |used, of: Option<u64>| of.map(|of| Used { used, of });
            all.push(Usage {
                tokens_per_minute: used(in_use.tokens, limits.tokens_per_minute),
                tokens_per_day: used(in_use.day, limits.tokens_per_day),
                requests_per_minute: used(in_use.requests, limits.requests_per_minute),
                concurrency: used(in_use.calls, limits.concurrency),
                ..whose
            });
        }
        all
    }

    fn of_rule(&self, name: &str) -> Limits {
        let rule = self.settings.rules.iter().find(|rule| rule.name == name);
        rule.map_or_else(Limits::default, |rule| rule.limits)
    }
}
