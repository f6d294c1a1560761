//! Which server it is, by its address.

#[cfg(test)]
mod tests;

use http::Uri;
use outcrop_dialects::client::ClientDialect;
use outcrop_dialects::openai::client::{
    Client, DEEPSEEK_CLIENT, HOSTED_CLIENT, HOSTED_WITHOUT_SYSTEM, OPENAI_CLIENT, Quirks, SELF_HOSTED_CLIENT,
    SELF_HOSTED_WITHOUT_SYSTEM,
};

use crate::{Cause, Failure};

/// OpenAI's own service.
pub(super) const OPENAI_URL: &str = "https://api.openai.com/v1";

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// OpenAI's, or Azure's copy of it.
    OpenAi,
    DeepSeek,
    /// A service that nobody knows more of.
    Hosted,
    /// One of the operator's own.
    SelfHosted,
}

impl Server {
    /// Services are called over TLS and by name; what is called in the open, or by an address, is the operator's own
    /// server.
    pub(super) fn at(url: &str) -> Self {
        let Ok(uri) = url.parse::<Uri>() else { return Self::Hosted };
        let host = uri.host().unwrap_or_default();
        match host {
            "api.openai.com" => Self::OpenAi,
            "api.deepseek.com" => Self::DeepSeek,
            host if host.ends_with(".openai.azure.com") => Self::OpenAi,
            host if uri.scheme_str() != Some("https") || own(host) => Self::SelfHosted,
            _ => Self::Hosted,
        }
    }

    pub(super) fn dialect(self) -> &'static dyn ClientDialect {
        self.client()
    }

    /// What its servers do in their own way.
    pub(super) fn quirks(self) -> &'static Quirks {
        self.client().quirks()
    }

    fn client(self) -> &'static Client {
        match self {
            Self::OpenAi => &OPENAI_CLIENT,
            Self::DeepSeek => &DEEPSEEK_CLIENT,
            Self::Hosted => &HOSTED_CLIENT,
            Self::SelfHosted => &SELF_HOSTED_CLIENT,
        }
    }

    pub(super) fn without_system(self) -> &'static dyn ClientDialect {
        match self {
            Self::SelfHosted => &SELF_HOSTED_WITHOUT_SYSTEM,
            _ => &HOSTED_WITHOUT_SYSTEM,
        }
    }
}

fn own(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<std::net::IpAddr>().is_ok()
        || ["localhost", ".local", ".internal", ".lan"].iter().any(|end| host.ends_with(end))
        || !host.contains('.')
}

/// Whether the model's template has no place for instructions: Gemma's words, Mistral's first ones' and those of
/// servers that ask for it.
pub(super) fn refuses_system(failure: &Failure) -> bool {
    let said = &failure.fault.message;
    failure.cause == Cause::Request
        && ["System role not supported", "system role is not supported", "roles must alternate"]
            .iter()
            .any(|words| said.contains(words))
}
