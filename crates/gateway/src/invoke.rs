//! InvokeModel and InvokeModelWithResponseStream: Converse with a dialect on either side.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{
    ConverseRequest, InvokeModelRequest, InvokeModelResponse, InvokeModelWithResponseStreamRequest,
    InvokeModelWithResponseStreamResponse, PayloadPart, PerformanceConfigLatency, PerformanceConfiguration,
    ResponseStream, ServiceTier, ServiceTierType, TokenUsage, Trace,
};
use outcrop_api::{Events, Fault, Kind, Reply};
use outcrop_dialects::{ChatDialect, Dialect, Head, StreamEncoder};
use outcrop_models::{Invocation, Resolved};
use outcrop_providers::{Answer, Cause, Failure};
use serde_json::Value;

use crate::begin::Begun;
use crate::converse::fold;
use crate::guard::{self, Guarded, native};
use crate::meter::Tally;
use crate::timed::{Timed, milliseconds};
use crate::{Gateway, answer, prompt_router};

pub(crate) const JSON: &str = "application/json";
/// Every member of the native answer: the dialect takes what it has a place for.
const EVERYTHING: &str = "";

impl Gateway {
    /// The model's own request in, its own answer out.
    pub async fn invoke_model(&self, cx: &Context, r: InvokeModelRequest) -> Result<Reply<InvokeModelResponse>, Fault> {
        let call = Invocation {
            action: "bedrock:InvokeModel",
            tier: r.service_tier.as_ref().map(|tier| tier.as_str()),
            guardrail: r.guardrail_identifier.as_deref().map(|id| (id, r.guardrail_version.as_deref())),
        };
        let resolved = self.resolve(cx, call, &r.model_id).await?;
        let mut body = r.body.unwrap_or_default();
        let chat = match dialect(&resolved)? {
            Dialect::Chat(chat) => chat,
            _ if r.guardrail_identifier.is_some() => return Err(native::unsupported()),
            Dialect::Embedding(embedding) => return self.embed(cx, &resolved, embedding, &body).await,
            Dialect::Rerank(rerank) => return self.rerank(cx, &resolved, rerank, &body).await,
            Dialect::Image(image) => return self.images(cx, &resolved, image, &body).await,
        };
        let mut tally = self.tally(cx, &resolved);
        let guardrail = (r.guardrail_identifier.as_deref(), r.guardrail_version.as_deref(), r.trace.as_ref());
        let content_type = r.content_type.as_deref();
        let guarded = self.guards(cx, &resolved, guardrail, content_type, (&mut body, &tally)).await;
        let guarded = guarded.map_err(|fault| tally.failed(fault))?;
        let asked = Asked { body: &body, id: &r.model_id, resolved: &resolved, streaming: false };
        let plain = r.performance_config_latency.is_none() && r.service_tier.is_none() && r.request_metadata.is_none();
        if plain
            && guarded.is_none()
            && let Some(plan) = self.passing(cx, &resolved, chat, &body, false)
        {
            asked.agrees(chat).map_err(|fault| tally.failed(fault))?;
            let began = tally.began();
            let passed = self.pass(cx, &resolved, &plan, (chat.name(), body.clone(), false), tally).await?;
            let by = passed.by.clone();
            let (body, usage) = passed.whole().await?;
            let output = InvokeModelResponse { body, content_type: JSON.into(), ..Default::default() };
            return Ok(counted(by.reply(output), &usage, began));
        }
        let options = (r.performance_config_latency, r.service_tier, r.request_metadata.as_deref());
        let request = asked.read(chat, options).map_err(|fault| tally.failed(fault))?;
        let repeated = chat.repeats(&request);
        let (resolved, _) = prompt_router::choose(&cx.region, resolved, &request, false);
        let begun = self.begin(cx, resolved, request, (false, guarded), tally).await?;
        let head = head(&begun, repeated);
        let (began, options, by) = (begun.running.tally.began(), begun.options.clone(), begun.by.clone());
        let passed = begun.guard.clone();
        let response = fold(begun, vec![EVERYTHING.into()], cx).await?;
        let mut answer = chat.encode(&head, &response);
        if let Some(passed) = passed {
            native::beside(&mut answer, &passed, &response);
        }
        let output = InvokeModelResponse {
            body: text(&answer),
            content_type: JSON.into(),
            performance_config_latency: options.latency,
            service_tier: options.tier,
        };
        Ok(counted(by.reply(output), &response.usage, began))
    }

    /// The same as it is made.
    pub async fn invoke_model_with_response_stream(
        &self,
        cx: &Context,
        r: InvokeModelWithResponseStreamRequest,
    ) -> Result<(Reply<InvokeModelWithResponseStreamResponse>, Events<ResponseStream>), Fault> {
        let call = Invocation {
            action: "bedrock:InvokeModelWithResponseStream",
            tier: r.service_tier.as_ref().map(|tier| tier.as_str()),
            guardrail: r.guardrail_identifier.as_deref().map(|id| (id, r.guardrail_version.as_deref())),
        };
        let resolved = self.resolve(cx, call, &r.model_id).await?;
        let Dialect::Chat(chat) = dialect(&resolved)? else {
            return Err(Fault::validation("The model is unsupported for streaming."));
        };
        let mut body = r.body.unwrap_or_default();
        let mut tally = self.tally(cx, &resolved);
        let guardrail = (r.guardrail_identifier.as_deref(), r.guardrail_version.as_deref(), r.trace.as_ref());
        let content_type = r.content_type.as_deref();
        let guarded = self.guards(cx, &resolved, guardrail, content_type, (&mut body, &tally)).await;
        let guarded = guarded.map_err(|fault| tally.failed(fault))?;
        let asked = Asked { body: &body, id: &r.model_id, resolved: &resolved, streaming: true };
        let plain = r.performance_config_latency.is_none() && r.service_tier.is_none() && r.request_metadata.is_none();
        if plain
            && guarded.is_none()
            && let Some(plan) = self.passing(cx, &resolved, chat, &body, true)
        {
            asked.agrees(chat).map_err(|fault| tally.failed(fault))?;
            let passed = self.pass(cx, &resolved, &plan, (chat.name(), body.clone(), true), tally).await?;
            let output = InvokeModelWithResponseStreamResponse { content_type: JSON.into(), ..Default::default() };
            return Ok((passed.by.reply(output), passed.chunks(cx.cancel.clone())));
        }
        let options = (r.performance_config_latency, r.service_tier, r.request_metadata.as_deref());
        let request = asked.read(chat, options).map_err(|fault| tally.failed(fault))?;
        let repeated = chat.repeats(&request);
        let (resolved, _) = prompt_router::choose(&cx.region, resolved, &request, true);
        let begun = self.begin(cx, resolved, request, (true, guarded), tally).await?;
        let output = InvokeModelWithResponseStreamResponse {
            content_type: JSON.into(),
            performance_config_latency: begun.options.latency.clone(),
            service_tier: begun.options.tier.clone(),
        };
        let reply = begun.by.reply(output);
        Ok((reply, chunks(chat.stream(head(&begun, repeated)), begun, cx)))
    }
}

type Guardrail<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a Trace>);

impl Gateway {
    /// The guardrails of a call in a model's own format. What `body` says of them is taken out of it.
    async fn guards(
        &self,
        cx: &Context,
        resolved: &Resolved,
        (guardrail, version, trace): Guardrail<'_>,
        content_type: Option<&str>,
        (body, tally): (&mut Bytes, &Tally),
    ) -> Result<Option<Guarded>, Fault> {
        let config = guard::take(body)?;
        let (configured, trace) = (config.is_some(), native::trace(trace));
        let native = Some(config);
        let asked = guard::Asked { guardrail, version, trace: trace.as_ref(), asynchronous: false, native };
        let guarded = self.guarded(cx, resolved, asked, tally).await?;
        match &guarded {
            Some(_) => native::readable(content_type)?,
            None if configured => {
                let text = "amazon-bedrock-guardrailConfig needs a guardrail identifier and version in the headers.";
                return Err(Fault::validation(text));
            }
            None => {}
        }
        Ok(guarded)
    }
}

/// The dialect of a model's own requests.
pub(crate) fn dialect(resolved: &Resolved) -> Result<Dialect, Fault> {
    let name = resolved.model.family.dialect.name();
    outcrop_dialects::by_name(name).ok_or_else(|| {
        let id = &resolved.model.id;
        let way = if resolved.model.family.converse { " Converse takes the model." } else { "" };
        let text = format!("The request format of {id} ({name}) is not built in this version of Outcrop.{way}");
        Fault::new(Kind::NotImplemented, text)
    })
}

pub(crate) fn decode(chat: &dyn ChatDialect, body: &[u8]) -> Result<ConverseRequest, Fault> {
    chat.decode(body).map_err(|e| Fault::of(&e))
}

/// A request in a model's own format.
struct Asked<'a> {
    body: &'a [u8],
    id: &'a str,
    resolved: &'a Resolved,
    streaming: bool,
}

type Headers<'a> = (Option<PerformanceConfigLatency>, Option<ServiceTierType>, Option<&'a str>);

impl Asked<'_> {
    /// The same as Converse has it.
    fn read(&self, chat: &dyn ChatDialect, (latency, tier, metadata): Headers<'_>) -> Result<ConverseRequest, Fault> {
        let mut request = decode(chat, self.body)?;
        self.agrees(chat)?;
        options(&mut request, latency, tier, metadata)?;
        Ok(request)
    }

    /// A body may name the model in any of the ways by which it was found.
    fn agrees(&self, chat: &dyn ChatDialect) -> Result<(), Fault> {
        let models = [self.id, self.resolved.invoked_id.as_str(), self.resolved.model.id.as_str()];
        chat.agrees(self.body, &models, self.streaming).map_err(|e| Fault::of(&e))
    }
}

fn options(
    request: &mut ConverseRequest,
    latency: Option<PerformanceConfigLatency>,
    tier: Option<ServiceTierType>,
    metadata: Option<&str>,
) -> Result<(), Fault> {
    request.performance_config = latency.map(|latency| PerformanceConfiguration { latency: Some(latency) });
    request.service_tier = tier.map(|r#type| ServiceTier { r#type });
    if let Some(metadata) = metadata {
        let parsed: Result<BTreeMap<String, String>, _> = serde_json::from_str(metadata);
        let told = "The request metadata header must be a JSON object of strings.";
        request.request_metadata = Some(parsed.map_err(|_| Fault::validation(told))?);
    }
    Ok(())
}

fn head(begun: &Begun, repeated: Value) -> Head {
    Head {
        model_id: begun.resolved.invoked_id.clone(),
        message_id: uuid::Uuid::new_v4().simple().to_string(),
        created: jiff::Timestamp::now().as_second(),
        prompt: match &begun.answer {
            Answer::Stream { prompt, .. } => prompt.clone(),
            Answer::Whole(response) => TokenUsage { output_tokens: 0, ..response.usage.clone() },
        },
        repeated,
    }
}

/// Where a provider has no such offer, the caller learns who may.
pub(crate) fn offered_by(mut failure: Failure, kinds: &str) -> Failure {
    if failure.cause == Cause::Unmappable {
        failure.fault.message.push_str(&format!(" A provider of kind {kinds} may."));
    }
    failure
}

pub(crate) fn text(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// The headers by which clients of InvokeModel learn what a call took.
pub(crate) fn counted<T>(reply: Reply<T>, usage: &TokenUsage, began: Instant) -> Reply<T> {
    let mut reply = reply
        .with("x-amzn-bedrock-input-token-count", usage.input_tokens)
        .with("x-amzn-bedrock-output-token-count", usage.output_tokens)
        .with("x-amzn-bedrock-invocation-latency", milliseconds(began));
    if let Some(read) = usage.cache_read_input_tokens {
        reply = reply.with("x-amzn-bedrock-cache-read-input-token-count", read);
    }
    if let Some(written) = usage.cache_write_input_tokens {
        reply = reply.with("x-amzn-bedrock-cache-write-input-token-count", written);
    }
    reply
}

/// The answer's events as chunks of the dialect.
fn chunks(encoder: Box<dyn StreamEncoder>, begun: Begun, cx: &Context) -> Events<ResponseStream> {
    let began = begun.running.tally.began();
    let mut guardrails = begun.guard.clone().map(native::Chunks::new);
    let events = answer::events(begun, vec![EVERYTHING.into()], cx.cancel.clone());
    let mut writer = Timed::new(encoder, began);
    events
        .flat_map(move |event| {
            let items: Vec<Result<ResponseStream, Fault>> = match event {
                Ok(event) => {
                    let mut chunks = Vec::new();
                    writer.write(&event, &mut chunks);
                    if let Some(guardrails) = &mut guardrails {
                        guardrails.sees(&event);
                        guardrails.beside(&mut chunks);
                    }
                    chunks.iter().map(|chunk| Ok(part(chunk))).collect()
                }
                Err(fault) => vec![Err(fault)],
            };
            futures_util::stream::iter(items)
        })
        .boxed()
}

fn part(chunk: &Value) -> ResponseStream {
    ResponseStream::Chunk(PayloadPart { bytes: Some(text(chunk)) })
}
