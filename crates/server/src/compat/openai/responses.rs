//! `/v1/responses`: make one, and what is kept of them.

mod stored;
mod stream;

use std::collections::BTreeMap;

use http::Response;
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ServiceTier, ServiceTierType};
use outcrop_dialects::ChatDialect;
use outcrop_dialects::responses::{self, Responses};
use outcrop_gateway::guard::Config;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refused;
use crate::compat::request::{complete, head, streamed, taken};
use crate::compat::{Call, Doors, json as answer_of, sse};
use crate::listen::Body;

use stored::Kept;
pub use stored::Stored;

/// What stands in the body beside the conversation. The dialect has judged the members' types.
#[derive(Deserialize)]
struct Envelope {
    model: Option<String>,
    stream: Option<bool>,
    store: Option<bool>,
    previous_response_id: Option<String>,
    service_tier: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

/// `POST /v1/responses`.
pub(super) async fn create(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Refused> {
    let (body, config) = taken(&call.body)?;
    let asked = responses::decode(&body)?;
    let envelope = serde_json::from_slice(&call.body);
    let envelope: Envelope = envelope.map_err(|_| Fault::validation("The body is not a JSON object."))?;
    let Some(model) = envelope.model.filter(|model| !model.is_empty()) else {
        return Err(Refused::of("model", "you must provide a model parameter"));
    };
    let cx = &call.context;
    cx.trail.model(&model);
    let allowed = doors.may_store(cx);
    if envelope.store == Some(true) && !allowed {
        let text = "The account's data retention does not let responses be stored. Set store to false.";
        return Err(Refused::of("store", text));
    }
    // Left out it is true, says the reference.
    let store = envelope.store.unwrap_or(true) && allowed;
    let earlier = match &envelope.previous_response_id {
        Some(id) => stored::conversation(doors, cx, id).await?,
        None => Vec::new(),
    };
    let mut request = asked.converse(&earlier)?;
    complete(&mut request, &model, call.headers, config.as_ref())?;
    request.request_metadata = envelope.metadata.filter(|metadata| !metadata.is_empty());
    // `auto` leaves it to the server, as absence does.
    let tier = envelope.service_tier.filter(|tier| tier != "auto");
    request.service_tier = tier.map(|tier| ServiceTier { r#type: ServiceTierType::from(tier.as_str()) });
    let mut head = head(&model);
    head.repeated = asked.repeated;
    head.repeated["store"] = store.into();
    let kept = store.then(|| Kept {
        input: identified(untagged(asked.items, config.as_ref()), &head.message_id),
        previous: envelope.previous_response_id,
        model,
        response: Value::Null,
    });
    if envelope.stream == Some(true) {
        let (reply, events) = doors.gateway.converse_stream(cx, streamed(request, config.as_ref())).await?;
        let keep = kept.map(|kept| (kept, doors.responses.clone(), cx.clone()));
        let frames = stream::Typed::new(head.clone(), keep);
        return Ok(sse::response(events, Responses.stream(head), frames, &reply.headers));
    }
    let reply = doors.gateway.converse(cx, request).await?;
    let mut answer = Responses.encode(&head, &reply.output);
    if let Some(tier) = &reply.output.service_tier {
        answer["service_tier"] = tier.r#type.as_str().into();
    }
    if let Some(kept) = kept {
        doors.responses.put(cx, Kept { response: answer.clone(), ..kept }).await?;
    }
    Ok(answer_of(200, &answer, &reply.headers))
}

/// Items without the tags of guardrails, which are no part of what was said.
fn untagged(mut items: Vec<Value>, config: Option<&Config>) -> Vec<Value> {
    if let Some(config) = config {
        items.iter_mut().for_each(|item| config.untag(item));
    }
    items
}

/// Items by which `input_items` can tell them apart.
fn identified(mut items: Vec<Value>, message_id: &str) -> Vec<Value> {
    for (i, item) in items.iter_mut().enumerate() {
        if let Value::Object(item) = item {
            item.entry("type").or_insert_with(|| "message".into());
            item.entry("id").or_insert_with(|| format!("item_{message_id}_{i}").into());
        }
    }
    items
}

/// `GET /v1/responses/{id}`.
pub(super) async fn get(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Refused> {
    if call.query.split('&').any(|pair| pair == "stream=true") {
        return Err(Refused::of("stream", "Only responses that are made in the background can be streamed again."));
    }
    let kept = stored::read(doors, &call.context, call.id).await?;
    Ok(answer_of(200, &kept.response, &[]))
}

/// `DELETE /v1/responses/{id}`.
pub(super) async fn delete(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Refused> {
    stored::read(doors, &call.context, call.id).await?;
    doors.responses.delete(&call.context, call.id).await?;
    Ok(answer_of(200, &json!({"id": call.id, "object": "response", "deleted": true}), &[]))
}

/// `POST /v1/responses/{id}/cancel`: what is kept is made already.
pub(super) async fn cancel(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Refused> {
    stored::read(doors, &call.context, call.id).await?;
    Err(Fault::validation("Cannot cancel a synchronous response.").into())
}

/// Items of a page, and the most that may be asked for (the reference of input items).
const PAGE: usize = 20;
const MOST: usize = 100;

/// `GET /v1/responses/{id}/input_items`: what the call itself brought, not what stood before it.
pub(super) async fn input(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Refused> {
    let mut items = stored::read(doors, &call.context, call.id).await?.input;
    let (mut limit, mut ascending, mut after) = (PAGE, false, None);
    for pair in call.query.split('&') {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("limit", value) => {
                let parsed = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                limit = parsed.ok_or_else(|| Refused::of("limit", format!("limit must be 1 to {MOST}")))?;
            }
            ("order", value @ ("asc" | "desc")) => ascending = value == "asc",
            ("order", _) => return Err(Refused::of("order", "order must be asc or desc")),
            ("after", value) => after = Some(value.to_owned()),
            _ => {}
        }
    }
    if !ascending {
        items.reverse();
    }
    if let Some(after) = after {
        let Some(at) = items.iter().position(|item| item["id"] == after.as_str()) else {
            return Err(Refused::of("after", "after names no item of the list"));
        };
        items.drain(..=at);
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let id = |item: Option<&Value>| item.map_or(Value::Null, |item| item["id"].clone());
    let (first, last) = (id(items.first()), id(items.last()));
    let page = json!({"object": "list", "data": items, "first_id": first, "last_id": last, "has_more": more});
    Ok(answer_of(200, &page, &[]))
}
