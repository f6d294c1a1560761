//! What happens to an answer's events between provider and caller.

use std::time::Instant;

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{ConverseResponse, ConverseStreamOutput, TokenUsage};
use outcrop_api::{Events, Fault, Kind};
use outcrop_dialects::converse::{prune, unfold};
use outcrop_providers::Answer;
use tokio_util::sync::CancellationToken;

use crate::begin::stopping;
use crate::options::Options;

/// Fits the provider's events to what the caller asked: additional fields by its paths, tier and latency as
/// resolved. An answer that ends without its `metadata` ends in an exception: clients take silence for completeness.
pub fn fit(
    answer: Answer,
    paths: Vec<String>,
    options: Options,
    cancel: CancellationToken,
) -> Events<ConverseStreamOutput> {
    let events = match answer {
        Answer::Stream { events, .. } => events,
        // A provider that cannot stream answers all the same.
        Answer::Whole(response) => futures_util::stream::iter(unfold(*response).into_iter().map(Ok)).boxed(),
    };
    let state = (events, paths, options, cancel, false);
    futures_util::stream::unfold(Some(state), |state| async move {
        let (mut events, paths, options, cancel, complete) = state?;
        let next = tokio::select! {
            biased;
            next = events.next() => next,
            () = cancel.cancelled() => Some(Err(stopping())),
        };
        match next {
            Some(Ok(mut event)) => {
                let complete = shape(&mut event, &paths, &options);
                Some((Ok(event), Some((events, paths, options, cancel, complete))))
            }
            Some(Err(fault)) => Some((Err(fault), None)),
            None if complete => None,
            None => {
                let text = "The model's answer ended before it was complete.";
                Some((Err(Fault::new(Kind::ModelStreamError, text)), None))
            }
        }
    })
    .boxed()
}

/// The same for an answer that came whole.
pub fn fit_whole(mut response: ConverseResponse, paths: &[String], options: &Options) -> ConverseResponse {
    let fields = response.additional_model_response_fields.take();
    response.additional_model_response_fields = fields.and_then(|fields| prune(paths, &fields));
    response.performance_config = options.performance();
    response.service_tier = options.service_tier();
    response
}

/// True where `event` completes the answer.
fn shape(event: &mut ConverseStreamOutput, paths: &[String], options: &Options) -> bool {
    match event {
        ConverseStreamOutput::MessageStop(stop) => {
            stop.additional_model_response_fields =
                stop.additional_model_response_fields.take().and_then(|fields| prune(paths, &fields));
            false
        }
        ConverseStreamOutput::Metadata(metadata) => {
            metadata.performance_config = options.performance();
            metadata.service_tier = options.service_tier();
            true
        }
        _ => false,
    }
}

/// One line per answered call: who, what, how much; never content.
pub fn log(model: &str, served_by: Option<&str>, usage: &TokenUsage, began: Instant) {
    tracing::info!(
        gen_ai.request.model = model,
        served_by,
        gen_ai.usage.input_tokens = usage.input_tokens,
        gen_ai.usage.output_tokens = usage.output_tokens,
        cache_read = usage.cache_read_input_tokens,
        ms = began.elapsed().as_millis() as u64,
        "answered"
    );
}
