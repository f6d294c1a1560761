//! What a judgement counts for: the metrics of guardrails, text units, and what they cost.

use std::time::Duration;

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::GuardrailChecksUsageResults;
use outcrop_api::{AwsError, Kind};
use outcrop_guard::{Acted, Side, Units};
use outcrop_telemetry::entry::{self, Entry};
use outcrop_telemetry::metrics::guardrails;
use outcrop_telemetry::prices::GUARDRAILS;
use outcrop_telemetry::{Outcome, TextUnits};

use crate::applied::{Applied, OwnedPassage};
use crate::error::GuardrailsError;
use crate::judgement::Judgement;
use crate::service::Around;

impl Judgement {
    /// Its text units.
    pub fn text_units(&self) -> TextUnits {
        text_units(&self.found.units)
    }
}

fn text_units(units: &Units) -> TextUnits {
    TextUnits {
        content: units.content,
        topic: units.topic,
        word: units.word,
        sensitive: units.pii,
        free: units.regex,
        grounding: units.grounding,
    }
}

impl Applied {
    /// Whether so much text may be judged now.
    pub(crate) fn admit(&self, side: Side, passages: &[OwnedPassage]) -> Result<(), GuardrailsError> {
        let passages: Vec<_> = passages.iter().map(OwnedPassage::borrowed).collect();
        let units = text_units(&self.guard.units(side, &passages));
        let whose = &self.whose;
        whose.around.quotas.admit(&whose.account, &whose.region, &units).map_err(GuardrailsError::Throttled)
    }

    /// Counts text of a model, which is judged whatever the quotas say.
    pub(crate) fn owes(&self, judged: &Judgement) {
        self.whose.around.quotas.count(&self.whose.account, &self.whose.region, &judged.text_units());
    }

    /// Counts a judgement in the metrics.
    pub fn count(&self, side: Side, took: Duration, answer: Result<&Judgement, &GuardrailsError>) {
        let Some(metrics) = &self.whose.around.metrics else { return };
        let policies = answer.map_or(Vec::new(), policies);
        let call = guardrails::Applied {
            account: &self.whose.account,
            region: &self.whose.region,
            operation: "ApplyGuardrail",
            guardrail: Some((&self.arn, &self.version)),
            source: Some(match side {
                Side::Input => "Input",
                Side::Output => "Output",
            }),
            outcome: outcome(answer.err()),
            total_ms: took.as_secs_f64() * 1_000.0,
            policies: &policies,
        };
        guardrails::count(metrics, &call);
    }

    /// Tells usage and cost of a judgement that was asked for without a model.
    pub(crate) fn record(&self, cx: &Context, took: Duration, answer: Result<&Judgement, &GuardrailsError>) {
        let units = answer.map_or(TextUnits::default(), Judgement::text_units);
        self.whose.around.record(cx, format!("{}:{}", self.arn, self.version), took, units, answer.err());
    }
}

impl Around {
    /// Counts a call of InvokeGuardrailChecks in the metrics, and tells its usage and cost.
    pub(crate) fn checked(
        &self,
        cx: &Context,
        took: Duration,
        answer: Result<&GuardrailChecksUsageResults, &GuardrailsError>,
    ) {
        let count = |units: Option<i32>| u64::try_from(units.unwrap_or_default()).unwrap_or_default();
        let units = answer.map_or(TextUnits::default(), |usage| TextUnits {
            content: count(usage.content_filter.as_ref().map(|usage| usage.text_units))
                + count(usage.prompt_attack.as_ref().map(|usage| usage.text_units)),
            sensitive: count(usage.sensitive_information.as_ref().map(|usage| usage.text_units)),
            ..TextUnits::default()
        });
        if let Some(metrics) = &self.metrics {
            let call = guardrails::Applied {
                account: &cx.caller.account,
                region: &cx.region,
                operation: cx.operation,
                guardrail: None,
                source: None,
                outcome: outcome(answer.err()),
                total_ms: took.as_secs_f64() * 1_000.0,
                policies: &[
                    ("ContentPolicy", units.content, false),
                    ("SensitiveInformationPolicy", units.sensitive, false),
                ],
            };
            guardrails::count(metrics, &call);
        }
        self.record(cx, GUARDRAILS.to_owned(), took, units, answer.err());
    }

    fn record(
        &self,
        cx: &Context,
        model: String,
        took: Duration,
        text_units: TextUnits,
        error: Option<&GuardrailsError>,
    ) {
        let Some((recorder, prices)) = &self.recorder else { return };
        let at = Timestamp::now();
        recorder.record(Entry {
            at,
            request_id: cx.request_id.clone(),
            account: cx.caller.account.clone(),
            region: cx.region.clone(),
            operation: cx.operation.to_owned(),
            kind: entry::Kind::Guardrail,
            principal: cx.caller.arn.clone(),
            key: Some(cx.caller.key().to_owned()),
            tags: cx.permissions.tags.clone(),
            model,
            model_id: GUARDRAILS.to_owned(),
            provider: Some(GUARDRAILS.to_owned()),
            total_ms: took.as_secs_f64() * 1_000.0,
            outcome: outcome(error),
            error: error.map(|error| error.kind().name().to_owned()),
            cost: Some(Default::default()),
            guardrails_cost: prices.text_units(&text_units, &cx.region, at),
            text_units,
            ..Entry::default()
        });
    }
}

fn outcome(error: Option<&GuardrailsError>) -> Outcome {
    match error.map(AwsError::kind) {
        None => Outcome::Answered,
        Some(Kind::Throttling) => Outcome::Throttled,
        Some(Kind::InternalServer | Kind::ServiceUnavailable) => Outcome::ServerError,
        Some(_) => Outcome::ClientError,
    }
}

/// Each policy under its name in metrics, with its text units and whether it blocked or masked.
fn policies(judged: &Judgement) -> Vec<(&'static str, u64, bool)> {
    let (found, units) = (&judged.found, &judged.found.units);
    let acted = |mut all: Box<dyn Iterator<Item = Acted> + '_>| all.any(|acted| acted != Acted::None);
    let foreign = |policy: &'static str| found.unmeasured.iter().filter(move |f| f.policy == policy).map(|f| f.acted);
    let sensitive = found.pii.iter().map(|f| f.acted).chain(found.regexes.iter().map(|f| f.acted));
    let filters = found.filters.iter().map(|f| f.acted).chain(foreign("contentPolicy"));
    let topics = found.topics.iter().map(|f| f.acted).chain(foreign("topicPolicy"));
    let grounding = found.grounding.iter().map(|f| f.acted).chain(foreign("contextualGroundingPolicy"));
    vec![
        ("ContentPolicy", units.content, acted(Box::new(filters))),
        ("TopicPolicy", units.topic, acted(Box::new(topics))),
        ("WordPolicy", units.word, acted(Box::new(found.words.iter().map(|f| f.acted)))),
        // Expressions are free, so that their units are not counted.
        ("SensitiveInformationPolicy", units.pii, acted(Box::new(sensitive))),
        ("ContextualGroundingPolicy", units.grounding, acted(Box::new(grounding))),
    ]
}
