use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::ConverseStreamRequest;
use serde_json::{Value, json};

use crate::tests::{Bench, HAIKU, asking, bench, hello, scripted, streaming, tiny};

fn on(more: Value) -> Value {
    let mut body = json!({ "requestMetadata": { "outcrop-cache": "on" } });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn again(b: &Bench) {
    b.provider.events.lock().unwrap().extend(hello());
}

fn asked(b: &Bench) -> usize {
    b.provider.asked.lock().unwrap().len()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_where_the_caller_asks_for_it() {
    let b = bench(scripted(hello()), tiny()).await;
    let first = b.converse(asking(HAIKU, on(json!({})))).await.unwrap();
    assert!(first.headers.iter().all(|(name, _)| *name != super::CACHE));
    let second = b.converse(asking(HAIKU, on(json!({})))).await.unwrap();
    assert_eq!(second.headers, [(super::CACHE, "hit".to_owned())]);
    let written = |answer: &dyn outcrop_wire::shape::Structure| outcrop_wire::encode::body(answer, Vec::new());
    assert_eq!(written(&first.output.output), written(&second.output.output));
    assert_eq!(written(&first.output.usage), written(&second.output.usage));
    assert_eq!(asked(&b), 1);

    // A stream of it is replayed.
    let metadata = asking(HAIKU, on(json!({}))).request_metadata;
    let request = ConverseStreamRequest { request_metadata: metadata, ..streaming(HAIKU) };
    let (reply, events) = b.gateway.converse_stream(&b.cx, request).await.unwrap();
    assert_eq!(reply.headers, [(super::CACHE, "hit".to_owned())]);
    assert!(events.collect::<Vec<_>>().await.iter().all(Result::is_ok));
    assert_eq!(asked(&b), 1);
}

#[tokio::test]
async fn anything_else_is_another_request() {
    let mut b = bench(scripted(hello()), tiny()).await;
    b.converse(asking(HAIKU, on(json!({})))).await.unwrap();
    let others = [
        json!({}),
        on(json!({ "inferenceConfig": { "maxTokens": 7 } })),
        json!({ "requestMetadata": { "outcrop-cache": "off" } }),
        json!({ "requestMetadata": { "outcrop-cache": "refresh" } }),
    ];
    for (n, more) in others.into_iter().enumerate() {
        again(&b);
        b.converse(asking(HAIKU, more)).await.unwrap();
        assert_eq!(asked(&b), n + 2);
    }
    // Nor has another account a part in it.
    b.cx.caller.account = "444455556666".into();
    again(&b);
    b.converse(asking(HAIKU, on(json!({})))).await.unwrap();
    assert_eq!(asked(&b), 6);
}

#[tokio::test]
async fn what_is_not_whole_is_not_kept() {
    let mut cut = hello();
    cut.pop();
    let b = bench(scripted(cut), tiny()).await;
    b.converse(asking(HAIKU, on(json!({})))).await.unwrap_err();
    again(&b);
    b.converse(asking(HAIKU, on(json!({})))).await.unwrap();
    assert_eq!(asked(&b), 2);
}
