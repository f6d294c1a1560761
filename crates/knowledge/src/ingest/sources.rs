//! Where documents come from.

pub(crate) mod connector;
mod s3;
pub(crate) mod web;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use outcrop_access::Context;
use outcrop_api::bedrock_agent::{DataSourceConfiguration, DataSourceType};
use outcrop_outbound::Outbound;
use outcrop_resources::Resource;
use outcrop_vectors::Metadata;
use url::Url;

use super::attributes::Sidecar;
use crate::control::connector::Bounds;
use crate::kept::DataSource;
use crate::secrets::Secrets;
use crate::{Knowledge, KnowledgeError};
use connector::Connector;
use connector::confluence::Confluence;
use connector::salesforce::Salesforce;
use connector::sharepoint::SharePoint;

/// Something that documents can be listed in and fetched from.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// All that is there now.
    async fn list(&self) -> Result<Listing, SourceError>;
    /// One of those that were listed.
    async fn fetch(&self, item: &Item) -> Result<Fetched, FetchError>;
    /// What its sidecar says, without the document; none where there are no sidecars here.
    async fn sidecar(&self, _: &Item) -> Result<Option<Sidecar>, FetchError> {
        Ok(None)
    }
}

/// What is in a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    /// Its documents. One that is not among them is gone, unless it is kept.
    pub items: Vec<Item>,
    /// How many sidecars there are.
    pub sidecars: u64,
    /// Documents that could not be looked at and are not provably gone, and why.
    pub kept: Vec<(String, String)>,
    /// How many were left out on purpose.
    pub skipped: u64,
    /// Whether there may be more than was found: then only those in `gone` are gone.
    pub partial: bool,
    /// What is surely not there, or not to be read any more.
    pub gone: HashSet<String>,
    /// Parts that could not be listed, and why, in sentences.
    pub notes: Vec<String>,
}

/// A document that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Which it is within its source, and what it is told as: an S3 URI, a URL.
    pub id: String,
    /// Changes when its bytes do.
    pub version: String,
    /// Changes when its sidecar does; none where it has none.
    pub sidecar: Option<String>,
    /// How many bytes it has, where that is known before.
    pub size: Option<u64>,
}

/// A document's bytes and what is said of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fetched {
    /// Its bytes.
    pub bytes: Bytes,
    /// What it is called, for its ending.
    pub name: String,
    /// What its source says that it is.
    pub mime: Option<String>,
    /// Attributes that the source itself gives it.
    pub attributes: Metadata,
    /// What its sidecar says.
    pub sidecar: Option<Sidecar>,
    /// Its mark, as a listing would say it.
    pub version: Option<String>,
    /// Its sidecar's, likewise.
    pub sidecar_version: Option<String>,
}

/// Why a source could not be listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// It may work later.
    #[error("{0}")]
    Later(String),
    /// It will not work before somebody changes something.
    #[error("{0}")]
    Never(String),
}

/// Why one document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// It has gone since it was listed.
    #[error("it is gone")]
    Gone,
    /// It is as it is.
    #[error("{0}")]
    Bad(String),
    /// It has more bytes than a document may have.
    #[error("the file is too large{0}")]
    Large(String),
    /// It may be there later. What is known of it stays.
    #[error("{0}")]
    Later(String),
}

/// How what lies outside of this server and its buckets is reached.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The operator's way out.
    pub outbound: Outbound,
    /// The way to addresses that callers name.
    pub named: Outbound,
    /// What is called in the place of an address, by its beginning: a sovereign cloud's, a stand-in's.
    pub addresses: BTreeMap<String, String>,
    /// What data sources log in with.
    pub secrets: Secrets,
    /// How many links a crawl goes from its seeds.
    pub crawl_depth: u32,
}

/// What is wrong with a data source's configuration, where something is.
pub(crate) fn check(
    outside: Option<&Outside>,
    told: &DataSourceConfiguration,
    bounds: Option<&Bounds>,
) -> Result<(), KnowledgeError> {
    let checked = match told.r#type {
        DataSourceType::S3 | DataSourceType::Custom => Ok(()),
        DataSourceType::Web => match &told.web_configuration {
            Some(web) => {
                let outside = reachable(outside)?;
                web::Rules::read(web, bounds).and_then(|rules| web::check(outside, &rules))
            }
            None => Ok(()),
        },
        DataSourceType::Confluence => {
            told.confluence_configuration.as_ref().map_or(Ok(()), |told| Confluence::read(told).map(drop))
        }
        DataSourceType::Sharepoint => {
            told.share_point_configuration.as_ref().map_or(Ok(()), |told| SharePoint::read(told).map(drop))
        }
        DataSourceType::Salesforce => {
            told.salesforce_configuration.as_ref().map_or(Ok(()), |told| Salesforce::read(told).map(drop))
        }
        _ => {
            return Err(KnowledgeError::NotBuilt(format!(
                "Data sources of type {} are not implemented. Put the documents into a bucket and create one of type S3, \
                 or ingest them directly into one of type CUSTOM.",
                told.r#type.as_str()
            )));
        }
    };
    checked.map_err(KnowledgeError::Validation)
}

/// The source that a data source's configuration names, read with the rights of `acting`.
pub(crate) fn open(
    knowledge: &Knowledge,
    acting: Context,
    source: &Resource<DataSource>,
) -> Result<Arc<dyn Source>, KnowledgeError> {
    let told = &*crate::control::connector::plain(&source.value.configuration.0)?;
    let outside = || reachable(knowledge.0.settings.outside.as_ref());
    let bad = KnowledgeError::Validation;
    Ok(match told.r#type {
        DataSourceType::S3 if let Some(told) = &told.s3_configuration => {
            Arc::new(s3::S3::new(knowledge.0.buckets.clone(), acting, told))
        }
        DataSourceType::Web if let Some(told) = &told.web_configuration => {
            let bounds = crate::control::connector::bounds(&source.value.configuration.0);
            let rules = web::Rules::read(told, bounds.as_ref()).map_err(bad)?;
            Arc::new(web::Web::new(outside()?, &source.id, rules))
        }
        DataSourceType::Confluence if let Some(told) = &told.confluence_configuration => {
            let secret = &told.source_configuration.credentials_secret_arn;
            Arc::new(Connector::new(Confluence::read(told).map_err(bad)?, outside()?, acting, secret))
        }
        DataSourceType::Sharepoint if let Some(told) = &told.share_point_configuration => {
            let secret = &told.source_configuration.credentials_secret_arn;
            Arc::new(Connector::new(SharePoint::read(told).map_err(bad)?, outside()?, acting, secret))
        }
        DataSourceType::Salesforce if let Some(told) = &told.salesforce_configuration => {
            let secret = &told.source_configuration.credentials_secret_arn;
            Arc::new(Connector::new(Salesforce::read(told).map_err(bad)?, outside()?, acting, secret))
        }
        _ => {
            let kind = told.r#type.as_str();
            return Err(KnowledgeError::NotBuilt(format!("Data sources of type {kind} are not synchronised.")));
        }
    })
}

/// The host of a service: `https://example.atlassian.net`.
fn host(told: &str) -> Result<String, String> {
    let url = Url::parse(told).map_err(|error| format!("the host URL {told} is not valid: {error}"))?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "the host URL {told} is not valid: expected https:// and a host, without user or password"
        ));
    }
    Ok(url.origin().ascii_serialization())
}

fn reachable(outside: Option<&Outside>) -> Result<&Outside, KnowledgeError> {
    outside.ok_or_else(|| KnowledgeError::Validation("This server reads no sources but its own buckets.".to_owned()))
}

/// What the locations of a source's documents are called in results.
pub(crate) fn location(source: &DataSource) -> String {
    source.kind().as_str().to_owned()
}

pub(crate) use s3::{MAX_FILE, fetch as fetch_uri, mark, parts, unread};
