//! What turns text into vectors.

/// Why a text has no vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The sentence encoder failed: {0}")]
pub struct EncodeError(pub String);

/// One text, encoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// The sentence vector, of length 1.
    pub vector: Vec<f32>,
    /// The states of the tokens under the layers that are tuned for the filters, token after token.
    pub states: Vec<f32>,
    /// True where the text is longer than what was encoded.
    pub truncated: bool,
}

/// A sentence encoder: the same model that embeds, so that one pass serves everything.
pub trait Encoder: Send + Sync {
    /// The encodings of `texts`, in their order.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError>;
}
