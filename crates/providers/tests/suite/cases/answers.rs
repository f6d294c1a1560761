//! What answers say, whole and streamed.

use outcrop_api::bedrock_runtime::{ContentBlockDelta, ConverseStreamOutput, StopReason};
use serde_json::json;

use super::{content, folded, question, streamed, whole, written};
use crate::speaks::{Block, Counts, Lacks, Said, Speaks, Stop};

fn said(blocks: Vec<Block>) -> Said {
    Said { blocks, ..Said::default() }
}

pub async fn text(speaks: &dyn Speaks) {
    let (fake, answer) = whole(speaks, &said(vec![Block::Text("High at \"noon\".\n¡Ojo! 🌊")]), question()).await;
    assert_eq!(content(&answer), json!([{"text": "High at \"noon\".\n¡Ojo! 🌊"}]));
    assert_eq!(answer.stop_reason, StopReason::EndTurn);
    assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens), (12, 7, 19));
    let asked = speaks.asked(&fake.last());
    assert_eq!((asked.model.as_str(), asked.stream), (speaks.model(), false));
    assert_eq!(asked.key.as_deref(), Some(crate::speaks::KEY));
    assert_eq!((asked.turns[0].role.as_str(), asked.turns[0].text.as_str()), ("user", "How is the tide?"));
}

pub async fn streamed_text(speaks: &dyn Speaks) {
    let (fake, events) = streamed(speaks, &said(vec![Block::Text("High at \"noon\".\n¡Ojo! 🌊")]), question()).await;
    let deltas = events.iter().filter(|event| {
        matches!(event, ConverseStreamOutput::ContentBlockDelta(d) if matches!(d.delta, ContentBlockDelta::Text(_)))
    });
    assert!(deltas.count() > 1, "the text comes as it is made");
    let answer = folded(&events);
    assert_eq!(content(&answer), json!([{"text": "High at \"noon\".\n¡Ojo! 🌊"}]));
    assert_eq!(answer.stop_reason, StopReason::EndTurn);
    assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens), (12, 7, 19));
    assert!(speaks.asked(&fake.last()).stream);
}

fn calls() -> Said {
    let blocks = vec![
        Block::Text("I look."),
        Block::Call("call_1", "tide", json!({"port": "Brest", "days": [1, 2]})),
        Block::Call("call_2", "wind", json!({"port": "a } b"})),
    ];
    Said { blocks, stop: Stop::Tools, ..Said::default() }
}

fn called() -> serde_json::Value {
    json!([
        {"text": "I look."},
        {"toolUse": {"toolUseId": "call_1", "name": "tide", "input": {"port": "Brest", "days": [1, 2]}}},
        {"toolUse": {"toolUseId": "call_2", "name": "wind", "input": {"port": "a } b"}}},
    ])
}

pub async fn tools(speaks: &dyn Speaks) {
    if speaks.lacks().contains(&Lacks::Tools) {
        return;
    }
    let mut question = question();
    question["toolConfig"] = super::tool_config();
    let (fake, answer) = whole(speaks, &calls(), question).await;
    assert_eq!(content(&answer), called());
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    let asked = speaks.asked(&fake.last());
    let names: Vec<&str> = asked.tools.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["tide", "wind"]);
    assert_eq!(asked.tools[0].1["properties"]["port"], json!({"type": "string"}));
}

pub async fn streamed_tools(speaks: &dyn Speaks) {
    if speaks.lacks().contains(&Lacks::Tools) {
        return;
    }
    let mut question = question();
    question["toolConfig"] = super::tool_config();
    let (_fake, events) = streamed(speaks, &calls(), question).await;
    let answer = folded(&events);
    assert_eq!(content(&answer), called());
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
}

pub async fn reasoning(speaks: &dyn Speaks) {
    if speaks.lacks().contains(&Lacks::Reasoning) {
        return;
    }
    let said = said(vec![Block::Reasoning("The moon pulls."), Block::Text("High.")]);
    let (_, answer) = whole(speaks, &said, question()).await;
    let (_, events) = streamed(speaks, &said, question()).await;
    for answer in [answer, folded(&events)] {
        let content = content(&answer);
        assert_eq!(content[0]["reasoningContent"]["reasoningText"]["text"], "The moon pulls.", "{content}");
        assert_eq!(content[1], json!({"text": "High."}));
    }
}

pub async fn length_and_filter(speaks: &dyn Speaks) {
    for (stop, reason) in [(Stop::Length, StopReason::MaxTokens), (Stop::Filtered, StopReason::ContentFiltered)] {
        let said = Said { blocks: vec![Block::Text("High at")], stop, ..Said::default() };
        let (_, answer) = whole(speaks, &said, question()).await;
        assert_eq!(answer.stop_reason, reason);
        let (_, events) = streamed(speaks, &said, question()).await;
        assert_eq!(folded(&events).stop_reason, reason);
    }
}

pub async fn stop_sequences(speaks: &dyn Speaks) {
    let mut question = question();
    question["inferenceConfig"] = json!({"stopSequences": ["###", "END"]});
    let said = Said { blocks: vec![Block::Text("High.")], stop: Stop::Sequence("###"), ..Said::default() };
    let (fake, answer) = whole(speaks, &said, question.clone()).await;
    assert_eq!(speaks.asked(&fake.last()).stop, ["###", "END"]);
    let (_, events) = streamed(speaks, &said, question).await;
    for answer in [answer, folded(&events)] {
        if speaks.lacks().contains(&Lacks::WhichStop) {
            let known = matches!(answer.stop_reason, StopReason::EndTurn | StopReason::StopSequence);
            assert!(known, "{:?}", answer.stop_reason);
            continue;
        }
        assert_eq!(answer.stop_reason, StopReason::StopSequence);
        assert_eq!(written(&answer)["additionalModelResponseFields"]["stop_sequence"], "###");
    }
}

/// What was cached is not among the input, but is among the total.
pub async fn usage(speaks: &dyn Speaks) {
    if speaks.lacks().contains(&Lacks::Cache) {
        return;
    }
    let usage = Counts { input: 30, cached: Some(1024), output: 5 };
    let said = Said { blocks: vec![Block::Text("High.")], usage, ..Said::default() };
    let (_, answer) = whole(speaks, &said, question()).await;
    let (_, events) = streamed(speaks, &said, question()).await;
    for answer in [answer, folded(&events)] {
        let usage = answer.usage;
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (30, 5, 1059));
        assert_eq!(usage.cache_read_input_tokens, Some(1024));
    }
}
