//! Requests to AWS in the operator's name: with credentials that the AWS SDK's chain finds (environment, profile, web
//! identity, container, instance role), signed as AWS asks for it.
//!
//! Never: sends what it signs, knows a service's shapes, decides who a caller is.
//!
//! Start at [`Identity::sign`].

mod credentials;
mod sign;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use credentials::Credentials;
pub use credentials::NoCredentials;
use outcrop_outbound::Outbound;

/// Credentials to sign with, and what they are used for. Found at the first request, fetched anew before they end.
pub struct Identity {
    credentials: Credentials,
    region: String,
    service: &'static str,
}

/// What a request was signed with: nobody may read it.
pub struct Signed(Arc<aws_credential_types::Credentials>);

impl Identity {
    /// Those of `profile`, or without one of the chain, for a service (by its signing name) in a Region.
    pub fn new(outbound: Outbound, service: &'static str, region: String, profile: Option<String>) -> Self {
        Self { credentials: Credentials::new(outbound, region.clone(), profile), region, service }
    }

    /// Credentials that a test names: the key, its secret and a session's token.
    #[cfg(feature = "testing")]
    pub fn of(outbound: Outbound, service: &'static str, region: &str, [key, secret, token]: [&str; 3]) -> Self {
        let found = aws_credential_types::Credentials::new(key, secret, Some(token.to_owned()), None, "test");
        let source = aws_credential_types::provider::SharedCredentialsProvider::new(found);
        Self { credentials: Credentials::of(source, outbound), region: region.to_owned(), service }
    }

    /// The signing name of the service that is called.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The Region that is called.
    pub fn region(&self) -> &str {
        &self.region
    }
}

impl Signed {
    /// A text that came back, without the secrets that it may repeat.
    pub fn hide(&self, text: &str) -> String {
        let secrets = [Some(self.0.secret_access_key()), self.0.session_token()];
        let secrets = secrets.into_iter().flatten().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "<the key>"))
    }
}
