//! `POST /v1/chat/completions`.

use std::collections::BTreeMap;

use http::Response;
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ServiceTier, ServiceTierType};
use outcrop_dialects::ChatDialect;
use outcrop_dialects::openai::API;
use serde::Deserialize;
use serde_json::Value;

use super::{Refused, error};
use crate::compat::request::{complete, head, streamed, taken};
use crate::compat::sse::{self, Frames};
use crate::compat::{Call, Doors, json};
use crate::listen::Body;

/// What stands in the body beside the conversation. The dialect has judged the members' types.
#[derive(Deserialize)]
struct Envelope {
    model: Option<String>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    service_tier: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

pub(super) async fn create(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Refused> {
    let (body, config) = taken(&call.body)?;
    let mut request = API.decode(&body)?;
    let envelope = serde_json::from_slice(&call.body);
    let envelope: Envelope = envelope.map_err(|_| Fault::validation("The body is not a JSON object."))?;
    let Some(model) = envelope.model.filter(|model| !model.is_empty()) else {
        return Err(Refused::of("model", "you must provide a model parameter"));
    };
    call.context.trail.model(&model);
    complete(&mut request, &model, call.headers, config.as_ref())?;
    request.request_metadata = envelope.metadata.filter(|metadata| !metadata.is_empty());
    // `auto` leaves it to the server, as absence does.
    let tier = envelope.service_tier.filter(|tier| tier != "auto");
    request.service_tier = tier.map(|tier| ServiceTier { r#type: ServiceTierType::from(tier.as_str()) });
    let head = head(&model);
    let cx = &call.context;
    if envelope.stream == Some(true) {
        let (reply, events) = doors.gateway.converse_stream(cx, streamed(request, config.as_ref())).await?;
        let usage = envelope.stream_options.and_then(|options| options.include_usage) == Some(true);
        return Ok(sse::response(events, API.stream(head), Chunks { usage }, &reply.headers));
    }
    let reply = doors.gateway.converse(cx, request).await?;
    let mut answer = API.encode(&head, &reply.output);
    if let Some(tier) = &reply.output.service_tier {
        answer["service_tier"] = tier.r#type.as_str().into();
    }
    Ok(json(200, &answer, &reply.headers))
}

struct Chunks {
    /// The caller wants the chunk of the counts.
    usage: bool,
}

impl Frames for Chunks {
    fn chunk(&mut self, chunk: Value, out: &mut Vec<u8>) {
        let counts = chunk["choices"].as_array().is_some_and(Vec::is_empty);
        if self.usage || !counts {
            sse::event(None, &chunk, out);
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        sse::event(None, &error::body(fault, None), out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}
