//! What makes a provider, as a configuration says it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One provider.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProviderSettings {
    /// Its name here.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// Its base URL; that of the kind's own service where absent.
    pub url: Option<String>,
    /// What it knows this server by.
    pub api_key: Option<Secret>,
    /// Headers for each of its requests.
    pub headers: BTreeMap<String, Secret>,
    /// The AWS Region of a Bedrock.
    pub region: Option<String>,
    /// The AWS profile whose credentials a Bedrock gets; the AWS SDK's chain where absent.
    pub profile: Option<String>,
    /// The script.
    pub script: Option<PathBuf>,
    /// The recordings that stand before the provider.
    pub tape: Option<TapeSettings>,
}

/// Recordings of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapeSettings {
    /// Where they are.
    pub folder: PathBuf,
    /// Ask the provider for what is not recorded, and record it. Otherwise that is an error.
    pub record: bool,
}

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// OpenAI's chat completions: OpenAI, vLLM, SGLang, Ollama, llama.cpp, LM Studio and many more.
    #[default]
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// AWS Bedrock, or another Outcrop.
    Bedrock,
    /// Mistral's own API.
    Mistral,
    /// Cohere's own API.
    Cohere,
    /// Answers from a file.
    Scripted,
}

/// A text that neither `Debug` nor a log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Holds `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Settings of which no provider can be made; the text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider {name}: {why}")]
pub struct SettingsError {
    /// The provider's name.
    pub name: String,
    /// What is wrong.
    pub why: String,
}

impl SettingsError {
    /// `why` about the provider of `settings`.
    pub fn new(settings: &ProviderSettings, why: impl fmt::Display) -> Self {
        Self { name: settings.name.clone(), why: why.to_string() }
    }
}
