use crate::body::{Node, parse};
use crate::embedding::{bits, floats};
use crate::{DialectError, EmbeddingDialect, EmbeddingRequest, EmbeddingType};
use serde_json::{Map, Value, json};

/// Titan Embeddings G1: a text, 1,536 floats.
pub struct EmbedV1;

/// Titan Text Embeddings V2: 1,024, 512 or 256 floats or bits.
pub struct EmbedV2;

/// The greatest length that either reads, in characters.
const LONGEST: usize = 50_000;

impl EmbeddingDialect for EmbedV1 {
    fn name(&self) -> &'static str {
        "titan-embed-v1"
    }

    fn decode(&self, body: &[u8]) -> Result<EmbeddingRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["inputText"])?;
        let text = body.required("inputText")?.text(1, LONGEST)?.to_owned();
        Ok(EmbeddingRequest {
            texts: vec![text],
            dimensions: Some(1536),
            normalize: true,
            ..EmbeddingRequest::default()
        })
    }

    fn encode(&self, _: &EmbeddingRequest, vectors: &[Vec<f32>], tokens: u32, _: &str) -> Value {
        json!({"embedding": vectors.first().map(|v| floats(v)), "inputTextTokenCount": tokens})
    }
}

impl EmbeddingDialect for EmbedV2 {
    fn name(&self) -> &'static str {
        "titan-embed-v2"
    }

    fn decode(&self, body: &[u8]) -> Result<EmbeddingRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["inputText", "dimensions", "normalize", "embeddingTypes"])?;
        let text = body.required("inputText")?.text(1, LONGEST)?.to_owned();
        let dimensions = body.get("dimensions")?.map(|n| n.one_of_integers(&[256, 512, 1024])).transpose()?;
        let mut types = Vec::new();
        if let Some(node) = body.get("embeddingTypes")? {
            for item in node.items(0, 2)? {
                types.extend(EmbeddingType::named(item.one_of(&["float", "binary"])?));
            }
        }
        Ok(EmbeddingRequest {
            texts: vec![text],
            dimensions,
            normalize: body.get("normalize")?.map(|n| n.boolean()).transpose()?.unwrap_or(true),
            types,
            ..EmbeddingRequest::default()
        })
    }

    /// `embeddingsByType` is always there; `embedding` only where floats were asked for.
    fn encode(&self, request: &EmbeddingRequest, vectors: &[Vec<f32>], tokens: u32, _: &str) -> Value {
        let vector = vectors.first().map(Vec::as_slice).unwrap_or_default();
        let asked = |t| request.types.contains(&t);
        let mut by_type = Map::new();
        let mut answer = Map::new();
        if request.types.is_empty() || asked(EmbeddingType::Float) {
            let floats = floats(vector);
            answer.insert("embedding".to_owned(), floats.clone());
            by_type.insert("float".to_owned(), floats);
        }
        if asked(EmbeddingType::Binary) {
            by_type.insert("binary".to_owned(), bits(vector));
        }
        answer.insert("inputTextTokenCount".to_owned(), tokens.into());
        answer.insert("embeddingsByType".to_owned(), Value::Object(by_type));
        Value::Object(answer)
    }
}
