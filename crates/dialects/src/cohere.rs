//! Cohere: `cohere-embed-v3`.

mod embed;
#[cfg(test)]
mod tests;

pub use embed::EmbedV3;
