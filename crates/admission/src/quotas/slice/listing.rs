//! The quotas that an account has in a Region.

use outcrop_access::Context;
use serde_json::{Value, json};

use super::super::names::{Metric, Quota};
use super::super::settings::OfModel;
use super::{Offered, SERVICE, SERVICE_NAME, ServiceQuotas, UNLIMITED};

/// One of them.
pub(super) struct Entry {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) metric: Metric,
    pub(super) cross_region: bool,
    pub(super) model: Offered,
}

impl Entry {
    pub(super) fn quota(&self) -> Quota<'_> {
        let Offered { id, name, maker, .. } = &self.model;
        Quota { metric: self.metric, cross_region: self.cross_region, model: id, model_name: name, maker }
    }

    fn new(model: &Offered, metric: Metric, cross_region: bool) -> Self {
        let mut entry = Self { code: String::new(), name: String::new(), metric, cross_region, model: model.clone() };
        (entry.code, entry.name) = (entry.quota().code(), entry.quota().name());
        entry
    }

    pub(super) fn arn(&self, region: &str, account: &str) -> String {
        format!("arn:aws:servicequotas:{region}:{account}:{SERVICE}/{}", self.code)
    }
}

impl ServiceQuotas {
    /// All of them. Requests a minute, which AWS limits no longer, only where they are limited here.
    pub(super) fn entries(&self, cx: &Context) -> Vec<Entry> {
        let mut all = Vec::new();
        for model in self.models.offered(&cx.region) {
            let of = self.configured(&model.id);
            let kinds = [(model.on_demand, false), (model.cross_region, true)];
            for (_, cross_region) in kinds.into_iter().filter(|(offered, _)| *offered) {
                all.push(Entry::new(&model, Metric::TokensPerMinute, cross_region));
                if of.limits(cross_region).requests_per_minute.is_some() {
                    all.push(Entry::new(&model, Metric::RequestsPerMinute, cross_region));
                }
            }
            if model.on_demand || model.cross_region {
                all.push(Entry::new(&model, Metric::TokensPerDay, false));
            }
        }
        all
    }

    /// What is configured for a model.
    pub(super) fn configured(&self, model: &str) -> OfModel {
        self.quotas.settings.of_model(model)
    }

    /// What the caller's account has of a model.
    pub(super) fn applied(&self, cx: &Context, model: &str) -> OfModel {
        self.quotas.of_model(&cx.caller.account, &cx.region, model)
    }

    /// A quota in the service's own words; with its `default` value, or the account's.
    pub(super) fn shown(&self, cx: &Context, entry: &Entry, default: bool) -> Value {
        let model = &entry.model.id;
        let of = if default { self.configured(model) } else { self.applied(cx, model) };
        let value = entry.quota().value(&of);
        let account = if default { "" } else { cx.caller.account.as_str() };
        json!({
            "ServiceCode": SERVICE,
            "ServiceName": SERVICE_NAME,
            "QuotaArn": entry.arn(&cx.region, account),
            "QuotaCode": entry.code,
            "QuotaName": entry.name,
            "Value": value.unwrap_or(UNLIMITED).min(UNLIMITED) as f64,
            "Unit": "None",
            "Adjustable": value.is_some() && entry.quota().adjustable(),
            "GlobalQuota": false,
            "QuotaAppliedAtLevel": "ACCOUNT",
            "Description": entry.quota().description(),
        })
    }
}
