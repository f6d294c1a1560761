//! Amazon Titan: `titan-text`, `titan-embed-v1`, `titan-embed-v2`.

mod embed;
mod text;

pub use embed::{EmbedV1, EmbedV2};
pub use text::Text;
