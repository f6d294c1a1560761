use crate::body::{Node, parse};
use crate::embedding::floats;
use crate::{DialectError, EmbeddingDialect, EmbeddingRequest};
use serde_json::{Value, json};

/// Titan Multimodal Embeddings G1: a text, a picture or both; 1,024, 384 or 256 floats.
pub struct EmbedMultimodal;

impl EmbeddingDialect for EmbedMultimodal {
    fn name(&self) -> &'static str {
        "titan-multimodal-embed"
    }

    fn decode(&self, body: &[u8]) -> Result<EmbeddingRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["inputText", "inputImage", "embeddingConfig"])?;
        if let Some(image) = body.get("inputImage")? {
            image.string()?;
            return Err(image.refuse("images cannot be read by this model, send inputText"));
        }
        let text = body.required("inputText")?.text(1, usize::MAX)?.to_owned();
        let mut dimensions = 1024;
        if let Some(config) = body.get("embeddingConfig")? {
            config.only(&["outputEmbeddingLength"])?;
            if let Some(node) = config.get("outputEmbeddingLength")? {
                dimensions = node.one_of_integers(&[256, 384, 1024])?;
            }
        }
        Ok(EmbeddingRequest {
            texts: vec![text],
            dimensions: Some(dimensions),
            normalize: true,
            ..EmbeddingRequest::default()
        })
    }

    /// `message` is for errors of the generation.
    fn encode(&self, _: &EmbeddingRequest, vectors: &[Vec<f32>], tokens: u32, _: &str) -> Value {
        json!({"embedding": vectors.first().map(|v| floats(v)), "inputTextTokenCount": tokens, "message": null})
    }
}
