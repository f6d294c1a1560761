use crate::body::{Node, parse};
use crate::embedding::{floats, packed, quantised};
use crate::{DialectError, EmbeddingDialect, EmbeddingRequest, EmbeddingType, InputType, Truncate};
use serde_json::{Map, Value, json};

/// Cohere Embed v3: up to 96 texts, 1,024 numbers each in one of five formats.
pub struct EmbedV3;

impl EmbeddingDialect for EmbedV3 {
    fn name(&self) -> &'static str {
        "cohere-embed-v3"
    }

    fn decode(&self, body: &[u8]) -> Result<EmbeddingRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["texts", "input_type", "truncate", "embedding_types", "images"])?;
        if let Some(images) = body.get("images")? {
            return Err(images.refuse("images cannot be read by this model, send texts"));
        }
        let mut texts = Vec::new();
        for text in body.required("texts")?.items(1, 96)? {
            texts.push(text.text(1, 2048)?.to_owned());
        }
        let input_type = input_type(&body)?;
        let truncate = match body.get("truncate")?.map(|t| t.one_of(&["NONE", "START", "END"])).transpose()? {
            Some("START") => Truncate::Start,
            Some("END") => Truncate::End,
            _ => Truncate::None,
        };
        Ok(EmbeddingRequest {
            texts,
            dimensions: Some(1024),
            normalize: true,
            input_type: Some(input_type),
            types: types(&body)?,
            truncate,
            max_tokens: None,
        })
    }

    fn encode(&self, request: &EmbeddingRequest, vectors: &[Vec<f32>], _: u32, id: &str) -> Value {
        answer(request, vectors, id)
    }
}

pub(super) fn input_type(body: &Node) -> Result<InputType, DialectError> {
    let kinds = ["search_document", "search_query", "classification", "clustering"];
    Ok(match body.required("input_type")?.one_of(&kinds)? {
        "search_query" => InputType::Query,
        "classification" => InputType::Classification,
        "clustering" => InputType::Clustering,
        _ => InputType::Document,
    })
}

pub(super) fn types(body: &Node) -> Result<Vec<EmbeddingType>, DialectError> {
    let mut types = Vec::new();
    if let Some(node) = body.get("embedding_types")? {
        for item in node.items(0, 5)? {
            types.extend(EmbeddingType::named(item.one_of(&["float", "int8", "uint8", "binary", "ubinary"])?));
        }
    }
    Ok(types)
}

/// A list of vectors, or one list for each format where formats were named.
pub(super) fn answer(request: &EmbeddingRequest, vectors: &[Vec<f32>], id: &str) -> Value {
    let (kind, embeddings) = if request.types.is_empty() {
        ("embeddings_floats", of_type(EmbeddingType::Float, vectors))
    } else {
        let by_type: Map<String, Value> =
            request.types.iter().map(|t| (t.name().to_owned(), of_type(*t, vectors))).collect();
        ("embeddings_by_type", Value::Object(by_type))
    };
    json!({"id": id, "response_type": kind, "embeddings": embeddings, "texts": request.texts})
}

fn of_type(kind: EmbeddingType, vectors: &[Vec<f32>]) -> Value {
    // Cohere packs bits eight to a byte; the signed form is the unsigned one less 128.
    let one = |v: &Vec<f32>| -> Value {
        match kind {
            EmbeddingType::Float => floats(v),
            EmbeddingType::Int8 => quantised(v).into_iter().map(Value::from).collect(),
            EmbeddingType::Uint8 => quantised(v).into_iter().map(|x| Value::from(i16::from(x) + 128)).collect(),
            EmbeddingType::Binary => packed(v).into_iter().map(|x| Value::from(i16::from(x) - 128)).collect(),
            EmbeddingType::Ubinary => packed(v).into_iter().map(Value::from).collect(),
        }
    };
    vectors.iter().map(one).collect()
}
