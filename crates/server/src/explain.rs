//! `POST /outcrop/guardrails/explain`: why a guardrail judges a text as it does. Who may apply the guardrail may ask.
//!
//! AWS's clients know no member for it in the answer of ApplyGuardrail, so it has a door of its own. Offsets count
//! characters of the text that they are in.

use http::Response;
use outcrop_api::{Fault, Kind};
use outcrop_guard::content::Confidence;
use outcrop_guard::explain::Explained;
use outcrop_guard::{Acted, Role, Side, Strength};
use outcrop_guardrails::{Guardrails, OwnedPassage};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::compat::Call;
use crate::listen::Body;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    guardrail_identifier: String,
    #[serde(default = "draft")]
    guardrail_version: String,
    source: Source,
    text: String,
    grounding_source: Option<String>,
    query: Option<String>,
}

fn draft() -> String {
    "DRAFT".to_owned()
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Source {
    Input,
    Output,
}

/// Answers one call.
pub async fn answer(guardrails: &Guardrails, call: &Call<'_>) -> Result<Response<Body>, Fault> {
    let cx = &call.context;
    let asked: Asked = serde_json::from_slice(&call.body).map_err(|error| {
        Fault::validation(format!(
            "The body is no question: {error}. Send {{\"guardrailIdentifier\": \"...\", \"guardrailVersion\": \"DRAFT\", \
             \"source\": \"INPUT\", \"text\": \"...\"}}; groundingSource and query may be added."
        ))
    })?;
    let told = |error| Fault::of(&error);
    let applied = guardrails.find(cx, &asked.guardrail_identifier, &asked.guardrail_version).await.map_err(told)?;
    let side = match asked.source {
        Source::Input => Side::Input,
        Source::Output => Side::Output,
    };
    let mut passages = vec![OwnedPassage { text: asked.text, role: Role::Content }];
    passages.extend(asked.grounding_source.map(|text| OwnedPassage { text, role: Role::Source }));
    passages.extend(asked.query.map(|text| OwnedPassage { text, role: Role::Query }));
    let (judgement, explained) = applied.explain(side, passages.clone()).await.map_err(told)?;
    let policies: Vec<Value> = explained.iter().map(|entry| shown(entry, &passages)).collect();
    let answer = json!({
        "action": if judgement.acted() == Acted::None { "NONE" } else { "GUARDRAIL_INTERVENED" },
        "guardrailArn": applied.arn,
        "guardrailVersion": applied.version,
        "policies": policies,
    });
    let mut response = Response::new(Body::full(answer.to_string()));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    let id = http::HeaderValue::from_str(&cx.request_id);
    let id = id.map_err(|_| Fault::new(Kind::InternalServer, "The request has no id."))?;
    response.headers_mut().insert("x-amzn-requestid", id);
    Ok(response)
}

fn shown(entry: &Explained, passages: &[OwnedPassage]) -> Value {
    let at = entry.at.as_ref().and_then(|(passage, range)| {
        let text = &passages.get(*passage)?.text;
        let (before, part) = (text.get(..range.start)?, text.get(range.clone())?);
        let start = before.chars().count();
        Some(json!({"start": start, "end": start + part.chars().count(), "text": part}))
    });
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    json!({
        "policy": entry.policy,
        "name": entry.name,
        "score": entry.score.map(rounded),
        "threshold": entry.threshold.map(rounded),
        "confidence": entry.confidence.map(|(confidence, _)| match confidence {
            Confidence::None => "NONE",
            Confidence::Low => "LOW",
            Confidence::Medium => "MEDIUM",
            Confidence::High => "HIGH",
        }),
        "strength": entry.confidence.map(|(_, strength)| match strength {
            Strength::None => "NONE",
            Strength::Low => "LOW",
            Strength::Medium => "MEDIUM",
            Strength::High => "HIGH",
        }),
        "action": match entry.acted {
            Acted::None => "NONE",
            Acted::Masked => "ANONYMIZED",
            Acted::Blocked => "BLOCKED",
        },
        "detected": entry.detected,
        "at": at,
        "because": entry.because,
    })
}
