//! Converse and ConverseStream.

use std::any::Any;

use futures_util::StreamExt;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{
    ConverseRequest, ConverseResponse, ConverseStreamOutput, ConverseStreamRequest, ConverseStreamResponse,
    GuardrailConfiguration, GuardrailStreamProcessingMode,
};
use outcrop_api::{Events, Fault, Kind, Reply};
use outcrop_dialects::converse::{Fold, check_paths};
use outcrop_models::Invocation;
use outcrop_providers::Answer;
use tokio_util::sync::CancellationToken;

use crate::begin::{Begun, converses};
use crate::{Gateway, answer, documents, guard, prompt_router};

impl Gateway {
    /// The answer as a whole: the stream, folded.
    pub async fn converse(&self, cx: &Context, mut request: ConverseRequest) -> Result<Reply<ConverseResponse>, Fault> {
        let paths = take_paths(&mut request)?;
        let resolved = self.resolve(cx, invocation("bedrock:InvokeModel", &request), &request.model_id).await?;
        let (resolved, invoked) = prompt_router::choose(&cx.region, resolved, &request, false);
        converses(&resolved)?;
        documents::limits(&request)?;
        let tally = self.tally(cx, &resolved);
        let guarded = self.guarded(cx, &resolved, asked(&request, false), &tally).await?;
        let begun = self.begin(cx, resolved, request, (false, guarded), tally).await?;
        let by = begun.by.clone();
        let mut response = fold(begun, paths, cx).await?;
        response.trace = prompt_router::trace(response.trace.take(), invoked);
        Ok(by.reply(response))
    }

    /// The answer as it is made.
    pub async fn converse_stream(
        &self,
        cx: &Context,
        request: ConverseStreamRequest,
    ) -> Result<(Reply<ConverseStreamResponse>, Events<ConverseStreamOutput>), Fault> {
        let mode = request.guardrail_config.as_ref().and_then(|config| config.stream_processing_mode.as_ref());
        let asynchronous = mode == Some(&GuardrailStreamProcessingMode::Async);
        let mut request = whole(request);
        let paths = take_paths(&mut request)?;
        let call = invocation("bedrock:InvokeModelWithResponseStream", &request);
        let resolved = self.resolve(cx, call, &request.model_id).await?;
        let (resolved, invoked) = prompt_router::choose(&cx.region, resolved, &request, true);
        converses(&resolved)?;
        documents::limits(&request)?;
        let tally = self.tally(cx, &resolved);
        let guarded = self.guarded(cx, &resolved, asked(&request, asynchronous), &tally).await?;
        let begun = self.begin(cx, resolved, request, (true, guarded), tally).await?;
        let reply = begun.by.reply(ConverseStreamResponse {});
        let events = answer::events(begun, paths, cx.cancel.clone());
        Ok((reply, prompt_router::traced(events, invoked)))
    }
}

/// Draws the whole answer.
pub(crate) async fn fold(mut begun: Begun, paths: Vec<String>, cx: &Context) -> Result<ConverseResponse, Fault> {
    let guard = begun.guard.take().map(|guard| (guard, begun.resolved.clone()));
    // To judge the answer is a part of the call: what takes it down is held until then.
    let (response, _running) = drawn(begun, paths, cx, guard.is_some()).await?;
    match guard {
        Some((guard, resolved)) => guard.whole(response, |answer| guard::native::written(&resolved, answer)).await,
        None => Ok(response),
    }
}

/// What lasts as long as a call.
type Held = Box<dyn Any + Send>;

async fn drawn(
    begun: Begun,
    paths: Vec<String>,
    cx: &Context,
    guarded: bool,
) -> Result<(ConverseResponse, Held), Fault> {
    let begun = match begun {
        Begun { answer: Answer::Whole(response), options, mut running, .. } => {
            running.tally.stopped(&response.stop_reason);
            running.tally.answered(&response.usage);
            return Ok((answer::fit_whole(*response, &paths, &options), Box::new(running)));
        }
        begun => begun,
    };
    let mut events = answer::fit(begun, paths, cx.cancel.clone(), CancellationToken::new());
    let mut fold = Fold::default();
    while let Some(event) = events.next().await {
        let last = matches!(event, Ok(ConverseStreamOutput::Metadata(_)));
        // ModelStreamErrorException is a name of streams only; the whole answer's is ModelErrorException.
        fold.push(event.map_err(|fault| match fault.kind {
            Kind::ModelStreamError => Fault::new(Kind::ModelError, fault.message),
            _ => fault,
        })?);
        // With their end the events let go of what is held.
        if last && guarded {
            break;
        }
    }
    Ok((fold.finish().map_err(|e| Fault::of(&e))?, Box::new(events)))
}

/// What `request` says of guardrails.
fn asked(request: &ConverseRequest, asynchronous: bool) -> guard::Asked<'_> {
    let config = request.guardrail_config.as_ref();
    guard::Asked {
        guardrail: config.and_then(|config| config.guardrail_identifier.as_deref()),
        version: config.and_then(|config| config.guardrail_version.as_deref()),
        trace: config.and_then(|config| config.trace.as_ref()),
        asynchronous,
        native: None,
    }
}

fn invocation<'a>(action: &'static str, request: &'a ConverseRequest) -> Invocation<'a> {
    let guardrail = request.guardrail_config.as_ref();
    let guardrail = guardrail.and_then(|g| Some((g.guardrail_identifier.as_deref()?, g.guardrail_version.as_deref())));
    Invocation { action, tier: request.service_tier.as_ref().map(|tier| tier.r#type.as_str()), guardrail }
}

fn take_paths(request: &mut ConverseRequest) -> Result<Vec<String>, Fault> {
    let paths = request.additional_model_response_field_paths.take().unwrap_or_default();
    check_paths(&paths).map_err(|e| Fault::of(&e))?;
    Ok(paths)
}

/// The two requests differ in their guardrail's streaming mode only.
fn whole(r: ConverseStreamRequest) -> ConverseRequest {
    ConverseRequest {
        model_id: r.model_id,
        messages: r.messages,
        system: r.system,
        inference_config: r.inference_config,
        tool_config: r.tool_config,
        guardrail_config: r.guardrail_config.map(|g| GuardrailConfiguration {
            guardrail_identifier: g.guardrail_identifier,
            guardrail_version: g.guardrail_version,
            trace: g.trace,
        }),
        additional_model_request_fields: r.additional_model_request_fields,
        prompt_variables: r.prompt_variables,
        additional_model_response_field_paths: r.additional_model_response_field_paths,
        request_metadata: r.request_metadata,
        performance_config: r.performance_config,
        service_tier: r.service_tier,
        output_config: r.output_config,
    }
}
