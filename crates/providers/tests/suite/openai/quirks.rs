//! What servers of this format do differently from each other.

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::StopReason;
use outcrop_providers::{Answer, Cause, Pass, PassBody};
use serde_json::{Value, json};

use super::OpenAi;
use crate::cases::{call, content, converse, events, folded, provider, question, unmappable, written};
use crate::fake::{Fake, Reply};
use crate::speaks::{Block, Said, Speaks};

/// A streamed answer of these `data` lines.
async fn stream(data: &[Value]) -> outcrop_api::bedrock_runtime::ConverseResponse {
    let lines: String = data.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let reply = Reply::pieces("text/event-stream; charset=utf-8", [lines.into()]);
    let (_fake, answer) = converse(&OpenAi, reply, question(), true).await;
    folded(&events(answer.unwrap()).await.into_iter().map(Result::unwrap).collect::<Vec<_>>())
}

fn said(text: &'static str) -> Reply {
    Reply::whole("application/json", OpenAi.whole(&Said { blocks: vec![Block::Text(text)], ..Said::default() }))
}

/// Gemma's template raises this in vLLM; the model is asked again, and from then on at once.
#[tokio::test]
async fn a_model_without_a_system_role_gets_instructions_from_the_user() {
    let refusal =
        json!({"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400});
    let refusal = Reply::status(400, "application/json", refusal.to_string());
    let fake = Fake::start([refusal, said("High."), said("Low.")]).await;
    let provider = provider(&OpenAi, &fake.url());
    let mut question = question();
    question["system"] = json!([{"text": "Be brief."}]);
    for _ in 0..2 {
        provider.converse(call(&OpenAi, question.clone(), false)).await.unwrap_or_else(|f| panic!("{f}"));
    }
    let seen = fake.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].json()["messages"][0]["role"], "system");
    for seen in &seen[1..] {
        let text = "Be brief.\nHow is the tide?";
        assert_eq!(seen.json()["messages"], json!([{"role": "user", "content": text}]));
    }
}

/// A refusal of anything else is not asked again.
#[tokio::test]
async fn other_refusals_stand() {
    let refusal = Reply::status(400, "application/json", json!({"error": {"message": "no"}}).to_string());
    let fake = Fake::start([refusal, said("High.")]).await;
    let mut question = question();
    question["system"] = json!([{"text": "Be brief."}]);
    let answer = provider(&OpenAi, &fake.url()).converse(call(&OpenAi, question, false)).await;
    assert_eq!(answer.err().map(|f| f.cause), Some(Cause::Request));
    assert_eq!(fake.seen().len(), 1);
}

/// A server that counts nothing: the counts are guesses, and say so.
#[tokio::test]
async fn counts_are_guessed_where_there_are_none() {
    let choice = json!([{"index": 0, "delta": {"content": "High at noon."}, "finish_reason": "stop"}]);
    let streamed = stream(&[json!({ "choices": choice })]).await;
    let body = json!({"choices": [{"message": {"content": "High at noon."}, "finish_reason": "stop"}]});
    let (_fake, answer) =
        converse(&OpenAi, Reply::whole("application/json", body.to_string()), question(), false).await;
    let Ok(Answer::Whole(whole)) = answer else { panic!() };
    for answer in [streamed, *whole] {
        assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens), (8, 4, 12));
        assert_eq!(written(&answer)["additionalModelResponseFields"], json!({"usage_estimated": true}));
    }
}

/// A server that was asked for a stream and answers whole.
#[tokio::test]
async fn a_whole_answer_in_place_of_a_stream() {
    let (_fake, answer) = converse(&OpenAi, said("High."), question(), true).await;
    let Ok(Answer::Whole(answer)) = answer else { panic!() };
    assert_eq!(content(&answer), json!([{"text": "High."}]));
    assert_eq!(answer.stop_reason, StopReason::EndTurn);
}

#[tokio::test]
async fn what_the_format_cannot_say_is_refused_by_name() {
    let document = json!({"document": {"name": "chart", "format": "docx", "source": {"bytes": "aGVsbG8="}}});
    let asked = json!({"messages": [{"role": "user", "content": [{"text": "Read."}, document]}]});
    unmappable(&OpenAi, asked, "messages.0.content.1.document").await;
    let tool = json!({"tools": [{"systemTool": {"name": "nova_grounding"}}]});
    let mut asked = question();
    asked["toolConfig"] = tool;
    unmappable(&OpenAi, asked, "toolConfig.tools.0.systemTool").await;
    let mut asked = question();
    asked["additionalModelRequestFields"] = json!({"mcp_servers": []});
    unmappable(&OpenAi, asked, "additionalModelRequestFields.mcp_servers").await;
}

fn pass(stream: bool) -> Pass {
    let body = json!({"model": "mine", "messages": [{"role": "user", "content": "Hi"}], "n": 2}).to_string();
    Pass { model: "up".into(), dialect: "openai-api", body: body.into(), stream, headers: Vec::new() }
}

#[tokio::test]
async fn a_body_of_the_same_api_passes_as_it_is() {
    let said = Said { blocks: vec![Block::Text("High.")], ..Said::default() };
    let whole = OpenAi.whole(&said);
    let chunks = OpenAi.chunks(&said);
    let replies = [
        Reply::whole("application/json", whole.clone()),
        Reply::pieces("text/event-stream", chunks.clone()),
        Reply::pieces("text/event-stream", chunks[..2].to_vec()),
    ];
    let fake = Fake::start(replies).await;
    let provider = provider(&OpenAi, &fake.url());
    assert!(provider.passes("openai-api") && !provider.passes("anthropic-api"));

    let passed = provider.pass(pass(false)).await.unwrap();
    assert_eq!(passed.usage.map(|usage| (usage.input_tokens, usage.output_tokens)), Some((12, 7)));
    let PassBody::Whole(body) = passed.body else { panic!() };
    assert_eq!(body, whole);
    let asked = json!({"model": "up", "messages": [{"role": "user", "content": "Hi"}], "n": 2});
    assert_eq!(fake.last().json(), asked);

    let PassBody::Stream(passed) = provider.pass(pass(true)).await.unwrap().body else { panic!() };
    let passed: Vec<_> = passed.map(Result::unwrap).collect().await;
    let data: Vec<String> = String::from_utf8(chunks.concat())
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("data: ").filter(|data| *data != "[DONE]").map(str::to_owned))
        .collect();
    assert_eq!(passed, data);
    assert_eq!(fake.last().json()["stream_options"], json!({"include_usage": true}));

    let PassBody::Stream(cut) = provider.pass(pass(true)).await.unwrap().body else { panic!() };
    let cut: Vec<_> = cut.collect().await;
    assert_eq!(cut.len(), 3);
    assert!(cut[2].is_err(), "a stream that is cut ends as an error");
}

/// A call with broken arguments must not look like a call without any: an application would run it.
#[tokio::test]
async fn broken_arguments_are_no_call_without_arguments() {
    for (arguments, finish, told, calls) in [
        ("{\"port\": \"Bre", "tool_calls", StopReason::MalformedToolUse, 0),
        ("[\"Brest\"]", "stop", StopReason::MalformedToolUse, 0),
        // Cut off: the reason says so.
        ("{\"port\": \"Bre", "length", StopReason::MaxTokens, 1),
        ("", "tool_calls", StopReason::ToolUse, 1),
        ("null", "tool_calls", StopReason::ToolUse, 1),
    ] {
        let call = json!({"id": "call_1", "type": "function", "function": {"name": "tide", "arguments": arguments}});
        let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
        let body = json!({"choices": [{"index": 0, "message": message, "finish_reason": finish}]});
        let reply = Reply::whole("application/json", body.to_string());
        let (_fake, answer) = converse(&OpenAi, reply, question(), false).await;
        let Ok(Answer::Whole(answer)) = answer else { panic!("no whole answer") };
        let content = content(&answer);
        assert_eq!((&answer.stop_reason, content.as_array().unwrap().len()), (&told, calls), "{arguments} {finish}");
        if calls == 1 {
            assert_eq!(content[0]["toolUse"]["input"], json!({}));
        }
    }
}
