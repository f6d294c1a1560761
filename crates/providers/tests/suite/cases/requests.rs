//! What is asked, and what is absorbed on the way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outcrop_providers::Cause;
use serde_json::{Value, json};

use super::{converse, question, whole};
use crate::fake::Reply;
use crate::speaks::{Asked, Block, Choice, Lacks, Said, Speaks, Stop};

/// Two tools.
pub fn tool_config() -> Value {
    let schema = json!({"json": {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]}});
    json!({"tools": [
        {"toolSpec": {"name": "tide", "description": "The tide of a port.", "inputSchema": schema}},
        {"toolSpec": {"name": "wind", "inputSchema": schema}},
    ]})
}

fn fine() -> Said {
    Said { blocks: vec![Block::Text("High.")], ..Said::default() }
}

/// Asks, and gives what the service was asked.
async fn asked(speaks: &dyn Speaks, value: Value) -> Asked {
    let (fake, _) = whole(speaks, &fine(), value).await;
    speaks.asked(&fake.last())
}

pub async fn forced_tool(speaks: &dyn Speaks) {
    if speaks.lacks().contains(&Lacks::Tools) {
        return;
    }
    for (choice, expected) in [
        (json!({"auto": {}}), Choice::Auto),
        (json!({"any": {}}), Choice::Any),
        (json!({"tool": {"name": "wind"}}), Choice::Named("wind".into())),
    ] {
        let mut question = question();
        question["toolConfig"] = tool_config();
        question["toolConfig"]["toolChoice"] = choice;
        let call = Block::Call("call_1", "wind", json!({"port": "Brest"}));
        // Many a service says `stop` where it was made to call.
        for stop in [Stop::Tools, Stop::End] {
            let said = Said { blocks: vec![call.clone()], stop, ..Said::default() };
            let (fake, answer) = whole(speaks, &said, question.clone()).await;
            assert_eq!(answer.stop_reason, outcrop_api::bedrock_runtime::StopReason::ToolUse);
            let got = speaks.asked(&fake.last()).choice;
            // To leave the choice open is what every service does by itself.
            assert_eq!(got.unwrap_or(Choice::Auto), expected);
        }
    }
}

pub async fn structured_output(speaks: &dyn Speaks) {
    let schema = json!({"type": "object", "properties": {"high": {"type": "boolean"}}, "required": ["high"], "additionalProperties": false});
    let mut question = question();
    question["outputConfig"] = json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
        "schema": schema.to_string(), "name": "tide",
    }}}});
    if speaks.lacks().contains(&Lacks::Schema) {
        return unmappable(speaks, question, "outputConfig").await;
    }
    assert_eq!(asked(speaks, question).await.schema, Some(schema));
}

/// A request that the format cannot say is refused before it is sent, by the name of its member and of the model.
pub async fn unmappable(speaks: &dyn Speaks, value: Value, member: &str) {
    let reply = Reply::whole(speaks.whole_type(), speaks.whole(&fine()));
    let (fake, answer) = converse(speaks, reply, value, false).await;
    let failure = answer.err().expect("a refusal");
    assert_eq!(failure.cause, Cause::Unmappable, "{failure}");
    assert_eq!(failure.fault.kind, outcrop_api::Kind::Validation);
    assert!(failure.fault.message.contains(member), "{failure}");
    assert!(failure.fault.message.contains(speaks.model()), "{failure}");
    assert!(fake.seen().is_empty(), "something was sent");
}

/// A PNG of one pixel would do as well: nobody looks at it.
const PIXELS: &[u8] = b"\x89PNG\r\n\x1a\nnot much of an image";

pub async fn image(speaks: &dyn Speaks) {
    for format in ["png", "jpeg", "gif", "webp"] {
        let image = json!({"image": {"format": format, "source": {"bytes": STANDARD.encode(PIXELS)}}});
        let question = json!({"messages": [{"role": "user", "content": [{"text": "What is this?"}, image]}]});
        if speaks.lacks().contains(&Lacks::Images) {
            return unmappable(speaks, question, "messages.0.content.1.image").await;
        }
        let asked = asked(speaks, question).await;
        assert_eq!(asked.turns[0].images, [(format.to_owned(), PIXELS.to_vec())]);
        assert_eq!(asked.turns[0].text, "What is this?");
    }
}

pub async fn image_of_a_tool(speaks: &dyn Speaks) {
    if speaks.lacks().iter().any(|lacks| matches!(lacks, Lacks::Images | Lacks::Tools)) {
        return;
    }
    let image = json!({"image": {"format": "png", "source": {"bytes": STANDARD.encode(PIXELS)}}});
    let conversation = json!({"toolConfig": tool_config(), "messages": [
        {"role": "user", "content": [{"text": "How is the tide?"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call_1", "name": "tide", "input": {"port": "Brest"}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "a chart"}, image]}}]},
    ]});
    let asked = asked(speaks, conversation).await;
    let results: Vec<_> = asked.turns.iter().flat_map(|turn| &turn.results).collect();
    assert_eq!(results.len(), 1, "{asked:?}");
    assert_eq!(results[0].0, "call_1");
    assert!(results[0].1.contains("a chart"), "{asked:?}");
    let images: Vec<_> = asked.turns.iter().flat_map(|turn| &turn.images).collect();
    assert_eq!(images, [&("png".to_owned(), PIXELS.to_vec())], "{asked:?}");
}

/// Reasoning of another model, signed or not, is no reason to refuse a conversation.
pub async fn earlier_reasoning(speaks: &dyn Speaks) {
    let conversation = json!({"messages": [
        {"role": "user", "content": [{"text": "How is the tide?"}]},
        {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "The moon pulls.", "signature": "c2lnbmVk"}}},
            {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
            {"text": "High."},
        ]},
        {"role": "user", "content": [{"text": "And now?"}]},
    ]});
    let asked = asked(speaks, conversation).await;
    assert_eq!(asked.turns.len(), 3, "{asked:?}");
    assert_eq!(asked.turns[1].text, "High.", "{asked:?}");
}

pub async fn inference(speaks: &dyn Speaks) {
    let mut question = question();
    question["system"] = json!([{"text": "Be brief."}, {"cachePoint": {"type": "default"}}, {"text": "Be kind."}]);
    question["inferenceConfig"] = json!({"maxTokens": 99, "temperature": 0.7});
    let asked = asked(speaks, question).await;
    assert_eq!((asked.max_tokens, asked.temperature), (Some(99), Some(0.7)));
    assert_eq!(asked.system, "Be brief.\nBe kind.");
}

/// Turns of one role in a row, and results beside what the user says to them.
pub async fn turns_of_one_role(speaks: &dyn Speaks) {
    let conversation = json!({"messages": [
        {"role": "user", "content": [{"text": "One."}]},
        {"role": "user", "content": [{"text": "Two."}, {"cachePoint": {"type": "default"}}]},
        {"role": "assistant", "content": [{"text": "Three."}]},
        {"role": "assistant", "content": [{"text": "Four."}]},
        {"role": "user", "content": [{"text": "Five."}]},
    ]});
    let asked = asked(speaks, conversation).await;
    let turns: Vec<(&str, &str)> = asked.turns.iter().map(|turn| (turn.role.as_str(), turn.text.as_str())).collect();
    assert_eq!(turns, [("user", "One.\nTwo."), ("assistant", "Three.\nFour."), ("user", "Five.")]);
}

/// A call without arguments has the arguments `{}`, both ways, and a failed result says so.
pub async fn empty_arguments(speaks: &dyn Speaks) {
    if speaks.lacks().contains(&Lacks::Tools) {
        return;
    }
    let conversation = json!({"toolConfig": tool_config(), "messages": [
        {"role": "user", "content": [{"text": "How is the tide?"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call_1", "name": "tide", "input": {}}}]},
        {"role": "user", "content": [
            {"text": "Does that help?"},
            {"toolResult": {"toolUseId": "call_1", "status": "error", "content": [{"text": "no port"}]}},
        ]},
    ]});
    let said = Said { blocks: vec![Block::Call("call_2", "tide", json!({}))], stop: Stop::Tools, ..Said::default() };
    let (fake, answer) = whole(speaks, &said, conversation.clone()).await;
    let (_, events) = super::streamed(speaks, &said, conversation).await;
    for answer in [answer, super::folded(&events)] {
        assert_eq!(super::content(&answer)[0]["toolUse"]["input"], json!({}));
    }
    let asked = speaks.asked(&fake.last());
    let calls: Vec<_> = asked.turns.iter().flat_map(|turn| &turn.calls).collect();
    assert_eq!(calls, [&("call_1".to_owned(), "tide".to_owned(), json!({}))]);
    let results: Vec<_> = asked.turns.iter().flat_map(|turn| &turn.results).collect();
    assert!(results[0].1.contains("no port"), "{asked:?}");
    assert!(asked.turns.iter().any(|turn| turn.role == "user" && turn.text == "Does that help?"), "{asked:?}");
}
