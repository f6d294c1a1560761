//! Amazon Titan: `titan-text`, `titan-embed-v1`, `titan-embed-v2`,
//! `titan-multimodal-embed`.

mod embed;
mod multimodal;
mod text;

pub use embed::{EmbedV1, EmbedV2};
pub use multimodal::EmbedMultimodal;
pub use text::Text;
