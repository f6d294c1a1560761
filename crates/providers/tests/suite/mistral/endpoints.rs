//! The endpoints beside conversations, and what only Mistral has.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outcrop_dialects::EmbeddingRequest;
use outcrop_providers::{Embed, Offer, OfferKind};
use serde_json::json;

use super::Mistral;
use crate::cases::{call, provider};
use crate::fake::{Fake, Reply};
use crate::speaks::{Said, Speaks};

#[tokio::test]
async fn what_only_mistral_has() {
    let fake = Fake::start([Reply::whole("application/json", Mistral.whole(&Said::default()))]).await;
    let pdf = json!({"document": {"name": "Tides", "format": "pdf", "source": {"bytes": STANDARD.encode("%PDF-")}}});
    let asked = json!({
        "messages": [
            {"role": "user", "content": [pdf, {"text": "How high?"}]},
            {"role": "assistant", "content": [{"text": "About"}]},
        ],
        "additionalModelRequestFields": {"safe_prompt": true, "seed": 7},
    });
    provider(&Mistral, &fake.url()).converse(call(&Mistral, asked, false)).await.map(drop).unwrap();
    let document = json!({
        "type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0=", "document_name": "Tides",
    });
    assert_eq!(
        fake.last().json(),
        json!({
            "model": "mistral-large-latest",
            "messages": [
                {"role": "user", "content": [document, {"type": "text", "text": "How high?"}]},
                {"role": "assistant", "content": "About", "prefix": true},
            ],
            "safe_prompt": true, "random_seed": 7,
        })
    );
}

#[tokio::test]
async fn vectors() {
    let body = json!({"id": "embd-1", "object": "list", "model": "mistral-embed", "data": [
        {"object": "embedding", "embedding": [0.0, 2.0], "index": 1},
        {"object": "embedding", "embedding": [3.0, 4.0], "index": 0},
    ], "usage": {"prompt_tokens": 15, "total_tokens": 15, "completion_tokens": 0}});
    let fake = Fake::start([Reply::whole("application/json", body.to_string())]).await;
    let request = EmbeddingRequest { texts: vec!["a".into(), "b".into()], ..EmbeddingRequest::default() };
    let embed = Embed { model: "mistral-embed".into(), request: Arc::new(request), dimensions: 0 };
    let found = provider(&Mistral, &fake.url()).embed(embed).await.unwrap();
    assert_eq!(
        (found.vectors, found.lengths, found.tokens),
        (vec![vec![0.6, 0.8], vec![0.0, 1.0]], vec![5.0, 2.0], 15)
    );
    let seen = fake.last();
    assert_eq!(seen.path, "/v1/embeddings");
    assert_eq!(seen.json(), json!({"model": "mistral-embed", "input": ["a", "b"]}));
}

#[tokio::test]
async fn models_by_what_they_can() {
    let body = json!({"object": "list", "data": [
        {"id": "mistral-large-latest", "object": "model", "capabilities": {"completion_chat": true}, "max_context_length": 131_072},
        {"id": "mistral-embed", "capabilities": {"completion_chat": false}, "max_context_length": 8192},
        {"id": "mistral-ocr-latest", "capabilities": {"completion_chat": false}},
    ]});
    let fake = Fake::start([Reply::whole("application/json", body.to_string())]).await;
    let offers = provider(&Mistral, &fake.url()).models().await.unwrap();
    let offer = |model: &str, kind, context| Offer { model: model.into(), kind, context: Some(context) };
    assert_eq!(
        offers,
        [offer("mistral-large-latest", OfferKind::Text, 131_072), offer("mistral-embed", OfferKind::Embedding, 8192)]
    );
    assert_eq!(fake.last().path, "/v1/models");
}
