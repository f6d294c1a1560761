//! Prompt routers: which of a router's two models a conversation gets, and how the caller learns of it.

#[cfg(test)]
mod tests;

use futures_util::StreamExt;
use outcrop_api::Events;
use outcrop_api::bedrock_runtime::{
    ConverseRequest, ConverseStreamOutput, ConverseStreamTrace, ConverseTrace, PromptRouterTrace,
};
use outcrop_models::Resolved;
use outcrop_models::prompt_routers::rule;

/// The model that a conversation gets, and its ARN where a router has chosen it.
pub(crate) fn choose(
    region: &str,
    resolved: Resolved,
    request: &ConverseRequest,
    streaming: bool,
) -> (Resolved, Option<String>) {
    let Some(router) = &resolved.router else { return (resolved, None) };
    let decision = rule::choose(router, request, streaming);
    let Some(chosen) = router.candidates.get(decision.chosen).cloned() else { return (resolved, None) };
    let invoked = chosen.arn(region);
    tracing::info!(
        router = router.arn,
        invoked,
        reason = ?decision.reason,
        gain = decision.gain,
        difference = router.quality_difference,
        contributions = ?decision.contributions,
        "prompt router chose"
    );
    (chosen, Some(invoked))
}

/// The trace of a whole answer.
pub(crate) fn trace(trace: Option<ConverseTrace>, invoked: Option<String>) -> Option<ConverseTrace> {
    match invoked {
        Some(_) => Some(ConverseTrace { prompt_router: told(invoked), ..trace.unwrap_or_default() }),
        None => trace,
    }
}

/// The same where the answer comes as a stream.
pub(crate) fn traced(events: Events<ConverseStreamOutput>, invoked: Option<String>) -> Events<ConverseStreamOutput> {
    if invoked.is_none() {
        return events;
    }
    let told = move |mut event| {
        if let Ok(ConverseStreamOutput::Metadata(metadata)) = &mut event {
            let trace = metadata.trace.take().unwrap_or_default();
            metadata.trace = Some(ConverseStreamTrace { prompt_router: told(invoked.clone()), ..trace });
        }
        event
    };
    events.map(told).boxed()
}

fn told(invoked_model_id: Option<String>) -> Option<PromptRouterTrace> {
    Some(PromptRouterTrace { invoked_model_id })
}
