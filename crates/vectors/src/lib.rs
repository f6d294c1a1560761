//! One search contract: vectors and full text of chunks, found by likeness, by words, or by both, within a filter.
//!
//! Does: keeps chunks durably (the embedded index) or in an existing engine (PostgreSQL with pgvector, Qdrant,
//! OpenSearch), replaces a document's chunks in one step, and searches. Never: knows a document's format, calls a model.
//!
//! Start at [`Index`], the contract, and [`Engine`], which opens indexes. [`Filter`] says what a filter means.
//! [`Embedded`] is the engine without a server; [`Store`] is one that is there already: [`Postgres`], [`Qdrant`],
//! [`OpenSearch`]. `ranked` answers queries for all of those. `suite` (feature `suite`) is the contract as tests, for every
//! engine.

mod contract;
mod embedded;
mod error;
mod filter;
mod fusion;
mod http;
mod opensearch;
mod postgres;
mod qdrant;
mod ranked;
mod record;
#[cfg(test)]
mod served;
#[cfg(any(test, feature = "suite"))]
pub mod suite;

pub use contract::{Engine, Index, Place, Stats, Store};
pub use embedded::{Embedded, Said};
pub use error::{Result, VectorError};
pub use filter::Filter;
pub use fusion::{Parts, Scale, join};
pub use opensearch::{OpenSearch, OpenSearchLogin};
pub use postgres::Postgres;
pub use qdrant::Qdrant;
pub use record::{Hit, Metadata, Mode, OWN, Parent, Query, Record, Replace, Shape, Value, Vector};
