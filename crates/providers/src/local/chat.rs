//! From Converse to the engine's chat.

#[cfg(test)]
mod tests;

use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{
    ContentBlock, ConversationRole, ConverseRequest, GuardrailConverseContentBlock, Message, OutputFormatStructure,
    ReasoningContentBlock, SearchResultBlock, SystemContentBlock, Tool as ConverseTool,
    ToolChoice as ConverseToolChoice, ToolConfiguration, ToolInputSchema, ToolResultBlock, ToolResultContentBlock,
    ToolResultStatus,
};
use outcrop_dialects::converse::paper;
use outcrop_engine::{Chat, ChatMessage, OutputShape, Part, Role, Sampling, Tool, ToolChoice};
use serde_json::{Value, json};

/// What Cohere's callers may ask for that is another answer than one to the conversation: silence would pass for it.
const BEYOND: [&str; 3] = ["search_queries_only", "return_prompt", "raw_prompting"];

/// The conversation as the engine wants it; `model` is who reads it, for errors.
pub fn chat(model: &str, request: &ConverseRequest) -> Result<Chat, Fault> {
    let fields = request.additional_model_request_fields.as_ref();
    if let Some(key) = BEYOND.iter().find(|key| fields.is_some_and(|f| f[**key] == true)) {
        return Err(Fault::validation(format!(
            "The field {key} can't be followed by outcrop.{model}, which answers this call. Remove it and try again."
        )));
    }
    let mut chat = Chat::default();
    let mut system: Vec<Part> = request.system.iter().flatten().filter_map(system_part).collect();
    if let Some(config) = &request.tool_config {
        let point = tools(config, &mut chat)?;
        // Converse has no word for "no tool now"; those of Anthropic and OpenAI travel beside it.
        let choice = fields.and_then(|f| f.pointer("/tool_choice/type").or_else(|| f.get("tool_choice")));
        if choice.is_some_and(|choice| choice == "none") {
            chat.tools.clear();
        }
        // Tools stand in the system section of local templates, so a point behind them falls at its end.
        system.extend(point.then_some(Part::CachePoint));
    }
    // Without instructions the system turn is empty, not absent: many templates would put in a persona of their own,
    // and a caller of Bedrock gets a model that was told nothing else.
    chat.messages.push(ChatMessage { role: Role::System, parts: system });
    for (at, message) in request.messages.iter().flatten().enumerate() {
        chat.messages.push(turn(model, at, message)?);
    }
    Ok(chat)
}

fn system_part(block: &SystemContentBlock) -> Option<Part> {
    match block {
        SystemContentBlock::Text(text) => Some(Part::Text(text.clone())),
        SystemContentBlock::GuardContent(GuardrailConverseContentBlock::Text(t)) => Some(Part::Text(t.text.clone())),
        SystemContentBlock::CachePoint(_) => Some(Part::CachePoint),
        SystemContentBlock::GuardContent(_) | SystemContentBlock::Unset => None,
    }
}

fn turn(model: &str, at: usize, message: &Message) -> Result<ChatMessage, Fault> {
    let role = match message.role {
        ConversationRole::Assistant => Role::Assistant,
        ConversationRole::System => Role::System,
        _ => Role::User,
    };
    let mut parts = Vec::with_capacity(message.content.len());
    for (i, block) in message.content.iter().enumerate() {
        parts.push(match block {
            ContentBlock::Text(text) => Part::Text(text.clone()),
            ContentBlock::GuardContent(GuardrailConverseContentBlock::Text(t)) => Part::Text(t.text.clone()),
            ContentBlock::ToolUse(call) => {
                Part::ToolCall { id: call.tool_use_id.clone(), name: call.name.clone(), arguments: call.input.clone() }
            }
            ContentBlock::ToolResult(result) => tool_result(model, at, i, result)?,
            ContentBlock::CachePoint(_) => Part::CachePoint,
            // It is all text, and local templates have no place of its own for it.
            ContentBlock::SearchResult(found) => Part::Text(search_result(found)),
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(r)) => Part::Reasoning(r.text.clone()),
            // Redacted reasoning is for the model that wrote it; another can make nothing of it.
            ContentBlock::ReasoningContent(_) => continue,
            other => {
                let text = if let ContentBlock::Document(document) = other { paper(document) } else { None };
                let unreadable = || unreadable(model, &format!("messages.{at}.content.{i}"), other);
                Part::Text(text.ok_or_else(unreadable)? + "\n")
            }
        });
    }
    Ok(ChatMessage { role, parts })
}

fn search_result(found: &SearchResultBlock) -> String {
    let mut text = format!("<search_result source={:?} title={:?}>", found.source, found.title);
    for part in &found.content {
        text.push('\n');
        text.push_str(&part.text);
    }
    text + "\n</search_result>\n"
}

fn unreadable(model: &str, path: &str, block: &dyn outcrop_wire::shape::Structure) -> Fault {
    let members = block.shape().members;
    let set = (0..members.len()).find(|i| !matches!(block.view(*i), outcrop_wire::shape::View::Absent));
    let name = set.map_or("empty", |i| members[i].name);
    Fault::validation(format!("The {name} block at {path} can't be read by outcrop.{model}, which answers this call."))
}

fn tool_result(model: &str, at: usize, i: usize, result: &ToolResultBlock) -> Result<Part, Fault> {
    let mut content = String::new();
    for (n, part) in result.content.iter().enumerate() {
        if !content.is_empty() {
            content.push('\n');
        }
        match part {
            ToolResultContentBlock::Text(text) => content.push_str(text),
            ToolResultContentBlock::Json(json) => content.push_str(&json.to_string()),
            other => {
                let text = if let ToolResultContentBlock::Document(document) = other { paper(document) } else { None };
                let path = || format!("messages.{at}.content.{i}.toolResult.content.{n}");
                content.push_str(&text.ok_or_else(|| unreadable(model, &path(), other))?);
            }
        }
    }
    Ok(Part::ToolResult {
        id: result.tool_use_id.clone(),
        name: None,
        content,
        is_error: result.status == Some(ToolResultStatus::Error),
    })
}

/// Fills in the tools; true where a cache point stands among them.
fn tools(config: &ToolConfiguration, chat: &mut Chat) -> Result<bool, Fault> {
    let mut point = false;
    for (i, tool) in config.tools.iter().enumerate() {
        match tool {
            ConverseTool::ToolSpec(spec) => chat.tools.push(Tool {
                name: spec.name.clone(),
                description: spec.description.clone().unwrap_or_default(),
                schema: match &spec.input_schema {
                    ToolInputSchema::Json(schema) => schema.clone(),
                    ToolInputSchema::Unset => Value::Object(Default::default()),
                },
            }),
            ConverseTool::CachePoint(_) => point = true,
            ConverseTool::SystemTool(system) => {
                return Err(Fault::validation(format!(
                    "The system tool {} at toolConfig.tools.{i} is not available on local models.",
                    system.name
                )));
            }
            ConverseTool::Unset => {}
        }
    }
    chat.tool_choice = match &config.tool_choice {
        Some(ConverseToolChoice::Any(_)) => ToolChoice::Any,
        Some(ConverseToolChoice::Tool(tool)) => ToolChoice::Named(tool.name.clone()),
        _ => ToolChoice::Auto,
    };
    Ok(point)
}

/// Temperature and its kin. Beside `inferenceConfig` the names that the model families use in
/// `additionalModelRequestFields` count: `top_k` (Anthropic, Mistral), `k` (Cohere), `topK` and
/// `inferenceConfig.topK` (Nova), and `seed`.
pub fn sampling(request: &ConverseRequest) -> Result<Sampling, Fault> {
    let config = request.inference_config.as_ref();
    let fields = request.additional_model_request_fields.as_ref();
    let extra = |pointers: &[&str]| {
        let found = fields.and_then(|f| pointers.iter().find_map(|p| f.pointer(p).map(|value| (*p, value))));
        found.map_or(Ok(None), |(path, value)| value.as_u64().map(Some).ok_or_else(|| not_a_count(path)))
    };
    // Any whole number is a seed of OpenAI's.
    let seed = fields.and_then(|f| f.get("seed")?.as_i64()).map(i64::cast_unsigned);
    Ok(Sampling {
        temperature: config.and_then(|c| c.temperature),
        top_p: config.and_then(|c| c.top_p),
        top_k: extra(&["/top_k", "/topK", "/inferenceConfig/topK", "/k"])?.and_then(|k| u32::try_from(k).ok()),
        seed: seed.map_or_else(|| extra(&["/seed"]), |seed| Ok(Some(seed)))?,
    })
}

/// In the words by which Bedrock passes on a model's refusal of its own fields.
fn not_a_count(path: &str) -> Fault {
    Fault::validation(format!(
        "The model returned the following errors: Malformed input request: #{path}: a whole number of 0 or more is \
         expected, please reformat your input and try again."
    ))
}

/// The schema that the answer must satisfy, from any of the ways in which clients ask for one: `outputConfig`, and
/// among the additional fields Anthropic's `output_config.format` and the OpenAI-style `response_format`.
pub fn output(request: &ConverseRequest) -> Result<OutputShape, Fault> {
    if let Some(format) = request.output_config.as_ref().and_then(|c| c.text_format.as_ref())
        && let OutputFormatStructure::JsonSchema(definition) = &format.structure
    {
        return match serde_json::from_str(&definition.schema) {
            Ok(schema @ Value::Object(_)) => Ok(OutputShape::JsonSchema(schema)),
            _ => Err(Fault::validation(
                "The schema at outputConfig.textFormat.structure.jsonSchema is not a JSON object.",
            )),
        };
    }
    let fields = request.additional_model_request_fields.as_ref();
    let named = ["/output_config/format/schema", "/response_format/json_schema/schema"];
    match fields.and_then(|f| named.iter().find_map(|p| f.pointer(p))) {
        Some(schema @ Value::Object(_)) => Ok(OutputShape::JsonSchema(schema.clone())),
        Some(_) => Err(Fault::validation("The output schema in additionalModelRequestFields is not a JSON object.")),
        None if fields.and_then(|f| f.pointer("/response_format/type")).is_some_and(|kind| kind == "json_object") => {
            Ok(OutputShape::JsonSchema(json!({ "type": "object" })))
        }
        None => Ok(OutputShape::Free),
    }
}
