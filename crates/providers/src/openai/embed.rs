//! `/embeddings`.

use serde::{Deserialize, Serialize};

use super::{OpenAi, Refuses};
use crate::vector::{fit, unit};
use crate::{Cause, Embed, Embedded, Failure};

/// Texts of one request: fewer than OpenAI's 2,048, and no more than servers with small batches hold in memory.
const BATCH: usize = 256;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    /// Lists of numbers: not every server has the other one.
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Response {
    data: Vec<Item>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u32>,
    total_tokens: Option<u32>,
}

pub(super) async fn embed(provider: &OpenAi, call: &Embed) -> Result<Embedded, Failure> {
    let mut out = Embedded { vectors: Vec::new(), lengths: Vec::new(), tokens: 0 };
    for texts in call.request.texts.chunks(BATCH) {
        let answer = batch(provider, call, texts).await?;
        // Servers that count nothing are counted for: four bytes are about a token.
        let counted = answer.usage.and_then(|usage| usage.prompt_tokens.or(usage.total_tokens));
        let guessed = || texts.iter().map(|text| text.len().div_ceil(4)).sum::<usize>();
        let tokens = counted.unwrap_or_else(|| u32::try_from(guessed()).unwrap_or(u32::MAX));
        out.tokens = out.tokens.saturating_add(tokens);
        let mut vectors = vec![Vec::new(); texts.len()];
        for (i, item) in answer.data.into_iter().enumerate() {
            if let Some(place) = vectors.get_mut(item.index.unwrap_or(i)) {
                *place = item.embedding;
            }
        }
        for vector in vectors {
            let (vector, length) = unit(vector).ok_or_else(|| provider.http.broken(&"a text has no vector"))?;
            out.vectors.push(fit(vector, call.dimensions));
            out.lengths.push(length);
        }
    }
    Ok(out)
}

/// Asks for the wanted length, and without one if the model has but one.
async fn batch(provider: &OpenAi, call: &Embed, texts: &[String]) -> Result<Response, Failure> {
    let wanted = Some(call.dimensions).filter(|n| *n > 0 && !provider.refuses(&call.model, Refuses::Dimensions));
    let request = |dimensions| Request { model: &call.model, input: texts, encoding_format: "float", dimensions };
    match provider.call(&provider.http, "/embeddings", &request(wanted)).await {
        Err(failure) if wanted.is_some() && refuses_dimensions(&failure) => {
            provider.learn(&call.model, Refuses::Dimensions);
            provider.call(&provider.http, "/embeddings", &request(None)).await
        }
        answer => answer,
    }
}

/// vLLM's and OpenAI's words for models without nested vectors.
fn refuses_dimensions(failure: &Failure) -> bool {
    let said = failure.fault.message.to_lowercase();
    failure.cause == Cause::Request && (said.contains("dimensions") || said.contains("matryoshka"))
}
