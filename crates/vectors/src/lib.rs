//! One search contract: vectors and full text of chunks, found by likeness, by words, or by both, within a filter.
//!
//! Does: keeps chunks durably (the embedded index) or in an existing engine (PostgreSQL with pgvector, Qdrant,
//! OpenSearch), replaces a document's chunks in one step, and searches. Never: knows a document's format, calls a model.
//!
//! Start at [`Index`], the contract, and [`Engine`], which opens indexes. [`Filter`] says what a filter means.

mod contract;
mod error;
mod filter;
mod record;

pub use contract::{Engine, Index, Stats};
pub use error::{Result, VectorError};
pub use filter::Filter;
pub use record::{Hit, Metadata, Mode, Parent, Query, Record, Replace, Shape, Value, Vector};
