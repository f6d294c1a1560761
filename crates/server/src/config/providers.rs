//! Who answers beside the local models.

use std::collections::BTreeMap;
use std::path::PathBuf;

use outcrop_models::data_retention::Retention;
use outcrop_providers::{Kind, ProviderSettings, Secret, TapeSettings};
use serde::{Deserialize, Serialize};

use super::{ConfigError, SecretRef, impossible};

/// Names that mean something else where a provider is named.
const RESERVED: [&str; 2] = ["local", "outcrop"];

/// `[[providers]]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name here, and before the dot of its own models' ids.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// Its base URL.
    pub url: Option<String>,
    /// What it knows this server by.
    pub api_key: Option<SecretRef>,
    /// Headers for each of its requests.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretRef>,
    /// Where it computes.
    pub region: Option<String>,
    /// The AWS profile of a Bedrock.
    pub profile: Option<String>,
    /// The script of a scripted one.
    pub script: Option<PathBuf>,
    /// A folder of recorded exchanges, which answer in its place.
    pub recordings: Option<PathBuf>,
    /// Ask it for what is not recorded, and record it.
    #[serde(default)]
    pub record: bool,
    /// Catalogue models that it answers for: ids, or patterns with `*`.
    #[serde(default)]
    pub serves: Vec<String>,
    /// Its own names of catalogue models, by model id.
    #[serde(default)]
    pub models: BTreeMap<String, String>,
    /// The most that it keeps of what it is sent.
    #[serde(default)]
    pub data_retention: Retention,
}

impl Provider {
    /// The same as `outcrop-providers` takes it.
    pub fn settings(&self) -> ProviderSettings {
        let key = self.api_key.as_ref().map(|key| Secret::new(key.expose()));
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), Secret::new(value.expose())));
        let tape = self.recordings.as_ref().map(|folder| TapeSettings { folder: folder.clone(), record: self.record });
        ProviderSettings {
            name: self.name.clone(),
            kind: self.kind,
            url: self.url.clone(),
            api_key: key,
            headers: headers.collect(),
            region: self.region.clone(),
            profile: self.profile.clone(),
            script: self.script.clone(),
            tape,
        }
    }
}

pub(super) fn check(providers: &[Provider]) -> Result<(), ConfigError> {
    for provider in providers {
        let name = &provider.name;
        let well_formed = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if name.is_empty() || name.len() > 63 || !well_formed || RESERVED.contains(&name.as_str()) {
            let expected = "lower case letters, digits and dashes, and neither `local` nor `outcrop`";
            return Err(impossible("providers.name", name, expected));
        }
        if providers.iter().filter(|other| other.name == *name).count() > 1 {
            return Err(impossible("providers.name", name, "a name that no other provider has"));
        }
        if provider.script.is_some() != (provider.kind == Kind::Scripted) {
            let expected = "a file with answers where kind is \"scripted\", and left out elsewhere";
            return Err(impossible("providers.script", name, expected));
        }
        if provider.recordings.is_some() && provider.kind == Kind::Scripted {
            return Err(impossible("providers.recordings", name, "left out where kind is \"scripted\""));
        }
        if provider.record && provider.recordings.is_none() {
            return Err(impossible(
                "providers.record",
                "true",
                "false, or true beside a folder in providers.recordings",
            ));
        }
        // A recording is found by what was asked, not by who was: one would answer for the other.
        let shares = |other: &&Provider| other.name != *name && other.recordings == provider.recordings;
        if provider.record
            && let Some(other) = providers.iter().find(shares)
        {
            let expected = format!("a folder of its own beside record = true; {} has the same", other.name);
            return Err(impossible("providers.recordings", name, &expected));
        }
        if provider.record && provider.data_retention == Retention::None {
            let expected = "more than \"none\" where exchanges are recorded";
            return Err(impossible("providers.data_retention", "none", expected));
        }
    }
    Ok(())
}
