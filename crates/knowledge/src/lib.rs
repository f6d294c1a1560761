//! Knowledge bases: sources, ingestion, retrieval, cited answers, rerank.
//!
//! Never: agents, how a file is read (`extract`), how chunks are found (`vectors`), how a model is called (`gateway`).
//!
//! Start at [`Knowledge`]. [`control`] has the operations on knowledge bases, data sources, jobs and documents; `ingest`
//! does what they set off, by rows of a queue, and
//! [`schedule`] what is due. [`retrieve`] finds chunks, [`rerank`] orders texts, [`answer`] answers from them.

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
mod service;
mod turns;

pub use base::{Base, Embedding};
pub use error::KnowledgeError;
pub use ingest::{QUEUE, Tasks};
pub use kept::KINDS;
pub use service::{Answers, Knowledge, Settings, State};
pub use turns::Turns;
