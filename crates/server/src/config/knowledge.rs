//! Knowledge bases.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use outcrop_knowledge::Outside;
use outcrop_knowledge::schedule::{Schedule, Settings};
use outcrop_outbound::{HostRule, OutboundError};
use outcrop_wire::arn::Arn;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Store, impossible};

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
    pub addresses: BTreeMap<String, String>,
    pub crawler: Crawler,
    pub stores: BTreeMap<String, Store>,
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

/// `[knowledge.crawler]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each key is explained in the default file, and only there")]
pub struct Crawler {
    #[serde(deserialize_with = "super::outbound::rules", serialize_with = "super::outbound::written")]
    pub private: Vec<HostRule>,
    pub depth: u32,
}

impl Default for Crawler {
    fn default() -> Self {
        Self { private: Vec::new(), depth: 50 }
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
            jobs: const { NonZeroUsize::new(8).unwrap() },
            jobs_per_account: const { NonZeroUsize::new(5).unwrap() },
            schedules: BTreeMap::new(),
            addresses: BTreeMap::new(),
            crawler: Crawler::default(),
            stores: BTreeMap::new(),
        }
    }
}

impl super::Config {
    /// How sources that lie outside of this server are reached.
    pub(crate) fn outside(&self, dev: bool) -> Result<Outside, OutboundError> {
        let crawler = &self.knowledge.crawler;
        let outbound = self.outbound.open()?;
        let named = outbound.for_callers(crawler.private.clone())?;
        for (address, instead) in &self.knowledge.addresses {
            if !address.starts_with("https://") {
                let why =
                    format!("knowledge.addresses: {address} does not begin with https://, as all that is called does");
                return Err(OutboundError::Settings(why));
            }
            outbound.endpoint(instead)?;
        }
        let addresses = self.knowledge.addresses.clone();
        let secrets = self.stored_secrets(dev);
        Ok(Outside { outbound, named, addresses, secrets, crawl_depth: crawler.depth })
    }
}
