//! The metrics that Bedrock reports of guardrails.

#[cfg(test)]
mod tests;

use super::{Metric, Metrics, Owner, now};
use crate::Outcome;

const NAMESPACE: &str = "AWS/Bedrock/Guardrails";

/// One judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied<'a> {
    /// Whose call it was.
    pub account: &'a str,
    /// The Region that was called.
    pub region: &'a str,
    /// The operation that it counts under.
    pub operation: &'a str,
    /// The guardrail and its version; checks have none.
    pub guardrail: Option<(&'a str, &'a str)>,
    /// `Input` or `Output`, where one was judged.
    pub source: Option<&'static str>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub total_ms: f64,
    /// `ContentPolicy`, `TopicPolicy`, …, each with its text units and whether it blocked or masked.
    pub policies: &'a [(&'static str, u64, bool)],
}

/// Counts a call, under the sets of dimensions that CloudWatch has of it.
pub fn count(metrics: &Metrics, applied: &Applied<'_>) {
    let owner = Owner::new(applied.account, applied.region);
    let at = now();
    let mut sets = vec![vec![], vec![("Operation", applied.operation)]];
    sets.extend(applied.source.map(|source| vec![("GuardrailContentSource", source)]));
    sets.extend(applied.guardrail.map(|(arn, version)| vec![("GuardrailArn", arn), ("GuardrailVersion", version)]));
    let put = |name: &str, unit: &'static str, dimensions: &[(&str, &str)], value: f64| {
        // A refusal was counted and logged where it was made.
        let _ = metrics.put(&owner, &Metric::new(NAMESPACE, name, dimensions), unit, at, value);
    };
    let everywhere = |name: &str, unit: &'static str, value: f64| {
        for dimensions in &sets {
            put(name, unit, dimensions, value);
        }
    };
    match applied.outcome {
        Outcome::Answered => {
            everywhere("Invocations", "Count", 1.0);
            everywhere("InvocationLatency", "Milliseconds", applied.total_ms);
        }
        Outcome::ClientError => everywhere("InvocationClientErrors", "Count", 1.0),
        Outcome::ServerError => everywhere("InvocationServerErrors", "Count", 1.0),
        Outcome::Throttled => everywhere("InvocationThrottles", "Count", 1.0),
        Outcome::Gone => {}
    }
    if applied.policies.iter().any(|(_, _, intervened)| *intervened) {
        everywhere("InvocationsIntervened", "Count", 1.0);
    }
    let units: u64 = applied.policies.iter().map(|(_, units, _)| units).sum();
    if units > 0 {
        everywhere("TextUnitCount", "Count", units as f64);
    }
    for (policy, units, intervened) in applied.policies {
        let dimensions = [("GuardrailPolicyType", *policy)];
        if *units > 0 {
            put("TextUnitCount", "Count", &dimensions, *units as f64);
        }
        if *intervened {
            put("InvocationsIntervened", "Count", &dimensions, 1.0);
        }
    }
}
