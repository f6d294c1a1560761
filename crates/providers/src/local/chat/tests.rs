use outcrop_wire::decode::{self, Problems};
use serde_json::json;

use super::*;

fn request(body: Value) -> ConverseRequest {
    let (mut request, mut problems) = (ConverseRequest::default(), Problems::default());
    decode::body(body.to_string().as_bytes(), &mut request, &mut problems).unwrap();
    assert_eq!(problems.message(), None);
    request
}

fn user(content: Value) -> Value {
    json!({ "messages": [{ "role": "user", "content": content }] })
}

#[test]
fn every_turn_arrives_in_order() {
    let chat = chat(
        "tiny",
        &request(json!({
            "system": [{ "text": "Be kind." }, { "cachePoint": { "type": "default" } }],
            "messages": [
                { "role": "user", "content": [{ "text": "what time?" }] },
                { "role": "assistant", "content": [
                    { "reasoningContent": { "reasoningText": { "text": "a clock" } } },
                    { "reasoningContent": { "redactedContent": "aGk=" } },
                    { "toolUse": { "toolUseId": "t1", "name": "clock", "input": { "zone": "UTC" } } },
                ] },
                { "role": "user", "content": [
                    { "toolResult": { "toolUseId": "t1", "status": "error",
                                      "content": [{ "text": "broken" }, { "json": { "at": 1 } }] } },
                ] },
            ],
        })),
    )
    .unwrap();
    let roles: Vec<Role> = chat.messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::User]);
    assert!(chat.messages[0].parts == [Part::Text("Be kind.".into()), Part::CachePoint]);
    assert!(chat.messages[1].parts == [Part::Text("what time?".into())]);
    let call = Part::ToolCall { id: "t1".into(), name: "clock".into(), arguments: json!({ "zone": "UTC" }) };
    // What another model hid is left out.
    assert!(chat.messages[2].parts == [Part::Reasoning("a clock".into()), call]);
    let content = "broken\n{\"at\":1}".to_owned();
    assert!(chat.messages[3].parts == [Part::ToolResult { id: "t1".into(), name: None, content, is_error: true }]);
}

#[test]
fn the_system_turn_is_empty_rather_than_absent() {
    let chat = chat("tiny", &request(user(json!([{ "text": "hi" }])))).unwrap();
    assert!(chat.messages[0].role == Role::System && chat.messages[0].parts.is_empty());
}

#[test]
fn tools_and_their_choice() {
    let schema = json!({ "type": "object" });
    let spec = |name: &str| json!({ "toolSpec": { "name": name, "inputSchema": { "json": schema } } });
    for (choice, wanted) in [
        (json!(null), ToolChoice::Auto),
        (json!({ "auto": {} }), ToolChoice::Auto),
        (json!({ "any": {} }), ToolChoice::Any),
        (json!({ "tool": { "name": "b" } }), ToolChoice::Named("b".into())),
    ] {
        let mut body = user(json!([{ "text": "hi" }]));
        let point = json!({ "cachePoint": { "type": "default" } });
        body["toolConfig"] = json!({ "tools": [spec("a"), spec("b"), point], "toolChoice": choice });
        let chat = chat("tiny", &request(body)).unwrap();
        assert_eq!(chat.tool_choice, wanted);
        let names: Vec<&str> = chat.tools.iter().map(|t| t.name.as_str()).collect();
        assert_eq!((names, &chat.tools[0].schema), (vec!["a", "b"], &schema));
        // The point behind the tools falls at the end of the section in which they stand.
        assert!(chat.messages[0].parts == [Part::CachePoint]);
    }
    let mut body = user(json!([{ "text": "hi" }]));
    body["toolConfig"] = json!({ "tools": [{ "systemTool": { "name": "nova_grounding" } }] });
    let refused = chat("tiny", &request(body)).unwrap_err();
    assert!(refused.message.contains("nova_grounding at toolConfig.tools.0"), "{refused}");
}

#[test]
fn a_block_that_cannot_be_read_is_named_with_its_place() {
    let image = json!({ "image": { "format": "png", "source": { "bytes": "aGk=" } } });
    let refused = chat("tiny", &request(user(json!([{ "text": "see" }, image])))).unwrap_err();
    assert_eq!(
        refused.message,
        "The image block at messages.0.content.1 can't be read by outcrop.tiny, which answers this call."
    );
    let result = json!([{ "toolResult": { "toolUseId": "t", "content": [image] } }]);
    let refused = chat("tiny", &request(user(result))).unwrap_err();
    assert!(refused.message.contains("image block at messages.0.content.0.toolResult.content.0"), "{refused}");
}

#[test]
fn sampling_is_found_under_every_familys_name() {
    let with = |fields: Value| {
        let mut body = user(json!([{ "text": "hi" }]));
        body["inferenceConfig"] = json!({ "temperature": 0.25, "topP": 0.5 });
        body["additionalModelRequestFields"] = fields;
        sampling(&request(body))
    };
    for (fields, top_k, seed) in [
        (json!({ "top_k": 5, "seed": 7 }), Some(5), Some(7)),
        (json!({ "topK": 5 }), Some(5), None),
        (json!({ "inferenceConfig": { "topK": 5 } }), Some(5), None),
        (json!({ "k": 5 }), Some(5), None),
        (json!({ "seed": -1 }), None, Some(u64::MAX)),
        (json!({ "thinking": { "type": "enabled" } }), None, None),
        (json!("not an object"), None, None),
    ] {
        let found = with(fields).unwrap();
        assert_eq!((found.temperature, found.top_p), (Some(0.25), Some(0.5)));
        assert_eq!((found.top_k, found.seed), (top_k, seed));
    }
    for fields in [json!({ "top_k": -1 }), json!({ "top_k": 1.5 }), json!({ "seed": "x" })] {
        let refused = with(fields).unwrap_err();
        assert!(refused.message.contains("Malformed input request: #/"), "{refused}");
    }
    // Without any of it nothing is set, and the model file's own settings hold.
    assert_eq!(sampling(&request(user(json!([{ "text": "hi" }])))).unwrap(), Sampling::default());
}

#[test]
fn a_schema_is_found_under_every_clients_name() {
    let schema = json!({ "type": "object" });
    let structure = json!({ "jsonSchema": { "schema": schema.to_string() } });
    for (key, value) in [
        ("outputConfig", json!({ "textFormat": { "type": "json_schema", "structure": structure } })),
        ("additionalModelRequestFields", json!({ "output_config": { "format": { "schema": schema } } })),
        ("additionalModelRequestFields", json!({ "response_format": { "json_schema": { "schema": schema } } })),
    ] {
        let mut body = user(json!([{ "text": "hi" }]));
        body[key] = value;
        assert_eq!(output(&request(body)).unwrap(), OutputShape::JsonSchema(schema.clone()), "{key}");
    }
    let mut body = user(json!([{ "text": "hi" }]));
    assert_eq!(output(&request(body.clone())).unwrap(), OutputShape::Free);
    body["additionalModelRequestFields"] = json!({ "response_format": { "type": "json_object" } });
    assert_eq!(output(&request(body.clone())).unwrap(), OutputShape::JsonSchema(schema));
    body["additionalModelRequestFields"] = json!({ "response_format": { "json_schema": { "schema": "x" } } });
    assert!(output(&request(body)).is_err());
}

#[test]
fn no_tool_now_in_the_words_of_two_makers() {
    for choice in [json!("none"), json!({ "type": "none" })] {
        let mut body = user(json!([{ "text": "hi" }]));
        body["toolConfig"] = json!({ "tools": [{ "toolSpec": { "name": "a", "inputSchema": { "json": {} } } }] });
        assert_eq!(chat("tiny", &request(body.clone())).unwrap().tools.len(), 1);
        body["additionalModelRequestFields"] = json!({ "tool_choice": choice });
        assert!(chat("tiny", &request(body)).unwrap().tools.is_empty(), "{choice}");
    }
}

#[test]
fn search_results_are_read_and_another_kind_of_answer_is_refused() {
    let found =
        json!({ "searchResult": { "source": "doc_0", "title": "Knots", "content": [{ "text": "It holds." }] } });
    let mut body = user(json!([found, { "text": "why?" }]));
    let read = chat("tiny", &request(body.clone())).unwrap();
    let text = "<search_result source=\"doc_0\" title=\"Knots\">\nIt holds.\n</search_result>\n";
    assert!(read.messages[1].parts == [Part::Text(text.into()), Part::Text("why?".into())]);
    body["additionalModelRequestFields"] = json!({ "search_queries_only": true });
    let refused = chat("tiny", &request(body.clone())).unwrap_err();
    assert!(refused.message.contains("search_queries_only can't be followed by outcrop.tiny"), "{refused}");
    body["additionalModelRequestFields"] = json!({ "search_queries_only": false });
    assert!(chat("tiny", &request(body)).is_ok());
}
