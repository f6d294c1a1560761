//! Data retention: how much of a call's prompt and answer others may keep, as an account says for a Region.
//!
//! Modes are ordered as the user guide orders them ("How modes are ordered"): `none` < `default` < `aws_review` <
//! `provider_data_share`. What answers a call declares the most that its provider keeps, as a [`Retention`] on the same
//! scale; it may be chosen only where the account's [`Mode`] reaches that far: [`Mode::admits`].

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock::{
    DataRetentionMode, GetAccountDataRetentionRequest, GetAccountDataRetentionResponse, PutAccountDataRetentionRequest,
    PutAccountDataRetentionResponse,
};
use outcrop_resources::followed::{Followed, Memory};
use outcrop_resources::{Resources, Scope};
use outcrop_store::Document;
use serde::{Deserialize, Serialize};

use crate::Models;
use crate::error::ModelsError;
use crate::models::scope;

/// The kind of the documents.
const KIND: &str = "data-retention";

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Nothing.
    None,
    /// What its terms say, for the safety of its service.
    Default,
    /// It may be used and shared by whoever made the model.
    ProviderDataShare,
}

impl Mode {
    /// Whether what keeps `retention` may answer under this mode. `inherit` and `aws_review` reach as far as
    /// `default`: no target declares a review by AWS, and without a decision nobody's data is shared.
    pub fn admits(self, retention: Retention) -> bool {
        let reaches = match self {
            Self::None => Retention::None,
            Self::Inherit | Self::Default | Self::AwsReview => Retention::Default,
            Self::ProviderDataShare => Retention::ProviderDataShare,
        };
        retention <= reaches
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

/// A mode as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    mode: Mode,
}

/// The modes of all accounts: durable in the store, and in memory for the path of a call, which waits for nothing.
pub struct Rules(Followed<Modes>);

/// By account and Region.
#[derive(Default)]
struct Modes(ArcSwap<HashMap<String, Mode>>);

impl Rules {
    /// Modes that are not in memory yet: `inherit` for everybody until something is written here.
    pub(crate) fn unread(resources: Resources) -> Self {
        Self(Followed::new(resources, KIND, Modes::default()))
    }

    /// Reads all of them.
    pub async fn open(resources: Resources) -> Result<Self, ModelsError> {
        Ok(Self(Followed::open(resources, KIND, Modes::default()).await?))
    }

    /// The mode of an account in a Region, from memory.
    pub fn mode(&self, of: Scope<'_>) -> Mode {
        self.0.memory().0.load().get(&id(of)).copied().unwrap_or_default()
    }

    /// Keeps memory fresh until it is dropped.
    pub async fn follow(&self) {
        self.0.follow().await;
    }

    async fn put(&self, of: Scope<'_>, mode: Mode) -> Result<Timestamp, ModelsError> {
        let body = format!(r#"{{"mode":"{}"}}"#, mode.as_str());
        Ok(self.0.put(&id(of), body.into_bytes()).await?.updated)
    }

    async fn get(&self, of: Scope<'_>) -> Result<Option<(Mode, Timestamp)>, ModelsError> {
        Ok(self.0.get(&id(of)).await?.map(|document| (read(&document), document.updated)))
    }
}

impl Memory for Modes {
    fn replace(&self, all: Vec<Document>) {
        let all = all.iter().map(|document| (document.key.id.clone(), read(document))).collect();
        self.0.store(Arc::new(all));
    }

    fn update(&self, changes: Vec<(String, Option<Document>)>) {
        self.0.rcu(|modes| {
            let mut modes = HashMap::clone(modes);
            for (id, document) in &changes {
                match document {
                    Some(document) => modes.insert(id.clone(), read(document)),
                    None => modes.remove(id),
                };
            }
            modes
        });
    }
}

/// Modes hold for an account in one Region and do not reach others (user guide, "Data retention").
fn id(of: Scope<'_>) -> String {
    format!("{}/{}", of.account, of.region)
}

/// What cannot be read is taken for the strictest: nobody's data leaves by mistake.
fn read(document: &Document) -> Mode {
    match serde_json::from_slice::<Stored>(&document.body) {
        Ok(stored) => stored.mode,
        Err(error) => {
            tracing::error!(account = document.key.id, %error, "its data retention mode cannot be read: none holds");
            Mode::None
        }
    }
}

/// Tells the caller's mode; `inherit` where none was ever set.
pub async fn get(
    cx: &Context,
    models: &Models,
    _: GetAccountDataRetentionRequest,
) -> Result<GetAccountDataRetentionResponse, ModelsError> {
    cx.allow("bedrock:GetAccountDataRetention", "*")?;
    let (mode, updated_at) = match models.rules.get(scope(cx)).await? {
        Some((mode, at)) => (mode, Some(at)),
        None => (Mode::Inherit, None),
    };
    Ok(GetAccountDataRetentionResponse { mode: mode.shown(), updated_at })
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
    let at = models.rules.put(scope(cx), mode).await?;
    Ok(PutAccountDataRetentionResponse { mode: mode.shown(), updated_at: Some(at) })
}
