//! `POST /v1/embeddings`.

use http::Response;
use outcrop_dialects::EmbeddingRequest;
use outcrop_dialects::openai::embeddings::{decode, encode};

use super::Refused;
use crate::compat::request::header;
use crate::compat::{Call, Doors, json};
use crate::listen::Body;

pub(super) async fn create(doors: &Doors, call: &Call<'_>) -> Result<Response<Body>, Refused> {
    let mut asked = decode(&call.body)?;
    call.context.trail.model(&asked.model);
    let guardrail = header(call.headers, "x-amzn-bedrock-guardrailidentifier")?;
    let version = header(call.headers, "x-amzn-bedrock-guardrailversion")?;
    let request: EmbeddingRequest = std::mem::take(&mut asked.request);
    let guardrail = guardrail.map(|identifier| (identifier, version));
    let reply = doors.gateway.embeddings(&call.context, &asked.model, guardrail, request).await?;
    let answer = encode(&asked, &reply.output.vectors, reply.output.tokens);
    Ok(json(200, &answer, &reply.headers))
}
