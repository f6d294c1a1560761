//! Rerank: documents in the order of their relevance to a query.
//!
//! A model of the gateway ranks where somebody serves it; else a scorer of this crate does (`local`), which is no
//! cross-encoder and says so in the answer's `x-outcrop-served-by`. Retrieve and RetrieveAndGenerate rerank by the same
//! function (`ranks`).

mod local;
#[cfg(test)]
mod tests;

use outcrop_access::Context;
use outcrop_api::Reply;
use outcrop_api::bedrock_agent_runtime::{
    RerankDocument, RerankDocumentType, RerankRequest, RerankResponse, RerankResult,
};
use outcrop_gateway::SERVED_BY;
use outcrop_guard::EncodeError;
use serde_json::Value;

use crate::{Knowledge, KnowledgeError};

/// Who ranks where no model does.
pub(crate) const LOCAL: &str = "outcrop.lexical-semantic";

/// Ranks documents.
pub async fn rerank(
    cx: &Context,
    knowledge: &Knowledge,
    input: RerankRequest,
) -> Result<Reply<RerankResponse>, KnowledgeError> {
    cx.allow("bedrock:Rerank", "*")?;
    if input.next_token.is_some() {
        // An answer has at most 1,000 pairs of numbers: it always fits, and no token was ever given out.
        return Err(KnowledgeError::Validation("The nextToken is not one of this operation's answers.".to_owned()));
    }
    let query = input.queries.first().and_then(|query| query.text_query.text.clone()).unwrap_or_default();
    let documents: Vec<String> =
        input.sources.iter().map(|source| text(&source.inline_document_source)).collect::<Result<_, _>>()?;
    let configuration = &input.reranking_configuration.bedrock_reranking_configuration;
    let model = &configuration.model_configuration.model_arn;
    let wanted = configuration.number_of_results.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let Reply { output: order, headers } = ranks(cx, knowledge, model, &query, documents).await?;
    let results = order.into_iter().take(wanted).map(|(index, score)| RerankResult {
        index: i32::try_from(index).unwrap_or(i32::MAX),
        relevance_score: score,
        document: None,
    });
    Ok(Reply { output: RerankResponse { results: results.collect(), next_token: None }, headers })
}

/// The places of `documents` with their relevance by `model`, best first, as `cx` may; and who ranked them, where that is
/// not the model itself.
pub(crate) async fn ranks(
    cx: &Context,
    knowledge: &Knowledge,
    model: &str,
    query: &str,
    documents: Vec<String>,
) -> Result<Reply<Vec<(usize, f32)>>, KnowledgeError> {
    let request =
        outcrop_dialects::RerankRequest { query: query.to_owned(), documents: documents.clone(), top_n: None };
    if let Some(reply) = knowledge.0.gateway.ranks(cx, model, request).await.map_err(KnowledgeError::Model)? {
        let mut order: Vec<(usize, f32)> =
            reply.output.ranks.iter().filter(|rank| rank.index < documents.len()).map(|r| (r.index, r.score)).collect();
        sort(&mut order);
        return Ok(Reply { output: order, headers: reply.headers });
    }
    Ok(Reply::from(here(knowledge, query, documents).await?).with(SERVED_BY, LOCAL))
}

/// Ranks `documents` without a model that ranks.
pub(crate) async fn here(
    knowledge: &Knowledge,
    query: &str,
    documents: Vec<String>,
) -> Result<Vec<(usize, f32)>, KnowledgeError> {
    let (encoder, query) = (knowledge.0.encoder.clone(), query.to_owned());
    let scored = tokio::task::spawn_blocking(move || local::scores(&query, &documents, &*encoder)).await;
    let scores = scored.map_err(|error| EncodeError(error.to_string()))??;
    let mut order: Vec<(usize, f32)> = scores.into_iter().enumerate().collect();
    sort(&mut order);
    Ok(order)
}

fn sort(order: &mut [(usize, f32)]) {
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
}

/// What of a document is read. JSON is flattened: a line for each value, with the names that lead to it.
fn text(document: &RerankDocument) -> Result<String, KnowledgeError> {
    let missing = |member: &str, kind: &str| {
        let text = format!("The document needs {member}, because its type is {kind}.");
        Err(KnowledgeError::Validation(text))
    };
    match document.r#type {
        RerankDocumentType::Json => match &document.json_document {
            Some(json) => {
                let mut lines = Vec::new();
                flatten("", json, &mut lines);
                Ok(lines.join("\n"))
            }
            None => missing("jsonDocument", "JSON"),
        },
        _ => match document.text_document.as_ref().and_then(|document| document.text.clone()) {
            Some(text) => Ok(text),
            None => missing("textDocument", "TEXT"),
        },
    }
}

fn flatten(name: &str, value: &Value, into: &mut Vec<String>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| flatten(&below(key), value, into)),
        Value::Array(items) => items.iter().for_each(|item| flatten(name, item, into)),
        Value::Null => {}
        Value::String(text) => into.push(if name.is_empty() { text.clone() } else { format!("{name}: {text}") }),
        other => into.push(if name.is_empty() { other.to_string() } else { format!("{name}: {other}") }),
    }
}
