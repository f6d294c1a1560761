use super::embed::{self, input_type, types};
use crate::body::{Node, parse};
use crate::{DialectError, EmbeddingDialect, EmbeddingRequest, Truncate};
use serde_json::Value;

/// Cohere Embed v4: up to 96 texts or inputs of several parts, 256 to 1,536 numbers each in one of five formats.
pub struct EmbedV4;

const NO_IMAGES: &str = "images cannot be read by this model, send texts";

impl EmbeddingDialect for EmbedV4 {
    fn name(&self) -> &'static str {
        "cohere-embed-v4"
    }

    fn decode(&self, body: &[u8]) -> Result<EmbeddingRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&[
            "texts",
            "images",
            "inputs",
            "input_type",
            "embedding_types",
            "output_dimension",
            "max_tokens",
            "truncate",
        ])?;
        if let Some(images) = body.get("images")? {
            return Err(images.refuse(NO_IMAGES));
        }
        let texts = match (body.get("texts")?, body.get("inputs")?) {
            (Some(_), Some(_)) => return Err(body.refuse("texts and inputs cannot be sent together")),
            (None, Some(inputs)) => inputs.items(1, 96)?.iter().map(input).collect::<Result<_, _>>()?,
            _ => {
                let mut texts = Vec::new();
                for text in body.required("texts")?.items(1, 96)? {
                    texts.push(text.text(1, usize::MAX)?.to_owned());
                }
                texts
            }
        };
        let input_type = input_type(&body)?;
        let truncate = match body.get("truncate")?.map(|t| t.one_of(&["NONE", "LEFT", "RIGHT"])).transpose()? {
            Some("LEFT") => Truncate::Start,
            Some("RIGHT") => Truncate::End,
            _ => Truncate::None,
        };
        let dimensions = match body.get("output_dimension")? {
            Some(node) => node.one_of_integers(&[256, 512, 1024, 1536])?,
            None => 1536,
        };
        let longest = body.get("max_tokens")?.map(|n| n.integer(1, 128_000)).transpose()?;
        Ok(EmbeddingRequest {
            texts,
            dimensions: Some(dimensions),
            normalize: true,
            input_type: Some(input_type),
            types: types(&body)?,
            truncate,
            max_tokens: longest.and_then(|n| u32::try_from(n).ok()),
        })
    }

    fn encode(&self, request: &EmbeddingRequest, vectors: &[Vec<f32>], _: u32, id: &str) -> Value {
        embed::answer(request, vectors, id)
    }
}

/// The text of an input; its parts stand on lines of their own.
fn input(node: &Node) -> Result<String, DialectError> {
    node.only(&["content"])?;
    let mut text = String::new();
    for part in node.required("content")?.items(1, usize::MAX)? {
        if part.required("type")?.one_of(&["text", "image_url"])? == "image_url" {
            return Err(part.refuse(NO_IMAGES));
        }
        part.only(&["type", "text"])?;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part.required("text")?.text(1, usize::MAX)?);
    }
    Ok(text)
}
