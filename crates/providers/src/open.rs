//! From settings to a provider.

use std::sync::Arc;

use outcrop_outbound::Outbound;

use crate::anthropic::Anthropic;
use crate::bedrock::Bedrock;
use crate::openai::OpenAi;
use crate::scripted::Scripted;
use crate::{Kind, Provider, ProviderSettings, SettingsError};

/// The provider of `settings`. Nothing is called yet.
pub fn open(settings: &ProviderSettings, outbound: &Outbound) -> Result<Arc<dyn Provider>, SettingsError> {
    let unbuilt = |kind: &str| {
        Err(SettingsError::new(
            settings,
            format!("providers of the kind {kind} are not built in this version of Outcrop"),
        ))
    };
    match settings.kind {
        Kind::OpenAi => Ok(Arc::new(OpenAi::new(settings, outbound)?)),
        Kind::Anthropic => Ok(Arc::new(Anthropic::new(settings, outbound)?)),
        Kind::Bedrock => Ok(Arc::new(Bedrock::new(settings, outbound)?)),
        Kind::Mistral => unbuilt("mistral"),
        Kind::Cohere => unbuilt("cohere"),
        Kind::Scripted => Ok(Arc::new(Scripted::new(settings)?)),
    }
}
