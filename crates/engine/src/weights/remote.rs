//! Models from elsewhere: a file of a repository on the Hugging Face hub or a mirror of it, or a file at a URL whose
//! hash is known.
//!
//! Never: believes a byte before its hash is right, sends the token to anybody but the hub, holds a file in memory.
//! `source` reads what was asked for, `hub` finds the file, `download` brings it here piece by piece.

mod blocking;
mod choose;
mod download;
mod error;
mod hub;
mod net;
mod source;

use std::path::{Path, PathBuf};
use std::time::Duration;

use outcrop_outbound::Outbound;

pub use error::RemoteError;
pub use source::{HubFile, Source};

use super::{ModelDir, ModelStatus, Progress, WeightsError};
use hub::Hub;
use net::{Client, Token};

/// Where the hub is when nobody says otherwise, as its own clients have it.
const HUB: &str = "https://huggingface.co";

/// How models are fetched.
#[derive(Debug, Clone)]
pub struct Remote {
    endpoint: String,
    token: Option<Token>,
    outbound: Outbound,
    offline: bool,
    /// Between two attempts, doubled each time.
    pause: Duration,
}

/// A file that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    url: String,
    /// What the file's name would make a model be called.
    file: String,
    /// Written to the model's record: where it is from, without secrets.
    source: String,
    sha256: String,
    /// In bytes, where it is known before the download.
    size: Option<u64>,
    licence: Option<String>,
    /// Why this file, where the caller named none.
    why: Option<String>,
}

/// How a pull from elsewhere ended.
#[derive(Debug)]
pub struct Fetched {
    /// The model.
    pub status: ModelStatus,
    /// False when it was here already.
    pub fetched: bool,
    /// Which file was chosen and why, where none was named.
    pub why: Option<String>,
}

impl Remote {
    /// By this way out, with what the environment says: `HF_ENDPOINT`, `HF_TOKEN`, and `HF_HUB_OFFLINE`. Offline if
    /// any of them is, or `offline`.
    pub fn from_environment(outbound: Outbound, offline: bool) -> Self {
        Self::from(outbound, offline, |name| std::env::var(name).ok())
    }

    fn from(outbound: Outbound, offline: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let on =
            |name: &str| get(name).is_some_and(|v| !matches!(v.to_ascii_lowercase().as_str(), "0" | "false" | "no"));
        Self {
            endpoint: get("HF_ENDPOINT").unwrap_or_else(|| HUB.to_owned()).trim_end_matches('/').to_owned(),
            token: get("HF_TOKEN").map(Token::new),
            offline: offline || outbound.offline() || on("HF_HUB_OFFLINE"),
            outbound,
            pause: Duration::from_millis(500),
        }
    }

    /// Whether nothing may be asked of the network.
    pub fn offline(&self) -> bool {
        self.offline
    }
}

impl ModelDir {
    /// Fetches a file from elsewhere unless it is here, and adds it as a model called `name`, else after the file.
    pub fn pull_from(
        &self,
        source: &Source,
        name: Option<&str>,
        remote: &Remote,
        progress: &mut dyn Progress,
    ) -> Result<Fetched, WeightsError> {
        if remote.offline {
            let here = self.list()?.into_iter().find(|status| source.is_of(&status.source) && wanted(status, name));
            let status = here.ok_or_else(|| RemoteError::Offline(source.to_string()))?;
            return Ok(Fetched { status, fetched: false, why: None });
        }
        let client = Client::new(remote)?;
        let found = match source {
            Source::Hub(file) => Hub::new(&client, &remote.endpoint).find(file)?,
            Source::Url { url, sha256 } => Found::at(url, sha256),
        };
        let name = name.map_or_else(|| name_of(Path::new(&found.file)), str::to_owned);
        let _lock = self.lock()?;
        let here = self.show(&name).ok();
        if let Some(status) = here.as_ref().filter(|status| status.files.iter().any(|f| f.sha256 == found.sha256)) {
            self.weights(&name)?;
            return Ok(Fetched { status: status.clone(), fetched: false, why: found.why });
        }
        // A newer revision takes the place of an older one; whatever else has the name keeps it.
        let replaces = here.is_some_and(|status| source.is_of(&status.source));
        if !replaces {
            self.free(&name)?;
        }
        let part = download::fetch(&client, &found, &self.partial()?, progress);
        let part = part.map_err(|error| match (source, error) {
            (Source::Url { .. }, WeightsError::Remote(RemoteError::Missing(what))) => {
                RemoteError::MissingUrl(what).into()
            }
            (_, error) => error,
        })?;
        let status = self.adopt(&part, &name, &found.source, found.licence.clone(), &found.sha256, replaces)?;
        Ok(Fetched { status, fetched: true, why: found.why })
    }

    /// Where unfinished downloads wait to be continued.
    fn partial(&self) -> Result<PathBuf, WeightsError> {
        let folder = self.root().join(".partial");
        std::fs::create_dir_all(&folder).map_err(|e| WeightsError::io("create", &folder, e))?;
        Ok(folder)
    }
}

fn wanted(status: &ModelStatus, name: Option<&str>) -> bool {
    name.is_none_or(|name| name == status.name)
}

impl Found {
    fn at(url: &str, sha256: &str) -> Self {
        let plain = source::without_secrets(url);
        let file = plain.rsplit('/').next().unwrap_or_default().to_owned();
        let (url, sha256) = (url.to_owned(), sha256.to_ascii_lowercase());
        Self { url, file, source: plain, sha256, size: None, licence: None, why: None }
    }
}

/// A file's own name with what a model's name may not hold replaced: `Qwen2.5-0.5B-Q4_K_M.gguf` becomes
/// `qwen2.5-0.5b-q4-k-m`.
pub fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let mut name = String::new();
    for c in stem.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars().take(63) {
        // A third dot, or one beside another, would be no modelId.
        let dot = c == '.' && !name.ends_with('.') && name.matches('.').count() < 2;
        name.push(if c.is_ascii_alphanumeric() || dot { c } else { '-' });
    }
    name.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
