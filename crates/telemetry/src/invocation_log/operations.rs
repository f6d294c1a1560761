//! The three operations. A configuration is one for an account and a Region, and lasts until it is replaced or
//! deleted. Calls that begin after the answer go by it.

use outcrop_access::Context;
use outcrop_api::bedrock::{
    CloudWatchConfig, DeleteModelInvocationLoggingConfigurationRequest,
    DeleteModelInvocationLoggingConfigurationResponse, GetModelInvocationLoggingConfigurationRequest,
    GetModelInvocationLoggingConfigurationResponse, LoggingConfig, PutModelInvocationLoggingConfigurationRequest,
    PutModelInvocationLoggingConfigurationResponse, S3Config,
};
use serde::{Deserialize, Serialize};

use super::{InvocationLogs, LogError};

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// None after it was deleted.
    pub config: Option<Config>,
}

/// A configuration. What was not said stays unsaid, so that `get` shows what was put; it counts as true.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Config {
    pub log_group: Option<LogGroup>,
    pub bucket: Option<Bucket>,
    pub text: Option<bool>,
    pub image: Option<bool>,
    pub embedding: Option<bool>,
    pub video: Option<bool>,
    pub audio: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct LogGroup {
    pub name: String,
    pub role: String,
    /// For what is too large for a log group.
    pub large: Option<Bucket>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub name: String,
    pub prefix: Option<String>,
}

fn id(account: &str, region: &str) -> String {
    format!("{account}/{region}")
}

impl InvocationLogs {
    /// What an account has asked for in a Region.
    pub(super) fn of(&self, account: &str, region: &str) -> Option<std::sync::Arc<Kept>> {
        let all = self.kept.now();
        let kept = if all.is_empty() { None } else { all.get(&id(account, region)).cloned() };
        kept.filter(|kept| kept.config.is_some())
    }
}

/// Turns logging on, or says anew what is logged where.
pub async fn put(
    cx: &Context,
    logs: &InvocationLogs,
    input: PutModelInvocationLoggingConfigurationRequest,
) -> Result<PutModelInvocationLoggingConfigurationResponse, LogError> {
    cx.allow("bedrock:PutModelInvocationLoggingConfiguration", "*")?;
    let given = input.logging_config;
    let config = Config {
        log_group: given.cloud_watch_config.map(|group| LogGroup {
            name: group.log_group_name,
            role: group.role_arn,
            large: group.large_data_delivery_s3_config.map(kept),
        }),
        bucket: given.s3_config.map(kept),
        text: given.text_data_delivery_enabled,
        image: given.image_data_delivery_enabled,
        embedding: given.embedding_data_delivery_enabled,
        video: given.video_data_delivery_enabled,
        audio: given.audio_data_delivery_enabled,
    };
    if config.log_group.is_none() && config.bucket.is_none() {
        let text = "loggingConfig must say where records go: s3Config, cloudWatchConfig or both.";
        return Err(LogError::Invalid(text.into()));
    }
    let places = logs.destinations.load_full();
    let (asked, buckets, account) = (config.clone(), logs.buckets.clone(), cx.caller.account.clone());
    let checked = tokio::task::spawn_blocking(move || places.check(&asked, &buckets, &account)).await;
    checked.map_err(|error| outcrop_resources::Error::Internal(error.to_string()))??;
    write(cx, logs, Some(config)).await?;
    Ok(PutModelInvocationLoggingConfigurationResponse {})
}

/// Tells what is logged where; nothing where nothing is.
pub async fn get(
    cx: &Context,
    logs: &InvocationLogs,
    _: GetModelInvocationLoggingConfigurationRequest,
) -> Result<GetModelInvocationLoggingConfigurationResponse, LogError> {
    cx.allow("bedrock:GetModelInvocationLoggingConfiguration", "*")?;
    let kept = logs.kept.read(&id(&cx.caller.account, &cx.region)).await?;
    let shown = |bucket: Bucket| S3Config { bucket_name: bucket.name, key_prefix: bucket.prefix };
    let logging_config = kept.and_then(|kept| kept.config).map(|config| LoggingConfig {
        cloud_watch_config: config.log_group.map(|group| CloudWatchConfig {
            log_group_name: group.name,
            role_arn: group.role,
            large_data_delivery_s3_config: group.large.map(shown),
        }),
        s3_config: config.bucket.map(shown),
        text_data_delivery_enabled: config.text,
        image_data_delivery_enabled: config.image,
        embedding_data_delivery_enabled: config.embedding,
        video_data_delivery_enabled: config.video,
        audio_data_delivery_enabled: config.audio,
    });
    Ok(GetModelInvocationLoggingConfigurationResponse { logging_config })
}

/// Turns logging off. What was logged stays where it is.
pub async fn delete(
    cx: &Context,
    logs: &InvocationLogs,
    _: DeleteModelInvocationLoggingConfigurationRequest,
) -> Result<DeleteModelInvocationLoggingConfigurationResponse, LogError> {
    cx.allow("bedrock:DeleteModelInvocationLoggingConfiguration", "*")?;
    write(cx, logs, None).await?;
    Ok(DeleteModelInvocationLoggingConfigurationResponse {})
}

fn kept(given: S3Config) -> Bucket {
    Bucket { name: given.bucket_name, prefix: given.key_prefix }
}

async fn write(cx: &Context, logs: &InvocationLogs, config: Option<Config>) -> Result<(), LogError> {
    let set = |kept: &mut Kept| {
        kept.config = config.clone();
        Ok::<_, LogError>(())
    };
    logs.kept.update(&id(&cx.caller.account, &cx.region), set).await
}
