//! Amazon Titan: `titan-text`, `titan-embed-v1`, `titan-embed-v2`,
//! `titan-multimodal-embed`, `titan-image`, and `nova-canvas`, which grew out of it.

mod embed;
mod image;
mod multimodal;
mod text;

pub use embed::{EmbedV1, EmbedV2};
pub use image::{CANVAS, Canvas, IMAGE};
pub use multimodal::EmbedMultimodal;
pub use text::Text;
