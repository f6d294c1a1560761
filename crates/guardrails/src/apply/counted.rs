//! What a call of ApplyGuardrail counts for.

use std::time::Duration;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::ApplyGuardrailResponse;
use outcrop_api::{AwsError, Kind};
use outcrop_guard::{Acted, Side};
use outcrop_telemetry::Outcome;
use outcrop_telemetry::metrics::{Metrics, guardrails};

use crate::applied::Applied;
use crate::error::GuardrailsError;
use crate::judgement::Judgement;

pub(super) fn count(
    cx: &Context,
    metrics: &Metrics,
    applied: &Applied,
    side: Side,
    took: Duration,
    answer: &Result<(Judgement, ApplyGuardrailResponse), GuardrailsError>,
) {
    let policies = answer.as_ref().map_or(Vec::new(), |(judged, _)| policies(judged));
    let call = guardrails::Applied {
        account: &cx.caller.account,
        region: &cx.region,
        arn: &applied.arn,
        version: &applied.version,
        source: match side {
            Side::Input => "Input",
            Side::Output => "Output",
        },
        outcome: match answer {
            Ok(_) => Outcome::Answered,
            Err(error) => match error.kind() {
                Kind::Throttling => Outcome::Throttled,
                Kind::InternalServer | Kind::ServiceUnavailable => Outcome::ServerError,
                _ => Outcome::ClientError,
            },
        },
        total_ms: took.as_secs_f64() * 1_000.0,
        policies: &policies,
    };
    guardrails::count(metrics, &call);
}

/// Each policy under its name in metrics, with its text units and whether it blocked or masked.
fn policies(judged: &Judgement) -> Vec<(&'static str, u64, bool)> {
    let (found, units) = (&judged.found, &judged.found.units);
    let acted = |mut all: Box<dyn Iterator<Item = Acted> + '_>| all.any(|acted| acted != Acted::None);
    let sensitive = found.pii.iter().map(|f| f.acted).chain(found.regexes.iter().map(|f| f.acted));
    vec![
        ("ContentPolicy", units.content, acted(Box::new(found.filters.iter().map(|f| f.acted)))),
        ("TopicPolicy", units.topic, acted(Box::new(found.topics.iter().map(|f| f.acted)))),
        ("WordPolicy", units.word, acted(Box::new(found.words.iter().map(|f| f.acted)))),
        // Expressions are free, so that their units are not counted.
        ("SensitiveInformationPolicy", units.pii, acted(Box::new(sensitive))),
        ("ContextualGroundingPolicy", units.grounding, acted(Box::new(found.grounding.iter().map(|f| f.acted)))),
    ]
}
