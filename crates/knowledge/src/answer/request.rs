//! What a request asks for, in one form for knowledge bases and external sources.

use std::collections::BTreeMap;

use outcrop_api::bedrock_agent_runtime::{
    ExternalSource, GuardrailConfiguration, InferenceConfig, OrchestrationConfiguration, PerformanceConfigLatency,
    PerformanceConfiguration, PromptTemplate, RetrieveAndGenerateConfiguration, RetrieveAndGenerateRequest,
    RetrieveAndGenerateStreamRequest, RetrieveAndGenerateType,
};
use outcrop_api::bedrock_runtime::{self, InferenceConfiguration};
use serde_json::Value;

use crate::KnowledgeError;
use crate::retrieve::Configuration;

/// Where answers are looked for.
pub(super) enum From<'a> {
    /// A knowledge base.
    Base { id: &'a str, retrieval: Option<&'a Configuration>, orchestration: Option<&'a OrchestrationConfiguration> },
    /// A document of the caller's.
    External(&'a ExternalSource),
}

/// A request, checked.
pub(super) struct Wanted<'a> {
    pub model: &'a str,
    pub from: From<'a>,
    pub template: Option<&'a PromptTemplate>,
    pub guardrail: Option<&'a GuardrailConfiguration>,
    pub inference: Option<&'a InferenceConfig>,
    pub additional: Option<&'a BTreeMap<String, Value>>,
    pub performance: Option<&'a PerformanceConfiguration>,
}

impl<'a> Wanted<'a> {
    /// Reads a configuration.
    pub fn of(configuration: Option<&'a RetrieveAndGenerateConfiguration>) -> Result<Self, KnowledgeError> {
        let Some(given) = configuration else {
            return refused("retrieveAndGenerateConfiguration is required: it names the knowledge base and the model.");
        };
        match (&given.r#type, &given.knowledge_base_configuration, &given.external_sources_configuration) {
            (RetrieveAndGenerateType::KnowledgeBase, Some(base), None) => {
                let generation = base.generation_configuration.as_ref();
                Ok(Self {
                    model: &base.model_arn,
                    from: From::Base {
                        id: &base.knowledge_base_id,
                        retrieval: base.retrieval_configuration.as_ref(),
                        orchestration: base.orchestration_configuration.as_ref(),
                    },
                    template: generation.and_then(|generation| generation.prompt_template.as_ref()),
                    guardrail: generation.and_then(|generation| generation.guardrail_configuration.as_ref()),
                    inference: generation.and_then(|generation| generation.inference_config.as_ref()),
                    additional: generation.and_then(|generation| generation.additional_model_request_fields.as_ref()),
                    performance: generation.and_then(|generation| generation.performance_config.as_ref()),
                })
            }
            (RetrieveAndGenerateType::ExternalSources, None, Some(external)) => {
                let Some(source) = external.sources.first().filter(|_| external.sources.len() == 1) else {
                    return refused("externalSourcesConfiguration needs exactly one source.");
                };
                let generation = external.generation_configuration.as_ref();
                Ok(Self {
                    model: &external.model_arn,
                    from: From::External(source),
                    template: generation.and_then(|generation| generation.prompt_template.as_ref()),
                    guardrail: generation.and_then(|generation| generation.guardrail_configuration.as_ref()),
                    inference: generation.and_then(|generation| generation.inference_config.as_ref()),
                    additional: generation.and_then(|generation| generation.additional_model_request_fields.as_ref()),
                    performance: generation.and_then(|generation| generation.performance_config.as_ref()),
                })
            }
            (RetrieveAndGenerateType::KnowledgeBase, ..) => {
                refused("knowledgeBaseConfiguration is required when type is KNOWLEDGE_BASE, and nothing beside it.")
            }
            (RetrieveAndGenerateType::ExternalSources, ..) => refused(
                "externalSourcesConfiguration is required when type is EXTERNAL_SOURCES, and nothing beside it.",
            ),
            (RetrieveAndGenerateType::Unlisted(other), ..) => refused(&format!("type has no value {other}.")),
        }
    }
}

/// A template's model parameters as Converse takes them. One that is given in both ways is refused, as Bedrock does.
pub(super) fn inference(
    given: Option<&InferenceConfig>,
    additional: Option<&BTreeMap<String, Value>>,
) -> Result<Option<InferenceConfiguration>, KnowledgeError> {
    let Some(text) = given.and_then(|given| given.text_inference_config.as_ref()) else { return Ok(None) };
    let twice = |names: &[&'static str]| {
        names.iter().find(|name| additional.is_some_and(|fields| fields.contains_key(**name))).copied()
    };
    let same: [(bool, &[&'static str]); 4] = [
        (text.temperature.is_some(), &["temperature"]),
        (text.top_p.is_some(), &["top_p", "topP"]),
        (text.max_tokens.is_some(), &["max_tokens", "maxTokens", "max_tokens_to_sample", "maxTokenCount"]),
        (text.stop_sequences.is_some(), &["stop_sequences", "stopSequences"]),
    ];
    for (there, names) in same {
        if let Some(name) = there.then(|| twice(names)).flatten() {
            return refused(&format!(
                "{name} is in both textInferenceConfig and additionalModelRequestFields. Give it in one of them."
            ));
        }
    }
    Ok(Some(InferenceConfiguration {
        max_tokens: text.max_tokens.filter(|most| *most > 0),
        temperature: text.temperature,
        top_p: text.top_p,
        stop_sequences: text.stop_sequences.clone(),
    }))
}

/// The latency that is asked for, as Converse takes it.
pub(super) fn performance(
    given: Option<&PerformanceConfiguration>,
) -> Option<bedrock_runtime::PerformanceConfiguration> {
    let latency = given?.latency.as_ref()?;
    let latency = match latency {
        PerformanceConfigLatency::Optimized => bedrock_runtime::PerformanceConfigLatency::Optimized,
        _ => bedrock_runtime::PerformanceConfigLatency::Standard,
    };
    Some(bedrock_runtime::PerformanceConfiguration { latency: Some(latency) })
}

/// The stream's request is the whole's.
pub(super) fn whole(input: RetrieveAndGenerateStreamRequest) -> RetrieveAndGenerateRequest {
    RetrieveAndGenerateRequest {
        input: input.input,
        retrieve_and_generate_configuration: input.retrieve_and_generate_configuration,
        session_configuration: input.session_configuration,
        session_id: input.session_id,
        user_context: input.user_context,
    }
}

fn refused<T>(text: &str) -> Result<T, KnowledgeError> {
    Err(KnowledgeError::Validation(text.to_owned()))
}
