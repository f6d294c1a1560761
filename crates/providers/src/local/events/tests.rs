use outcrop_engine::Usage;
use outcrop_wire::encode;
use serde_json::Value;

use super::*;

/// What clients see of the engine's events, each as its JSON.
fn seen(events: Vec<Event>) -> Vec<Value> {
    let start = ConverseStreamOutput::MessageStart(MessageStartEvent { role: ConversationRole::Assistant });
    let mut writer = Writer::new(start);
    events.into_iter().for_each(|event| writer.take(event));
    writer.ready.iter().map(|e| serde_json::from_slice(&encode::body(e, Vec::new())).unwrap()).collect()
}

fn finished(reason: FinishReason) -> Event {
    let usage = Usage { prompt_tokens: 10, output_tokens: 4, ..Usage::default() };
    Event::Finished(Finished { reason, usage, timings: Default::default() })
}

#[test]
fn text_is_one_block_without_a_start() {
    let seen = seen(vec![
        Event::Started(Usage::default()),
        Event::Text("he".into()),
        Event::Text("llo".into()),
        finished(FinishReason::EndTurn),
    ]);
    assert_eq!(
        seen[..4],
        [
            json!({ "messageStart": { "role": "assistant" } }),
            json!({ "contentBlockDelta": { "delta": { "text": "he" }, "contentBlockIndex": 0 } }),
            json!({ "contentBlockDelta": { "delta": { "text": "llo" }, "contentBlockIndex": 0 } }),
            json!({ "contentBlockStop": { "contentBlockIndex": 0 } }),
        ]
    );
    assert_eq!(seen[4]["messageStop"]["stopReason"], "end_turn");
    let usage = &seen[5]["metadata"]["usage"];
    assert_eq!(*usage, json!({ "inputTokens": 10, "outputTokens": 4, "totalTokens": 14 }));
    assert_eq!(seen.len(), 6);
}

#[test]
fn every_tool_call_is_a_block_of_its_own() {
    let call = |name: &str| {
        vec![
            Event::ToolCallStart { name: name.into() },
            Event::ToolCallArguments("{\"a\":".into()),
            Event::ToolCallArguments("1}".into()),
            Event::ToolCallEnd,
        ]
    };
    let mut events = vec![Event::Text("so".into())];
    events.extend(call("one"));
    events.extend(call("two"));
    events.push(finished(FinishReason::ToolUse));
    let seen = seen(events);
    let order: Vec<String> = seen
        .iter()
        .map(|e| {
            let (name, inner) = e.as_object().unwrap().iter().next().unwrap();
            inner.get("contentBlockIndex").map_or(name.clone(), |i| format!("{name} {i}"))
        })
        .collect();
    assert_eq!(
        order,
        [
            "messageStart",
            "contentBlockDelta 0",
            "contentBlockStop 0",
            "contentBlockStart 1",
            "contentBlockDelta 1",
            "contentBlockDelta 1",
            "contentBlockStop 1",
            "contentBlockStart 2",
            "contentBlockDelta 2",
            "contentBlockDelta 2",
            "contentBlockStop 2",
            "messageStop",
            "metadata",
        ]
    );
    let id = |at: usize| seen[at]["contentBlockStart"]["start"]["toolUse"]["toolUseId"].as_str().unwrap();
    assert!(id(3).starts_with("tooluse_") && id(3).len() == 30 && id(3) != id(7), "{} {}", id(3), id(7));
    assert_eq!(seen[5]["contentBlockDelta"]["delta"]["toolUse"]["input"], "1}");
    assert_eq!(seen[11]["messageStop"]["stopReason"], "tool_use");
}

#[test]
fn a_stop_sequence_is_told_where_both_kinds_of_client_look() {
    let events = seen(vec![Event::Text("a".into()), finished(FinishReason::StopSequence("END".into()))]);
    let stop = &events[3]["messageStop"];
    assert_eq!(stop["stopReason"], "stop_sequence");
    let fields = &stop["additionalModelResponseFields"];
    assert_eq!((&fields["stop_sequence"], &fields["delta"]["stop_sequence"]), (&json!("END"), &json!("END")));
    let silent = seen(vec![finished(FinishReason::MaxTokens)]);
    assert_eq!(silent[1]["messageStop"]["stopReason"], "max_tokens", "an answer without text has no block: {silent:?}");
}
