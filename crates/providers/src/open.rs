//! From settings to a provider.

use std::sync::Arc;

use outcrop_outbound::Outbound;

use crate::anthropic::Anthropic;
use crate::bedrock::Bedrock;
use crate::cohere::Cohere;
use crate::mistral::Mistral;
use crate::openai::OpenAi;
use crate::scripted::Scripted;
use crate::{Kind, Provider, ProviderSettings, SettingsError};

/// The provider of `settings`. Nothing is called yet.
pub fn open(settings: &ProviderSettings, outbound: &Outbound) -> Result<Arc<dyn Provider>, SettingsError> {
    Ok(match settings.kind {
        Kind::OpenAi => Arc::new(OpenAi::new(settings, outbound)?),
        Kind::Anthropic => Arc::new(Anthropic::new(settings, outbound)?),
        Kind::Bedrock => Arc::new(Bedrock::new(settings, outbound)?),
        Kind::Mistral => Arc::new(Mistral::new(settings, outbound)?),
        Kind::Cohere => Arc::new(Cohere::new(settings, outbound)?),
        Kind::Scripted => Arc::new(Scripted::new(settings)?),
    })
}
