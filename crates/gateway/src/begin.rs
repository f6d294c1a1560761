//! The common beginning of every conversation: from a request to an answer that has begun.

use std::sync::Arc;
use std::time::Instant;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::ConverseRequest;
use outcrop_api::{Fault, Kind};
use outcrop_models::{Invocation, Resolved};
use outcrop_providers::{Answer, Call, Priority};

use crate::capacity::Estimate;
use crate::options::Options;
use crate::target::Target;
use crate::{Gateway, rules};

/// Converse's own words for a model that holds no conversations.
const NOT_CONVERSATIONAL: &str =
    "This action doesn't support the model that you provided. Try again with a supported text or chat model.";

/// A conversation that is being answered.
pub struct Begun {
    /// What the caller named.
    pub resolved: Resolved,
    /// Who answers.
    pub target: Target,
    /// Its answer.
    pub answer: Answer,
    /// Tier and latency as resolved.
    pub options: Options,
    /// When the call came in.
    pub began: Instant,
}

impl Gateway {
    /// The model that `id` names, if the caller may invoke it so.
    pub(crate) async fn resolve(&self, cx: &Context, call: Invocation<'_>, id: &str) -> Result<Resolved, Fault> {
        let resolved = self.models.resolve(cx, id).await.map_err(|e| Fault::of(&e))?;
        self.models.admit(cx, call, &resolved).await.map_err(|e| Fault::of(&e))?;
        Ok(resolved)
    }

    /// Checks `request` and hands it to whoever answers for its model.
    pub(crate) async fn begin(
        &self,
        cx: &Context,
        resolved: Resolved,
        request: ConverseRequest,
        streaming: bool,
    ) -> Result<Begun, Fault> {
        let began = Instant::now();
        let target = self.target(&resolved)?;
        check(&resolved, &request, streaming)?;
        let options = Options::new(
            request.performance_config.as_ref().and_then(|p| p.latency.clone()),
            request.service_tier.as_ref().map(|t| t.r#type.clone()),
        );
        let permit = self.capacity.admit(&self.models, &resolved, || Estimate::of(&request, &resolved.model))?;
        let call = self.call(cx, &resolved, &target, request, &options, streaming);
        let answer = tokio::select! {
            answer = self.local.converse(call) => answer.map_err(|failure| failure.fault)?,
            () = cx.cancel.cancelled() => return Err(stopping()),
        };
        Ok(Begun { resolved, target, answer: permit.hold(answer), options, began })
    }

    pub(crate) fn call(
        &self,
        cx: &Context,
        resolved: &Resolved,
        target: &Target,
        request: ConverseRequest,
        options: &Options,
        stream: bool,
    ) -> Call {
        Call {
            model: target.model.as_str().into(),
            request: Arc::new(request),
            stream,
            scope: self.sharing.scope(&cx.caller).into(),
            // Who has reserved does not wait behind those who have not.
            priority: if resolved.provisioned.is_some() { Priority::High } else { options.priority() },
            cache_minimum: resolved.model.cache.as_ref().map_or(0, |cache| cache.minimum),
        }
    }
}

/// Refuses a model that Converse does not take: it writes no text, or answers in a format of its own only.
pub(crate) fn converses(resolved: &Resolved) -> Result<(), Fault> {
    if resolved.model.family.converse { Ok(()) } else { Err(Fault::validation(NOT_CONVERSATIONAL)) }
}

pub(crate) fn stopping() -> Fault {
    Fault::new(Kind::ServiceUnavailable, "The server is stopping.")
}

fn check(resolved: &Resolved, request: &ConverseRequest, streaming: bool) -> Result<(), Fault> {
    let model = &resolved.model;
    if !model.writes_text() {
        return Err(Fault::validation(NOT_CONVERSATIONAL));
    }
    if streaming && !model.streaming {
        return Err(Fault::validation("The model is unsupported for streaming."));
    }
    if request.guardrail_config.is_some() {
        // Ignoring it would let through what it was to stop.
        let text = "guardrailConfig: guardrails are not built in this version of Outcrop.";
        return Err(Fault::new(Kind::NotImplemented, text));
    }
    rules::check(request, &rules::family(model))
}
