//! What operations set off: filling an index from a source, and taking it away.

pub(crate) mod attributes;
mod by_model;
mod delete;
mod direct;
pub(crate) mod document;
pub(crate) mod embed;
mod job;
mod prepare;
mod reasons;
pub(crate) mod sources;
mod transform;
mod work;

pub use sources::Outside;
pub(crate) use work::Work;
pub use work::{QUEUE, Tasks};
