//! What a provider calls a model, where nobody says so.

#[cfg(test)]
mod tests;

use std::sync::Arc;

/// How a provider's own names follow from the catalogue's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Naming {
    /// `anthropic.claude-3-haiku-20240307-v1:0` is `claude-3-haiku-20240307`: neither maker nor version of the
    /// catalogue.
    #[default]
    Bare,
    /// The same, and a version without a colon goes too: `anthropic.claude-opus-4-6-v1` is `claude-opus-4-6`.
    Anthropic,
    /// The same, but what embeds and ranks keeps its version: `cohere.embed-english-v3` is `embed-english-v3.0`.
    Cohere,
    /// Bedrock's own: the id as the caller named it, an inference profile's too.
    Bedrock,
    /// The embedded engine's: `outcrop.tiny` is `tiny`, and no other id says anything.
    Local,
}

/// What a target calls its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnName {
    /// The same for every call.
    Fixed(Arc<str>),
    /// The id that the caller named.
    AsCalled,
}

impl Naming {
    /// The provider's own name of the model `id`; none where it has to be configured.
    pub fn own(self, id: &str) -> Option<OwnName> {
        let bare = id.split_once('.').map_or(id, |(_, name)| name);
        let name = match self {
            Self::Bedrock => return Some(OwnName::AsCalled),
            Self::Local => id.strip_prefix("outcrop.")?.to_owned(),
            Self::Bare => unversioned(bare).to_owned(),
            Self::Anthropic => match unversioned(bare) {
                same if same == bare => bare.rsplit_once("-v").filter(|(_, v)| is_number(v)).map_or(bare, |(n, _)| n),
                shorter => shorter,
            }
            .to_owned(),
            Self::Cohere => cohere(bare),
        };
        Some(OwnName::Fixed(name.into()))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Without `-v1:0` or `-1:0`.
fn unversioned(name: &str) -> &str {
    let Some((front, minor)) = name.rsplit_once(':') else { return name };
    match front.rsplit_once('-') {
        Some((stem, major)) if is_number(minor) && is_number(major.strip_prefix('v').unwrap_or(major)) => stem,
        _ => name,
    }
}

/// Cohere numbers what is no chat model with a dot: `embed-v4.0`, `embed-english-v3.0`, `rerank-v3.5`.
fn cohere(name: &str) -> String {
    if !name.starts_with("embed-") && !name.starts_with("rerank-") {
        return unversioned(name).to_owned();
    }
    let Some((stem, version)) = name.rsplit_once("-v") else { return name.to_owned() };
    let version = match version.split_once(':') {
        Some((major, _)) if major.contains('-') => major.replace('-', "."),
        Some((major, minor)) => format!("{major}.{minor}"),
        None => format!("{version}.0"),
    };
    format!("{stem}-v{version}")
}
