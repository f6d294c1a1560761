//! Where documents come from.

mod s3;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use outcrop_access::Context;
use outcrop_api::bedrock_agent::DataSourceType;
use outcrop_vectors::Metadata;

use super::attributes::Sidecar;
use crate::control::connector;
use crate::kept::DataSource;
use crate::{Knowledge, KnowledgeError};

/// Something that documents can be listed in and fetched from.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// All that is there now.
    async fn list(&self) -> Result<Listing, SourceError>;
    /// One of those that were listed.
    async fn fetch(&self, item: &Item) -> Result<Fetched, FetchError>;
}

/// What is in a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    /// Its documents. One that is not among them is gone, unless it is kept.
    pub items: Vec<Item>,
    /// How many sidecars there are.
    pub sidecars: u64,
    /// Documents that could not be looked at and are not provably gone.
    pub kept: Vec<String>,
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
}

/// Whether sources of this type can be read.
pub(crate) fn built(kind: &DataSourceType) -> bool {
    matches!(kind, DataSourceType::S3 | DataSourceType::Custom)
}

/// The source that a data source's configuration names, read with the rights of `acting`.
pub(crate) fn open(
    knowledge: &Knowledge,
    acting: Context,
    source: &DataSource,
) -> Result<Arc<dyn Source>, KnowledgeError> {
    let told = connector::plain(&source.configuration.0)?;
    match (&told.r#type, &told.s3_configuration) {
        (DataSourceType::S3, Some(s3)) => Ok(Arc::new(s3::S3::new(knowledge.0.buckets.clone(), acting, s3))),
        (kind, _) => {
            Err(KnowledgeError::NotBuilt(format!("Data sources of type {} are not synchronised.", kind.as_str())))
        }
    }
}

/// What the locations of a source's documents are called in results.
pub(crate) fn location(source: &DataSource) -> String {
    source.kind().as_str().to_owned()
}

pub(crate) use s3::{fetch as fetch_uri, mark, parts};
