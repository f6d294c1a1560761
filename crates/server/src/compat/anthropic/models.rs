//! `GET /anthropic/v1/models` and `GET /anthropic/v1/models/{model}`.

use http::Response;
use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::Fault;
use outcrop_models::Model;
use outcrop_wire::text::percent_decode;
use serde_json::{Value, json};

use crate::compat::listed::{self, Entry};
use crate::compat::{self, Doors};
use crate::listen::Body;

/// Entries of a page, and the most that may be asked for (Anthropic's reference).
const PAGE: usize = 20;
const MOST: usize = 1000;

pub(super) async fn list(doors: &Doors, cx: &Context, query: &str) -> Result<Response<Body>, Fault> {
    let page = Page::read(query)?;
    let entries = listed::all(doors, cx, spoken).await?;
    let (from, to) = page.of(&entries)?;
    let shown: Vec<Value> = entries[from..to].iter().map(shown).collect();
    let more = if page.before.is_some() { from > 0 } else { to < entries.len() };
    let id = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
    let (first, last) = (id(shown.first()), id(shown.last()));
    let body = json!({"data": shown, "has_more": more, "first_id": first, "last_id": last});
    Ok(compat::json(200, &body, &[]))
}

pub(super) async fn get(doors: &Doors, cx: &Context, id: &str) -> Result<Response<Body>, Fault> {
    Ok(compat::json(200, &shown(&listed::one(doors, cx, id, spoken).await?), &[]))
}

/// What messages take.
fn spoken(model: &Model) -> bool {
    model.writes_text() && model.family.converse
}

fn shown(entry: &Entry) -> Value {
    // The reference: the beginning of time where the release is not known.
    let created = entry.created.unwrap_or(Timestamp::UNIX_EPOCH);
    json!({
        "type": "model",
        "id": entry.id,
        "display_name": entry.name,
        "created_at": created.to_string(),
        "lifecycle": if entry.legacy { "deprecated" } else { "active" },
        "max_input_tokens": entry.context,
        "max_tokens": entry.max_output,
    })
}

struct Page {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
}

impl Page {
    fn read(query: &str) -> Result<Self, Fault> {
        let mut page = Self { limit: PAGE, after: None, before: None };
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode(value).unwrap_or_default().into_owned();
            match name {
                "after_id" => page.after = Some(value),
                "before_id" => page.before = Some(value),
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    let told = || Fault::validation(format!("limit: must be a number from 1 to {MOST}"));
                    page.limit = limit.ok_or_else(told)?;
                }
                _ => {}
            }
        }
        Ok(page)
    }

    fn of(&self, entries: &[Entry]) -> Result<(usize, usize), Fault> {
        let place = |id: &str| {
            let found = entries.iter().position(|entry| entry.id == id);
            found.ok_or_else(|| Fault::validation("The page token names no model of the list."))
        };
        if let Some(before) = &self.before {
            let end = place(before)?;
            return Ok((end.saturating_sub(self.limit), end));
        }
        let start = self.after.as_ref().map_or(Ok(0), |after| place(after).map(|at| at + 1))?;
        Ok((start, entries.len().min(start.saturating_add(self.limit))))
    }
}
