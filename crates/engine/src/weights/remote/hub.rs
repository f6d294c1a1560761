//! The Hugging Face hub's protocol, as far as one file needs it: `/api/models/{id}/revision/{revision}` for the commit,
//! `/api/models/{id}/tree/{commit}` for files with size and SHA-256, `/{id}/resolve/{commit}/{path}` for the bytes.

use http::HeaderMap;
use serde_json::Value;

use super::choose::{Candidate, best, named};
use super::net::Client;
use super::{Found, HubFile, RemoteError};

/// Pages of a repository's tree that are read; a page has a thousand entries.
const PAGES: u32 = 20;

pub(super) struct Hub<'a> {
    client: &'a Client,
    endpoint: &'a str,
}

impl<'a> Hub<'a> {
    pub(super) fn new(client: &'a Client, endpoint: &'a str) -> Self {
        Self { client, endpoint }
    }

    /// The file that `wanted` means, at the commit that its revision is now.
    pub(super) fn find(&self, wanted: &HubFile) -> Result<Found, RemoteError> {
        let (endpoint, repository) = (self.endpoint, &wanted.repository);
        let revision = escaped(wanted.revision.as_deref().unwrap_or("main"), true);
        let (model, _) = self.client.json(&format!("{endpoint}/api/models/{repository}/revision/{revision}"))?;
        let commit = model.get("sha").and_then(Value::as_str).filter(|sha| sha.bytes().all(|b| b.is_ascii_hexdigit()));
        let commit = commit.ok_or_else(|| RemoteError::Failed {
            what: wanted.to_string(),
            why: "the hub's answer names no commit; is HF_ENDPOINT a hub?".into(),
        })?;
        let candidates = self.files(repository, commit)?;

        let nothing = |which: String| RemoteError::NoFile { what: wanted.to_string(), which };
        let names = || candidates.iter().map(|c| c.path.as_str()).collect::<Vec<_>>().join(", ");
        let (file, why) = match &wanted.file {
            Some(name) => {
                let file = named(&candidates, name);
                (file.ok_or_else(|| nothing(format!(" and that '{name}' means alone; it has {}", names())))?, None)
            }
            None => {
                let which = if candidates.is_empty() { String::new() } else { format!("; it has {}", names()) };
                let (file, why) = best(&candidates).ok_or_else(|| nothing(which))?;
                (file, Some(why))
            }
        };
        let sha256 = file.sha256.clone().ok_or_else(|| RemoteError::Failed {
            what: wanted.to_string(),
            why: format!("the hub says no SHA-256 of {}", file.path),
        })?;
        Ok(Found {
            url: format!("{endpoint}/{repository}/resolve/{commit}/{}", escaped(&file.path, false)),
            file: file.path.rsplit('/').next().unwrap_or_default().to_owned(),
            source: format!("hf:{repository}@{commit}:{}", file.path),
            sha256,
            size: Some(file.size),
            licence: licence(&model),
            why,
        })
    }

    /// The repository's GGUF files.
    fn files(&self, repository: &str, commit: &str) -> Result<Vec<Candidate>, RemoteError> {
        let mut url = format!("{}/api/models/{repository}/tree/{commit}?recursive=true", self.endpoint);
        let mut files = Vec::new();
        for _ in 0..PAGES {
            let (page, headers) = self.client.json(&url)?;
            files.extend(page.as_array().into_iter().flatten().filter_map(candidate));
            match next(&headers).filter(|next| next.starts_with(&format!("{}/", self.endpoint))) {
                Some(more) => url = more,
                None => break,
            }
        }
        Ok(files)
    }
}

fn candidate(entry: &Value) -> Option<Candidate> {
    let path = entry.get("path")?.as_str()?;
    let gguf = path.to_ascii_lowercase().ends_with(".gguf") && entry.get("type")? == "file";
    let hash = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let lfs = entry.get("lfs");
    let sha256 = lfs.and_then(|lfs| lfs.get("oid")?.as_str()).filter(|oid| hash(oid)).map(str::to_ascii_lowercase);
    let size = lfs.and_then(|lfs| lfs.get("size")).or_else(|| entry.get("size"))?.as_u64()?;
    gguf.then(|| Candidate { path: path.to_owned(), size, sha256 })
}

/// The next page, from `Link: <…>; rel="next"`.
fn next(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(http::header::LINK)?.to_str().ok()?;
    let (url, rest) = link.split_once('<')?.1.split_once('>')?;
    rest.contains("rel=\"next\"").then(|| url.to_owned())
}

fn licence(model: &Value) -> Option<String> {
    let card = model.pointer("/cardData/license").and_then(Value::as_str);
    let tags =
        || model.get("tags")?.as_array()?.iter().filter_map(Value::as_str).find_map(|t| t.strip_prefix("license:"));
    card.or_else(tags).map(|licence| licence.chars().filter(|c| !c.is_control()).take(64).collect())
}

/// A path in a URL; `whole` also hides its slashes, as a revision's must be.
fn escaped(path: &str, whole: bool) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (byte == b'/' && !whole);
        if plain { text.push(byte.into()) } else { text.push_str(&format!("%{byte:02X}")) }
    }
    text
}
