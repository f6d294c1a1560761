//! What goes wrong with an index.

use crate::Shape;

/// Why an engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// The vectors are not of the index's shape.
    #[error("the index holds vectors of {} dimensions, not {}", .holds.dimensions, .given.dimensions)]
    Shape {
        /// What the index holds.
        holds: Shape,
        /// What was given.
        given: Shape,
    },
    /// The engine cannot do this.
    #[error("{0}")]
    Unsupported(String),
    /// The engine could not be reached or refused; what it said.
    #[error("{0}")]
    Failed(String),
}

/// What an engine answers.
pub type Result<T> = std::result::Result<T, VectorError>;
