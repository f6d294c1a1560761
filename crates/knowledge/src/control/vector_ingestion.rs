//! How a data source's documents are read and cut.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_agent::{
    ChunkingConfiguration, ChunkingStrategy, KnowledgeBaseStorageType as Storage, ParsingConfiguration,
    ParsingStrategy, VectorIngestionConfiguration,
};
use outcrop_extract::Chunking;
use outcrop_wire::arn::Arn;

use super::broken;
use crate::kept::{KnowledgeBase, Told};
use crate::{Knowledge, KnowledgeError};

/// What is cut where nothing is said: about 300 tokens, whole sentences (user guide), a fifth of them twice, as the
/// console presets it.
const DEFAULT: Chunking = Chunking::Fixed { max_tokens: 300, overlap_percentage: 20 };

/// Checks what a data source says of its documents. `bucket` is the source's own.
pub(super) fn checked(
    knowledge: &Knowledge,
    base: &KnowledgeBase,
    told: Option<&VectorIngestionConfiguration>,
    bucket: Option<&str>,
) -> Result<(), KnowledgeError> {
    let Some(told) = told else { return Ok(()) };
    if let Some(chunking) = &told.chunking_configuration {
        cut(chunking)?;
        fits(knowledge, base, chunking)?;
    }
    if let Some(parsing) = &told.parsing_configuration {
        parsed(base, parsing)?;
    }
    if told.context_enrichment_configuration.is_some() {
        if base.storage.as_ref().is_none_or(|storage| storage.0.r#type != Storage::NeptuneAnalytics) {
            return broken(
                "ContextEnrichmentConfiguration is only supported when using Neptune Analytics as a Knowledge Base",
            );
        }
        return Err(KnowledgeError::NotBuilt("Context enrichment is not implemented.".into()));
    }
    if let Some(custom) = &told.custom_transformation_configuration {
        let storage = &custom.intermediate_storage.s3_location.uri;
        if bucket.is_some_and(|bucket| bucket_of(storage) == Some(bucket)) {
            return broken(
                "A custom transformation configuration cannot have the same s3 bucket for intermediate storage as the \
                 data source",
            );
        }
        for one in &custom.transformations {
            knowledge.0.functions.check(&one.transformation_function.transformation_lambda_configuration.lambda_arn)?;
        }
    }
    Ok(())
}

/// How a data source's documents are cut.
pub(crate) fn chunking(told: Option<&Told<VectorIngestionConfiguration>>) -> Result<Chunking, KnowledgeError> {
    told.and_then(|told| told.0.chunking_configuration.as_ref()).map_or(Ok(DEFAULT), cut)
}

fn cut(told: &ChunkingConfiguration) -> Result<Chunking, KnowledgeError> {
    let needs = |block: &str| {
        broken(format!("{block} is required when chunking strategy is {}", told.chunking_strategy.as_str()))
    };
    // The model's constraints keep all of them above zero.
    let number = |number: i32| u32::try_from(number).unwrap_or(0);
    match told.chunking_strategy {
        ChunkingStrategy::FixedSize => match &told.fixed_size_chunking_configuration {
            None => needs("fixedSizeChunkingConfiguration"),
            Some(fixed) => Ok(Chunking::Fixed {
                max_tokens: number(fixed.max_tokens),
                overlap_percentage: number(fixed.overlap_percentage),
            }),
        },
        ChunkingStrategy::Hierarchical => {
            let Some(levels) = &told.hierarchical_chunking_configuration else {
                return needs("hierarchicalChunkingConfiguration");
            };
            let [parent, child] = levels.level_configurations.as_slice() else {
                return broken("Hierarchical chunking has two levels");
            };
            if parent.max_tokens <= child.max_tokens {
                return broken("Max tokens for each level in hierarchical chunking must be in descending order");
            }
            if levels.overlap_tokens >= child.max_tokens {
                return broken(format!(
                    "Overlap tokens {} must be smaller than the bottom level max tokens",
                    levels.overlap_tokens
                ));
            }
            Ok(Chunking::Hierarchical {
                parent: number(parent.max_tokens),
                child: number(child.max_tokens),
                overlap: number(levels.overlap_tokens),
            })
        }
        ChunkingStrategy::Semantic => match &told.semantic_chunking_configuration {
            None => needs("semanticChunkingConfiguration"),
            Some(semantic) => Ok(Chunking::Semantic {
                max_tokens: number(semantic.max_tokens),
                buffer: number(semantic.buffer_size),
                percentile: number(semantic.breakpoint_percentile_threshold),
            }),
        },
        ChunkingStrategy::None => Ok(Chunking::None),
        ChunkingStrategy::Unlisted(_) => Ok(DEFAULT),
    }
}

/// A chunk that is searched must fit into the model that makes its vector.
fn fits(knowledge: &Knowledge, base: &KnowledgeBase, told: &ChunkingConfiguration) -> Result<(), KnowledgeError> {
    let most = match cut(told)? {
        Chunking::Fixed { max_tokens, .. } | Chunking::Semantic { max_tokens, .. } => max_tokens,
        Chunking::Hierarchical { child, .. } => child,
        Chunking::None => return Ok(()),
    };
    let model = &base.model;
    let id = Arn::parse(model)
        .map_or(&**model, |arn| arn.resource.strip_prefix("foundation-model/").unwrap_or(arn.resource));
    let Some((known, _)) = knowledge.0.gateway.models().catalogue().find(id) else { return Ok(()) };
    // Of a local model every text is read as far as it can be.
    if !known.local && known.context.is_some_and(|limit| most > limit) {
        return broken(format!("The max tokens {most} exceeds the embedding model {model} limit"));
    }
    Ok(())
}

fn parsed(base: &KnowledgeBase, told: &ParsingConfiguration) -> Result<(), KnowledgeError> {
    let strategy = told.parsing_strategy.as_str();
    let multimodal = match &told.parsing_strategy {
        ParsingStrategy::BedrockFoundationModel => match &told.bedrock_foundation_model_configuration {
            None => return broken("Bedrock Foundation Model Configuration is required for this parsing strategy"),
            Some(model) => model.parsing_modality.is_some(),
        },
        ParsingStrategy::SmartParsing | ParsingStrategy::MultiModalEmbeddings if base.storage.is_some() => {
            return broken(format!("The parsing strategy {strategy} is only supported for MANAGED knowledge bases"));
        }
        _ => return Err(KnowledgeError::NotBuilt(format!("The parsing strategy {strategy} is not implemented."))),
    };
    let supplemental = base.configuration.0.vector_knowledge_base_configuration.as_ref();
    if multimodal && supplemental.is_none_or(|vector| vector.supplemental_data_storage_configuration.is_none()) {
        return broken(
            "Knowledge base must have supplementalDataStorageConfiguration to use specified parsing configuration",
        );
    }
    Ok(())
}

/// The bucket of `s3://bucket/…`.
pub(super) fn bucket_of(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("s3://")?;
    Some(rest.split_once('/').map_or(rest, |(bucket, _)| bucket))
}
