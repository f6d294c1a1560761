//! What happens to an answer's events between provider and caller.

#[cfg(test)]
mod tests;

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{ConverseResponse, ConverseStreamMetadataEvent, ConverseStreamOutput, TokenUsage};
use outcrop_api::{Events, Fault, Kind};
use outcrop_dialects::converse::{prune, unfold};
use outcrop_providers::{Answer, Cause, Failure};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::begin::{Begun, Running, stopping};
use crate::guard;
use crate::options::Options;

/// The events as the caller may see them.
pub fn events(begun: Begun, paths: Vec<String>, cancel: CancellationToken) -> Events<ConverseStreamOutput> {
    let guard = begun.guard.clone();
    let enough = CancellationToken::new();
    let events = fit(begun, paths, cancel, enough.clone());
    match guard {
        Some(passed) => guard::stream(passed, events, enough),
        None => events,
    }
}

/// Fits the provider's events to what the caller asked: additional fields by its paths, tier and latency as
/// resolved. An answer that ends without its `metadata` ends in an exception: clients take silence for completeness.
/// However it ends, it is metered.
/// Once nobody wants more of them (`enough`), the rest is what was taken so far.
pub fn fit(
    begun: Begun,
    paths: Vec<String>,
    cancel: CancellationToken,
    enough: CancellationToken,
) -> Events<ConverseStreamOutput> {
    let prompt = match &begun.answer {
        Answer::Stream { prompt, .. } => prompt.clone(),
        Answer::Whole(response) => response.usage.clone(),
    };
    let events = match begun.answer {
        Answer::Stream { events, .. } => events,
        // A provider that cannot stream answers all the same.
        Answer::Whole(response) => futures_util::stream::iter(unfold(*response).into_iter().map(Ok)).boxed(),
    };
    let (options, running) = (begun.options, begun.running);
    let state = Fitting { events, paths, options, cancel, enough, prompt, running, complete: false };
    futures_util::stream::unfold(Some(state), |state| async move {
        let mut state = state?;
        match state.next().await {
            Some(Ok(event)) => Some((Ok(event), Some(state))),
            Some(Err(fault)) => Some((Err(state.running.tally.failed(fault)), None)),
            None => None,
        }
    })
    .boxed()
}

struct Fitting {
    events: Events<ConverseStreamOutput>,
    paths: Vec<String>,
    options: Options,
    cancel: CancellationToken,
    enough: CancellationToken,
    /// What the prompt took, as far as it is known before the end.
    prompt: TokenUsage,
    running: Running,
    complete: bool,
}

impl Fitting {
    async fn next(&mut self) -> Option<Result<ConverseStreamOutput, Fault>> {
        let running = &mut self.running;
        let silence = running.between.map(|between| Instant::now() + between);
        let limit = silence.map_or(running.end, |silence| silence.min(running.end));
        let next = tokio::select! {
            biased;
            next = timeout_at(limit, self.events.next()) => next,
            () = self.cancel.cancelled() => return Some(Err(stopping())),
            () = self.enough.cancelled(), if !self.complete => {
                self.complete = true;
                self.events = futures_util::stream::empty().boxed();
                let usage = running.tally.so_far(&self.prompt);
                running.tally.answered(&usage);
                let metadata = ConverseStreamMetadataEvent { usage, ..Default::default() };
                return Some(Ok(ConverseStreamOutput::Metadata(metadata)));
            }
        };
        match next {
            Ok(Some(Ok(mut event))) => {
                running.tally.first_event();
                shape(&mut event, &self.paths, &self.options);
                match &event {
                    ConverseStreamOutput::Metadata(metadata) => {
                        self.complete = true;
                        running.tally.answered(&metadata.usage);
                    }
                    ConverseStreamOutput::MessageStop(stop) => running.tally.stopped(&stop.stop_reason),
                    ConverseStreamOutput::ContentBlockDelta(_) => {
                        if let Err(fault) = running.tally.piece() {
                            return Some(Err(fault));
                        }
                    }
                    _ => {}
                }
                Some(Ok(event))
            }
            Ok(Some(Err(fault))) => {
                running.broke(Failure::from(fault.clone()).cause);
                Some(Err(fault))
            }
            Ok(None) if self.complete => None,
            Ok(None) => {
                running.broke(Cause::Broken);
                Some(Err(cut("The model's answer ended before it was complete.")))
            }
            Err(_) if silence.is_some_and(|silence| silence < running.end) => {
                running.broke(Cause::TimedOut);
                Some(Err(cut("The model stopped in the middle of its answer.")))
            }
            Err(_) => Some(Err(cut("The model's answer took too long."))),
        }
    }
}

fn cut(text: &str) -> Fault {
    Fault::new(Kind::ModelStreamError, text)
}

/// The same for an answer that came whole.
pub fn fit_whole(mut response: ConverseResponse, paths: &[String], options: &Options) -> ConverseResponse {
    let fields = response.additional_model_response_fields.take();
    response.additional_model_response_fields = fields.and_then(|fields| prune(paths, &fields));
    response.performance_config = options.performance();
    response.service_tier = options.service_tier();
    response
}

fn shape(event: &mut ConverseStreamOutput, paths: &[String], options: &Options) {
    match event {
        ConverseStreamOutput::MessageStop(stop) => {
            stop.additional_model_response_fields =
                stop.additional_model_response_fields.take().and_then(|fields| prune(paths, &fields));
        }
        ConverseStreamOutput::Metadata(metadata) => {
            metadata.performance_config = options.performance();
            metadata.service_tier = options.service_tier();
        }
        _ => {}
    }
}
