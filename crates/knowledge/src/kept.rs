//! What is kept of knowledge bases, data sources and ingestion jobs.

use std::fmt;

use jiff::Timestamp;
use outcrop_api::bedrock_agent::{
    DataSourceConfiguration, KnowledgeBaseConfiguration, MetadataConfiguration, StorageConfiguration,
    VectorIngestionConfiguration,
};
use outcrop_resources::{Ids, Kind};
use outcrop_vectors::Shape;
use outcrop_wire::decode::{self, Problems};
use outcrop_wire::shape::Structure;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Knowledge bases, as resources.
pub const KNOWLEDGE_BASE: Kind =
    Kind { name: "knowledge-base", noun: "KnowledgeBase", arn: "knowledge-base", ids: Ids::Upper };
/// Data sources; the parent is the knowledge base. They have no ARN of their own in AWS.
pub const DATA_SOURCE: Kind = Kind { name: "data-source", noun: "DataSource", arn: "data-source", ids: Ids::Upper };
/// Ingestion jobs; the parent is the data source.
pub const INGESTION_JOB: Kind =
    Kind { name: "ingestion-job", noun: "IngestionJob", arn: "ingestion-job", ids: Ids::Upper };
/// The documents of data sources; the parent is the data source.
pub const DOCUMENT: &str = "knowledge-document";
/// What of this crate can have tags.
pub const KINDS: &[Kind] = &[KNOWLEDGE_BASE];

/// A knowledge base.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KnowledgeBase {
    /// What it is for.
    pub description: Option<String>,
    /// The role that it acts with.
    pub role: String,
    /// As it was given.
    pub configuration: Told<KnowledgeBaseConfiguration>,
    /// As it was given; none where it is MANAGED.
    pub storage: Option<Told<StorageConfiguration>>,
    /// Which attributes of its documents can be searched; MANAGED only.
    pub attributes: Option<Vec<Told<MetadataConfiguration>>>,
    /// What its vectors are, as its embedding model made the first.
    pub shape: Shape,
    /// What its vectors are made by: a model's id or ARN, which a MANAGED one does not name itself.
    pub model: String,
    /// The store of the operator's that keeps its chunks; none: the embedded index.
    #[serde(default)]
    pub store: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Why it could not be deleted.
    pub failures: Vec<String>,
}

/// A data source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DataSource {
    /// What it is for.
    pub description: Option<String>,
    /// As it was given.
    pub configuration: Told<DataSourceConfiguration>,
    /// As it was given.
    pub ingestion: Option<Told<VectorIngestionConfiguration>>,
    /// Whether its vectors stay when it goes.
    pub retain: bool,
    /// The KMS key that it was made with.
    pub kms_key: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Why it could not be deleted.
    pub failures: Vec<String>,
    /// Whether a job has completed: direct ingestion into an S3 source asks that.
    pub synced: bool,
}

/// Where a knowledge base or data source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It can be used: ACTIVE, AVAILABLE.
    Ready,
    /// It is being deleted.
    Deleting,
    /// It could not be deleted.
    DeleteUnsuccessful,
}

/// An ingestion job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The knowledge base.
    pub base: String,
    /// What the caller said of it.
    pub description: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// What it has done.
    pub statistics: Statistics,
    /// Each a JSON array inside a string, as Bedrock tells them.
    pub failures: Vec<String>,
    /// When all text could be searched.
    pub text_ready: Option<Timestamp>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// Nobody has begun it.
    Starting,
    /// It is under way.
    InProgress,
    /// It is done; some documents may have failed.
    Complete,
    /// It could not be done.
    Failed,
    /// It is to end.
    Stopping,
    /// It ended before it was done.
    Stopped,
}

impl JobState {
    /// Whether it will not change any more.
    pub fn ended(self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::Stopped)
    }

    /// As AWS names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::InProgress => "IN_PROGRESS",
            Self::Complete => "COMPLETE",
            Self::Failed => "FAILED",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// What a job has done, in documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Seen, unchanged ones too.
    pub scanned: u64,
    /// Sidecars seen.
    pub metadata_scanned: u64,
    /// New and searchable.
    pub new: u64,
    /// Changed and searchable anew.
    pub modified: u64,
    /// Whose sidecar was changed or deleted.
    pub metadata_modified: u64,
    /// Gone.
    pub deleted: u64,
    /// Could not be read or embedded.
    pub failed: u64,
    /// Left out.
    pub skipped: u64,
    /// Chunks of the new and the changed.
    #[serde(default)]
    pub chunks: u64,
}

/// A structure of the contract, kept as the JSON that its caller sent.
#[derive(Clone, Default)]
pub struct Told<T>(pub T);

impl<T: Structure> Told<T> {
    fn json(&self) -> Vec<u8> {
        outcrop_wire::encode::body(&self.0, Vec::new())
    }
}

impl<T: Structure> PartialEq for Told<T> {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl<T: fmt::Debug> fmt::Debug for Told<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Structure> Serialize for Told<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: serde_json::Value = serde_json::from_slice(&self.json()).map_err(S::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de, T: Structure + Default> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let mut told = T::default();
        // What was accepted once is not judged again.
        let json = serde_json::to_vec(&value).map_err(D::Error::custom)?;
        decode::body(&json, &mut told, &mut Problems::default()).map_err(D::Error::custom)?;
        Ok(Self(told))
    }
}
