//! What Bedrock offers beside conversations: vectors and ranks by InvokeModel, and its list of models.

use bytes::Bytes;
use outcrop_api::bedrock::{ListFoundationModelsResponse, ModelModality};
use outcrop_dialects::InputType;
use serde::Deserialize;
use serde_json::json;

use super::{Bedrock, answer, usage};
use crate::vector::unit;
use crate::{Embed, Embedded, Failure, Offer, OfferKind, Rank, Ranked, Rerank};

/// Cohere's models take this many texts at once.
const BATCH: usize = 96;

/// Vectors, by the format of the model's family: Titan's or Cohere's.
pub(super) async fn embed(bedrock: &Bedrock, call: &Embed) -> Result<Embedded, Failure> {
    let (model, texts) = (&*call.model, &call.request.texts);
    let mut out = Embedded { vectors: Vec::with_capacity(texts.len()), lengths: Vec::new(), tokens: 0 };
    if model.contains("titan-embed") {
        for text in texts {
            let mut body = json!({ "inputText": text });
            if model.contains("text-v2") {
                if call.dimensions > 0 {
                    body["dimensions"] = call.dimensions.into();
                }
                // Normalised here, so that the length is known to whoever wants the vector as computed.
                body["normalize"] = false.into();
            }
            let (head, found) = bedrock.invoke(model, body.to_string().into()).await?;
            let found: Titan = read(bedrock, &found)?;
            out.tokens += tokens(&head).unwrap_or(found.input_text_token_count);
            push(bedrock, &mut out, found.embedding)?;
        }
        return Ok(out);
    }
    if !model.contains("cohere.embed") {
        return Err(Failure::not_offered("embeddings of this model's format"));
    }
    for batch in texts.chunks(BATCH) {
        let purpose = match call.request.input_type {
            Some(InputType::Query) => "search_query",
            Some(InputType::Classification) => "classification",
            Some(InputType::Clustering) => "clustering",
            Some(InputType::Document) | None => "search_document",
        };
        let mut body = json!({ "texts": batch, "input_type": purpose, "embedding_types": ["float"] });
        if call.dimensions > 0 && model.contains("embed-v4") {
            body["output_dimension"] = call.dimensions.into();
        }
        let (head, found) = bedrock.invoke(model, body.to_string().into()).await?;
        let found: Cohere = read(bedrock, &found)?;
        if found.embeddings.float.len() != batch.len() {
            return Err(bedrock.runtime.broken(&"another number of vectors than of texts"));
        }
        out.tokens += tokens(&head).unwrap_or_default();
        for vector in found.embeddings.float {
            push(bedrock, &mut out, vector)?;
        }
    }
    Ok(out)
}

/// Documents in order, by the format that Bedrock's two families of rerankers share.
pub(super) async fn rerank(bedrock: &Bedrock, call: Rerank) -> Result<Ranked, Failure> {
    let mut body = json!({ "query": call.query, "documents": call.documents });
    if let Some(top) = call.top_n {
        body["top_n"] = top.into();
    }
    if call.model.contains("cohere") {
        body["api_version"] = 2.into();
    }
    let (head, found) = bedrock.invoke(&call.model, body.to_string().into()).await?;
    let found: Results = read(bedrock, &found)?;
    let ranks = found.results.into_iter().map(|r| Rank { index: r.index, score: r.relevance_score });
    Ok(Ranked { ranks: ranks.collect(), tokens: tokens(&head) })
}

/// The models of ListFoundationModels.
pub(super) fn offers(body: &[u8]) -> Result<Vec<Offer>, outcrop_wire::decode::Unreadable> {
    let list: ListFoundationModelsResponse = answer::read(body)?;
    let mut offers = Vec::new();
    for model in list.model_summaries.unwrap_or_default() {
        let puts_out = model.output_modalities.unwrap_or_default();
        let kind = if puts_out.contains(&ModelModality::Embedding) {
            OfferKind::Embedding
        } else if puts_out.contains(&ModelModality::Image) {
            OfferKind::Image
        } else if model.model_id.contains("rerank") {
            OfferKind::Rerank
        } else {
            OfferKind::Text
        };
        offers.push(Offer { model: model.model_id, kind, context: None });
    }
    Ok(offers)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Titan {
    embedding: Vec<f32>,
    #[serde(default)]
    input_text_token_count: u32,
}

#[derive(Deserialize)]
struct Cohere {
    embeddings: ByType,
}

#[derive(Deserialize)]
struct ByType {
    float: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    index: usize,
    relevance_score: f32,
}

fn read<'a, T: Deserialize<'a>>(bedrock: &Bedrock, body: &'a Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| bedrock.runtime.broken(&error))
}

fn tokens(head: &::http::HeaderMap) -> Option<u32> {
    usage(head).and_then(|usage| u32::try_from(usage.input_tokens).ok())
}

fn push(bedrock: &Bedrock, out: &mut Embedded, vector: Vec<f32>) -> Result<(), Failure> {
    let (vector, length) = unit(vector).ok_or_else(|| bedrock.runtime.broken(&"a text has no vector"))?;
    out.vectors.push(vector);
    out.lengths.push(length);
    Ok(())
}
