use super::*;
use outcrop_wire::decode::{self, Problems};
use serde_json::{Value, json};

/// A family without a rule of its own that reads everything.
fn easy() -> Family {
    Family {
        name: "test.model-v1".to_owned(),
        starts_with_user: false,
        alternates: false,
        single_turn: false,
        text_with_tools_in_one_turn: true,
        system: true,
        tools: true,
        one_of_temperature_and_top_p: false,
        reads: vec![Modality::Image, Modality::Document, Modality::Video, Modality::Audio],
    }
}

fn request(body: Value) -> ConverseRequest {
    let mut request = ConverseRequest::default();
    let mut problems = Problems::default();
    decode::body(body.to_string().as_bytes(), &mut request, &mut problems).unwrap();
    request
}

fn verdict(body: Value, family: &Family) -> Result<(), String> {
    check(&request(body), family).map_err(|fault| {
        assert_eq!(fault.kind, outcrop_api::Kind::Validation);
        fault.message
    })
}

#[track_caller]
fn refused(body: Value, family: &Family, text: &str) {
    assert_eq!(verdict(body, family), Err(text.to_owned()));
}

#[track_caller]
fn taken(body: Value, family: &Family) {
    assert_eq!(verdict(body, family), Ok(()));
}

fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

fn assistant(content: Value) -> Value {
    json!({"role": "assistant", "content": content})
}

fn said(text: &str) -> Value {
    json!([{"text": text}])
}

fn tools() -> Value {
    json!({"tools": [{"toolSpec": {"name": "clock", "inputSchema": {"json": {"type": "object"}}}}]})
}

fn call(id: &str) -> Value {
    json!({"toolUse": {"toolUseId": id, "name": "clock", "input": {}}})
}

fn result(id: &str) -> Value {
    json!({"toolResult": {"toolUseId": id, "content": [{"text": "noon"}]}})
}

#[test]
fn a_plain_conversation_is_taken() {
    let family = Family { starts_with_user: true, alternates: true, ..easy() };
    let messages = json!([user(said("one")), assistant(said("two")), user(said("three"))]);
    taken(json!({"messages": messages, "system": [{"text": "Be brief."}]}), &family);
    taken(json!({"messages": [user(said("one"))], "system": []}), &Family { system: false, ..easy() });
}

#[test]
fn the_first_turn_is_the_users_where_the_family_says_so() {
    const TEXT: &str =
        "A conversation must start with a user message. Try again with a conversation that starts with a user message.";
    let first = json!({"messages": [assistant(said("hi"))]});
    refused(first.clone(), &Family { starts_with_user: true, ..easy() }, TEXT);
    taken(first, &easy());
    refused(json!({"messages": []}), &easy(), TEXT);
    refused(json!({}), &easy(), TEXT);
}

#[test]
fn roles_alternate_where_the_family_says_so() {
    let twice = json!({"messages": [user(said("a")), user(said("b"))]});
    refused(
        twice.clone(),
        &Family { alternates: true, ..easy() },
        "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
    );
    taken(twice, &easy());
    let system = json!({"role": "system", "content": [{"text": "Now in French."}]});
    taken(json!({"messages": [user(said("a")), system, assistant(said("b"))]}), &Family { alternates: true, ..easy() });
}

#[test]
fn a_single_turn_family_takes_no_history() {
    refused(
        json!({"messages": [user(said("a")), assistant(said("b")), user(said("c"))]}),
        &Family { single_turn: true, ..easy() },
        "This model doesn't support conversation history. Try again with input that only includes one user message.",
    );
}

#[test]
fn blank_text_is_refused_where_it_stands() {
    for blank in ["", "  ", "\n\t"] {
        refused(
            json!({"messages": [user(said("a")), assistant(json!([{"text": "b"}, {"text": blank}]))]}),
            &easy(),
            "The text field in the ContentBlock object at messages.1.content.1 is blank. Add text to the text field, and try again.",
        );
    }
    refused(
        json!({"messages": [user(json!([{"guardContent": {"text": {"text": " "}}}]))]}),
        &easy(),
        "The guard content field in the ContentBlock object at messages.0.content.0 is blank",
    );
}

#[test]
fn empty_content_is_refused() {
    refused(
        json!({"messages": [user(said("a")), assistant(json!([]))]}),
        &easy(),
        "The content field in the Message object at messages.1 is empty. Add a ContentBlock object to the content field and try again.",
    );
    let mut unset = request(json!({"messages": [user(said("a"))]}));
    unset.messages.as_mut().unwrap()[0].content[0] = ContentBlock::Unset;
    let text = check(&unset, &easy()).unwrap_err().message;
    assert!(
        text.starts_with(
            "ContentBlock object at messages.0.content.0 must set one of the following keys: text, image, toolUse"
        ),
        "{text}"
    );
}

#[test]
fn tool_blocks_need_a_tool_config() {
    const TEXT: &str = "The toolConfig field must be defined when using toolUse and toolResult content blocks.";
    let messages = json!([user(said("a")), assistant(json!([call("t1")])), user(json!([result("t1")]))]);
    refused(json!({"messages": messages}), &easy(), TEXT);
    taken(json!({"messages": messages, "toolConfig": tools()}), &easy());
}

#[test]
fn every_tool_use_is_answered_in_the_next_turn() {
    let calls = assistant(json!([{"text": "Looking."}, call("t1"), call("t2")]));
    refused(
        json!({"messages": [user(said("a")), calls, user(said("never mind"))], "toolConfig": tools()}),
        &easy(),
        "Expected toolResult blocks at messages.2.content for the following Ids: t1, t2",
    );
    refused(
        json!({"messages": [user(said("a")), calls, user(json!([result("t1")])), user(json!([result("t2")]))], "toolConfig": tools()}),
        &easy(),
        "Expected toolResult blocks at messages.2.content for the following Ids: t2",
    );
    refused(
        json!({"messages": [user(said("a")), calls], "toolConfig": tools()}),
        &easy(),
        "Expected toolResult blocks at messages.2.content for the following Ids: t1, t2",
    );
    taken(
        json!({"messages": [user(said("a")), calls, user(json!([result("t2"), result("t1"), {"text": "so?"}]))], "toolConfig": tools()}),
        &easy(),
    );
}

#[test]
fn a_tool_result_without_its_use_is_refused() {
    const TEXT: &str =
        "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn.";
    refused(json!({"messages": [user(json!([result("x1")]))], "toolConfig": tools()}), &easy(), TEXT);
    refused(
        json!({"messages": [user(said("a")), assistant(json!([call("t1")])), user(json!([result("t1"), result("t9")]))], "toolConfig": tools()}),
        &easy(),
        &TEXT.replace("messages.0", "messages.2"),
    );
}

#[test]
fn what_a_server_tool_did_needs_no_answer() {
    let used =
        json!({"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}});
    let found = json!({"toolResult": {"toolUseId": "s1", "content": [{"text": "x"}], "type": "nova_grounding_result"}});
    let messages = json!([user(said("a")), assistant(json!([used, found, {"text": "b"}])), user(said("c"))]);
    taken(json!({"messages": messages, "toolConfig": tools()}), &easy());
}

#[test]
fn text_beside_tools_is_refused_where_the_family_says_so() {
    let messages =
        json!([user(said("a")), assistant(json!([{"text": "Looking."}, call("t1")])), user(json!([result("t1")]))]);
    refused(
        json!({"messages": messages, "toolConfig": tools()}),
        &Family { text_with_tools_in_one_turn: false, ..easy() },
        "messages.1.content: Conversation blocks and tool use blocks cannot be provided in the same turn.",
    );
}

#[test]
fn tool_input_and_json_results_are_objects() {
    let text = json!({"toolUse": {"toolUseId": "t1", "name": "clock", "input": "{\"zone\": 1}"}});
    refused(
        json!({"messages": [user(said("a")), assistant(json!([text])), user(json!([result("t1")]))], "toolConfig": tools()}),
        &easy(),
        "The format of the value at messages.1.content.0.toolUse.input is invalid. Provide a json object for the field and try again.",
    );
    let list = json!({"toolResult": {"toolUseId": "t1", "content": [{"text": "two"}, {"json": [1, 2]}]}});
    refused(
        json!({"messages": [user(said("a")), assistant(json!([call("t1")])), user(json!([list]))], "toolConfig": tools()}),
        &easy(),
        "The format of the value at messages.2.content.0.toolResult.content.1.json is invalid. Provide a json object for the field and try again.",
    );
}

#[test]
fn blocks_that_the_model_cannot_read_are_named() {
    let blind = Family { reads: Vec::new(), ..easy() };
    let blocks = [
        ("image", json!({"image": {"format": "png", "source": {"bytes": "aGk="}}})),
        ("document", json!({"document": {"name": "a", "format": "txt", "source": {"bytes": "aGk="}}})),
        ("video", json!({"video": {"format": "mp4", "source": {"bytes": "aGk="}}})),
        ("audio", json!({"audio": {"format": "mp3", "source": {"bytes": "aGk="}}})),
        ("image", json!({"guardContent": {"image": {"format": "png", "source": {"bytes": "aGk="}}}})),
    ];
    for (name, block) in blocks {
        let body = json!({"messages": [user(json!([{"text": "What is it?"}, block]))]});
        taken(body.clone(), &easy());
        refused(
            body,
            &blind,
            &format!(
                "This model doesn't support the {name} content block that you provided. Update the content block and try again. (The block at messages.0.content.1, the model test.model-v1.)"
            ),
        );
    }
    let nested = json!({"toolResult": {"toolUseId": "t1", "content": [{"image": {"format": "png", "source": {"bytes": "aGk="}}}]}});
    let text = verdict(
        json!({"messages": [user(said("a")), assistant(json!([call("t1")])), user(json!([nested]))], "toolConfig": tools()}),
        &blind,
    )
    .unwrap_err();
    assert!(text.contains("messages.2.content.0.toolResult.content.0"), "{text}");
}

#[test]
fn images_and_documents_are_the_users() {
    let image = json!({"image": {"format": "png", "source": {"bytes": "aGk="}}});
    let text = verdict(json!({"messages": [user(said("a")), assistant(json!([image]))]}), &easy()).unwrap_err();
    assert!(
        text.starts_with("The image content block at messages.1.content.0 is in a message that is not the user's."),
        "{text}"
    );
}

#[test]
fn documents_have_proper_names_and_a_text_beside_them() {
    let named = |name: &str| json!({"document": {"name": name, "format": "txt", "source": {"text": "x"}}});
    for good in ["report", "Q3 report (final) [2]", "a-b"] {
        taken(json!({"messages": [user(json!([{"text": "?"}, named(good)]))]}), &easy());
    }
    for bad in ["report.pdf", "a  b", "a_b", "naïve"] {
        refused(
            json!({"messages": [user(json!([{"text": "?"}, named(bad)]))]}),
            &easy(),
            "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character. Check that the file name conforms to these restrictions and retry your request.",
        );
    }
    refused(
        json!({"messages": [user(json!([named("report")]))]}),
        &easy(),
        "A text block must be included when using documents. Add a text block and retry your request.",
    );
}

#[test]
fn families_without_system_prompts_or_tools_say_so() {
    refused(
        json!({"messages": [user(said("a"))], "system": [{"text": "Be brief."}]}),
        &Family { system: false, ..easy() },
        "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.",
    );
    refused(
        json!({"messages": [user(said("a"))], "toolConfig": tools()}),
        &Family { tools: false, ..easy() },
        "This model doesn't support tool use.",
    );
}

#[test]
fn tool_definitions_are_sound() {
    let spec = |name: &str, schema: Value| json!({"toolSpec": {"name": name, "inputSchema": {"json": schema}}});
    let object = json!({"type": "object"});
    let asked = |config: Value| json!({"messages": [user(said("a"))], "toolConfig": config});
    refused(
        asked(json!({"tools": [spec("a", object.clone()), spec("a", object.clone())]})),
        &easy(),
        "The model returned the following errors: tools: Tool names must be unique.",
    );
    refused(
        asked(json!({"tools": [spec("a", object.clone())], "toolChoice": {"tool": {"name": "b"}}})),
        &easy(),
        "The model returned the following errors: Tool 'b' not found in provided tools",
    );
    refused(
        asked(json!({"tools": [spec("a", object.clone()), spec("b", json!("text"))]})),
        &easy(),
        "The format of the value at toolConfig.tools.1.toolSpec.inputSchema.json is invalid. Provide a json object for the field and try again.",
    );
    refused(
        asked(json!({"tools": [spec("a", json!({"type": "string"}))]})),
        &easy(),
        "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.",
    );
    taken(
        asked(json!({"tools": [spec("a", object), {"cachePoint": {"type": "default"}}], "toolChoice": {"any": {}}})),
        &easy(),
    );
}

#[test]
fn at_most_four_checkpoints_and_the_long_lived_first() {
    let point = json!({"cachePoint": {"type": "default"}});
    let long = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    let five: Vec<Value> = (0..5).flat_map(|_| [json!({"text": "a"}), point.clone()]).collect();
    refused(
        json!({"messages": [user(json!(five))]}),
        &easy(),
        "The model returned the following errors: A maximum of 4 blocks with cache_control may be provided. Found 5.",
    );
    taken(json!({"messages": [user(json!(five[..8]))]}), &easy());
    refused(
        json!({"messages": [user(json!([{"text": "a"}, long]))], "system": [{"text": "s"}, point]}),
        &easy(),
        "The model returned the following errors: messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    );
    taken(json!({"messages": [user(json!([{"text": "a"}, point]))], "system": [{"text": "s"}, long]}), &easy());
}

#[test]
fn temperature_and_top_p_exclude_each_other_on_claude_4_5() {
    let body = json!({"messages": [user(said("a"))], "inferenceConfig": {"temperature": 0.5, "topP": 0.5}});
    taken(body.clone(), &easy());
    refused(
        body,
        &Family { one_of_temperature_and_top_p: true, ..easy() },
        "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    );
}

#[test]
fn a_prompt_resource_brings_its_own_fields() {
    let arn = "arn:aws:bedrock:us-east-1:111122223333:prompt/PROMPT1234:1";
    for (name, value) in [
        ("inferenceConfig", json!({"maxTokens": 5})),
        ("system", json!([{"text": "Be brief."}])),
        ("toolConfig", tools()),
        ("additionalModelRequestFields", json!({"top_k": 4})),
    ] {
        let mut asked = request(json!({ name: value }));
        asked.model_id = arn.to_owned();
        let text = check(&asked, &easy()).unwrap_err().message;
        assert!(text.starts_with(&format!("The {name} field can't be used when modelId is a prompt")), "{text}");
    }
    let mut asked = request(json!({"promptVariables": {"city": {"text": "Paris"}}}));
    asked.model_id = arn.to_owned();
    assert!(check(&asked, &easy()).is_ok());
}

fn structured(schema: &str) -> Result<(), String> {
    let output = json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema}}}});
    verdict(json!({"messages": [user(said("a"))], "outputConfig": output}), &easy())
}

#[test]
fn a_schema_is_json_and_an_object() {
    let text = structured("{not json").unwrap_err();
    assert!(
        text.starts_with("The value at outputConfig.textFormat.structure.jsonSchema.schema is not valid JSON: "),
        "{text}"
    );
    assert_eq!(
        structured("[]").unwrap_err(),
        "The value at outputConfig.textFormat.structure.jsonSchema.schema must be a JSON object."
    );
    let effort = verdict(json!({"messages": [user(said("a"))], "outputConfig": {"effort": "huge"}}), &easy());
    assert_eq!(
        effort.unwrap_err(),
        "The value 'huge' at outputConfig.effort is invalid. Use one of: low, medium, high, xhigh, max."
    );
}

#[test]
fn the_subset_of_json_schema_is_taken() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "T", "description": "d", "type": "object",
        "properties": {
            "minimum": {"type": "integer", "default": 3},
            "when": {"type": "string", "format": "date-time"},
            "kind": {"enum": ["a", 1, true, null]},
            "list": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/item"}},
            "other": {"anyOf": [{"$ref": "#/$defs/item"}, {"type": "null"}]},
        },
        "required": ["kind"], "additionalProperties": false,
        "$defs": {"item": {"type": "object", "properties": {"n": {"type": "number"}}, "additionalProperties": false}},
    });
    assert_eq!(structured(&schema.to_string()), Ok(()));
}

#[test]
fn the_rest_of_json_schema_is_refused_with_its_place() {
    let cases = [
        (
            json!({"properties": {"n": {"type": "integer", "minimum": 1}}}),
            "#/properties/n: 'minimum' is not supported.",
        ),
        (json!({"properties": {"s": {"maxLength": 4}}}), "#/properties/s: 'maxLength' is not supported."),
        (json!({"additionalProperties": true}), "#: 'additionalProperties' must be false."),
        (json!({"items": {"type": "array", "minItems": 2}}), "#/items: 'minItems' must be 0 or 1."),
        (json!({"properties": {"s": {"format": "regex"}}}), "#/properties/s: the format 'regex' is not supported."),
        (json!({"enum": [{}]}), "#: 'enum' must be a list of scalars."),
        (json!({"$ref": "https://example.com/x"}), "#: '$ref' must point into the schema itself."),
        (json!({"$ref": "#/$defs/no"}), "#: '$ref' points to '#/$defs/no', which is not there."),
        (json!({"properties": {"a": {"$ref": "#"}}}), "#/properties/a: recursive schemas are not supported."),
        (
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}),
            "#/$defs/a/items: recursive schemas are not supported.",
        ),
    ];
    for (schema, place) in cases {
        let text = structured(&schema.to_string()).unwrap_err();
        assert_eq!(
            text,
            format!("The JSON schema at outputConfig.textFormat.structure.jsonSchema.schema is invalid at {place}")
        );
    }
}

#[test]
fn a_schema_cannot_cost_more_than_it_weighs() {
    // Each definition names the next one twice: followed blindly, this is 2^60 steps.
    let mut defs = serde_json::Map::new();
    for i in 0..60 {
        let next = json!({"$ref": format!("#/$defs/d{}", i + 1)});
        defs.insert(format!("d{i}"), json!({"anyOf": [next, next]}));
    }
    defs.insert("d60".to_owned(), json!({"type": "null"}));
    assert_eq!(structured(&json!({"$ref": "#/$defs/d0", "$defs": defs}).to_string()), Ok(()));

    // A long chain of references must not use up the stack.
    let mut defs = serde_json::Map::new();
    for i in 0..20_000 {
        defs.insert(format!("d{i}"), json!({"$ref": format!("#/$defs/d{}", i + 1)}));
    }
    defs.insert("d20000".to_owned(), json!({"type": "null"}));
    let text = structured(&json!({"$ref": "#/$defs/d0", "$defs": defs}).to_string()).unwrap_err();
    assert!(text.ends_with("it is nested too deeply."), "{text}");
}

#[test]
fn the_catalogue_says_what_a_model_takes() {
    let catalogue = outcrop_models::Catalogue::builtin().unwrap();
    let of = |id: &str| family(catalogue.get(id).unwrap());
    let haiku = of("anthropic.claude-3-haiku-20240307-v1:0");
    assert!(haiku.starts_with_user && !haiku.alternates && haiku.text_with_tools_in_one_turn && haiku.tools);
    assert!(haiku.reads.contains(&Modality::Image) && !haiku.reads.contains(&Modality::Video));
    let llama = of("meta.llama3-1-8b-instruct-v1:0");
    assert!(llama.starts_with_user && llama.alternates && !llama.reads.contains(&Modality::Image));
    assert!(of("anthropic.claude-sonnet-4-5-20250929-v1:0").one_of_temperature_and_top_p);
    assert!(!haiku.one_of_temperature_and_top_p);
}
