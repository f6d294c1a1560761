//! The endpoints beside conversations.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outcrop_dialects::{EmbeddingRequest, ImageRequest};
use outcrop_providers::{Cause, Embed, Images, Offer, OfferKind, Rerank};
use serde_json::{Value, json};

use super::OpenAi;
use crate::cases::{call, provider, question};
use crate::fake::{Fake, Reply};

fn reply(body: Value) -> Reply {
    Reply::whole("application/json", body.to_string())
}

fn absent() -> Reply {
    Reply::status(404, "application/json", json!({"detail": "Not Found"}).to_string())
}

fn embed(texts: &[&str], dimensions: usize) -> Embed {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    let request = EmbeddingRequest { texts, ..EmbeddingRequest::default() };
    Embed { model: "e5".into(), request: Arc::new(request), dimensions }
}

/// OpenAI's documented answer; the order is that of `index`.
#[tokio::test]
async fn vectors_have_unit_length_and_keep_their_own() {
    let fake = Fake::start([reply(json!({"object": "list", "model": "e5", "data": [
        {"object": "embedding", "index": 1, "embedding": [0.0, -2.0]},
        {"object": "embedding", "index": 0, "embedding": [3.0, 4.0]},
    ], "usage": {"prompt_tokens": 8, "total_tokens": 8}}))])
    .await;
    let found = provider(&OpenAi, &fake.url()).embed(embed(&["a", "b"], 0)).await.unwrap();
    assert_eq!(found.vectors, [vec![0.6, 0.8], vec![0.0, -1.0]]);
    assert_eq!((found.lengths, found.tokens), (vec![5.0, 2.0], 8));
    let seen = fake.last();
    assert_eq!(seen.path, "/v1/embeddings");
    assert_eq!(seen.json(), json!({"model": "e5", "input": ["a", "b"], "encoding_format": "float"}));
}

#[tokio::test]
async fn a_model_of_one_length_is_asked_for_no_other_twice() {
    let vector = || reply(json!({"data": [{"embedding": [1.0, 0.0, 0.0]}]}));
    let text = "Model \"e5\" does not support matryoshka representation, changing output dimensions will lead to poor results.";
    let refusal = Reply::status(400, "application/json", json!({"error": {"message": text}}).to_string());
    let fake = Fake::start([refusal, vector(), vector()]).await;
    let provider = provider(&OpenAi, &fake.url());
    for _ in 0..2 {
        let found = provider.embed(embed(&["aaaaaaaa"], 8)).await.unwrap();
        assert_eq!((found.vectors[0].len(), found.tokens), (8, 2));
        let square: f32 = found.vectors[0].iter().map(|x| x * x).sum();
        assert!((square - 1.0).abs() < 1e-5);
    }
    let dimensions: Vec<Value> = fake.seen().iter().map(|seen| seen.json()["dimensions"].clone()).collect();
    assert_eq!(dimensions, [json!(8), Value::Null, Value::Null]);
}

#[tokio::test]
async fn many_texts_are_several_requests() {
    let vectors =
        |n: usize| reply(json!({"data": vec![json!({"embedding": [1.0]}); n], "usage": {"prompt_tokens": n}}));
    let fake = Fake::start([vectors(256), vectors(44)]).await;
    let found = provider(&OpenAi, &fake.url()).embed(embed(&["a"; 300], 0)).await.unwrap();
    assert_eq!((found.vectors.len(), found.tokens), (300, 300));
}

#[tokio::test]
async fn a_text_without_a_vector_is_no_answer() {
    for data in [json!([]), json!([{"embedding": []}]), json!([{"index": 7, "embedding": [1.0]}])] {
        let fake = Fake::start([reply(json!({ "data": data }))]).await;
        let failure = provider(&OpenAi, &fake.url()).embed(embed(&["a"], 0)).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Broken);
    }
}

fn rerank(top_n: Option<usize>) -> Rerank {
    let documents = ["a", "b", "c"].map(str::to_owned).to_vec();
    Rerank { model: "bge-reranker".into(), query: "q".into(), documents, top_n }
}

/// vLLM's documented answer.
#[tokio::test]
async fn documents_come_by_relevance() {
    let fake = Fake::start([reply(
        json!({"id": "rerank-1", "model": "bge-reranker", "usage": {"total_tokens": 56}, "results": [
            {"index": 0, "document": {"text": "a"}, "relevance_score": 0.25},
            {"index": 2, "document": {"text": "c"}, "relevance_score": 0.99},
        ]}),
    )])
    .await;
    let found = provider(&OpenAi, &fake.url()).rerank(rerank(Some(2))).await.unwrap();
    let ranks: Vec<(usize, f32)> = found.ranks.iter().map(|rank| (rank.index, rank.score)).collect();
    assert_eq!((ranks, found.tokens), (vec![(2, 0.99), (0, 0.25)], Some(56)));
    let seen = fake.last();
    assert_eq!(seen.path, "/v1/rerank");
    let asked = json!({"model": "bge-reranker", "query": "q", "documents": ["a", "b", "c"], "top_n": 2});
    assert_eq!(seen.json(), asked);
}

/// llama.cpp's documented answer: logits.
#[tokio::test]
async fn logits_become_scores() {
    let fake = Fake::start([reply(
        json!({"model": "m", "object": "list", "usage": {"prompt_tokens": 74, "total_tokens": 74}, "results": [
            {"index": 0, "relevance_score": 0.0},
            {"index": 1, "relevance_score": -11.02},
            {"index": 2, "relevance_score": 8.68},
        ]}),
    )])
    .await;
    let found = provider(&OpenAi, &fake.url()).rerank(rerank(Some(2))).await.unwrap();
    assert_eq!(found.ranks.len(), 2);
    assert_eq!((found.ranks[0].index, found.ranks[1].index, found.ranks[1].score), (2, 0, 0.5));
    assert!(found.ranks[0].score > 0.999 && found.ranks[0].score <= 1.0);
}

#[tokio::test]
async fn a_server_without_reranking_says_so() {
    let fake = Fake::start([absent(), absent()]).await;
    let failure = provider(&OpenAi, &fake.url()).rerank(rerank(None)).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Unmappable, "{failure}");
    assert!(failure.fault.message.contains("reranking"), "{failure}");
    let stray = reply(json!({"results": [{"index": 9, "relevance_score": 0.5}]}));
    let fake = Fake::start([stray]).await;
    assert_eq!(provider(&OpenAi, &fake.url()).rerank(rerank(None)).await.unwrap_err().cause, Cause::Broken);
}

#[tokio::test]
async fn images_come_as_bytes() {
    let one = || reply(json!({"created": 1, "data": [{"b64_json": STANDARD.encode(b"PNG")}]}));
    let asked = |model: &str| Images {
        model: model.into(),
        request: Arc::new(ImageRequest {
            prompt: "a harbour".into(),
            negative_prompt: Some("people".into()),
            count: 2,
            size: Some((1024, 512)),
            seed: Some(7),
            quality: Some("premium".into()),
            guidance: Some(7.5),
            ..ImageRequest::default()
        }),
    };
    let fake = Fake::start([one(), one()]).await;
    let images = provider(&OpenAi, &fake.url()).images(asked("flux")).await.unwrap();
    assert_eq!(images.iter().map(|image| &image.bytes[..]).collect::<Vec<_>>(), [b"PNG", b"PNG"]);
    let seen = fake.last();
    assert_eq!(seen.path, "/v1/images/generations");
    assert_eq!(
        seen.json(),
        json!({
            "model": "flux", "prompt": "a harbour", "n": 2, "size": "1024x512", "response_format": "b64_json",
            "negative_prompt": "people", "seed": 7, "quality": "hd", "guidance_scale": 7.5,
        })
    );
    let link = reply(json!({"data": [{"url": "http://169.254.169.254/image.png"}]}));
    let fake = Fake::start([link]).await;
    let failure = provider(&OpenAi, &fake.url()).images(asked("flux")).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Broken);
    assert_eq!(fake.seen().len(), 1, "no link is followed");
}

/// The lists of vLLM, llama.cpp, LM Studio and OpenAI.
#[tokio::test]
async fn models_are_what_servers_say_or_what_their_names_suggest() {
    let fake = Fake::start([reply(json!({"object": "list", "data": [
        {"id": "Qwen/Qwen3-8B", "object": "model", "created": 1, "owned_by": "vllm", "root": "Qwen/Qwen3-8B", "parent": null, "max_model_len": 40960},
        {"id": "/models/gpt-oss.gguf", "object": "model", "owned_by": "llamacpp", "meta": {"vocab_type": 2, "n_ctx_train": 131072, "n_params": 1, "size": 2}},
        {"id": "qwen2-vl", "object": "model", "type": "vlm", "max_context_length": 32768},
        {"id": "plain-name", "object": "model", "type": "embeddings", "max_context_length": 2048},
        {"id": "BAAI/bge-reranker-v2-m3", "object": "model"},
        {"id": "text-embedding-3-small", "object": "model", "owned_by": "system"},
        {"id": "gpt-image-1", "object": "model"},
        {"id": "whisper-1", "object": "model"},
    ]}))])
    .await;
    let offers = provider(&OpenAi, &fake.url()).models().await.unwrap();
    let offer = |model: &str, kind, context| Offer { model: model.into(), kind, context };
    assert_eq!(
        offers,
        [
            offer("Qwen/Qwen3-8B", OfferKind::Text, Some(40960)),
            offer("/models/gpt-oss.gguf", OfferKind::Text, Some(131_072)),
            offer("qwen2-vl", OfferKind::Text, Some(32768)),
            offer("plain-name", OfferKind::Embedding, Some(2048)),
            offer("BAAI/bge-reranker-v2-m3", OfferKind::Rerank, None),
            offer("text-embedding-3-small", OfferKind::Embedding, None),
            offer("gpt-image-1", OfferKind::Image, None),
        ]
    );
}

#[tokio::test]
async fn tokens_are_counted_where_a_server_has_its_tokenizer_at_hand() {
    let count = |replies: Vec<Reply>| async move {
        let fake = Fake::start(replies).await;
        let counted = provider(&OpenAi, &fake.url()).count_tokens(call(&OpenAi, question(), false)).await;
        let paths: Vec<String> = fake.seen().into_iter().map(|seen| seen.path).collect();
        (counted, paths)
    };
    let vllm = vec![reply(json!({"count": 23, "max_model_len": 8192, "tokens": [1, 2]}))];
    let (counted, paths) = count(vllm).await;
    assert_eq!((counted.unwrap(), paths), (23, vec!["/tokenize".to_owned()]));
    let llama = vec![
        reply(json!({"tokens": []})),
        reply(json!({"prompt": "<s>How is the tide?"})),
        reply(json!({"tokens": [1, 2, 3]})),
    ];
    let (counted, paths) = count(llama).await;
    assert_eq!(counted.unwrap(), 3);
    assert_eq!(paths, ["/tokenize", "/apply-template", "/tokenize"]);
    let (counted, _) = count(vec![absent()]).await;
    assert_eq!(counted.unwrap_err().cause, Cause::Unmappable);
}
