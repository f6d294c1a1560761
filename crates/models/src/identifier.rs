//! The forms that a modelId takes, told apart before anything is looked up.

#[cfg(test)]
mod tests;

use outcrop_wire::arn::Arn;

use crate::catalogue::Geography;

/// A modelId, by its form. Whether the thing exists is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identifier<'a> {
    /// `anthropic.claude-3-haiku-20240307-v1:0`, or anything else that is neither an ARN nor has a profile's prefix.
    Model(&'a str),
    /// `us.anthropic.claude-sonnet-4-20250514-v1:0`: a system-defined profile.
    Profile(SystemProfile<'a>),
    /// `arn:aws:bedrock:us-east-1::foundation-model/…`.
    ModelArn {
        /// The ARN's Region.
        region: &'a str,
        /// The model's id.
        id: &'a str,
    },
    /// `arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.…`.
    ProfileArn {
        /// The ARN's Region.
        region: &'a str,
        /// The ARN's account; empty in some samples.
        account: &'a str,
        /// The profile it names, if its id is one of a system-defined profile.
        profile: Option<SystemProfile<'a>>,
        /// The id after the slash.
        id: &'a str,
    },
    /// `arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/…`.
    ApplicationProfileArn {
        /// The ARN's Region.
        region: &'a str,
        /// The ARN's account.
        account: &'a str,
        /// The id after the slash.
        id: &'a str,
    },
    /// `arn:aws:bedrock:us-east-1:111122223333:provisioned-model/…`.
    ProvisionedArn {
        /// The ARN's Region.
        region: &'a str,
        /// The ARN's account.
        account: &'a str,
        /// The id after the slash.
        id: &'a str,
    },
    /// `arn:aws:bedrock:us-east-1:111122223333:prompt-router/…`, or `…:default-prompt-router/…`.
    PromptRouterArn {
        /// The ARN's Region.
        region: &'a str,
        /// The ARN's account.
        account: &'a str,
        /// The id after the slash.
        id: &'a str,
        /// It is one of those that AWS defines.
        default: bool,
    },
    /// Another kind of ARN that a modelId may be: custom or imported model, deployment, prompt, SageMaker endpoint.
    OtherArn,
    /// An ARN of something that is no model.
    ForeignArn,
}

/// The id of a system-defined profile, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemProfile<'a> {
    /// The whole id.
    pub id: &'a str,
    /// Its prefix.
    pub geography: Geography,
    /// The id of the model behind it.
    pub model: &'a str,
}

impl<'a> SystemProfile<'a> {
    /// The profile of this id, if its prefix is a geography.
    pub fn parse(id: &'a str) -> Option<Self> {
        let (geography, model) = Geography::split(id)?;
        Some(Self { id, geography, model })
    }
}

/// The resource types of `bedrock` ARNs that a modelId may name and that are not told apart further here.
const OTHER: &[&str] = &["custom-model", "custom-model-deployment", "imported-model", "prompt"];

impl<'a> Identifier<'a> {
    /// The form of `text`, which is already decoded from the URL.
    pub fn parse(text: &'a str) -> Self {
        let Some(arn) = Arn::parse(text) else {
            return if text.starts_with("arn:") {
                Self::ForeignArn
            } else {
                SystemProfile::parse(text).map_or(Self::Model(text), Self::Profile)
            };
        };
        let (kind, id) = arn.resource_parts();
        match (arn.service, kind) {
            // A foundation model belongs to no account.
            ("bedrock", "foundation-model") if arn.account.is_empty() => Self::ModelArn { region: arn.region, id },
            ("bedrock", "inference-profile") => {
                Self::ProfileArn { region: arn.region, account: arn.account, profile: SystemProfile::parse(id), id }
            }
            ("bedrock", "application-inference-profile") => {
                Self::ApplicationProfileArn { region: arn.region, account: arn.account, id }
            }
            ("bedrock", "provisioned-model") => Self::ProvisionedArn { region: arn.region, account: arn.account, id },
            ("bedrock", "prompt-router" | "default-prompt-router") => {
                let default = kind == "default-prompt-router";
                Self::PromptRouterArn { region: arn.region, account: arn.account, id, default }
            }
            ("bedrock", other) if OTHER.contains(&other) => Self::OtherArn,
            ("sagemaker", "endpoint") => Self::OtherArn,
            _ => Self::ForeignArn,
        }
    }
}

/// Whether `id` has the form of a base model id: `provider.model`, lower case, up to two `:` suffixes.
pub(crate) fn is_model_id(id: &str) -> bool {
    let (name, suffixes) = id.split_once(':').map_or((id, None), |(name, rest)| (name, Some(rest)));
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let Some((provider, model)) = name.split_once('.') else { return false };
    // BedrockModelId admits up to two more dots: `openai.gpt-5.6-luna`.
    let parts = model.split('.').count();
    id.len() <= 140
        && plain(provider)
        && parts <= 3
        && model.split('.').all(plain)
        && suffixes.is_none_or(|s| s.split(':').count() <= 2 && s.split(':').all(plain))
}
