use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{InvokeModelRequest, InvokeModelWithResponseStreamRequest};
use outcrop_providers::{Answer, Call, Provider};
use serde_json::{Value, json};

use super::*;
use crate::routing::Policy;
use crate::tests::{HAIKU, hello, scripted, served_by};

/// Passes Anthropic's messages, and keeps what it got.
#[derive(Default)]
struct Passing(Mutex<Vec<Pass>>);

/// Blanks and members that nobody here knows: they are not to be touched.
const ASKED: &str = r#"{ "anthropic_version": "bedrock-2023-05-31",  "max_tokens": 5, "messages": [], "new": {} }"#;
const WHOLE: &str = r#"{"type":"message",  "x-new": 1, "usage": {"input_tokens": 3, "output_tokens": 4}}"#;
const CHUNKS: [&str; 3] = [
    r#"{"type":"message_start", "message":{"usage":{"input_tokens":3,"output_tokens":1}}}"#,
    r#"{"type":"message_delta","usage":{"output_tokens":4}}"#,
    r#"{"type":"message_stop"}"#,
];

#[async_trait]
impl Provider for Passing {
    async fn converse(&self, _: Call) -> Result<Answer, Failure> {
        Err(Failure::not_offered("conversations"))
    }
    fn passes(&self, dialect: &str) -> bool {
        dialect == "anthropic-messages"
    }
    async fn pass(&self, call: Pass) -> Result<Passed, Failure> {
        let stream = call.stream;
        self.0.lock().unwrap().push(call);
        let chunks = CHUNKS.map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
        let body = match stream {
            true => PassBody::Stream(futures_util::stream::iter(chunks).boxed()),
            false => PassBody::Whole(Bytes::from_static(WHOLE.as_bytes())),
        };
        Ok(Passed { body, usage: None })
    }
}

fn asking() -> InvokeModelRequest {
    InvokeModelRequest { model_id: HAIKU.into(), body: Some(ASKED.into()), ..Default::default() }
}

#[tokio::test]
async fn bytes_go_there_and_back_as_they_are() {
    let passing = Arc::new(Passing::default());
    let b = served_by(vec![passing.clone()], Policy::default()).await;
    let reply = b.gateway.invoke_model(&b.cx, asking()).await.unwrap();
    assert_eq!(reply.output.body, WHOLE);
    let counted = |name: &str| reply.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(counted("x-amzn-bedrock-input-token-count"), Some("3"));
    assert_eq!(counted("x-amzn-bedrock-output-token-count"), Some("4"));
    assert_eq!(counted("x-outcrop-served-by"), Some("a"));

    let streaming =
        InvokeModelWithResponseStreamRequest { model_id: HAIKU.into(), body: Some(ASKED.into()), ..Default::default() };
    let (_, events) = b.gateway.invoke_model_with_response_stream(&b.cx, streaming).await.unwrap();
    let chunks: Vec<Bytes> = events
        .map(|event| match event.unwrap() {
            ResponseStream::Chunk(part) => part.bytes.unwrap(),
            other => panic!("{other:?}"),
        })
        .collect()
        .await;
    assert_eq!(chunks[..2], CHUNKS[..2]);
    let last: Value = serde_json::from_slice(&chunks[2]).unwrap();
    assert_eq!(last["amazon-bedrock-invocationMetrics"]["outputTokenCount"], json!(4));
    let asked = passing.0.lock().unwrap();
    assert!(asked.iter().all(|pass| pass.body == ASKED && &*pass.model == "claude-3-haiku-20240307"));
    assert_eq!(asked.iter().map(|pass| pass.stream).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn what_somebody_must_read_is_read() {
    // A tier is this server's, and a second target that does not know the format may have to answer.
    let passing = Arc::new(Passing::default());
    let b = served_by(vec![passing.clone()], Policy::default()).await;
    let tier = InvokeModelRequest { service_tier: Some("flex".into()), ..asking() };
    assert!(b.gateway.invoke_model(&b.cx, tier).await.is_err());
    let b = served_by(vec![passing.clone(), Arc::new(scripted(hello()))], Policy::default()).await;
    let body =
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":"a"}]}"#;
    let reply =
        b.gateway.invoke_model(&b.cx, InvokeModelRequest { body: Some(body.into()), ..asking() }).await.unwrap();
    assert!(reply.headers.contains(&("x-outcrop-served-by", "b".to_owned())));
    assert!(passing.0.lock().unwrap().is_empty());
}
