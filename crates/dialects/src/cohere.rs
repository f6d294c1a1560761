//! Cohere: `cohere-embed-v3`, `cohere-embed-v4`.

mod embed;
mod embed_v4;

pub use embed::EmbedV3;
pub use embed_v4::EmbedV4;
