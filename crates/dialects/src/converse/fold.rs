use bytes::BytesMut;
use outcrop_api::bedrock_runtime::*;
use outcrop_api::{AwsError, Kind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The events of one answer, added up to the answer itself. An event that fits no open block is left out: the
/// caller of a stream would make nothing of it either.
#[derive(Default)]
pub struct Fold {
    role: Option<ConversationRole>,
    blocks: BTreeMap<i32, Block>,
    stop: Option<MessageStopEvent>,
    metadata: Option<ConverseStreamMetadataEvent>,
}

/// The events ended before `messageStop` and `metadata`: what there is may not pass for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The model's answer ended before it was complete.")]
pub struct Incomplete;

impl AwsError for Incomplete {
    fn kind(&self) -> Kind {
        Kind::ModelError
    }
}

enum Block {
    Text { text: String, citations: Vec<Citation> },
    ToolUse { start: ToolUseBlockStart, input: String },
    ToolResult { start: ToolResultBlockStart, content: Vec<ToolResultContentBlock> },
    Reasoning { text: String, signature: Option<String> },
    Redacted(BytesMut),
    Image { format: ImageFormat, source: Option<ImageSource>, error: Option<ErrorBlock> },
}

impl Fold {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one event.
    pub fn push(&mut self, event: ConverseStreamOutput) {
        match event {
            ConverseStreamOutput::MessageStart(start) => self.role = Some(start.role),
            ConverseStreamOutput::ContentBlockStart(event) => {
                let block = match event.start {
                    ContentBlockStart::ToolUse(start) => Block::ToolUse { start, input: String::new() },
                    ContentBlockStart::ToolResult(start) => Block::ToolResult { start, content: Vec::new() },
                    ContentBlockStart::Image(start) => Block::Image { format: start.format, source: None, error: None },
                    ContentBlockStart::Unset => return,
                };
                self.blocks.insert(event.content_block_index, block);
            }
            ConverseStreamOutput::ContentBlockDelta(event) => self.delta(event),
            ConverseStreamOutput::MessageStop(stop) => self.stop = Some(stop),
            ConverseStreamOutput::Metadata(metadata) => self.metadata = Some(metadata),
            ConverseStreamOutput::ContentBlockStop(_) | ConverseStreamOutput::Unset => {}
        }
    }

    fn delta(&mut self, event: ContentBlockDeltaEvent) {
        let block = self.blocks.entry(event.content_block_index);
        match event.delta {
            // Text and reasoning have no start event: the first delta opens the block.
            ContentBlockDelta::Text(delta) if !delta.is_empty() => {
                if let Block::Text { text, .. } = block.or_insert_with(Block::text) {
                    text.push_str(&delta);
                }
            }
            ContentBlockDelta::Citation(delta) => {
                if let Block::Text { citations, .. } = block.or_insert_with(Block::text) {
                    citations.push(citation(delta));
                }
            }
            ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::RedactedContent(delta)) => {
                if let Block::Redacted(bytes) = block.or_insert_with(|| Block::Redacted(BytesMut::new())) {
                    bytes.extend_from_slice(&delta);
                }
            }
            ContentBlockDelta::ReasoningContent(delta) => {
                let reasoning = || Block::Reasoning { text: String::new(), signature: None };
                if let Block::Reasoning { text, signature } = block.or_insert_with(reasoning) {
                    match delta {
                        ReasoningContentBlockDelta::Text(delta) => text.push_str(&delta),
                        ReasoningContentBlockDelta::Signature(delta) => {
                            signature.get_or_insert_default().push_str(&delta);
                        }
                        _ => {}
                    }
                }
            }
            delta => {
                block.and_modify(|block| block.add(delta));
            }
        }
    }

    /// The blocks alone, of an answer that need not be complete.
    pub fn into_content(self) -> Vec<ContentBlock> {
        self.blocks.into_values().map(Block::finish).collect()
    }

    /// The answer. `metrics` and `usage` are those of the metadata event.
    pub fn finish(mut self) -> Result<ConverseResponse, Incomplete> {
        let (Some(mut stop), Some(metadata)) = (self.stop.take(), self.metadata.take()) else { return Err(Incomplete) };
        self.blocks.retain(|_, block| match block {
            Block::ToolUse { input, .. } => arguments(input, &mut stop.stop_reason).is_some(),
            _ => true,
        });
        let role = self.role.take().unwrap_or(ConversationRole::Assistant);
        let trace = metadata.trace.map(|t| ConverseTrace { guardrail: t.guardrail, prompt_router: t.prompt_router });
        Ok(ConverseResponse {
            output: ConverseOutput::Message(Message { role, content: self.into_content() }),
            stop_reason: stop.stop_reason,
            usage: metadata.usage,
            metrics: ConverseMetrics { latency_ms: metadata.metrics.latency_ms },
            additional_model_response_fields: stop.additional_model_response_fields,
            trace,
            performance_config: metadata.performance_config,
            service_tier: metadata.service_tier,
        })
    }
}

impl Block {
    fn text() -> Self {
        Self::Text { text: String::new(), citations: Vec::new() }
    }

    /// Deltas of the blocks that a start event opened.
    fn add(&mut self, delta: ContentBlockDelta) {
        match (self, delta) {
            (Self::ToolUse { input, .. }, ContentBlockDelta::ToolUse(delta)) => input.push_str(&delta.input),
            (Self::ToolResult { content, .. }, ContentBlockDelta::ToolResult(parts)) => {
                for part in parts {
                    match (part, content.last_mut()) {
                        (ToolResultBlockDelta::Text(delta), Some(ToolResultContentBlock::Text(text))) => {
                            text.push_str(&delta);
                        }
                        (ToolResultBlockDelta::Text(text), _) => content.push(ToolResultContentBlock::Text(text)),
                        (ToolResultBlockDelta::Json(json), _) => content.push(ToolResultContentBlock::Json(json)),
                        (ToolResultBlockDelta::Unset, _) => {}
                    }
                }
            }
            (Self::Image { source, error, .. }, ContentBlockDelta::Image(delta)) => {
                // A large image comes in several pieces.
                match (source.as_mut(), delta.source) {
                    (Some(ImageSource::Bytes(have)), Some(ImageSource::Bytes(more))) => {
                        let mut all = BytesMut::from(&have[..]);
                        all.extend_from_slice(&more);
                        *have = all.freeze();
                    }
                    (_, Some(new)) => *source = Some(new),
                    (_, None) => {}
                }
                *error = delta.error.or(error.take());
            }
            _ => {}
        }
    }

    fn finish(self) -> ContentBlock {
        match self {
            Self::Text { text, citations } if citations.is_empty() => ContentBlock::Text(text),
            Self::Text { text, citations } => ContentBlock::CitationsContent(CitationsContentBlock {
                content: Some(vec![CitationGeneratedContent::Text(text)]),
                citations: Some(citations),
            }),
            Self::ToolUse { start, input } => ContentBlock::ToolUse(ToolUseBlock {
                tool_use_id: start.tool_use_id,
                name: start.name,
                input: tool_input(&input).unwrap_or_else(no_arguments),
                r#type: start.r#type,
            }),
            Self::ToolResult { start, content } => ContentBlock::ToolResult(ToolResultBlock {
                tool_use_id: start.tool_use_id,
                content,
                status: start.status,
                r#type: start.r#type,
            }),
            Self::Reasoning { text, signature } => {
                ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(ReasoningTextBlock {
                    text,
                    signature,
                }))
            }
            Self::Redacted(bytes) => {
                ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(bytes.freeze()))
            }
            Self::Image { format, source, error } => {
                ContentBlock::Image(ImageBlock { format, source: source.unwrap_or_default(), error })
            }
        }
    }
}

/// The input of a tool call out of its fragments; none where they make no JSON object. Nothing at all, and `null`, is
/// a call without arguments.
pub fn tool_input(fragments: &str) -> Option<Value> {
    if fragments.trim().is_empty() {
        return Some(no_arguments());
    }
    match serde_json::from_str(fragments) {
        Ok(value @ Value::Object(_)) => Some(value),
        Ok(Value::Null) => Some(no_arguments()),
        _ => None,
    }
}

/// The arguments of a call in an answer that ended by `stop`. What was cut off is no JSON and answered as `{}`: a caller
/// may not send a string back, and the reason says that the answer is not whole. What the model broke by itself is
/// none, and makes the reason `malformed_tool_use`: a call with `{}` would be run.
pub(crate) fn arguments(fragments: &str, stop: &mut StopReason) -> Option<Value> {
    let read = tool_input(fragments);
    if read.is_none() {
        match stop {
            StopReason::EndTurn | StopReason::ToolUse => *stop = StopReason::MalformedToolUse,
            StopReason::MalformedToolUse => {}
            _ => return Some(no_arguments()),
        }
    }
    read
}

/// `{}`.
pub fn no_arguments() -> Value {
    Value::Object(Map::new())
}

/// A citation as an answer carries it.
pub fn citation(delta: CitationsDelta) -> Citation {
    let source_content = delta.source_content.map(|parts| {
        parts.into_iter().map(|part| CitationSourceContent::Text(part.text.unwrap_or_default())).collect()
    });
    Citation { title: delta.title, source: delta.source, source_content, location: delta.location }
}
