mod properties;

use std::collections::HashSet;

use outcrop_wire::decode::{self, Problems};
use outcrop_wire::encode;

use crate::bedrock_runtime::{ContentBlock, ConverseRequest, StopReason};
use crate::{Kind, Operation, Service, bedrock, bedrock_agent, bedrock_agent_runtime, bedrock_runtime, operations};

#[test]
fn there_are_240_operations() {
    assert_eq!(operations().count(), 240);
    let names: HashSet<_> = operations().map(|o| (o.service, o.name)).collect();
    assert_eq!(names.len(), 240);
    let count = |s| operations().filter(|o| o.service == s).count();
    assert_eq!(Service::ALL.map(count), [108, 11, 86, 35]);
}

#[test]
fn every_pattern_compiles() {
    let all = [bedrock::PATTERNS, bedrock_runtime::PATTERNS, bedrock_agent::PATTERNS, bedrock_agent_runtime::PATTERNS];
    for pattern in all.into_iter().flatten() {
        assert!(pattern.compiled().is_some(), "{pattern:?} as {}: {:?}", pattern.regex, regex_error(pattern.regex));
    }
}

fn regex_error(source: &str) -> String {
    regex::Regex::new(source).err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn corrected_patterns_admit_what_is_real() {
    let find = |list: &'static [&'static outcrop_wire::shape::Pattern], part: &str| {
        *list.iter().find(|p| p.source.contains(part)).unwrap()
    };
    let taggable = find(bedrock_agent::PATTERNS, "agent|agent-alias|knowledge-base");
    assert!(taggable.matches("arn:aws:bedrock:us-east-1:123456789012:agent/ABCDEFGHIJ"));
    let question = find(bedrock_agent_runtime::PATTERNS, r"^.*\S.*");
    assert!(question.matches("how many?") && !question.matches("  "));
}

#[test]
fn the_same_error_has_another_status_elsewhere() {
    let conflict = Service::ALL.map(|s| s.status(Kind::Conflict));
    assert_eq!(conflict, [400, 400, 409, 409]);
    assert_eq!(Service::BedrockRuntime.status(Kind::ModelNotReady), 429);
    assert_eq!(Service::BedrockAgentRuntime.status(Kind::ModelNotReady), 424);
    assert_eq!(Service::BedrockAgent.status(Kind::ServiceQuotaExceeded), 402);
    assert_eq!(Service::Bedrock.status(Kind::NotImplemented), 501);
}

#[test]
fn a_conversation_survives_the_codec() {
    let text = r#"{"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]}],"inferenceConfig":{"temperature":0.7,"maxTokens":5},"additionalModelRequestFields":{"top_k":[1,{"a":null}]},"requestMetadata":{"team":"search"}}"#;
    let (mut request, mut problems) = (ConverseRequest::default(), Problems::default());
    decode::body(text.as_bytes(), &mut request, &mut problems).unwrap();
    assert_eq!(problems.message(), None);
    let Some(messages) = &request.messages else { panic!("no messages") };
    assert!(matches!(&messages[0].content[0], ContentBlock::Text(t) if t == "hi"));
    let again: serde_json::Value = serde_json::from_slice(&encode::body(&request, Vec::new())).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
}

#[test]
fn broken_constraints_are_named_with_path_count_and_plural() {
    let problem = |text: &str| {
        let (mut request, mut problems) = (ConverseRequest::default(), Problems::default());
        decode::body(text.as_bytes(), &mut request, &mut problems)
            .map_err(|e| e.to_string())
            .map(|()| problems.message())
    };
    assert_eq!(
        problem(r#"{"inferenceConfig":{"temperature":1.5}}"#).unwrap().unwrap(),
        "1 validation error detected: Value '1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: \
         Member must have value less than or equal to 1"
    );
    assert_eq!(
        problem(r#"{"messages":[{"content":[{"text":"x"}]},{"role":"nobody"}]}"#).unwrap().unwrap(),
        "3 validation errors detected: Value null at 'messages.1.member.role' failed to satisfy constraint: Member \
         must not be null; Value 'nobody' at 'messages.2.member.role' failed to satisfy constraint: Member must \
         satisfy enum value set: [user, assistant, system]; Value null at 'messages.2.member.content' failed to \
         satisfy constraint: Member must not be null"
    );
    let union = problem(r#"{"messages":[{"role":"user","content":[{}]}]}"#).unwrap().unwrap();
    assert!(
        union.starts_with("The ContentBlock object at messages.0.content.0 must set one of the following keys: text")
    );
    assert_eq!(problem(r#"{"messages":"x"}"#).unwrap_err(), "The value at 'messages' must be a list, not a string.");
    assert!(problem("{").unwrap_err().starts_with("The request body is not valid JSON"));
    assert_eq!(problem("").unwrap(), None);
}

#[test]
fn enumerations_keep_what_they_do_not_know() {
    assert_eq!(StopReason::from("end_turn"), StopReason::EndTurn);
    let odd = StopReason::from("bored");
    assert_eq!(odd.as_str(), "bored");
    assert_eq!(odd, StopReason::Unlisted("bored".into()));
}

#[test]
fn sensitive_members_hide_themselves() {
    let mut request = bedrock_runtime::InvokeModelRequest { model_id: "m".into(), ..Default::default() };
    request.body = Some("top secret".into());
    let shown = format!("{request:?}");
    assert!(shown.contains("model_id") || shown.contains("modelId"), "{shown}");
    assert!(!shown.contains("secret") && shown.contains("<sensitive>"), "{shown}");
}

#[test]
fn markers_carry_their_operation() {
    let converse = <bedrock_runtime::ConverseStream as Operation>::SPEC;
    assert_eq!((converse.method, converse.uri), ("POST", "/model/{modelId}/converse-stream"));
    assert_eq!(converse.action, "bedrock:InvokeModelWithResponseStream");
    assert!(converse.streams && !converse.streams_input);
    assert_eq!(<bedrock_agent::PrepareAgent as Operation>::SPEC.status, 202);
}
