use super::*;
use crate::metrics::Reading;
use crate::metrics::tests::{open, owner};

fn sum(metrics: &Metrics, name: &str, dimensions: &[(&str, &str)]) -> f64 {
    let (owner, metric) = (owner(), Metric::new(NAMESPACE, name, dimensions));
    let (from, to) = (now() - 3600, now() + 3600);
    let reading = Reading { owner: &owner, metric: &metric, unit: None, from, to, period: 60, percentiles: false };
    metrics.read(&reading).unwrap().into_values().flatten().map(|(_, point)| point.sum).sum()
}

#[test]
fn a_call_counts_under_every_set_of_dimensions() {
    let (_folder, metrics) = open();
    let call = Applied {
        account: &owner().account,
        region: "us-east-1",
        operation: "ApplyGuardrail",
        guardrail: Some(("arn:g", "1")),
        source: Some("Input"),
        outcome: Outcome::Answered,
        total_ms: 2.0,
        policies: &[("WordPolicy", 2, true), ("TopicPolicy", 2, false), ("ContentPolicy", 0, false)],
    };
    count(&metrics, &call);
    count(&metrics, &Applied { outcome: Outcome::Throttled, policies: &[], ..call.clone() });
    let guardrail = [("GuardrailArn", "arn:g"), ("GuardrailVersion", "1")];
    let operation = [("Operation", "ApplyGuardrail")];
    for dimensions in [&[][..], &operation, &[("GuardrailContentSource", "Input")], &guardrail] {
        assert_eq!(sum(&metrics, "Invocations", dimensions), 1.0);
        assert_eq!(sum(&metrics, "InvocationLatency", dimensions), 2.0);
        assert_eq!(sum(&metrics, "InvocationThrottles", dimensions), 1.0);
        assert_eq!(sum(&metrics, "InvocationsIntervened", dimensions), 1.0);
        assert_eq!(sum(&metrics, "TextUnitCount", dimensions), 4.0);
    }
    assert_eq!(sum(&metrics, "TextUnitCount", &[("GuardrailPolicyType", "WordPolicy")]), 2.0);
    assert_eq!(sum(&metrics, "InvocationsIntervened", &[("GuardrailPolicyType", "WordPolicy")]), 1.0);
    assert_eq!(sum(&metrics, "InvocationsIntervened", &[("GuardrailPolicyType", "TopicPolicy")]), 0.0);
    assert_eq!(sum(&metrics, "TextUnitCount", &[("GuardrailPolicyType", "ContentPolicy")]), 0.0);
    count(&metrics, &Applied { operation: "InvokeGuardrailChecks", guardrail: None, source: None, ..call });
    assert_eq!(sum(&metrics, "Invocations", &[("Operation", "InvokeGuardrailChecks")]), 1.0);
    assert_eq!(sum(&metrics, "Invocations", &[]), 2.0);
    assert_eq!(sum(&metrics, "Invocations", &guardrail), 1.0);
}
