//! What a request asks of a search.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_agent_runtime::{
    ImplicitFilterConfiguration, ManagedSearchConfiguration, MetadataConfigurationForReranking,
    RerankingMetadataSelectionMode, RerankingMetadataSelectiveModeConfiguration, RerankingModelType, RetrievalFilter,
    SearchType,
};
use outcrop_vectors::{Filter, Mode};

use super::filter::{self, Lacks};
use crate::base::Base;
use crate::{Knowledge, KnowledgeError};

/// Results where nobody says how many.
const DEFAULT: usize = 5;
/// Storage types that search by words too (the guide's table).
const HYBRID: [&str; 3] = ["OPENSEARCH_SERVERLESS", "RDS", "MONGO_DB_ATLAS"];

/// A search, checked.
pub(crate) struct Settings<'a> {
    /// How many results.
    pub number: usize,
    pub mode: Mode,
    pub filter: Option<Filter>,
    pub implicit: Option<&'a ImplicitFilterConfiguration>,
    pub reranking: Option<Reranking<'a>>,
}

/// How results are reranked.
pub(crate) struct Reranking<'a> {
    /// By which model; this server's own scorer where none is named.
    pub model: Option<&'a str>,
    /// What it reads beside the text.
    pub fields: Fields<'a>,
    /// How many results are left.
    pub keep: usize,
}

/// Which attributes a reranker reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fields<'a> {
    /// None: the text alone.
    Text,
    /// All.
    All,
    /// These.
    Only(Vec<&'a str>),
    /// All but these.
    Without(Vec<&'a str>),
}

impl Fields<'_> {
    /// Whether it reads this one.
    pub fn has(&self, key: &str) -> bool {
        match self {
            Self::Text => false,
            Self::All => true,
            Self::Only(names) => names.contains(&key),
            Self::Without(names) => !names.contains(&key),
        }
    }
}

impl<'a> Settings<'a> {
    /// What `configuration` asks of `base`.
    pub fn of(
        knowledge: &Knowledge,
        base: &Base,
        configuration: Option<&'a super::Configuration>,
    ) -> Result<Self, KnowledgeError> {
        let vector = configuration.and_then(|configuration| configuration.vector_search_configuration.as_ref());
        let managed = configuration.and_then(|configuration| configuration.managed_search_configuration.as_ref());
        if base.managed {
            return match vector {
                Some(_) => {
                    refused("vectorSearchConfiguration is for VECTOR knowledge bases; use managedSearchConfiguration.")
                }
                None => Self::managed(managed),
            };
        }
        if managed.is_some() {
            return refused(
                "managedSearchConfiguration is for MANAGED knowledge bases; use vectorSearchConfiguration.",
            );
        }
        let strict = knowledge.strict();
        let storage = base.storage.as_deref().unwrap_or_default();
        let hybrid = base.hybrid && (!strict || HYBRID.contains(&storage));
        let mode = match vector.and_then(|vector| vector.override_search_type.as_ref()) {
            Some(SearchType::Hybrid) if !hybrid => {
                return refused(&format!(
                    "HYBRID search type is not supported for search operation on index {}.",
                    base.id
                ));
            }
            Some(SearchType::Semantic) => Mode::Semantic,
            _ if hybrid => Mode::Hybrid,
            _ => Mode::Semantic,
        };
        let lacks = if strict { Lacks::of(storage) } else { Lacks::default() };
        let number = number(vector.and_then(|vector| vector.number_of_results));
        let mut reranking = None;
        if let Some(given) = vector.and_then(|vector| vector.reranking_configuration.as_ref()) {
            let Some(given) = &given.bedrock_reranking_configuration else {
                return refused(
                    "bedrockRerankingConfiguration is required when the reranking type is BEDROCK_RERANKING_MODEL.",
                );
            };
            reranking = Some(Reranking {
                model: Some(&given.model_configuration.model_arn),
                fields: fields(given.metadata_configuration.as_ref())?,
                keep: keep(given.number_of_reranked_results, number),
            });
        }
        Ok(Self {
            number,
            mode,
            filter: read(vector.and_then(|vector| vector.filter.as_ref()), lacks)?,
            implicit: vector.and_then(|vector| vector.implicit_filter_configuration.as_ref()),
            reranking,
        })
    }

    /// MANAGED knowledge bases are always searched both ways, and reranked unless that is declined.
    fn managed(managed: Option<&'a ManagedSearchConfiguration>) -> Result<Self, KnowledgeError> {
        let number = number(managed.and_then(|managed| managed.number_of_results));
        let given = managed.and_then(|managed| managed.reranking_configuration.as_ref());
        let given = given.and_then(|given| given.bedrock_reranking_configuration.as_ref());
        let kind = managed.and_then(|managed| managed.reranking_model_type.as_ref());
        let fields = fields(given.and_then(|given| given.metadata_configuration.as_ref()))?;
        let keep = keep(given.and_then(|given| given.number_of_reranked_results), number);
        let reranking = match (kind, given) {
            (Some(RerankingModelType::None), _) => None,
            (Some(RerankingModelType::Custom), None) => {
                return refused("rerankingConfiguration is required when rerankingModelType is CUSTOM.");
            }
            (Some(RerankingModelType::Managed), _) | (None, None) => Some(Reranking { model: None, fields, keep }),
            (_, Some(given)) => Some(Reranking { model: Some(&given.model_configuration.model_arn), fields, keep }),
            (Some(RerankingModelType::Unlisted(other)), None) => {
                return refused(&format!("rerankingModelType has no value {other}."));
            }
        };
        let filter = read(managed.and_then(|managed| managed.filter.as_ref()), Lacks::MANAGED)?;
        Ok(Self { number, mode: Mode::Hybrid, filter, implicit: None, reranking })
    }
}

fn number(given: Option<i32>) -> usize {
    given.and_then(|given| usize::try_from(given).ok()).unwrap_or(DEFAULT)
}

/// More than there are candidates is cut to them.
fn keep(given: Option<i32>, number: usize) -> usize {
    given.and_then(|given| usize::try_from(given).ok()).unwrap_or(number).min(number)
}

fn read(given: Option<&RetrievalFilter>, lacks: Lacks) -> Result<Option<Filter>, KnowledgeError> {
    given.map(|given| filter::filter(given, lacks)).transpose()
}

fn fields(given: Option<&MetadataConfigurationForReranking>) -> Result<Fields<'_>, KnowledgeError> {
    let Some(given) = given else { return Ok(Fields::Text) };
    if given.selection_mode == RerankingMetadataSelectionMode::All {
        return Ok(Fields::All);
    }
    match &given.selective_mode_configuration {
        Some(RerankingMetadataSelectiveModeConfiguration::FieldsToInclude(names)) => {
            Ok(Fields::Only(names.iter().map(|name| name.field_name.as_str()).collect()))
        }
        Some(RerankingMetadataSelectiveModeConfiguration::FieldsToExclude(names)) => {
            Ok(Fields::Without(names.iter().map(|name| name.field_name.as_str()).collect()))
        }
        _ => refused("selectiveModeConfiguration is required when selectionMode is SELECTIVE."),
    }
}

fn refused<T>(text: &str) -> Result<T, KnowledgeError> {
    Err(KnowledgeError::Validation(text.to_owned()))
}
