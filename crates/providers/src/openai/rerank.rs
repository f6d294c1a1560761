//! `/rerank`, as Cohere and Jina have it and vLLM and llama.cpp serve it.

use serde::{Deserialize, Serialize};

use super::{OpenAi, unless_absent};
use crate::{Cause, Failure, Rank, Ranked, Rerank};

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    query: &'a str,
    documents: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<usize>,
}

#[derive(Deserialize)]
struct Response {
    results: Vec<Found>,
    usage: Option<Usage>,
    object: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    index: usize,
    #[serde(alias = "score")]
    relevance_score: f32,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u32>,
}

pub(super) async fn rerank(provider: &OpenAi, call: &Rerank) -> Result<Ranked, Failure> {
    let Rerank { model, query, documents, top_n } = call;
    let request = Request { model, query, documents, top_n: *top_n };
    let answer: Response = match provider.call(&provider.http, "/rerank", &request).await {
        // A base URL without /v1.
        Err(failure) if failure.cause == Cause::NoModel => {
            let again = provider.call(&provider.root, "/v1/rerank", &request).await;
            again.map_err(|failure| unless_absent(failure, "reranking"))?
        }
        answer => answer?,
    };
    let broken = || provider.http.broken(&"a rank names no document, or has no score");
    let mut ranks = Vec::with_capacity(answer.results.len());
    // llama.cpp, whose lists say that they are some, gives what its model computes, before it is made a probability.
    let raw = answer.object.as_deref() == Some("list")
        || answer.results.iter().any(|found| !(0.0..=1.0).contains(&found.relevance_score));
    for Found { index, relevance_score } in answer.results {
        if index >= documents.len() || !relevance_score.is_finite() {
            return Err(broken());
        }
        let score = if raw { 1.0 / (1.0 + (-relevance_score).exp()) } else { relevance_score };
        ranks.push(Rank { index, score });
    }
    ranks.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranks.truncate(top_n.unwrap_or(usize::MAX));
    Ok(Ranked { ranks, tokens: answer.usage.and_then(|usage| usage.total_tokens) })
}
