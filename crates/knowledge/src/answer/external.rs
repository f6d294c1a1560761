//! EXTERNAL_SOURCES: one document that comes with the request, read and cut here, kept nowhere.

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_api::bedrock_agent_runtime::{ExternalSource, ExternalSourceType, RetrievalResultLocation};
use outcrop_extract::{Chunk, Chunking, Document};
use outcrop_guard::{EncodeError, Encoder};

use super::evidence::likeness;
use crate::retrieve::location;
use crate::{Knowledge, KnowledgeError};

/// Bytes of a document (the service model's limit, which S3 objects keep to as well).
const MOST: u64 = 10_485_760;
/// Chunks that an answer is made from.
const CHUNKS: usize = 10;
/// Chunks whose meaning is compared with the question; of a longer document, those that share most words with it.
const COMPARED: usize = 100;
/// About this many letters are a token.
const LETTERS: usize = 4;

/// A document's chunks that fit the question, best first, and where they are from.
pub(super) async fn read(
    cx: &Context,
    knowledge: &Knowledge,
    source: &ExternalSource,
    question: &str,
) -> Result<(Vec<Chunk>, RetrievalResultLocation), KnowledgeError> {
    let (bytes, name, mime, location) = match (&source.source_type, &source.s3_location, &source.byte_content) {
        (ExternalSourceType::S3, Some(object), None) => {
            let parts = object.uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let Some((bucket, key)) = parts.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) else {
                return refused(format!("{} is no S3 URI of an object.", object.uri));
            };
            let content = knowledge.0.buckets.get(cx, bucket, key, MOST).await?;
            (content.bytes, key.to_owned(), content.object.content_type, location("S3", object.uri.clone()))
        }
        (ExternalSourceType::ByteContent, None, Some(given)) => (
            given.data.clone(),
            given.identifier.clone(),
            Some(given.content_type.clone()),
            location("CUSTOM", given.identifier.clone()),
        ),
        (ExternalSourceType::S3, ..) => {
            return refused("s3Location is required when sourceType is S3, and nothing beside it.".into());
        }
        (ExternalSourceType::ByteContent, ..) => {
            return refused("byteContent is required when sourceType is BYTE_CONTENT, and nothing beside it.".into());
        }
        (ExternalSourceType::Unlisted(other), ..) => return refused(format!("sourceType has no value {other}.")),
    };
    let document = knowledge
        .parse(bytes, name.clone(), mime)
        .await
        .map_err(|failure| KnowledgeError::Validation(format!("The document {name} could not be read: {failure}.")))?;
    let encoder: Arc<dyn Encoder> = knowledge.0.encoder.clone();
    let question = question.to_owned();
    let chosen = tokio::task::spawn_blocking(move || fitting(&document, &question, &*encoder)).await;
    let chunks = chosen.map_err(|error| EncodeError(error.to_string()))??;
    if chunks.is_empty() {
        return refused(format!("The document {name} has no text."));
    }
    Ok((chunks, location))
}

/// The chunks that fit `question` best.
fn fitting(document: &Document, question: &str, encoder: &dyn Encoder) -> Result<Vec<Chunk>, EncodeError> {
    let tokens = |text: &str| text.len().div_ceil(LETTERS);
    let chunks = outcrop_extract::chunk(document, Chunking::default(), &tokens).chunks;
    let mut scored: Vec<(f32, Chunk)> =
        chunks.into_iter().map(|chunk| (likeness(question, &chunk.text).0, chunk)).collect();
    if scored.len() <= 1 {
        return Ok(scored.into_iter().map(|(_, chunk)| chunk).collect());
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.truncate(COMPARED);
    let all: Vec<&str> = std::iter::once(question).chain(scored.iter().map(|(_, chunk)| chunk.text.as_str())).collect();
    let encoded = encoder.encode(&all)?;
    if let Some((asked, found)) = encoded.split_first() {
        let cosines: Vec<f32> =
            found.iter().map(|one| asked.vector.iter().zip(&one.vector).map(|(a, b)| a * b).sum()).collect();
        for ((score, _), cosine) in scored.iter_mut().zip(cosines) {
            // The weights of the search over knowledge bases.
            *score = 0.4 * *score + 0.6 * cosine;
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.truncate(CHUNKS);
    Ok(scored.into_iter().map(|(_, chunk)| chunk).collect())
}

fn refused<T>(text: String) -> Result<T, KnowledgeError> {
    Err(KnowledgeError::Validation(text))
}
