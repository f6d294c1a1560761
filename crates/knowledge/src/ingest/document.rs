//! What is known of a document: a row for each, beside the index.

use jiff::Timestamp;
use outcrop_resources::{Error, Scope};
use outcrop_store::{Document as Row, Key, NewDocument, Op};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::kept::DOCUMENT;
use crate::{Knowledge, KnowledgeError};

/// A document of a data source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// Which it is within its source: an S3 URI, a URL, a custom id.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// Why it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its bytes' mark when they were read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its sidecar's mark when it was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<String>,
    /// What its sidecar put into the text that is embedded, as a mark; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// How many chunks it has in the index.
    #[serde(default)]
    pub chunks: u32,
    /// The job that last changed something about it, and what; the direct call that is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<(String, Did)>,
}

/// Where a document stands, as AWS names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "Bedrock's own words")]
pub(crate) enum Status {
    #[default]
    Starting,
    InProgress,
    Indexed,
    PartiallyIndexed,
    /// It is searched as it was: its new sidecar could not be read.
    MetadataUpdateFailed,
    /// It could not be read; another try may do better.
    Failed,
    /// There is nothing in it to read.
    Ignored,
    Deleting,
}

impl Status {
    /// As AWS names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::InProgress => "IN_PROGRESS",
            Self::Indexed => "INDEXED",
            Self::PartiallyIndexed => "PARTIALLY_INDEXED",
            Self::MetadataUpdateFailed => "METADATA_UPDATE_FAILED",
            Self::Failed => "FAILED",
            Self::Ignored => "IGNORED",
            Self::Deleting => "DELETING",
        }
    }

    /// Whether its chunks can be found.
    pub(crate) fn searchable(self) -> bool {
        matches!(self, Self::Indexed | Self::PartiallyIndexed | Self::MetadataUpdateFailed)
    }

    /// Whether a call is about to change it.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Self::Starting | Self::InProgress | Self::Deleting)
    }
}

/// What was done to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Did {
    /// It is new.
    New,
    /// Its bytes were others, and its sidecar too where so marked.
    Modified {
        /// Its sidecar was another, or gone.
        sidecar: bool,
    },
    /// Only its sidecar was another, or gone.
    Sidecar,
    /// It, or its new sidecar, could not be read.
    Failed,
    /// A call is to read or remove it.
    Called,
}

/// A document as it was read.
#[derive(Clone)]
pub(crate) struct Known {
    pub document: Document,
    pub version: u64,
    pub updated: Timestamp,
}

/// The address of a document.
pub(crate) fn key(scope: Scope<'_>, source: &str, id: &str) -> Key {
    let digest = Sha256::digest(id.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    scope.owned().key(DOCUMENT, format!("{source}:{hex}"))
}

/// Reads a row.
pub(crate) fn read(row: &Row) -> Result<Known, KnowledgeError> {
    let document = serde_json::from_slice(&row.body).map_err(|error| Error::Unreadable {
        kind: DOCUMENT,
        id: row.key.id.clone(),
        reason: error.to_string(),
    })?;
    Ok(Known { document, version: row.version, updated: row.updated })
}

/// What is known of a document.
pub(crate) async fn get(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    source: &str,
    id: &str,
) -> Result<Option<Known>, KnowledgeError> {
    let row = knowledge.0.resources.store().get(key(scope, source, id)).await?;
    row.as_ref().map(read).transpose()
}

/// The step that keeps it, in place of what was `known`.
pub(crate) fn write(
    scope: Scope<'_>,
    source: &str,
    document: &Document,
    known: Option<u64>,
) -> Result<Op, KnowledgeError> {
    let body = serde_json::to_vec(document).map_err(|error| Error::Internal(error.to_string()))?;
    let key = key(scope, source, &document.id);
    Ok(match known {
        Some(version) => Op::Put { key, expect: Some(version), name: None, body },
        None => Op::Insert(NewDocument { key, name: None, parent: Some(source.to_owned()), body, sealed_by: None }),
    })
}
