//! What InvokeModel's bodies say of guardrails, beside what is the model's own.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{
    ConverseResponse, ConverseStreamOutput, GuardrailTrace, GuardrailTraceAssessment, StopReason, Trace,
};
use outcrop_dialects::{Dialect, Head};
use outcrop_guard::Acted;
use outcrop_guardrails::GuardrailsError;
use outcrop_models::Resolved;
use serde_json::{Map, Value, json};

use super::{Passed, refused};
use crate::invoke::JSON;

const ACTION: &str = "amazon-bedrock-guardrailAction";
const TRACE: &str = "amazon-bedrock-trace";

/// `answer` as the model itself would write it; none where its format is not known here.
pub(crate) fn written(resolved: &Resolved, answer: &ConverseResponse) -> Option<String> {
    let Some(Dialect::Chat(chat)) = outcrop_dialects::by_name(resolved.model.family.dialect.name()) else {
        return None;
    };
    let head = Head { model_id: resolved.invoked_id.clone(), prompt: answer.usage.clone(), ..Head::default() };
    Some(chat.encode(&head, answer).to_string())
}

/// The header's words in the body's.
pub(crate) fn trace(header: Option<&Trace>) -> Option<GuardrailTrace> {
    header.map(|trace| GuardrailTrace::from(trace.as_str().to_ascii_lowercase().as_str()))
}

/// Guardrails read JSON only.
pub(crate) fn readable(content_type: Option<&str>) -> Result<(), Fault> {
    let plain = content_type.and_then(|text| text.split(';').next()).map(str::trim);
    match plain.is_none_or(|text| text.eq_ignore_ascii_case(JSON)) {
        true => Ok(()),
        false => Err(refused(GuardrailsError::IncorrectFormat)),
    }
}

/// The refusal of a guardrail that a model cannot have.
pub(crate) fn unsupported() -> Fault {
    refused(GuardrailsError::UnsupportedModel)
}

impl Passed {
    /// Whether anything was masked or blocked so far.
    fn intervened(&self) -> bool {
        self.changed.load(Relaxed) || self.input.iter().any(|said| said.acted() != Acted::None)
    }
}

/// Adds what guardrails did to the body of a whole answer.
pub(crate) fn beside(body: &mut Value, passed: &Passed, answer: &ConverseResponse) {
    let Value::Object(members) = body else { return };
    let intervened = passed.intervened() || answer.stop_reason == StopReason::GuardrailIntervened;
    members.insert(ACTION.to_owned(), action(intervened));
    if let Some(told) = answer.trace.as_ref().and_then(|trace| trace.guardrail.as_ref()) {
        members.insert(TRACE.to_owned(), traced(told));
    }
}

fn action(intervened: bool) -> Value {
    if intervened { "INTERVENED" } else { "NONE" }.into()
}

/// The trace, under the names that it has here.
fn traced(told: &GuardrailTraceAssessment) -> Value {
    // The one writer of shapes; what it writes is JSON.
    let body = outcrop_wire::encode::body(told, Vec::new());
    let mut told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut guardrail = Map::new();
    for (from, to) in [("modelOutput", "modelOutput"), ("inputAssessment", "input"), ("actionReason", "actionReason")] {
        if let Some(value) = told.get_mut(from) {
            guardrail.insert(to.to_owned(), value.take());
        }
    }
    if let Some(Value::Object(by_id)) = told.get_mut("outputAssessments") {
        let outputs = by_id.iter_mut().flat_map(|(id, said)| {
            let said = said.as_array_mut().map(std::mem::take).unwrap_or_default();
            said.into_iter().map(move |said| json!({ id.as_str(): said }))
        });
        guardrail.insert("outputs".to_owned(), outputs.collect());
    }
    json!({ "guardrail": guardrail })
}

/// The same for the chunks of a stream: each says what was done so far, the last one has the trace.
pub(crate) struct Chunks {
    passed: Arc<Passed>,
    told: Option<Value>,
}

impl Chunks {
    pub(crate) fn new(passed: Arc<Passed>) -> Self {
        Self { passed, told: None }
    }

    /// Takes note of an event.
    pub(crate) fn sees(&mut self, event: &ConverseStreamOutput) {
        if let ConverseStreamOutput::Metadata(metadata) = event {
            let told = metadata.trace.as_ref().and_then(|trace| trace.guardrail.as_ref());
            self.told = told.map(traced);
        }
    }

    /// Adds to the chunks of one event.
    pub(crate) fn beside(&mut self, chunks: &mut [Value]) {
        for chunk in chunks.iter_mut() {
            if let Value::Object(members) = chunk {
                members.insert(ACTION.to_owned(), action(self.passed.intervened()));
            }
        }
        if let (Some(Value::Object(last)), true) = (chunks.last_mut(), self.told.is_some()) {
            last.insert(TRACE.to_owned(), self.told.take().unwrap_or_default());
        }
    }
}
