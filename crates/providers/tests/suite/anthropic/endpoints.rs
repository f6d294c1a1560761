//! Betas, counts, models, and bodies that pass through.

use futures_util::StreamExt;
use outcrop_api::{Fault, Kind};
use outcrop_providers::{Cause, Offer, OfferKind, Pass, PassBody, Passed};
use serde_json::{Value, json};

use super::{Anthropic, event};
use crate::cases::{call, provider, question};
use crate::fake::{Fake, Reply};
use crate::speaks::{Block, Said, Speaks, Trouble};

fn reply(body: &Value) -> Reply {
    Reply::whole("application/json", body.to_string())
}

#[tokio::test]
async fn betas_are_a_header() {
    let mut asked = question();
    asked["additionalModelRequestFields"] = json!({"anthropic_beta": ["context-1m-2025-08-07", "b"], "top_k": 3});
    let fake = Fake::start([Reply::whole("application/json", Anthropic.whole(&Said::default()))]).await;
    let answer = provider(&Anthropic, &fake.url()).converse(call(&Anthropic, asked, false)).await;
    answer.map(drop).unwrap();
    let seen = fake.last();
    assert_eq!(seen.headers["anthropic-beta"], "context-1m-2025-08-07,b");
    assert_eq!((&seen.json()["top_k"], seen.json().get("anthropic_beta")), (&json!(3), None));

    let mut asked = question();
    asked["additionalModelRequestFields"] = json!({"anthropic_beta": ["a\nx-evil: 1"]});
    let failure = provider(&Anthropic, &fake.url()).converse(call(&Anthropic, asked, false)).await.err().unwrap();
    assert_eq!(failure.cause, Cause::Request);
}

#[tokio::test]
async fn tokens_are_counted_by_the_service() {
    let mut asked = question();
    asked["inferenceConfig"] = json!({"maxTokens": 9, "temperature": 0.5, "stopSequences": ["."]});
    asked["additionalModelRequestFields"] = json!({"top_k": 3, "thinking": {"type": "adaptive"}});
    let fake = Fake::start([reply(&json!({"input_tokens": 2095}))]).await;
    let count = provider(&Anthropic, &fake.url()).count_tokens(call(&Anthropic, asked, false)).await.unwrap();
    assert_eq!(count, 2095);
    let seen = fake.last();
    assert_eq!(seen.path, "/v1/messages/count_tokens");
    let text = json!([{"type": "text", "text": "How is the tide?"}]);
    assert_eq!(
        seen.json(),
        json!({"model": "claude-opus-4-6", "messages": [{"role": "user", "content": text}], "thinking": {"type": "adaptive"}})
    );
}

#[tokio::test]
async fn models_are_listed_with_their_context() {
    let list = json!({"data": [
        {"type": "model", "id": "claude-opus-4-6", "display_name": "Claude Opus 4.6", "created_at": "2026-02-04T00:00:00Z",
         "max_input_tokens": 1_000_000, "max_tokens": 128_000},
        {"type": "model", "id": "claude-old"},
    ], "has_more": false, "first_id": "claude-opus-4-6", "last_id": "claude-old"});
    let fake = Fake::start([reply(&list)]).await;
    let offers = provider(&Anthropic, &fake.url()).models().await.unwrap();
    let offer = |model: &str, context| Offer { model: model.into(), kind: OfferKind::Text, context };
    assert_eq!(offers, [offer("claude-opus-4-6", Some(1_000_000)), offer("claude-old", None)]);
    let seen = fake.last();
    assert_eq!(
        (seen.path.as_str(), &seen.headers["anthropic-version"]),
        ("/v1/models?limit=1000", &"2023-06-01".parse().unwrap())
    );
}

const BODY: &str = r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a"], "max_tokens":9,"messages":[{"role":"user","content":"\u00e9"}]}"#;

async fn pass(fake: &Fake, stream: bool) -> Result<Passed, outcrop_providers::Failure> {
    let headers = vec![("anthropic-beta", "b".to_owned())];
    let call =
        Pass { model: "claude-opus-4-6".into(), dialect: "anthropic-messages", body: BODY.into(), stream, headers };
    let provider = provider(&Anthropic, &fake.url());
    assert!(provider.passes(call.dialect) && !provider.passes("nova"));
    provider.pass(call).await
}

async fn chunks(passed: Passed) -> Vec<Result<Value, Fault>> {
    let PassBody::Stream(chunks) = passed.body else { panic!("no stream") };
    chunks.map(|chunk| chunk.map(|bytes| serde_json::from_slice(&bytes).unwrap())).collect().await
}

#[tokio::test]
async fn a_body_passes_through_and_its_answer_untouched() {
    let text = r#"{ "content" : [ ], "usage":{"input_tokens":3,"output_tokens":4},  "x":1e0}"#;
    let fake = Fake::start([Reply::whole("application/json", text)]).await;
    let passed = pass(&fake, false).await.unwrap();
    let PassBody::Whole(answer) = passed.body else { panic!("a stream") };
    assert_eq!((&answer[..], passed.usage.unwrap().total_tokens), (text.as_bytes(), 7));
    let seen = fake.last();
    assert_eq!(seen.headers["anthropic-beta"], "a,b");
    let sent = r#"{"model":"claude-opus-4-6", "max_tokens":9,"messages":[{"role":"user","content":"\u00e9"}]}"#;
    assert_eq!(seen.body, sent);
}

#[tokio::test]
async fn a_stream_passes_event_by_event() {
    let said = Said { blocks: vec![Block::Text("High at noon.")], ..Said::default() };
    let events = Anthropic.chunks(&said);
    let fake = Fake::start([Reply::pieces("text/event-stream", events.clone())]).await;
    let got: Vec<Value> = chunks(pass(&fake, true).await.unwrap()).await.into_iter().map(Result::unwrap).collect();
    let kinds: Vec<&str> = got.iter().map(|chunk| chunk["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[1], *kinds.last().unwrap()), ("message_start", "content_block_start", "message_stop"));
    assert_eq!(got.len(), events.len() - 1, "all but the ping");
    assert_eq!(fake.last().json()["stream"], true);

    // Cut, or refused in its midst.
    for last in [None, Anthropic.refusal_within(&Trouble::Overloaded)] {
        let told = last.is_some();
        let pieces: Vec<_> = events[..4].iter().cloned().chain(last).collect();
        let fake = Fake::start([Reply::pieces("text/event-stream", pieces)]).await;
        let got = chunks(pass(&fake, true).await.unwrap()).await;
        let (last, before) = got.split_last().unwrap();
        assert!(before.iter().all(Result::is_ok) && before.len() == 3);
        let fault = last.as_ref().unwrap_err();
        assert_eq!(fault.kind, Kind::ModelStreamError);
        let original = fault.original.as_ref().map(|said| (said.status, said.message.as_str()));
        assert_eq!(original, told.then_some((Some(529), "Overloaded")));
    }
    // Refused before its first event: somebody else may be asked.
    let refusal = event(&json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}}));
    let fake = Fake::start([Reply::pieces("text/event-stream", [refusal])]).await;
    assert_eq!(pass(&fake, true).await.err().unwrap().cause, Cause::Throttled);
}
