//! Cohere: `cohere-embed-v3`.

mod embed;

pub use embed::EmbedV3;
