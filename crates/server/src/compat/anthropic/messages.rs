//! `POST /anthropic/v1/messages` and its `count_tokens`.

use http::{HeaderMap, Response};
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseTokensRequest, CountTokensInput, CountTokensRequest};
use outcrop_dialects::ChatDialect;
use outcrop_dialects::anthropic::Api;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error;
use crate::compat::request::{complete, head, header, streamed, taken};
use crate::compat::sse::{self, Frames};
use crate::compat::{self, Call, Doors};
use crate::listen::Body;

/// The versions that there are; a header, where Bedrock has a member of the body. The newer one takes `temperature`,
/// `top_p` and `top_k` away; the models behind this door still go by them, so they may stay.
const VERSIONS: [&str; 2] = ["2023-06-01", "2026-10-21"];

/// What stands in the body beside the conversation. The dialect has judged the members' types.
#[derive(Deserialize)]
struct Envelope {
    model: Option<String>,
    stream: Option<bool>,
}

pub(super) async fn create(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Fault> {
    let (body, config) = taken(&call.body)?;
    let mut request = Api.decode(&body).map_err(|e| error::told(&e))?;
    let (model, stream) = envelope(call)?;
    complete(&mut request, &model, call.headers, config.as_ref())?;
    betas(&mut request, call.headers)?;
    let head = head(&model);
    if stream {
        let (reply, events) = doors.gateway.converse_stream(&call.context, streamed(request, config.as_ref())).await?;
        return Ok(sse::response(events, Api.stream(head), Named, &reply.headers));
    }
    let reply = doors.gateway.converse(&call.context, request).await?;
    Ok(compat::json(200, &Api.encode(&head, &reply.output), &reply.headers))
}

pub(super) async fn count(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Fault> {
    let mut request = Api.counted(&call.body).map_err(|e| error::told(&e))?;
    let (model_id, _) = envelope(call)?;
    betas(&mut request, call.headers)?;
    let input = CountTokensInput::Converse(ConverseTokensRequest {
        messages: request.messages,
        system: request.system,
        tool_config: request.tool_config,
        additional_model_request_fields: request.additional_model_request_fields,
    });
    let reply = doors.gateway.count_tokens(&call.context, CountTokensRequest { model_id, input }).await?;
    Ok(compat::json(200, &json!({"input_tokens": reply.output.input_tokens}), &reply.headers))
}

fn envelope(call: &Call<'_>) -> Result<(String, bool), Fault> {
    if let Some(version) = header(call.headers, "anthropic-version")?
        && !VERSIONS.contains(&version)
    {
        let text = format!("anthropic-version: {version} is not spoken, use {}.", VERSIONS.join(" or "));
        return Err(Fault::validation(text));
    }
    let read = serde_json::from_slice(&call.body);
    let read: Envelope = read.map_err(|_| Fault::validation("The body is not a JSON object."))?;
    let model = read.model.filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Fault::validation("model: Field required"))?;
    call.context.trail.model(&model);
    Ok((model, read.stream == Some(true)))
}

/// The betas of the header, where Bedrock's body has them.
fn betas(request: &mut ConverseRequest, headers: &HeaderMap) -> Result<(), Fault> {
    let mut named = Vec::new();
    for value in headers.get_all("anthropic-beta") {
        let text = value.to_str().map_err(|_| Fault::validation("anthropic-beta: must be ASCII"))?;
        named.extend(text.split(',').map(str::trim).filter(|beta| !beta.is_empty()).map(Value::from));
    }
    if named.is_empty() {
        return Ok(());
    }
    let fields = request.additional_model_request_fields.get_or_insert_with(|| Value::Object(Map::new()));
    match &mut fields["anthropic_beta"] {
        Value::Array(list) => list.extend(named),
        other => *other = named.into(),
    }
    Ok(())
}

/// Every event has its type as its name.
struct Named;

impl Frames for Named {
    fn chunk(&mut self, chunk: Value, out: &mut Vec<u8>) {
        sse::event(chunk["type"].as_str(), &chunk, out);
    }

    fn fault(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        sse::event(Some("error"), &error::body(fault), out);
    }

    fn end(&mut self, _out: &mut Vec<u8>) {}
}
