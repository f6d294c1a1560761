//! `POST /outcrop/guardrails/explain`: why a guardrail judges a text as it does. Who may apply the guardrail may ask.
//!
//! Traces of calls have the same in a member that AWS's clients drop. Offsets count characters of the text that they
//! are in.

use http::Response;
use outcrop_api::{Fault, Kind};
use outcrop_guard::{Depth, Role, Side};
use outcrop_guardrails::explained::{action, shown};
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
    let judgement = applied.explaining(Depth::Everything).assess(side, passages).await.map_err(told)?;
    let policies: Vec<Value> = judgement.found.explained.iter().map(shown).collect();
    let answer = json!({
        "action": action(judgement.acted()),
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
