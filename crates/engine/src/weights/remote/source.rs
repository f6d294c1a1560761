//! What a caller may ask for: `hf:owner/name[@revision][:file]`, or a URL with a hash.

use std::fmt;

use super::RemoteError;

/// A file elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// On the hub.
    Hub(HubFile),
    /// At a URL.
    Url {
        /// With `http` or `https`.
        url: String,
        /// What it must hash to.
        sha256: String,
    },
}

/// A file of a repository on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFile {
    /// `owner/name`.
    pub repository: String,
    /// A branch, tag or commit; `main` where absent.
    pub revision: Option<String>,
    /// A path in the repository, or a part of a file's name such as `Q5_K_M`.
    pub file: Option<String>,
}

impl Source {
    /// Whether `text` means to name a file elsewhere.
    pub fn is_meant(text: &str) -> bool {
        ["hf:", "http://", "https://"].iter().any(|prefix| text.starts_with(prefix))
    }

    /// Reads what the caller wrote.
    pub fn parse(text: &str, sha256: Option<&str>) -> Result<Self, RemoteError> {
        if let Some(repository) = text.strip_prefix("hf:") {
            // The hub says what a file must hash to.
            let wrong = || RemoteError::Source(text.to_owned());
            return if sha256.is_some() {
                Err(wrong())
            } else {
                HubFile::parse(repository).map(Self::Hub).ok_or_else(wrong)
            };
        }
        let shown = without_secrets(text);
        let uri: http::Uri = text.parse().map_err(|_| RemoteError::Source(shown.clone()))?;
        let named = shown.rsplit('/').next().is_some_and(|name| name.to_ascii_lowercase().ends_with(".gguf"));
        if !named || uri.host().is_none() {
            return Err(RemoteError::Source(shown));
        }
        let sha256 = sha256.ok_or(RemoteError::NoHash(shown))?;
        if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(RemoteError::NotAHash(sha256.to_owned()));
        }
        Ok(Self::Url { url: text.to_owned(), sha256: sha256.to_ascii_lowercase() })
    }

    /// Whether a model's record with this source is of this file, whatever its revision was.
    pub(super) fn is_of(&self, recorded: &str) -> bool {
        let Self::Hub(wanted) = self else { return recorded == self.to_string() };
        let recorded = recorded.strip_prefix("hf:").and_then(HubFile::parse);
        recorded.is_some_and(|recorded| {
            let same_file = wanted.file.as_deref().is_none_or(|wanted| {
                recorded.file.as_deref().is_some_and(|file| file == wanted || super::choose::matches(file, wanted))
            });
            recorded.repository == wanted.repository && same_file
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(file) => file.fmt(f),
            Self::Url { url, .. } => f.write_str(&without_secrets(url)),
        }
    }
}

impl HubFile {
    fn parse(text: &str) -> Option<Self> {
        let (head, file) = text.split_once(':').map_or((text, None), |(head, file)| (head, Some(file)));
        let (repository, revision) =
            head.split_once('@').map_or((head, None), |(head, revision)| (head, Some(revision)));
        let (owner, name) = repository.split_once('/')?;
        let plain = |part: &str| {
            let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            (1..=96).contains(&part.len()) && part.bytes().all(letter) && !part.starts_with('.')
        };
        // A path that climbs would end elsewhere on the hub.
        let path = |path: &str| {
            !path.is_empty()
                && path.len() <= 512
                && !path.contains(['\\', '\0'])
                && path.split('/').all(|p| !matches!(p, "" | "." | ".."))
        };
        let right = plain(owner) && plain(name) && revision.is_none_or(path) && file.is_none_or(path);
        right.then(|| Self {
            repository: repository.to_owned(),
            revision: revision.map(str::to_owned),
            file: file.map(str::to_owned),
        })
    }
}

impl fmt::Display for HubFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hf:{}", self.repository)?;
        self.revision.iter().try_for_each(|revision| write!(f, "@{revision}"))?;
        self.file.iter().try_for_each(|file| write!(f, ":{file}"))
    }
}

/// A URL as it may be shown and recorded: signed ones carry secrets in their query, others before the host.
pub(super) fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
            let host = authority.rsplit('@').next().unwrap_or_default();
            path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
        }
        None => url.to_owned(),
    }
}
