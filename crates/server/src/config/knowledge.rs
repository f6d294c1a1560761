//! Knowledge bases.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use outcrop_knowledge::schedule::{Schedule, Settings};
use outcrop_wire::arn::Arn;
use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[knowledge]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Knowledge {
    pub strict: bool,
    pub answers: KnowledgeAnswers,
    pub managed_embedding_model: String,
    pub jobs: NonZeroUsize,
    pub jobs_per_account: NonZeroUsize,
    pub schedules: BTreeMap<String, String>,
}

impl Knowledge {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (arn, every) in &self.schedules {
            if !Arn::parse(arn).is_some_and(|arn| arn.resource.starts_with("knowledge-base/")) {
                let expected = "the ARN of a knowledge base: arn:aws:bedrock:REGION:ACCOUNT:knowledge-base/ID";
                return Err(impossible("knowledge.schedules", arn, expected));
            }
            if Schedule::every(every).is_none() {
                return Err(impossible("knowledge.schedules", every, "a time such as 90s, 15m, 1h or 2d"));
            }
        }
        Ok(())
    }

    /// How often knowledge bases are synchronised.
    pub(crate) fn schedules(&self) -> Settings {
        let read = |(arn, every): (&String, &String)| Some((arn.clone(), Schedule::every(every)?));
        self.schedules.iter().filter_map(read).collect()
    }
}

/// `answers`: who words what RetrieveAndGenerate answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "explained in the default file")]
pub enum KnowledgeAnswers {
    #[default]
    Auto,
    Extractive,
    Generative,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self {
            strict: false,
            answers: KnowledgeAnswers::Auto,
            managed_embedding_model: "amazon.titan-embed-text-v2:0".to_owned(),
            jobs: const { NonZeroUsize::new(5).unwrap() },
            jobs_per_account: const { NonZeroUsize::new(5).unwrap() },
            schedules: BTreeMap::new(),
        }
    }
}
