use super::{documents, history, tools};
use crate::DialectError;
use crate::body::{Node, parse};
use crate::cohere::command::{stops, top_k};
use crate::request::put;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value};

const KEYS: &[&str] = &[
    "message",
    "chat_history",
    "documents",
    "search_queries_only",
    "preamble",
    "max_tokens",
    "temperature",
    "p",
    "k",
    "prompt_truncation",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "return_prompt",
    "tools",
    "tool_results",
    "stop_sequences",
    "raw_prompting",
];

pub(super) fn request(body: &[u8]) -> Result<ConverseRequest, DialectError> {
    let value = parse(body)?;
    let body = Node::root(&value);
    body.only(KEYS)?;
    let fields = passed(&body)?;
    let preamble = body.get("preamble")?.map(|p| p.string()).transpose()?.filter(|p| !p.is_empty());
    let max_tokens = body.get("max_tokens")?.map(|n| n.integer(1, i64::from(i32::MAX))).transpose()?;
    let temperature = body.get("temperature")?.map(|t| t.number(0.0, 1.0)).transpose()?;
    let p = body.get("p")?.map(|p| p.number(0.01, 0.99)).transpose()?;
    Ok(ConverseRequest {
        messages: Some(messages(&body)?),
        system: preamble.map(|text| vec![SystemContentBlock::Text(text.to_owned())]),
        // The documented defaults of the format, not those of the model behind it.
        inference_config: Some(InferenceConfiguration {
            max_tokens: max_tokens.and_then(|n| i32::try_from(n).ok()),
            temperature: temperature.or(Some(0.3)),
            top_p: p.or(Some(0.75)),
            stop_sequences: stops(&body, 5)?,
        }),
        tool_config: tools::read(&body)?,
        additional_model_request_fields: (!fields.is_empty()).then_some(Value::Object(fields)),
        ..ConverseRequest::default()
    })
}

fn passed(body: &Node) -> Result<Map<String, Value>, DialectError> {
    let mut fields = Map::new();
    put(&mut fields, "k", top_k(body)?);
    for key in ["search_queries_only", "return_prompt", "raw_prompting"] {
        put(&mut fields, key, body.get(key)?.map(|b| b.boolean()).transpose()?);
    }
    let truncation = body.get("prompt_truncation")?;
    let truncation = truncation.map(|t| t.one_of(&["OFF", "AUTO_PRESERVE_ORDER"])).transpose()?;
    put(&mut fields, "prompt_truncation", truncation);
    for key in ["frequency_penalty", "presence_penalty"] {
        if let Some(penalty) = body.get(key)? {
            penalty.number(0.0, 1.0)?;
            put(&mut fields, key, Some(penalty.value.clone()));
        }
    }
    put(&mut fields, "seed", body.get("seed")?.map(|s| s.integer(0, i64::MAX)).transpose()?);
    Ok(fields)
}

fn messages(body: &Node) -> Result<Vec<Message>, DialectError> {
    let mut turns = match body.get("chat_history")? {
        Some(list) => history::read(&list)?,
        None => Vec::new(),
    };
    let found = match body.get("documents")? {
        Some(list) => documents::read(&list)?,
        None => Vec::new(),
    };
    let message = body.required("message")?;
    let text = message.string()?;
    let results = body.get("tool_results")?;
    let answered = turns.last().is_some_and(history::answers);
    if !text.is_empty() {
        let said = found.into_iter().chain([ContentBlock::Text(text.to_owned())]).collect();
        history::say(&mut turns, said);
        if let Some(results) = &results {
            // The calls came in answer to the message.
            history::call(&mut turns, results)?;
            history::answer(&mut turns, results)?;
        }
        return Ok(turns);
    }
    match &results {
        Some(results) => history::answer(&mut turns, results)?,
        None if answered => {}
        None => drop(message.text(1, usize::MAX)?),
    }
    history::say(&mut turns, found);
    Ok(turns)
}
