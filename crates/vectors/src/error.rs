//! What goes wrong with an index.

use std::fmt::Display;

use crate::Shape;

/// Why an engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// The vectors are not of the index's shape.
    #[error("the index holds {holds} vectors, not {given}")]
    Shape {
        /// What the index holds.
        holds: Shape,
        /// What was given.
        given: Shape,
    },
    /// What was given cannot be kept or asked; what is wrong with it.
    #[error("{0}")]
    Invalid(String),
    /// The engine cannot do this.
    #[error("{0}")]
    Unsupported(String),
    /// The engine could not be reached or refused; what it said.
    #[error("{0}")]
    Failed(String),
}

impl VectorError {
    /// A failure in doing `what`, because of `why`.
    pub(crate) fn failed(what: &str, why: impl Display) -> Self {
        Self::Failed(format!("{what}: {why}"))
    }
}

/// What an engine answers.
pub type Result<T> = std::result::Result<T, VectorError>;
