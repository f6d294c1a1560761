//! `/v2/embed`.

use outcrop_dialects::{InputType, Truncate};
use serde::{Deserialize, Serialize};

use super::Cohere;
use crate::vector::{fit, unit};
use crate::{Embed, Embedded, Failure};

/// The most texts of one request.
const BATCH: usize = 96;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    texts: &'a [String],
    input_type: &'static str,
    embedding_types: [&'static str; 1],
    truncate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<usize>,
}

#[derive(Deserialize)]
struct Response {
    embeddings: ByType,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct ByType {
    float: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Meta {
    billed_units: Option<Billed>,
}

#[derive(Deserialize)]
struct Billed {
    input_tokens: Option<f64>,
}

pub(super) async fn embed(provider: &Cohere, call: &Embed) -> Result<Embedded, Failure> {
    let asked = &call.request;
    // Since its third generation the API demands to be told; documents are what most vectors are of.
    let input_type = match asked.input_type {
        None | Some(InputType::Document) => "search_document",
        Some(InputType::Query) => "search_query",
        Some(InputType::Classification) => "classification",
        Some(InputType::Clustering) => "clustering",
    };
    let truncate = match asked.truncate {
        Truncate::None => "NONE",
        Truncate::Start => "START",
        Truncate::End => "END",
    };
    // Earlier models have one length each, to which nothing is asked and everything fitted.
    let nested = [256, 512, 1024, 1536].contains(&call.dimensions) && call.model.starts_with("embed-v4");
    let mut out = Embedded { vectors: Vec::new(), lengths: Vec::new(), tokens: 0 };
    for texts in asked.texts.chunks(BATCH) {
        let request = Request {
            model: &call.model,
            texts,
            input_type,
            embedding_types: ["float"],
            truncate,
            output_dimension: nested.then_some(call.dimensions),
        };
        let answer: Response = provider.call("/v2/embed", &request).await?;
        let counted = answer.meta.and_then(|meta| meta.billed_units).and_then(|units| units.input_tokens);
        // `as` saturates.
        out.tokens = out.tokens.saturating_add(counted.unwrap_or_default() as u32);
        if answer.embeddings.float.len() != texts.len() {
            return Err(provider.http.broken(&"it has another number of vectors than there are texts"));
        }
        for vector in answer.embeddings.float {
            let (vector, length) = unit(vector).ok_or_else(|| provider.http.broken(&"a text has no vector"))?;
            out.vectors.push(fit(vector, call.dimensions));
            out.lengths.push(length);
        }
    }
    Ok(out)
}
