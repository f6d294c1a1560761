//! Vectors, ranks and models.

use std::sync::Arc;

use outcrop_dialects::{EmbeddingRequest, InputType};
use outcrop_providers::{Cause, Embed, Offer, OfferKind, Rank, Rerank};
use serde_json::{Value, json};

use super::Cohere;
use crate::cases::provider;
use crate::fake::{Fake, Reply};

fn reply(body: Value) -> Reply {
    Reply::whole("application/json", body.to_string())
}

#[tokio::test]
async fn vectors() {
    let body = |vectors: Value| {
        reply(json!({"id": "1", "embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": 2}}}))
    };
    let fake = Fake::start([body(json!([[3.0, 4.0], [0.0, 2.0]])), body(json!([[1.0, 0.0]]))]).await;
    let provider = provider(&Cohere, &fake.url());
    let texts = vec!["a".to_owned(), "b".to_owned()];
    let request = EmbeddingRequest { texts, input_type: Some(InputType::Query), ..EmbeddingRequest::default() };
    let call = Embed { model: "embed-v4.0".into(), request: Arc::new(request), dimensions: 256 };
    let found = provider.embed(call.clone()).await.unwrap();
    assert_eq!((found.lengths, found.tokens, found.vectors[0].len()), (vec![5.0, 2.0], 2, 256));
    let seen = fake.last();
    assert_eq!(seen.path, "/v2/embed");
    assert_eq!(
        seen.json(),
        json!({
            "model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["float"],
            "truncate": "NONE", "output_dimension": 256,
        })
    );
    // One vector for two texts.
    assert_eq!(provider.embed(call).await.unwrap_err().cause, Cause::Broken);
}

#[tokio::test]
async fn ranks() {
    let results = json!([{"index": 1, "relevance_score": 0.25}, {"index": 0, "relevance_score": 0.75}]);
    let wrong = json!([{"index": 2, "relevance_score": 0.25}]);
    let fake = Fake::start([results, wrong].map(|results| reply(json!({"id": "1", "results": results})))).await;
    let provider = provider(&Cohere, &fake.url());
    let documents = vec!["a".to_owned(), "b".to_owned()];
    let call = Rerank { model: "rerank-v3.5".into(), query: "q".into(), documents, top_n: Some(2) };
    let found = provider.rerank(call.clone()).await.unwrap();
    assert_eq!(found.ranks, [Rank { index: 0, score: 0.75 }, Rank { index: 1, score: 0.25 }]);
    let seen = fake.last();
    assert_eq!(seen.path, "/v2/rerank");
    assert_eq!(seen.json(), json!({"model": "rerank-v3.5", "query": "q", "documents": ["a", "b"], "top_n": 2}));
    assert_eq!(provider.rerank(call).await.unwrap_err().cause, Cause::Broken);
}

#[tokio::test]
async fn models_by_their_endpoints() {
    let fake = Fake::start([reply(json!({"models": [
        {"name": "command-a-03-2025", "endpoints": ["generate", "chat"], "context_length": 288_000},
        {"name": "embed-v4.0", "endpoints": ["embed"], "context_length": 8192.0},
        {"name": "rerank-v3.5", "endpoints": ["rerank"]},
        {"name": "old", "endpoints": ["classify"]},
    ]}))])
    .await;
    let offers = provider(&Cohere, &fake.url()).models().await.unwrap();
    let offer = |model: &str, kind, context| Offer { model: model.into(), kind, context };
    assert_eq!(
        offers,
        [
            offer("command-a-03-2025", OfferKind::Text, Some(288_000)),
            offer("embed-v4.0", OfferKind::Embedding, Some(8192)),
            offer("rerank-v3.5", OfferKind::Rerank, None),
        ]
    );
    assert_eq!(fake.last().path, "/v1/models?page_size=1000");
}
