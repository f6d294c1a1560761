//! `/embeddings`.

use serde::{Deserialize, Serialize};

use super::{OpenAi, Refuses};
use crate::{Cause, Embed, Embedded, Failure, vector};

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
    data: Vec<vector::Item>,
    usage: Option<Usage>,
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
        if !vector::add(answer.data, texts.len(), call.dimensions, &mut out) {
            return Err(provider.http.broken(&"a text has no vector"));
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
