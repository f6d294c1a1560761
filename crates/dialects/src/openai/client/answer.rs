//! A whole answer.

use outcrop_api::bedrock_runtime::*;

use super::Quirks;
use super::shapes::{CallDelta, Count, Ending, FunctionDelta, frame, tokens};
use super::think::{Kind, Splitter};
use crate::client::{MakeId, ReadError};
use crate::converse::arguments as input;

pub(super) fn read(quirks: &Quirks, body: &[u8], make_id: MakeId) -> Result<ConverseResponse, ReadError> {
    let frame = frame(body)?;
    let none = || ReadError::Malformed("it has no choices".to_owned());
    let mut choice = frame.choices.and_then(|choices| choices.into_iter().next()).ok_or_else(none)?;
    let mut message = choice.delta.take().ok_or_else(none)?;
    let mut ending = Ending::of(&choice);
    ending.refused = !message.refusal.0.is_empty();
    let mut written = 0;
    let mut content = Vec::new();
    let thought = message.thought();
    if !thought.is_empty() {
        written += thought.len();
        content.push(block(Kind::Reasoning, thought.into_owned()));
    }
    for text in [message.refusal.0, message.content.text] {
        written += text.len();
        let mut split = Splitter::new(quirks.think_tags);
        let mut say = |kind, text| content.push(block(kind, text));
        split.push(&text, &mut say);
        split.finish(&mut say);
    }
    let single = message.function_call.map(|function| CallDelta {
        index: Count(None),
        id: Default::default(),
        function: Some(function),
    });
    let mut calls = Vec::new();
    for call in message.tool_calls.unwrap_or_default().into_iter().chain(single) {
        let Some(FunctionDelta { name, arguments }) = call.function else { continue };
        if name.0.is_empty() {
            return Err(ReadError::Malformed("a tool call has no name".to_owned()));
        }
        ending.called = true;
        written += arguments.0.len();
        let id = if call.id.0.is_empty() { make_id() } else { call.id.0.into_owned() };
        calls.push((id, name.0.into_owned(), arguments.0));
    }
    let mut stop_reason = ending.stop_reason()?;
    for (tool_use_id, name, arguments) in calls {
        let Some(input) = input(&arguments, &mut stop_reason) else { continue };
        content.push(ContentBlock::ToolUse(ToolUseBlock { tool_use_id, name, input, r#type: None }));
    }
    Ok(ConverseResponse {
        output: ConverseOutput::Message(Message { role: ConversationRole::Assistant, content }),
        stop_reason,
        usage: tokens(frame.usage.as_ref(), written),
        additional_model_response_fields: ending.fields(frame.usage.as_ref()),
        ..ConverseResponse::default()
    })
}

fn block(kind: Kind, text: String) -> ContentBlock {
    match kind {
        Kind::Text => ContentBlock::Text(text),
        Kind::Reasoning => {
            let text = ReasoningTextBlock { text, signature: None };
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(text))
        }
    }
}
