//! What operations set off: filling an index from a source, and taking it away.

mod delete;
pub(crate) mod sources;
mod work;

pub(crate) use work::Work;
pub use work::{QUEUE, Tasks};
