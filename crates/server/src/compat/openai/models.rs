//! `GET /v1/models` and `GET /v1/models/{model}`.

use http::Response;
use outcrop_access::Context;
use outcrop_models::Model;
use serde_json::{Value, json};

use super::Refused;
use crate::compat::listed::{self, Entry};
use crate::compat::{self, Doors};
use crate::listen::Body;

pub(super) async fn list(doors: &Doors, cx: &Context) -> Result<Response<Body>, Refused> {
    let entries = listed::all(doors, cx, spoken).await?;
    let data: Vec<Value> = entries.iter().map(shown).collect();
    Ok(compat::json(200, &json!({"object": "list", "data": data}), &[]))
}

pub(super) async fn get(doors: &Doors, cx: &Context, id: &str) -> Result<Response<Body>, Refused> {
    Ok(compat::json(200, &shown(&listed::one(doors, cx, id, spoken).await?), &[]))
}

/// What chat completions or embeddings take.
fn spoken(model: &Model) -> bool {
    model.embeds() || (model.writes_text() && model.family.converse)
}

fn shown(entry: &Entry) -> Value {
    let created = entry.created.map_or(0, |time| time.as_second());
    json!({"id": entry.id, "object": "model", "created": created, "owned_by": entry.owner})
}
