use std::sync::Arc;

use futures_util::StreamExt;
use outcrop_wire::decode::{self, Problems};
use serde_json::{Value, json};

use super::*;
use crate::Priority;

fn scripted(script: &str) -> Result<Scripted, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.toml");
    std::fs::write(&path, script).unwrap();
    Scripted::new(&ProviderSettings { name: "s".into(), script: Some(path), ..Default::default() })
}

fn call(messages: Value, stream: bool) -> Call {
    let mut request = ConverseRequest::default();
    let body = json!({ "messages": messages }).to_string();
    decode::body(body.as_bytes(), &mut request, &mut Problems::default()).unwrap();
    Call {
        model: "large".into(),
        request: Arc::new(request),
        stream,
        scope: "a".into(),
        priority: Priority::Normal,
        cache_minimum: 0,
    }
}

fn user(text: &str) -> Value {
    json!([{ "role": "user", "content": [{ "text": text }] }])
}

async fn whole(provider: &Scripted, text: &str) -> Result<ConverseResponse, Failure> {
    match provider.converse(call(user(text), false)).await? {
        Answer::Whole(answer) => Ok(*answer),
        Answer::Stream { .. } => panic!("a stream"),
    }
}

fn said(answer: &ConverseResponse) -> String {
    outcrop_dialects::converse::text(answer)
}

#[tokio::test]
async fn the_first_rule_that_holds_answers_as_often_as_it_may() {
    let provider = scripted(
        "[[rules]]\ncontains = 'weather'\ntimes = 1\ntext = 'once'\n\
         [[rules]]\ncontains = 'weather'\nmodel = 'l*e'\ntext = 'again'\n\
         [[rules]]\nmodel = 'small'\ntext = 'never'\n",
    )
    .unwrap();
    assert_eq!(said(&whole(&provider, "the weather?").await.unwrap()), "once");
    assert_eq!(said(&whole(&provider, "the weather?").await.unwrap()), "again");
    let failure = whole(&provider, "the news?").await.unwrap_err();
    assert_eq!(failure.cause, Cause::Request);
    assert!(failure.fault.message.contains("the news?"), "{}", failure.fault.message);
}

#[tokio::test]
async fn tools_are_called_and_their_results_seen() {
    let provider = scripted(
        "[[rules]]\ntool_result = true\ntext = 'Sunny.'\n\
         [[rules]]\ntool_calls = [{ name = 'w', input = { city = 'Paris', days = 2 } }]\n",
    )
    .unwrap();
    let answer = whole(&provider, "the weather?").await.unwrap();
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    let ConverseOutput::Message(message) = answer.output else { panic!() };
    let ContentBlock::ToolUse(tool) = &message.content[0] else { panic!() };
    assert_eq!((tool.name.as_str(), &tool.input), ("w", &json!({ "city": "Paris", "days": 2 })));
    assert!(tool.tool_use_id.starts_with("tooluse_"));
    let result = json!([{ "role": "user", "content": [
        { "toolResult": { "toolUseId": tool.tool_use_id, "content": [{ "text": "18 degrees" }] } }
    ]}]);
    let Answer::Whole(answer) = provider.converse(call(result, false)).await.unwrap() else { panic!() };
    assert_eq!(said(&answer), "Sunny.");
}

#[tokio::test]
async fn streams_come_in_chunks_and_break_off_where_the_rule_says() {
    let provider = scripted(
        "[[rules]]\ncontains = 'cut'\ntext = 'abcdefgh'\nchunk = 3\ncut_after = 4\n\
         [[rules]]\ntext = 'abcdefgh'\nchunk = 3\nusage = { input = 7, output = 9 }\n",
    )
    .unwrap();
    let stream = async |text: &str| {
        let Ok(Answer::Stream { events, .. }) = provider.converse(call(user(text), true)).await else { panic!() };
        events.collect::<Vec<_>>().await
    };
    let texts = |events: &[Result<ConverseStreamOutput, Fault>]| {
        let texts = events.iter().filter_map(|e| outcrop_dialects::converse::text_delta(e.as_ref().ok()?));
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    let events = stream("go").await;
    assert_eq!(texts(&events), ["abc", "def", "gh"]);
    let Some(Ok(ConverseStreamOutput::Metadata(metadata))) = events.last() else { panic!() };
    assert_eq!((metadata.usage.input_tokens, metadata.usage.output_tokens), (7, 9));
    let events = stream("cut it").await;
    assert_eq!(texts(&events), ["abc", "def"]);
    assert_eq!(events.last().unwrap().as_ref().unwrap_err().kind, Kind::ModelStreamError);
}

#[tokio::test]
async fn errors_have_their_aws_names_and_their_causes() {
    let provider = scripted(
        "[[rules]]\nerror = { code = 'ThrottlingException', message = 'Slow down.', retry_after_seconds = 0.5 }\n",
    )
    .unwrap();
    let failure = whole(&provider, "x").await.unwrap_err();
    assert_eq!((failure.cause, failure.fault.kind), (Cause::Throttled, Kind::Throttling));
    assert_eq!(failure.retry_after, Some(Duration::from_millis(500)));
}

#[test]
fn a_script_that_cannot_be_meant_is_refused_with_its_rule() {
    for (script, told) in [
        ("[[rules]]\ncontains = 'x'\n", "rule 1"),
        ("[[rules]]\ntext = 'x'\n[[rules]]\nerror = { code = 'Nope' }\n", "rule 2"),
        ("[[rules]]\ntextt = 'x'\n", "textt"),
        ("[[rules]]\ntext = 'x'\nerror = { code = 'ThrottlingException' }\n", "rule 1"),
    ] {
        let error = scripted(script).err().expect(script).to_string();
        assert!(error.contains(told), "{error}");
    }
}
