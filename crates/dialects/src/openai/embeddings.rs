//! The vectors of OpenAI's own API.

use crate::body::{Node, parse};
use crate::embedding::floats;
use crate::{DialectError, EmbeddingRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// As many texts as OpenAI's reference admits.
const TEXTS: usize = 2048;

/// What a body asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Of which model.
    pub model: String,
    /// The texts and how long their vectors should be.
    pub request: EmbeddingRequest,
    /// The numbers as bytes instead of decimals: single precision, least significant byte first.
    pub base64: bool,
}

/// Reads a body.
pub fn decode(body: &[u8]) -> Result<Asked, DialectError> {
    let value = parse(body)?;
    let body = Node::root(&value);
    body.only(&["model", "input", "dimensions", "encoding_format", "user"])?;
    let model = body.required("model")?.text(1, 2048)?.to_owned();
    let dimensions = body.get("dimensions")?.map(|n| n.integer(1, 1 << 20)).transpose()?;
    let format = body.get("encoding_format")?.map(|f| f.one_of(&["float", "base64"])).transpose()?;
    body.get("user")?.map(|u| u.string()).transpose()?;
    let request = EmbeddingRequest {
        texts: texts(&body.required("input")?)?,
        dimensions: dimensions.and_then(|n| u32::try_from(n).ok()),
        normalize: true,
        ..EmbeddingRequest::default()
    };
    Ok(Asked { model, request, base64: format == Some("base64") })
}

/// One text or a list of them.
fn texts(input: &Node) -> Result<Vec<String>, DialectError> {
    if input.value.is_string() {
        return Ok(vec![input.text(1, usize::MAX)?.to_owned()]);
    }
    let mut out = Vec::new();
    for item in input.items(1, TEXTS)? {
        if item.value.is_number() || item.value.is_array() {
            return Err(input.refuse("tokens are not read, send a string or a list of strings"));
        }
        out.push(item.text(1, usize::MAX)?.to_owned());
    }
    Ok(out)
}

/// The answer: one vector for each text, and the number of tokens read.
pub fn encode(asked: &Asked, vectors: &[Vec<f32>], tokens: u32) -> Value {
    let mut data = Vec::with_capacity(vectors.len());
    for (index, vector) in vectors.iter().enumerate() {
        let embedding = if asked.base64 { bytes(vector).into() } else { floats(vector) };
        data.push(json!({"object": "embedding", "index": index, "embedding": embedding}));
    }
    json!({
        "object": "list",
        "data": data,
        "model": asked.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

fn bytes(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}
