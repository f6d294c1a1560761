use outcrop_api::bedrock_runtime::*;

/// A whole answer as the events that would have told it: the reverse of [`super::Fold`].
pub fn unfold(answer: ConverseResponse) -> Vec<ConverseStreamOutput> {
    let mut out = Vec::new();
    let message = match answer.output {
        ConverseOutput::Message(message) => message,
        ConverseOutput::Unset => Message { role: ConversationRole::Assistant, ..Default::default() },
    };
    out.push(ConverseStreamOutput::MessageStart(MessageStartEvent { role: message.role }));
    for (index, block) in message.content.into_iter().enumerate() {
        let content_block_index = i32::try_from(index).unwrap_or(i32::MAX);
        let (start, deltas) = pieces(block);
        if let Some(start) = start {
            let event = ContentBlockStartEvent { start, content_block_index };
            out.push(ConverseStreamOutput::ContentBlockStart(event));
        }
        for delta in deltas {
            let event = ContentBlockDeltaEvent { delta, content_block_index };
            out.push(ConverseStreamOutput::ContentBlockDelta(event));
        }
        out.push(ConverseStreamOutput::ContentBlockStop(ContentBlockStopEvent { content_block_index }));
    }
    out.push(ConverseStreamOutput::MessageStop(MessageStopEvent {
        stop_reason: answer.stop_reason,
        additional_model_response_fields: answer.additional_model_response_fields,
    }));
    let trace = answer.trace.map(|t| ConverseStreamTrace { guardrail: t.guardrail, prompt_router: t.prompt_router });
    out.push(ConverseStreamOutput::Metadata(ConverseStreamMetadataEvent {
        usage: answer.usage,
        metrics: ConverseStreamMetrics { latency_ms: answer.metrics.latency_ms },
        trace,
        performance_config: answer.performance_config,
        service_tier: answer.service_tier,
    }));
    out
}

/// A block's start, where it has one, and its deltas. Blocks that no model writes have neither.
fn pieces(block: ContentBlock) -> (Option<ContentBlockStart>, Vec<ContentBlockDelta>) {
    use ReasoningContentBlockDelta as Thought;
    match block {
        ContentBlock::Text(text) => (None, vec![ContentBlockDelta::Text(text)]),
        ContentBlock::ToolUse(call) => {
            let input = call.input.to_string();
            let start = ToolUseBlockStart { tool_use_id: call.tool_use_id, name: call.name, r#type: call.r#type };
            (Some(ContentBlockStart::ToolUse(start)), vec![ContentBlockDelta::ToolUse(ToolUseBlockDelta { input })])
        }
        ContentBlock::ToolResult(result) => {
            let parts = result.content.into_iter().filter_map(|part| match part {
                ToolResultContentBlock::Text(text) => Some(ToolResultBlockDelta::Text(text)),
                ToolResultContentBlock::Json(json) => Some(ToolResultBlockDelta::Json(json)),
                _ => None,
            });
            let delta = ContentBlockDelta::ToolResult(parts.collect());
            let start =
                ToolResultBlockStart { tool_use_id: result.tool_use_id, r#type: result.r#type, status: result.status };
            (Some(ContentBlockStart::ToolResult(start)), vec![delta])
        }
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)) => {
            let mut deltas = vec![ContentBlockDelta::ReasoningContent(Thought::Text(reasoning.text))];
            let signature = reasoning.signature.map(|s| ContentBlockDelta::ReasoningContent(Thought::Signature(s)));
            deltas.extend(signature);
            (None, deltas)
        }
        ContentBlock::ReasoningContent(ReasoningContentBlock::RedactedContent(bytes)) => {
            (None, vec![ContentBlockDelta::ReasoningContent(Thought::RedactedContent(bytes))])
        }
        ContentBlock::CitationsContent(cited) => {
            let texts = cited.content.into_iter().flatten().filter_map(|part| match part {
                CitationGeneratedContent::Text(text) => Some(ContentBlockDelta::Text(text)),
                CitationGeneratedContent::Unset => None,
            });
            let mut deltas: Vec<_> = texts.collect();
            deltas.extend(cited.citations.into_iter().flatten().map(|c| ContentBlockDelta::Citation(cite(c))));
            (None, deltas)
        }
        ContentBlock::Image(image) => {
            let source = Some(image.source).filter(|source| !matches!(source, ImageSource::Unset));
            let delta = ContentBlockDelta::Image(ImageBlockDelta { source, error: image.error });
            (Some(ContentBlockStart::Image(ImageBlockStart { format: image.format })), vec![delta])
        }
        _ => (None, Vec::new()),
    }
}

pub(crate) fn cite(citation: Citation) -> CitationsDelta {
    let source_content = citation.source_content.map(|parts| {
        let texts = parts.into_iter().map(|part| match part {
            CitationSourceContent::Text(text) => CitationSourceContentDelta { text: Some(text) },
            CitationSourceContent::Unset => CitationSourceContentDelta { text: None },
        });
        texts.collect()
    });
    CitationsDelta { title: citation.title, source: citation.source, source_content, location: citation.location }
}
