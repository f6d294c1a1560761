//! Data retention: how much of a call's prompt and answer others may keep, as an account says for a Region.
//!
//! Modes are ordered as the user guide orders them ("How modes are ordered"): `none` < `default` < `aws_review` <
//! `provider_data_share`. What answers a call declares the most that its provider keeps, as a [`Retention`] on the same
//! scale; it may be chosen only where the account's [`Mode`] reaches that far: [`Mode::admits`].

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock::{
    DataRetentionMode, GetAccountDataRetentionRequest, GetAccountDataRetentionResponse, PutAccountDataRetentionRequest,
    PutAccountDataRetentionResponse,
};
use outcrop_resources::Scope;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Models;
use crate::error::ModelsError;
use crate::models::scope;

/// What an account lets others keep, in one Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing was decided: each model's own default holds.
    #[default]
    Inherit,
    /// Nothing is kept, by anybody.
    None,
    /// What is usual for the model; its provider receives nothing.
    Default,
    /// AWS may keep and look at it; the model's provider receives nothing.
    AwsReview,
    /// The model's provider may receive and keep it.
    ProviderDataShare,
}

/// The most that a provider keeps of what it is sent, as its operator declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Nothing.
    None,
    /// What its terms say, for the safety of its service.
    #[default]
    Default,
    /// It may be used and shared by whoever made the model.
    ProviderDataShare,
}

impl Mode {
    /// The most that whoever answers under this mode may keep. `inherit` and `aws_review` reach as far as `default`: no
    /// target declares a review by AWS, and without a decision nobody's data is shared.
    pub fn reaches(self) -> Retention {
        match self {
            Self::None => Retention::None,
            Self::Inherit | Self::Default | Self::AwsReview => Retention::Default,
            Self::ProviderDataShare => Retention::ProviderDataShare,
        }
    }

    /// Whether what keeps `retention` may answer under this mode.
    pub fn admits(self, retention: Retention) -> bool {
        retention <= self.reaches()
    }

    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inherit => "inherit",
            Self::None => "none",
            Self::Default => "default",
            Self::AwsReview => "aws_review",
            Self::ProviderDataShare => "provider_data_share",
        }
    }

    fn shown(self) -> DataRetentionMode {
        self.as_str().into()
    }

    fn given(mode: &DataRetentionMode) -> Option<Self> {
        Some(match mode {
            DataRetentionMode::Inherit => Self::Inherit,
            DataRetentionMode::None => Self::None,
            DataRetentionMode::Default => Self::Default,
            DataRetentionMode::AwsReview => Self::AwsReview,
            DataRetentionMode::ProviderDataShare => Self::ProviderDataShare,
            DataRetentionMode::Unlisted(_) => return None,
        })
    }
}

/// A mode as it is kept. What cannot be read is taken for the strictest: nobody's data leaves by mistake.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct Kept {
    /// The mode.
    pub mode: Mode,
    /// When it was set.
    pub at: Timestamp,
}

impl From<Value> for Kept {
    fn from(value: Value) -> Self {
        let member = |name: &str| value.get(name).cloned().unwrap_or_default();
        let mode = serde_json::from_value(member("mode")).unwrap_or_else(|error| {
            tracing::error!(%error, "a data retention mode cannot be read: none holds");
            Mode::None
        });
        Self { mode, at: serde_json::from_value(member("at")).unwrap_or_default() }
    }
}

/// Modes hold for an account in one Region and do not reach others (user guide, "Data retention").
pub(crate) fn id(of: Scope<'_>) -> String {
    format!("{}/{}", of.account, of.region)
}

/// Tells the caller's mode; `inherit` where none was ever set.
pub async fn get(
    cx: &Context,
    models: &Models,
    _: GetAccountDataRetentionRequest,
) -> Result<GetAccountDataRetentionResponse, ModelsError> {
    cx.allow("bedrock:GetAccountDataRetention", "*")?;
    let kept = models.memory.retention().read(&id(scope(cx))).await?;
    let mode = kept.map_or(Mode::Inherit, |kept| kept.mode);
    Ok(GetAccountDataRetentionResponse { mode: mode.shown(), updated_at: kept.map(|kept| kept.at) })
}

/// Sets the caller's mode. Calls that begin after the answer go by it.
pub async fn put(
    cx: &Context,
    models: &Models,
    input: PutAccountDataRetentionRequest,
) -> Result<PutAccountDataRetentionResponse, ModelsError> {
    let ask = cx.ask("bedrock:PutAccountDataRetention");
    ask.with("bedrock:DataRetentionMode", input.mode.as_str()).check()?;
    let mode = Mode::given(&input.mode).ok_or_else(|| {
        let values = DataRetentionMode::VALUES.join(", ");
        ModelsError::Validation(format!("mode must be one of: {values}."))
    })?;
    let set = Kept { mode, at: Timestamp::now() };
    let write = |kept: &mut Kept| {
        *kept = set;
        Ok::<_, ModelsError>(())
    };
    models.memory.retention().update(&id(scope(cx)), write).await?;
    Ok(PutAccountDataRetentionResponse { mode: mode.shown(), updated_at: Some(set.at) })
}
