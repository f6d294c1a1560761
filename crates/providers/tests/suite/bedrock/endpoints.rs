//! API keys, bodies of InvokeModel, counts, vectors, ranks, models, and what only Bedrock says when it fails.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use outcrop_api::Kind;
use outcrop_dialects::EmbeddingRequest;
use outcrop_providers::{
    Cause, Embed, Failure, Offer, OfferKind, Pass, PassBody, Provider, ProviderSettings, Rank, Rerank, Secret, open,
};
use serde_json::{Value, json};

use super::{Bedrock, event, exception, sigv4};
use crate::cases::{call, converse, events, provider, question};
use crate::fake::{Fake, Reply};
use crate::speaks::{Block, KEY, Said, Speaks};

fn reply(body: &Value) -> Reply {
    Reply::whole("application/json", body.to_string())
}

fn ours(fake: &Fake) -> Arc<dyn Provider> {
    provider(&Bedrock, &fake.url())
}

#[tokio::test]
async fn an_api_key_takes_the_place_of_a_signature() {
    let fake = Fake::start([Reply::whole("application/json", Bedrock.whole(&Said::default()))]).await;
    let settings = ProviderSettings { api_key: Some(Secret::new(KEY)), ..Bedrock.settings(&fake.url()) };
    let provider = open(&settings, &outcrop_outbound::Outbound::new(Default::default()).unwrap()).unwrap();
    provider.converse(call(&Bedrock, question(), false)).await.map(drop).unwrap();
    let seen = fake.last();
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    assert!(!seen.headers.contains_key("x-amz-date"));
}

fn body(stream: bool) -> Pass {
    Pass {
        model: "anthropic.claude-3-haiku-20240307-v1:0".into(),
        dialect: "anthropic.messages",
        body: Bytes::from_static(b"{ \"max_tokens\": 9,\n \"messages\" : [ ] }"),
        stream,
        headers: Vec::new(),
    }
}

#[tokio::test]
async fn bodies_pass_through_untouched() {
    let said = "{ \"type\": \"message\",\n\"content\" :[] }";
    let answered = Reply::whole("application/json", said)
        .with("x-amzn-bedrock-input-token-count", "9")
        .with("x-amzn-bedrock-output-token-count", "4")
        .with("x-amzn-bedrock-cache-read-input-token-count", "20");
    let fake = Fake::start([answered]).await;
    let passed = ours(&fake).pass(body(false)).await.map_err(|failure| failure.to_string()).unwrap();
    let PassBody::Whole(bytes) = passed.body else { panic!("a stream") };
    assert_eq!(bytes, said);
    let usage = passed.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (9, 4, 33));
    let seen = fake.last();
    assert_eq!(seen.path, "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke");
    assert_eq!(seen.body, body(false).body);
    assert!(sigv4::proven(&seen));
}

#[tokio::test]
async fn streamed_bodies_pass_through_chunk_by_chunk() {
    let chunk = |bytes: &str| {
        use base64::Engine as _;
        event("chunk", &json!({"bytes": base64::engine::general_purpose::STANDARD.encode(bytes), "p": "abc"}))
    };
    let slow = exception("modelTimeoutException", &json!({"message": "Too slow."}));
    let pieces = [chunk("{\"a\" :1}"), event("later", &json!({})), chunk("{}"), slow];
    let fake = Fake::start([Reply::pieces(Bedrock.stream_type(), pieces)]).await;
    let passed = ours(&fake).pass(body(true)).await.map_err(|failure| failure.to_string()).unwrap();
    let PassBody::Stream(chunks) = passed.body else { panic!("no stream") };
    let chunks: Vec<_> = chunks.collect().await;
    let [Ok(first), Ok(second), Err(fault)] = &chunks[..] else { panic!("{chunks:?}") };
    assert_eq!((&first[..], &second[..]), (&b"{\"a\" :1}"[..], &b"{}"[..]));
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::ModelTimeout, "Too slow."));
    let seen = fake.last();
    assert_eq!(seen.headers["x-amzn-bedrock-accept"], "application/json");
    assert!(seen.path.ends_with("/invoke-with-response-stream") && sigv4::proven(&seen));
}

#[tokio::test]
async fn tokens_are_counted_by_the_service() {
    let fake = Fake::start([reply(&json!({"inputTokens": 2095})), reply(&json!({}))]).await;
    let provider = ours(&fake);
    assert_eq!(provider.count_tokens(call(&Bedrock, question(), false)).await.unwrap(), 2095);
    assert_eq!(fake.last().json(), json!({"input": {"converse": question()}}));
    // A prompt has tokens.
    let failure = provider.count_tokens(call(&Bedrock, question(), false)).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Broken);
}

#[tokio::test]
async fn vectors_and_ranks_come_by_invoke_model() {
    let fake = Fake::start([
        reply(&json!({"embedding": [3.0, 4.0], "inputTextTokenCount": 5})),
        reply(&json!({"embeddings": {"float": [[0.0, 2.0]]}, "response_type": "embeddings_by_type"})),
        reply(&json!({"results": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.5}]})),
    ])
    .await;
    let provider = ours(&fake);
    let embed = |model: &str| Embed {
        model: model.into(),
        dimensions: 256,
        request: Arc::new(EmbeddingRequest { texts: vec!["a tide".into()], ..EmbeddingRequest::default() }),
    };
    let titan = provider.embed(embed("amazon.titan-embed-text-v2:0")).await.unwrap();
    assert_eq!((titan.vectors, titan.tokens), (vec![vec![0.6, 0.8]], 5));
    assert_eq!(fake.last().json(), json!({"inputText": "a tide", "dimensions": 256, "normalize": false}));
    let cohere = provider.embed(embed("cohere.embed-english-v3")).await.unwrap();
    assert_eq!(cohere.vectors, [[0.0, 1.0]]);
    let asked = json!({"texts": ["a tide"], "input_type": "search_document", "embedding_types": ["float"]});
    assert_eq!(fake.last().json(), asked);
    let rank = Rerank {
        model: "cohere.rerank-v3-5:0".into(),
        query: "tide".into(),
        documents: vec!["a".into(), "b".into()],
        top_n: None,
    };
    let ranked = provider.rerank(rank).await.unwrap();
    assert_eq!(ranked.ranks, [Rank { index: 1, score: 0.75 }, Rank { index: 0, score: 0.5 }]);
    assert_eq!(fake.last().json(), json!({"query": "tide", "documents": ["a", "b"], "api_version": 2}));
}

#[tokio::test]
async fn models_are_listed() {
    let list = json!({"modelSummaries": [
        {"modelArn": "arn:aws:bedrock:eu-west-3::foundation-model/amazon.nova-lite-v1:0", "modelId": "amazon.nova-lite-v1:0",
         "outputModalities": ["TEXT"], "newMember": 1},
        {"modelArn": "arn:aws:bedrock:eu-west-3::foundation-model/amazon.titan-embed-text-v2:0",
         "modelId": "amazon.titan-embed-text-v2:0", "outputModalities": ["EMBEDDING"]},
    ]});
    let fake = Fake::start([reply(&list)]).await;
    let offers = ours(&fake).models().await.unwrap();
    let offer = |model: &str, kind| Offer { model: model.into(), kind, context: None };
    let expected =
        [offer("amazon.nova-lite-v1:0", OfferKind::Text), offer("amazon.titan-embed-text-v2:0", OfferKind::Embedding)];
    assert_eq!(offers, expected);
    let seen = fake.last();
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/foundation-models"));
    assert!(sigv4::proven(&seen));
}

async fn refused(status: u16, name: Option<&'static str>, body: Value) -> Failure {
    let mut reply = Reply::status(status, "application/json", body.to_string());
    if let Some(name) = name {
        reply = reply.with("x-amzn-errortype", name);
    }
    converse(&Bedrock, reply, question(), false).await.1.err().expect("a failure")
}

/// Those beside the suite's. What is about this server's identity is not its caller's to read.
#[tokio::test]
async fn every_exception_has_its_name_here() {
    let said = || json!({"message": "Arn arn:aws:iam::123456789012:role/gateway may not."});
    for (status, name, cause, kind) in [
        (424, "ModelErrorException", Cause::Broken, Kind::ModelError),
        (408, "ModelTimeoutException", Cause::TimedOut, Kind::ModelTimeout),
        (429, "ModelNotReadyException", Cause::Unavailable, Kind::ModelNotReady),
        (400, "ServiceQuotaExceededException", Cause::Throttled, Kind::ServiceQuotaExceeded),
        (501, "NotImplementedException", Cause::Unmappable, Kind::NotImplemented),
        (418, "TeapotException", Cause::Unavailable, Kind::ServiceUnavailable),
    ] {
        let failure = refused(status, Some(name), said()).await;
        assert_eq!((failure.cause, failure.fault.kind), (cause, kind), "{name}");
        assert_eq!(failure.fault.message, said()["message"], "{name}");
    }
    for name in ["AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException"] {
        let failure = refused(403, Some(name), said()).await;
        assert_eq!((failure.cause, failure.fault.kind), (Cause::Credentials, Kind::ModelError), "{name}");
        assert!(!failure.to_string().contains("123456789012"), "{failure}");
    }
    // The name may stand in the body, and a proxy in between may answer with a page.
    let failure =
        refused(400, None, json!({"__type": "com.amazon.coral#ThrottlingException", "Message": "Slow."})).await;
    assert_eq!((failure.fault.kind, failure.fault.message.as_str()), (Kind::Throttling, "Slow."));
    let page = Reply::status(502, "text/html", "<html>secret</html>");
    let failure = converse(&Bedrock, page, question(), true).await.1.err().unwrap();
    assert_eq!(failure.cause, Cause::Unavailable);
    assert!(!failure.to_string().contains("html"), "{failure}");
}

/// A stream that is closed in order, and still not over: its counts are missing.
#[tokio::test]
async fn a_stream_without_its_end_is_no_answer() {
    let said = Said { blocks: vec![Block::Text("High at noon.")], ..Said::default() };
    let mut chunks = Bedrock.chunks(&said);
    chunks.pop();
    let answer = converse(&Bedrock, Reply::pieces(Bedrock.stream_type(), chunks), question(), true).await.1;
    let events = events(answer.unwrap()).await;
    assert_eq!(events.last().unwrap().as_ref().unwrap_err().kind, Kind::ModelStreamError);
}

/// What the model's own server said stands beside Bedrock's words for it.
#[tokio::test]
async fn an_exception_tells_what_the_model_said() {
    let said = Said { blocks: vec![Block::Text("High at noon.")], ..Said::default() };
    let mut chunks = Bedrock.chunks(&said)[..3].to_vec();
    let told = json!({"message": "The model failed.", "originalStatusCode": 529, "originalMessage": "Overloaded"});
    chunks.push(exception("modelStreamErrorException", &told));
    let answer = converse(&Bedrock, Reply::pieces(Bedrock.stream_type(), chunks), question(), true).await.1;
    let events = events(answer.unwrap()).await;
    let fault = events.last().unwrap().as_ref().unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::ModelStreamError, "The model failed."));
    let original = fault.original.as_ref().unwrap();
    assert_eq!((original.status, original.message.as_str()), (Some(529), "Overloaded"));
}
