//! Knowledge bases.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use outcrop_knowledge::Outside;
use outcrop_outbound::{HostRule, OutboundError};
use serde::{Deserialize, Serialize};

use super::Store;

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
    pub addresses: BTreeMap<String, String>,
    pub crawler: Crawler,
    pub stores: BTreeMap<String, Store>,
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
            jobs: const { NonZeroUsize::new(5).unwrap() },
            jobs_per_account: const { NonZeroUsize::new(5).unwrap() },
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
