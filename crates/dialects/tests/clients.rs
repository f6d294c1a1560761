//! The client's sides of the formats, file by file: `golden/<format>-client/`. Requests were written by hand, answers and
//! streams come from the formats' documentation, which every file names.
//!
//! `request-*`: a Converse request and the body for the provider, or the error. `answer-*`: the provider's body and
//! Converse's. `stream-*`: server-sent events and Converse's events.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

mod support;

use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseStreamOutput};
use outcrop_dialects::client::{Ask, ClientDialect, ReadError};
use outcrop_dialects::converse::Fold;
use outcrop_dialects::{anthropic, cohere, mistral, openai};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{cases, files, read, written};

const CLIENTS: &[(&str, &dyn ClientDialect)] = &[
    ("anthropic-client", &anthropic::client::Messages),
    ("openai-client", &openai::client::OPENAI_CLIENT),
    ("openai-compatible-client", &openai::client::SELF_HOSTED_CLIENT),
    ("deepseek-client", &openai::client::DEEPSEEK_CLIENT),
    ("mistral-client", &mistral::CLIENT),
    ("cohere-client", &cohere::client::Chat),
];

fn make_id() -> String {
    "tooluse_made".to_owned()
}

/// Events, each a name and its data.
type Named = Vec<(String, String)>;

/// The named events of a stream as the wire has them.
fn events(text: &str) -> Named {
    let mut out = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let (mut name, mut data) = (String::new(), String::new());
        for line in block.lines() {
            if let Some(rest) = line.strip_prefix("event:") {
                name = rest.trim().to_owned();
            } else if let Some(rest) = line.strip_prefix("data:") {
                data.push_str(rest.trim());
            }
        }
        out.push((name, data));
    }
    out
}

fn streamed(
    client: &dyn ClientDialect,
    events: &[(String, String)],
) -> (Vec<ConverseStreamOutput>, Result<(), ReadError>) {
    let mut reader = client.reader(make_id);
    let mut out = Vec::new();
    for (name, data) in events {
        if let Err(error) = reader.event(name, data.as_bytes(), &mut out) {
            return (out, Err(error));
        }
    }
    let end = reader.end(&mut out);
    (out, end)
}

/// The text of a stream: a list of lines, for they are long.
fn text(case: &Value) -> String {
    case["sse"].as_array().unwrap().iter().map(|line| format!("{}\n", line.as_str().unwrap())).collect()
}

/// Notes a difference: all of them are told at once.
fn same(wrong: &mut Vec<String>, file: String, case: usize, got: &Value, expected: &Value) {
    if got != expected {
        wrong.push(json!({"file": file, "case": case, "got": got, "expected": expected}).to_string());
    }
}

#[test]
fn requests() {
    let mut wrong = Vec::new();
    for (format, client) in CLIENTS {
        for (name, file) in files(format, "request") {
            for (i, case) in cases(&file).iter().enumerate().filter(|(_, case)| case.get("converse").is_some()) {
                let request: ConverseRequest = read(&case["converse"]);
                let stream = case["stream"].as_bool().unwrap_or_default();
                let ask = Ask { request: &request, model: case["model"].as_str().unwrap_or("m"), stream };
                match (client.request(&ask), case.get("error")) {
                    (Ok(body), None) => {
                        let body: Value = serde_json::from_slice(&body).unwrap();
                        same(&mut wrong, format!("{format}/{name}"), i, &body, &case["body"]);
                    }
                    (Err(error), Some(text)) => {
                        same(&mut wrong, format!("{format}/{name}"), i, &json!(error.to_string()), text)
                    }
                    (got, _) => panic!("{format}/{name}: {case}: {:?}", got.map(String::from_utf8)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn answers() {
    let mut wrong = Vec::new();
    for (format, client) in CLIENTS {
        for (name, file) in files(format, "answer") {
            for (i, case) in cases(&file).iter().enumerate().filter(|(_, case)| case.get("body").is_some()) {
                match (client.answer(case["body"].to_string().as_bytes(), make_id), case.get("error")) {
                    (Ok(answer), None) => {
                        let answer = written(&answer);
                        same(&mut wrong, format!("{format}/{name}"), i, &answer, &case["converse"]);
                    }
                    (Err(error), Some(text)) => {
                        same(&mut wrong, format!("{format}/{name}"), i, &json!(error.to_string()), text)
                    }
                    (got, _) => panic!("{format}/{name}: {case}: {got:?}"),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn streams() {
    let mut wrong = Vec::new();
    for (format, client) in CLIENTS {
        for (name, file) in files(format, "stream") {
            for (i, case) in cases(&file).iter().enumerate().filter(|(_, case)| case.get("sse").is_some()) {
                let (got, end) = streamed(*client, &events(&text(case)));
                let told: Vec<Value> = got.iter().map(|event| written(event)).collect();
                same(&mut wrong, format!("{format}/{name}"), i, &json!(told), &case["events"]);
                match (end, case.get("error")) {
                    (Ok(()), None) => {}
                    (Err(error), Some(text)) => {
                        same(&mut wrong, format!("{format}/{name}"), i, &json!(error.to_string()), text)
                    }
                    (got, _) => panic!("{format}/{name}: {got:?}"),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The complete streams of a format.
fn complete() -> Vec<(&'static dyn ClientDialect, Named)> {
    let mut out = Vec::new();
    for (format, client) in CLIENTS {
        for (_, file) in files(format, "stream") {
            for case in cases(&file) {
                if case.get("sse").is_some() && case.get("error").is_none() {
                    out.push((*client, events(&text(&case))));
                }
            }
        }
    }
    out
}

fn folded(events: Vec<ConverseStreamOutput>) -> Value {
    let mut fold = Fold::new();
    events.into_iter().for_each(|event| fold.push(event));
    written(&fold.finish().unwrap())
}

#[test]
fn a_stream_that_ends_early_never_passes_for_an_answer() {
    for (client, events) in complete() {
        for length in 0..events.len() {
            let (got, end) = streamed(client, &events[..length]);
            let whole = got.iter().any(|event| matches!(event, ConverseStreamOutput::Metadata(_)));
            assert_eq!(end.is_ok(), whole, "{:?}", &events[..length]);
        }
    }
}

/// Any JSON value.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z_]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Adds a member that nobody knows to every object below.
fn strange(value: &mut Value, with: &Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(|below| strange(below, with));
            map.insert("x_unknown".to_owned(), with.clone());
        }
        Value::Array(list) => list.iter_mut().for_each(|below| strange(below, with)),
        _ => {}
    }
}

/// The events without what a caller points at and without documents, where unknown members are kept.
fn plainly(mut folded: Value) -> Value {
    folded.as_object_mut().unwrap().remove("additionalModelResponseFields");
    for block in folded.pointer_mut("/output/message/content").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(content) = block.pointer_mut("/toolResult/content") {
            *content = Value::Null;
        }
        if let Some(input) = block.pointer_mut("/toolUse/input") {
            *input = Value::Null;
        }
    }
    folded
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn members_that_nobody_knows_change_nothing(with in tree()) {
        for (client, events) in complete() {
            let said: Vec<_> = events.iter().map(|(name, data)| {
                let Ok(mut value) = serde_json::from_str(data) else { return (name.clone(), data.clone()) };
                strange(&mut value, &with);
                (name.clone(), value.to_string())
            }).collect();
            let (plain, _) = streamed(client, &events);
            let (got, end) = streamed(client, &said);
            prop_assert!(end.is_ok());
            prop_assert_eq!(plainly(folded(got)), plainly(folded(plain)));
        }
    }

    #[test]
    fn nothing_that_a_provider_sends_makes_a_reader_panic(value in tree(), at in any::<prop::sample::Index>(), key in any::<prop::sample::Index>()) {
        for (client, mut events) in complete() {
            let which = at.index(events.len());
            if let Ok(mut said) = serde_json::from_str::<Value>(&events[which].1) {
                if let Some(map) = said.as_object_mut() {
                    let keys: Vec<String> = map.keys().cloned().collect();
                    if !keys.is_empty() {
                        map.insert(keys[key.index(keys.len())].clone(), value.clone());
                    }
                }
                events[which].1 = said.to_string();
            }
            let _ = streamed(client, &events);
            let _ = client.answer(value.to_string().as_bytes(), make_id);
            let _ = client.answer(events[which].1.as_bytes(), make_id);
            let _ = client.refusal(500, value.to_string().as_bytes());
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, client) in CLIENTS {
            let _ = client.answer(&bytes, make_id);
            let _ = client.refusal(400, &bytes);
            let _ = client.reader(make_id).event("", &bytes, &mut Vec::new());
            let _ = client.reader(make_id).event("content_block_delta", &bytes, &mut Vec::new());
        }
    }
}
