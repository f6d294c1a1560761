//! From the engine's events to Converse's.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Instant;

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{
    CacheDetail, ContentBlockDelta, ContentBlockDeltaEvent, ContentBlockStart, ContentBlockStartEvent,
    ContentBlockStopEvent, ConversationRole, ConverseStreamMetadataEvent, ConverseStreamMetrics, ConverseStreamOutput,
    MessageStartEvent, MessageStopEvent, StopReason, TokenUsage, ToolUseBlockDelta, ToolUseBlockStart,
};
use outcrop_api::{Events, Fault};
use outcrop_engine::{Event, FinishReason, Finished, Generation};
use serde_json::json;

use super::usage::Accounting;

/// The engine's answer as Converse events. An answer that was cut ends in an error, never in silence.
pub fn converse(generation: Generation, accounting: Accounting, began: Instant) -> Events<ConverseStreamOutput> {
    let start = ConverseStreamOutput::MessageStart(MessageStartEvent { role: ConversationRole::Assistant });
    let state = State { generation, writer: Writer { accounting, began, ..Writer::new(start) }, over: false };
    futures_util::stream::unfold(state, |mut state| async move {
        loop {
            if let Some(event) = state.writer.ready.pop_front() {
                return Some((Ok(event), state));
            }
            if state.over {
                return None;
            }
            match state.generation.next().await {
                Some(Ok(event)) => {
                    state.over = matches!(event, Event::Finished(_));
                    state.writer.take(event);
                }
                Some(Err(error)) => {
                    state.over = true;
                    return Some((Err(Fault::of(&error)), state));
                }
                None => {
                    state.over = true;
                    let cut = Fault::new(
                        outcrop_api::Kind::ModelStreamError,
                        "The model stopped before its answer was complete.",
                    );
                    return Some((Err(cut), state));
                }
            }
        }
    })
    .boxed()
}

struct State {
    generation: Generation,
    writer: Writer,
    over: bool,
}

struct Writer {
    ready: VecDeque<ConverseStreamOutput>,
    /// The open block, if any, and the number of the next one.
    open: bool,
    index: i32,
    accounting: Accounting,
    began: Instant,
}

impl Writer {
    fn new(first: ConverseStreamOutput) -> Self {
        Self {
            ready: VecDeque::from([first]),
            open: false,
            index: 0,
            accounting: Accounting::default(),
            began: Instant::now(),
        }
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            let stop = ContentBlockStopEvent { content_block_index: self.index };
            self.ready.push_back(ConverseStreamOutput::ContentBlockStop(stop));
            self.index += 1;
        }
    }

    fn delta(&mut self, delta: ContentBlockDelta) {
        self.open = true;
        let event = ContentBlockDeltaEvent { delta, content_block_index: self.index };
        self.ready.push_back(ConverseStreamOutput::ContentBlockDelta(event));
    }

    fn take(&mut self, event: Event) {
        match event {
            // Taken before the stream began.
            Event::Started(_) => {}
            Event::Text(text) => self.delta(ContentBlockDelta::Text(text)),
            Event::ToolCallStart { name } => {
                self.close();
                self.open = true;
                let start = ToolUseBlockStart { tool_use_id: crate::ids::tool_use_id(), name, r#type: None };
                self.ready.push_back(ConverseStreamOutput::ContentBlockStart(ContentBlockStartEvent {
                    start: ContentBlockStart::ToolUse(start),
                    content_block_index: self.index,
                }));
            }
            Event::ToolCallArguments(input) => self.delta(ContentBlockDelta::ToolUse(ToolUseBlockDelta { input })),
            Event::ToolCallEnd => self.close(),
            Event::Finished(finished) => {
                self.close();
                self.finish(finished);
            }
        }
    }

    fn finish(&mut self, finished: Finished) {
        let usage = self.accounting.usage(&finished.usage, finished.usage.output_tokens);
        let (stop_reason, sequence) = match finished.reason {
            FinishReason::EndTurn => (StopReason::EndTurn, None),
            FinishReason::MaxTokens => (StopReason::MaxTokens, None),
            FinishReason::StopSequence(sequence) => (StopReason::StopSequence, Some(sequence)),
            FinishReason::ToolUse => (StopReason::ToolUse, None),
        };
        // The native answer's fields that additionalModelResponseFieldPaths may point at: Anthropic's message has
        // /stop_sequence, its message_delta event /delta/stop_sequence.
        let fields = json!({ "stop_sequence": sequence, "delta": { "stop_sequence": sequence } });
        let stop = MessageStopEvent { stop_reason, additional_model_response_fields: Some(fields) };
        self.ready.push_back(ConverseStreamOutput::MessageStop(stop));
        let metadata = ConverseStreamMetadataEvent {
            usage,
            metrics: ConverseStreamMetrics {
                latency_ms: i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX),
            },
            ..Default::default()
        };
        self.ready.push_back(ConverseStreamOutput::Metadata(metadata));
    }
}

impl Accounting {
    /// `engine`'s count as Converse reports it.
    pub fn usage(&self, engine: &outcrop_engine::Usage, output: u32) -> TokenUsage {
        let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let cache = self.split(engine);
        let (read, write) = cache.unwrap_or_default();
        let details = self
            .ttl
            .as_ref()
            .filter(|_| write > 0)
            .map(|ttl| vec![CacheDetail { ttl: ttl.clone(), input_tokens: count(write) }]);
        TokenUsage {
            input_tokens: count(engine.prompt_tokens - read - write),
            output_tokens: count(output),
            total_tokens: count(engine.prompt_tokens + output),
            cache_read_input_tokens: cache.map(|_| count(read)),
            cache_write_input_tokens: cache.map(|_| count(write)),
            cache_details: details,
        }
    }
}
