//! How much work a conversation is, before anybody counted.

use outcrop_api::bedrock_runtime::{
    ContentBlock, ConverseRequest, SystemContentBlock, ToolResultContentBlock, ToolUseBlock,
};

/// Characters of a token, roughly, in the languages that models are mostly asked in.
const CHARACTERS: usize = 4;
/// What an image, a document or another block that is not text counts.
const BLOCK: usize = 1500;
/// What is written where the request sets no bound.
const WRITTEN: u64 = 1024;

/// Tokens that `request` reads and may write. For weighing calls against each other, not for anybody's bill.
pub fn tokens(request: &ConverseRequest) -> u64 {
    let mut characters = 0;
    for message in request.messages.iter().flatten() {
        for block in &message.content {
            characters += match block {
                ContentBlock::Text(text) => text.len(),
                ContentBlock::ToolUse(ToolUseBlock { name, .. }) => name.len() + 200,
                ContentBlock::ToolResult(result) => result.content.iter().map(result_length).sum(),
                ContentBlock::CachePoint(_) | ContentBlock::ReasoningContent(_) => 0,
                _ => BLOCK * CHARACTERS,
            };
        }
    }
    for block in request.system.iter().flatten() {
        if let SystemContentBlock::Text(text) = block {
            characters += text.len();
        }
    }
    let config = request.inference_config.as_ref();
    let written = config.and_then(|c| c.max_tokens).and_then(|n| u64::try_from(n).ok()).unwrap_or(WRITTEN);
    (characters / CHARACTERS) as u64 + written
}

fn result_length(part: &ToolResultContentBlock) -> usize {
    match part {
        ToolResultContentBlock::Text(text) => text.len(),
        _ => BLOCK * CHARACTERS,
    }
}
