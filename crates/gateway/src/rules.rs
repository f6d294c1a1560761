//! What a conversation must look like, beyond its shapes: each rule with Bedrock's own text.
//!
//! Rules that hold for some models only are asked of [`Family`]. Where Bedrock's text is not known, ours names the
//! path and says what to do. Sources: the Converse API reference, the user guide and texts that users reported.

mod blocks;
mod cache;
mod schema;
#[cfg(test)]
mod tests;
mod tools;
mod turns;

use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ContentBlock, ConverseRequest, Message};
use outcrop_models::Model;

type Check = Result<(), Fault>;

/// What a model takes.
#[derive(Debug, Clone, Default)]
pub struct Family {
    /// The model as errors name it.
    pub name: String,
    /// The first message must be the user's.
    pub starts_with_user: bool,
    /// Roles must alternate.
    pub alternates: bool,
    /// One user message, no history.
    pub single_turn: bool,
    /// Text may stand beside tool use and tool results in one message.
    pub text_with_tools_in_one_turn: bool,
    /// It takes a system prompt.
    pub system: bool,
    /// It takes tools.
    pub tools: bool,
    /// It takes `temperature` or `topP`, not both.
    pub one_of_temperature_and_top_p: bool,
    /// What it reads beside text.
    pub reads: Vec<Modality>,
}

/// What a content block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// An image block.
    Image,
    /// A document block.
    Document,
    /// A video block.
    Video,
    /// An audio block.
    Audio,
}

impl Modality {
    /// The member of the content block.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Document => "document",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

/// What the catalogue says of `model`.
pub fn family(model: &Model) -> Family {
    let input = |names: &[&str]| model.input.iter().any(|m| names.contains(&m.as_str()));
    let mut reads = Vec::new();
    let known = [
        (Modality::Image, input(&["IMAGE"])),
        // Whoever reads no files gets their text.
        (Modality::Document, true),
        (Modality::Video, input(&["VIDEO"])),
        (Modality::Audio, input(&["AUDIO", "SPEECH"])),
    ];
    reads.extend(known.iter().filter(|(_, reads)| *reads).map(|(modality, _)| *modality));
    // Claude 4.5 is the generation for which the refusal was reported.
    let exclusive = model.id.contains("claude-") && model.id.contains("-4-5-");
    Family {
        name: model.id.clone(),
        starts_with_user: model.family.user_first,
        alternates: model.family.alternate,
        single_turn: model.family.single_turn,
        text_with_tools_in_one_turn: model.family.tool_with_text,
        system: model.family.system,
        tools: model.family.tools,
        one_of_temperature_and_top_p: exclusive,
        reads,
    }
}

/// Refuses a conversation that breaks a rule: shape by shape in reading order, then what holds between turns, then
/// the rest of the request.
pub fn check(request: &ConverseRequest, family: &Family) -> Check {
    if is_prompt(&request.model_id) {
        return prompt(request);
    }
    let messages = request.messages.as_deref().unwrap_or_default();
    for (i, message) in messages.iter().enumerate() {
        blocks::check(i, message, family)?;
    }
    turns::check(messages, family)?;
    tools::check(messages, request.tool_config.as_ref(), family)?;
    if !family.system && request.system.as_ref().is_some_and(|s| !s.is_empty()) {
        return refuse(
            "This model doesn't support system messages. Try again without a system message or use a model that \
             supports system messages.",
        );
    }
    cache::check(request)?;
    inference(request, family)?;
    match &request.output_config {
        Some(output) => schema::check(output),
        None => Ok(()),
    }
}

fn refuse(text: impl Into<String>) -> Check {
    Err(Fault::validation(text))
}

fn is_prompt(model_id: &str) -> bool {
    model_id.starts_with("arn:") && model_id.split(':').nth(5).is_some_and(|r| r.starts_with("prompt/"))
}

/// A prompt resource brings these itself (Converse API reference, `modelId`).
fn prompt(request: &ConverseRequest) -> Check {
    let given = [
        ("additionalModelRequestFields", request.additional_model_request_fields.is_some()),
        ("inferenceConfig", request.inference_config.is_some()),
        ("system", request.system.as_ref().is_some_and(|s| !s.is_empty())),
        ("toolConfig", request.tool_config.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => refuse(format!(
            "The {name} field can't be used when modelId is a prompt from Prompt management. Remove {name} and try \
             again."
        )),
        None => Ok(()),
    }
}

fn inference(request: &ConverseRequest, family: &Family) -> Check {
    let Some(config) = &request.inference_config else { return Ok(()) };
    if family.one_of_temperature_and_top_p && config.temperature.is_some() && config.top_p.is_some() {
        return refuse(
            "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this \
             model. Please use only one.",
        );
    }
    Ok(())
}

/// The tool uses of a turn that the caller has to answer. What a provider's own server tool did stands answered
/// beside it.
fn tool_uses(message: &Message) -> impl Iterator<Item = &str> {
    message.content.iter().filter_map(|block| match block {
        ContentBlock::ToolUse(tool) if tool.r#type.is_none() => Some(tool.tool_use_id.as_str()),
        _ => None,
    })
}

/// The tool results that a turn brings.
fn tool_results(message: &Message) -> impl Iterator<Item = &str> {
    message.content.iter().filter_map(|block| match block {
        ContentBlock::ToolResult(result) if result.r#type.is_none() => Some(result.tool_use_id.as_str()),
        _ => None,
    })
}
