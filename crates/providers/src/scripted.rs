//! Answers from a file, for the tests of applications: texts, tool calls, errors, delays, streams that break off.
//!
//! The first rule whose conditions hold answers; `script.rs` says what a rule can say. What no rule answers is an error
//! that shows what was asked.

mod script;
#[cfg(test)]
mod tests;

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::*;
use outcrop_api::{Fault, Kind};
use outcrop_dialects::converse::unfold;
use serde_json::json;

use crate::ids::tool_use_id;
use crate::{Answer, Call, Cause, Failure, Offer, OfferKind, Provider, ProviderSettings, SettingsError};
use script::{Rule, Script};

/// Characters that pass for a token where a rule counts none.
const CHARACTERS: usize = 4;

/// A provider whose answers stand in a file.
pub struct Scripted {
    script: Script,
    /// How often each rule has answered.
    used: Mutex<Vec<u32>>,
}

impl Scripted {
    /// The provider of `settings`, with its script read.
    pub fn new(settings: &ProviderSettings) -> Result<Self, SettingsError> {
        let path = settings.script.as_deref().ok_or_else(|| SettingsError::new(settings, "it needs a script"))?;
        let script = Script::read(path).map_err(|why| SettingsError::new(settings, why))?;
        Ok(Self { used: Mutex::new(vec![0; script.rules.len()]), script })
    }

    fn rule(&self, call: &Call) -> Result<&Rule, Failure> {
        // The lock is for a moment; a poisoned one still counts.
        let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (rule, used) in self.script.rules.iter().zip(used.iter_mut()) {
            if rule.times.is_none_or(|times| *used < times) && rule.holds(&call.model, &call.request) {
                *used += 1;
                return Ok(rule);
            }
        }
        let text = format!(
            "No rule of the script answers this request for {}; its last user text begins with {:?}.",
            call.model,
            script::last_user_text(&call.request).chars().take(80).collect::<String>()
        );
        Err(Failure::new(Cause::Request, Fault::validation(text)))
    }
}

#[async_trait]
impl Provider for Scripted {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        let rule = self.rule(&call)?;
        if rule.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(rule.delay_ms)).await;
        }
        if let Some(error) = &rule.error {
            return Err(error.failure());
        }
        let answer = answer(rule, &call);
        if !call.stream {
            if rule.cut_after.is_some() {
                return Err(Failure::new(Cause::Broken, cut(Kind::ModelError)));
            }
            return Ok(Answer::Whole(Box::new(answer)));
        }
        let prompt = TokenUsage { output_tokens: 0, total_tokens: answer.usage.input_tokens, ..answer.usage.clone() };
        let pieces = pieces(unfold(answer), rule);
        let pause = Duration::from_millis(rule.chunk_delay_ms);
        let events = futures_util::stream::iter(pieces).then(move |event| async move {
            if !pause.is_zero() && matches!(event, Ok(ConverseStreamOutput::ContentBlockDelta(_))) {
                tokio::time::sleep(pause).await;
            }
            event
        });
        Ok(Answer::Stream { prompt, events: events.boxed() })
    }

    async fn count_tokens(&self, call: Call) -> Result<u32, Failure> {
        Ok(tokens(script::characters(&call.request)).unsigned_abs())
    }

    async fn models(&self) -> Result<Vec<Offer>, Failure> {
        let offer = |model: &String| Offer { model: model.clone(), kind: OfferKind::Text, context: None };
        Ok(self.script.models.iter().map(offer).collect())
    }
}

fn cut(kind: Kind) -> Fault {
    Fault::new(kind, "The model's answer ended before it was complete.")
}

fn tokens(characters: usize) -> i32 {
    i32::try_from(characters.div_ceil(CHARACTERS)).unwrap_or(i32::MAX)
}

/// What a rule answers, whole.
fn answer(rule: &Rule, call: &Call) -> ConverseResponse {
    let mut content = Vec::new();
    let mut written = 0;
    if let Some(text) = &rule.reasoning {
        written += text.chars().count();
        let reasoning = ReasoningTextBlock { text: text.clone(), signature: None };
        content.push(ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)));
    }
    if let Some(text) = &rule.text {
        written += text.chars().count();
        content.push(ContentBlock::Text(text.clone()));
    }
    for tool in &rule.tool_calls {
        let input = serde_json::to_value(&tool.input).unwrap_or_default();
        written += input.to_string().chars().count();
        content.push(ContentBlock::ToolUse(ToolUseBlock {
            tool_use_id: tool.id.clone().unwrap_or_else(tool_use_id),
            name: tool.name.clone(),
            input,
            r#type: None,
        }));
    }
    let natural = if rule.tool_calls.is_empty() { StopReason::EndTurn } else { StopReason::ToolUse };
    let stop = rule.stop_reason.as_deref().map_or(natural, StopReason::from);
    let input = rule.usage.and_then(|u| u.input).unwrap_or_else(|| tokens(script::characters(&call.request)));
    let output = rule.usage.and_then(|u| u.output).unwrap_or_else(|| tokens(written));
    ConverseResponse {
        output: ConverseOutput::Message(Message { role: ConversationRole::Assistant, content }),
        additional_model_response_fields: Some(
            json!({ "stop_sequence": rule.stop_sequence, "delta": { "stop_sequence": rule.stop_sequence } }),
        ),
        stop_reason: stop,
        usage: TokenUsage {
            input_tokens: input,
            output_tokens: output,
            total_tokens: input.saturating_add(output),
            ..TokenUsage::default()
        },
        ..ConverseResponse::default()
    }
}

/// The events with their texts in chunks, up to where the rule breaks off.
fn pieces(events: Vec<ConverseStreamOutput>, rule: &Rule) -> Vec<Result<ConverseStreamOutput, Fault>> {
    let mut out = Vec::new();
    let mut left = rule.cut_after.unwrap_or(usize::MAX);
    for event in events {
        let ConverseStreamOutput::ContentBlockDelta(event) = event else {
            out.push(Ok(event));
            continue;
        };
        for delta in chunks(event.delta, rule.chunk.map_or(usize::MAX, std::num::NonZeroUsize::get)) {
            if left == 0 {
                out.push(Err(cut(Kind::ModelStreamError)));
                return out;
            }
            left = left.saturating_sub(length(&delta));
            let event = ContentBlockDeltaEvent { delta, content_block_index: event.content_block_index };
            out.push(Ok(ConverseStreamOutput::ContentBlockDelta(event)));
        }
    }
    if rule.cut_after.is_some() {
        out.retain(|event| {
            !matches!(event, Ok(ConverseStreamOutput::Metadata(_) | ConverseStreamOutput::MessageStop(_)))
        });
        out.push(Err(cut(Kind::ModelStreamError)));
    }
    out
}

fn length(delta: &ContentBlockDelta) -> usize {
    match delta {
        ContentBlockDelta::Text(text) => text.chars().count(),
        ContentBlockDelta::ToolUse(tool) => tool.input.chars().count(),
        ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)) => text.chars().count(),
        _ => 0,
    }
}

/// A delta's text, `size` characters at a time.
fn chunks(delta: ContentBlockDelta, size: usize) -> Vec<ContentBlockDelta> {
    let split = |text: &str| {
        let characters: Vec<char> = text.chars().collect();
        characters.chunks(size.max(1)).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>()
    };
    match delta {
        ContentBlockDelta::Text(text) => split(&text).into_iter().map(ContentBlockDelta::Text).collect(),
        ContentBlockDelta::ToolUse(tool) => {
            let parts = split(&tool.input).into_iter();
            parts.map(|input| ContentBlockDelta::ToolUse(ToolUseBlockDelta { input })).collect()
        }
        ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)) => {
            let parts = split(&text).into_iter();
            parts.map(|text| ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text))).collect()
        }
        other => vec![other],
    }
}
