//! The embedding model of a knowledge base: what may be asked of it, and whether it answers the role.

use outcrop_access::Context;
use outcrop_api::Service;
use outcrop_api::bedrock_agent::EmbeddingDataType;
use outcrop_dialects::{EmbeddingRequest, InputType};
use outcrop_vectors::Shape;
use outcrop_wire::arn::Arn;

use super::broken;
use super::configuration::{Wanted, holds_bits};
use crate::{Knowledge, KnowledgeError};

/// Asks the model for a vector as the role would, and says what its vectors are.
pub(super) async fn probe(
    knowledge: &Knowledge,
    acting: &Context,
    role: &str,
    wanted: &Wanted<'_>,
) -> Result<Shape, KnowledgeError> {
    let told = wanted.told.and_then(|told| told.bedrock_embedding_model_configuration.as_ref());
    let binary = told.and_then(|told| told.embedding_data_type.as_ref()) == Some(&EmbeddingDataType::Binary);
    let dimensions = told.and_then(|told| told.dimensions).map(|dimensions| u32::try_from(dimensions).unwrap_or(0));
    let id = Arn::parse(wanted.model)
        .map_or(wanted.model, |arn| arn.resource.strip_prefix("foundation-model/").unwrap_or(arn.resource));
    let known = knowledge.0.gateway.models().catalogue().find(id).map(|(model, _)| model);
    if let (Some(asked), Some(lengths)) = (dimensions, known.and_then(|model| model.dimensions.as_ref())) {
        if lengths.allowed.len() < 2 && asked != lengths.default {
            return broken(format!("The specified model {} does not support configurable dimensions", wanted.model));
        }
        if asked != lengths.default && !lengths.allowed.contains(&asked) {
            return broken("The specified embedding dimensions is not supported by the model");
        }
    }
    if binary {
        // The models of Bedrock that answer bits; what is local answers numbers, whose signs are the bits.
        let bits = |id: &str| id.starts_with("amazon.titan-embed-text-v2") || id.starts_with("cohere.embed");
        if known.is_some_and(|model| !model.local && !bits(&model.id)) {
            return broken("embeddingDataType BINARY not supported for embedding model");
        }
        if let Some(storage) = wanted.storage.filter(|storage| knowledge.strict() && !holds_bits(storage)) {
            let storage = storage.as_str();
            return broken(format!("The embedding type provided BINARY is invalid for storage type {storage}"));
        }
    }
    let request = EmbeddingRequest {
        texts: vec!["probe".to_owned()],
        dimensions,
        normalize: true,
        input_type: Some(InputType::Document),
        ..EmbeddingRequest::default()
    };
    let answered = knowledge.0.gateway.embeddings(acting, wanted.model, None, request).await;
    let reply = answered.map_err(|fault| {
        KnowledgeError::Validation(format!(
            "Knowledge base role {role} is not able to call specified bedrock embedding model {}: {} (Service: \
             BedrockRuntime, Status Code: {}, Request ID: {}) (SDK Attempt Count: 1)",
            wanted.model,
            fault.message,
            Service::BedrockRuntime.status(fault.kind),
            acting.request_id,
        ))
    })?;
    let length = reply.output.vectors.first().map_or(0, Vec::len);
    let made = u32::try_from(length).unwrap_or(0);
    if made == 0 || dimensions.is_some_and(|asked| asked != made) || (binary && made % 8 != 0) {
        return broken("The specified embedding dimensions is not supported by the model");
    }
    Ok(Shape { dimensions: made, binary })
}
