//! Counts where a server gives none: a prompt never takes 0 tokens, and quotas and budgets count on it.

use std::sync::Arc;

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{
    ContentBlock, ConverseRequest, ConverseStreamOutput, SystemContentBlock, TokenUsage, Tool, ToolResultContentBlock,
};
use outcrop_dialects::converse::plain;

use crate::{Answer, Call};

/// Bytes that are about a token, in English and in code.
const BYTES_A_TOKEN: usize = 4;
/// About what an image takes.
const TOKENS_AN_IMAGE: usize = 800;

/// The answer with a count of its prompt. The codec says in `additionalModelResponseFields` where counts are guessed.
pub(super) fn counted(answer: Answer, call: &Call) -> Answer {
    match answer {
        Answer::Whole(mut whole) => {
            complete(&mut whole.usage, &call.request);
            Answer::Whole(whole)
        }
        Answer::Stream { prompt, events } => {
            let request: Arc<ConverseRequest> = call.request.clone();
            let events = events.map(move |mut event| {
                if let Ok(ConverseStreamOutput::Metadata(metadata)) = &mut event {
                    complete(&mut metadata.usage, &request);
                }
                event
            });
            Answer::Stream { prompt, events: events.boxed() }
        }
    }
}

fn complete(usage: &mut TokenUsage, request: &ConverseRequest) {
    if usage.input_tokens == 0 && usage.cache_read_input_tokens.is_none() {
        usage.input_tokens = prompt(request);
        usage.total_tokens = usage.input_tokens.saturating_add(usage.output_tokens);
    }
}

/// About as many tokens as a request takes.
pub(super) fn prompt(request: &ConverseRequest) -> i32 {
    let mut bytes = 0;
    for block in request.system.iter().flatten() {
        if let SystemContentBlock::Text(text) = block {
            bytes += text.len();
        }
    }
    for message in request.messages.iter().flatten() {
        // The marks around a turn.
        bytes += 4 * BYTES_A_TOKEN;
        for block in &message.content {
            bytes += match block {
                ContentBlock::Image(_) => TOKENS_AN_IMAGE * BYTES_A_TOKEN,
                ContentBlock::ToolUse(call) => call.name.len() + call.input.to_string().len(),
                ContentBlock::ToolResult(result) => result.content.iter().map(found).sum(),
                other => plain(other).map_or(0, |text| text.len()),
            };
        }
    }
    for tool in request.tool_config.iter().flat_map(|config| &config.tools) {
        if let Tool::ToolSpec(spec) = tool {
            // Templates write the schema much as it is.
            bytes += spec.name.len() + spec.description.as_ref().map_or(0, String::len) + schema(&spec.input_schema);
        }
    }
    i32::try_from(bytes.div_ceil(BYTES_A_TOKEN)).unwrap_or(i32::MAX).max(1)
}

fn schema(schema: &outcrop_api::bedrock_runtime::ToolInputSchema) -> usize {
    match schema {
        outcrop_api::bedrock_runtime::ToolInputSchema::Json(schema) => schema.to_string().len(),
        outcrop_api::bedrock_runtime::ToolInputSchema::Unset => 0,
    }
}

fn found(content: &ToolResultContentBlock) -> usize {
    match content {
        ToolResultContentBlock::Text(text) => text.len(),
        ToolResultContentBlock::Json(json) => json.to_string().len(),
        ToolResultContentBlock::Image(_) => TOKENS_AN_IMAGE * BYTES_A_TOKEN,
        _ => 0,
    }
}
