//! Answers that a grammar shapes.

use serde_json::json;

use super::*;

fn weather() -> Tool {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Weather",
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where.", "maxLength": 40},
            "unit": {"enum": ["celsius", "fahrenheit"], "default": "celsius"},
            "days": {"type": "integer", "minimum": 1, "maximum": 7}
        },
        "required": ["city", "unit", "days"]
    });
    tool("get_weather", schema)
}

fn check(arguments: &str) {
    let arguments: Value = serde_json::from_str(arguments).expect("arguments are JSON");
    assert!(arguments["city"].is_string(), "{arguments}");
    assert!(["celsius", "fahrenheit"].contains(&arguments["unit"].as_str().unwrap()), "{arguments}");
    assert!((1..=7).contains(&arguments["days"].as_i64().unwrap()), "{arguments}");
    assert_eq!(arguments.as_object().unwrap().len(), 3, "{arguments}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_tool_is_called_with_valid_arguments() {
    let engine = engine();
    for temperature in [0.0, 1.5] {
        let mut request = ask(vec![user("How is the weather in Oslo this week?")], 200);
        request.sampling.temperature = Some(temperature);
        request.chat.tools = vec![tool("other", json!({})), weather()];
        request.chat.tool_choice = ToolChoice::Named("get_weather".into());
        let answer = answer(&engine, request).await;
        assert_eq!((answer.text.as_str(), answer.reason()), ("", &FinishReason::ToolUse));
        assert_eq!(answer.calls.len(), 1);
        assert_eq!(answer.calls[0].0, "get_weather");
        check(&answer.calls[0].1);
        let fragments = answer.events.iter().filter(|event| matches!(event, Event::ToolCallArguments(_))).count();
        assert!(fragments > 3, "arguments stream: {:?}", answer.events);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_tool_is_one_of_the_tools() {
    let mut request = ask(vec![user("What is 2 + 3?")], 200);
    request.chat.tools = vec![
        tool("add", json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})),
        tool("say", json!({"type": "object", "properties": {"word": {"enum": ["yes", "no"]}}, "required": ["word"]})),
    ];
    request.chat.tool_choice = ToolChoice::Any;
    let answer = answer(&engine(), request).await;
    assert_eq!((answer.text.as_str(), answer.reason()), ("", &FinishReason::ToolUse));
    let (name, arguments) = &answer.calls[0];
    let arguments: Value = serde_json::from_str(arguments).unwrap();
    match name.as_str() {
        "add" => assert!(arguments["a"].is_i64()),
        "say" => assert!(arguments["word"].is_string()),
        other => panic!("no such tool: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_without_arguments_gets_an_empty_object() {
    let mut request = ask(vec![user("Stop now.")], 100);
    request.chat.tools = vec![tool("stop", json!({"type": "object", "properties": {}}))];
    request.chat.tool_choice = ToolChoice::Any;
    let answer = answer(&engine(), request).await;
    assert_eq!(answer.calls, [("stop".to_owned(), "{}".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_by_schema_is_valid() {
    let engine = engine();
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
            "inner": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
        },
        "required": ["name", "tags", "inner"]
    });
    for temperature in [0.0, 1.5] {
        let mut request = ask(vec![user("Describe a fox as JSON.")], 300);
        request.sampling.temperature = Some(temperature);
        request.output = OutputShape::JsonSchema(schema.clone());
        let answer = answer(&engine, request).await;
        assert_eq!(answer.reason(), &FinishReason::EndTurn);
        let value: Value = serde_json::from_str(&answer.text).expect("JSON");
        assert!(value["name"].is_string() && value["tags"].is_array() && value["inner"]["ok"].is_boolean(), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_or_a_tool_is_either() {
    let mut request = ask(vec![user("How is the weather in Oslo?")], 300);
    request.chat.tools = vec![weather()];
    request.output =
        OutputShape::JsonSchema(json!({"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}));
    let answer = answer(&engine(), request).await;
    if answer.calls.is_empty() {
        assert!(serde_json::from_str::<Value>(&answer.text).unwrap()["a"].is_boolean());
    } else {
        check(&answer.calls[0].1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_cut_says_so() {
    let mut request = ask(vec![user("Describe a fox.")], 5);
    request.output = OutputShape::JsonSchema(
        json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}),
    );
    assert_eq!(answer(&engine(), request).await.reason(), &FinishReason::MaxTokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_of_several_tokens_come_whole() {
    let mut request = ask(vec![user("Which animal?")], 100);
    request.output = OutputShape::JsonSchema(json!({"const": "🦀 é 漢字 🦊🦊"}));
    let answer = answer(&engine(), request).await;
    assert_eq!(serde_json::from_str::<Value>(&answer.text).unwrap(), "🦀 é 漢字 🦊🦊");
    assert!(answer.finished.usage.output_tokens > 10, "its characters are several tokens each: {:?}", answer.finished);
    assert!(!answer.text.contains('\u{FFFD}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_cannot_be_enforced_is_refused_before_anything_is_generated() {
    let engine = engine();
    for schema in [
        json!({"type": "object", "properties": {"a": {"type": "nonsense"}}}),
        json!({"$ref": "https://example.com/schema.json"}),
        json!({"type": "string", "format": "no such format é"}),
        json!({"not": {"type": "string"}}),
        json!(true),
    ] {
        let mut request = ask(vec![user("Hi")], 10);
        request.output = OutputShape::JsonSchema(schema.clone());
        let refused = engine.generate(request).await;
        assert!(matches!(refused, Err(EngineError::InvalidSchema(_))), "{schema} gave {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_is_not_there_cannot_be_forced() {
    let mut request = ask(vec![user("Hi")], 10);
    request.chat.tools = vec![weather()];
    request.chat.tool_choice = ToolChoice::Named("nothing".into());
    assert!(matches!(engine().generate(request).await, Err(EngineError::InvalidSchema(_))));
}
