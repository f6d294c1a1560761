//! Knowledge bases: sources, ingestion, retrieval, cited answers, rerank.
//!
//! Never: agents, how a file is read (`extract`), how chunks are found (`vectors`), how a model is called (`gateway`).
//!
//! Start at [`Knowledge`]. [`control`] has the operations on knowledge bases, data sources, jobs and documents; `ingest`
//! does what they set off, by rows of a queue, and [`schedule`] what is due; `stores` says which engine keeps which
//! knowledge base. [`retrieve`] finds chunks, [`rerank`] orders texts, [`answer`] answers from them.

pub mod answer;
mod base;
pub mod control;
mod error;
mod ingest;
mod kept;
mod keys;
pub mod rerank;
pub mod retrieve;
pub mod schedule;
pub mod secrets;
mod service;
mod stores;
mod turns;

pub use base::{Base, Embedding};
pub use error::KnowledgeError;
pub(crate) use error::broken;
pub use ingest::{Outside, QUEUE, Tasks};
pub use kept::KINDS;
pub use service::{Answers, Knowledge, Settings, State};
pub use stores::{Bound, EMBEDDED, Kind as StoreKind};
pub use turns::Turns;
