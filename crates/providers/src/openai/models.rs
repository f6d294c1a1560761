//! `/models`: what the server has, and what each does, as far as it says so.

use serde::Deserialize;

use super::OpenAi;
use crate::{Failure, Offer, OfferKind};

#[derive(Deserialize)]
struct Response {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    /// LM Studio.
    r#type: Option<String>,
    /// vLLM and SGLang.
    max_model_len: Option<u32>,
    /// OpenRouter and many services.
    context_length: Option<u32>,
    /// LM Studio.
    max_context_length: Option<u32>,
    /// llama.cpp.
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    n_ctx: Option<u32>,
    n_ctx_train: Option<u32>,
}

pub(super) async fn list(provider: &OpenAi) -> Result<Vec<Offer>, Failure> {
    let answer = provider.http.get(provider.server.dialect(), "/models").await?;
    let answer: Response = serde_json::from_slice(&answer).map_err(|error| provider.http.broken(&error))?;
    let mut offers = Vec::new();
    for model in answer.data {
        let Some(kind) = kind(&model) else { continue };
        let meta = model.meta.and_then(|meta| meta.n_ctx.or(meta.n_ctx_train));
        let context = model.max_model_len.or(model.context_length).or(model.max_context_length).or(meta);
        offers.push(Offer { model: model.id, kind, context });
    }
    Ok(offers)
}

/// None where nothing that is asked here can be asked of it: speech, moderation.
fn kind(model: &Model) -> Option<OfferKind> {
    match model.r#type.as_deref() {
        Some("embeddings" | "embedding") => return Some(OfferKind::Embedding),
        Some("llm" | "vlm") => return Some(OfferKind::Text),
        Some("rerank" | "reranker") => return Some(OfferKind::Rerank),
        Some("image") => return Some(OfferKind::Image),
        _ => {}
    }
    let name = model.id.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if says(&["rerank"]) {
        return Some(OfferKind::Rerank);
    }
    if says(&["embed", "bge-", "gte-", "e5-", "minilm"]) {
        return Some(OfferKind::Embedding);
    }
    if says(&["dall-e", "gpt-image", "stable-diffusion", "sdxl", "flux", "qwen-image"]) {
        return Some(OfferKind::Image);
    }
    let other = ["whisper", "tts", "transcribe", "moderation", "realtime", "sora", "audio"];
    (!says(&other)).then_some(OfferKind::Text)
}
