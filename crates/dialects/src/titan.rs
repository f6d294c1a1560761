//! Amazon Titan: `titan-text`, `titan-embed-v1`, `titan-embed-v2`.

mod embed;
#[cfg(test)]
mod tests;
mod text;

pub use embed::{EmbedV1, EmbedV2};
pub use text::Text;
