//! The request for images that the formats of models that draw share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Images to make of a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageRequest {
    /// What is to be seen.
    pub prompt: String,
    /// What is not.
    pub negative_prompt: Option<String>,
    /// How many.
    pub count: u32,
    /// Width and height in pixels; the model's own where absent.
    pub size: Option<(u32, u32)>,
    /// `png`, `jpeg` or `webp`; the model's own where absent.
    pub format: Option<String>,
    /// For the same image again.
    pub seed: Option<i64>,
    /// `standard` or `premium`.
    pub quality: Option<String>,
    /// How closely the image keeps to the text.
    pub guidance: Option<f32>,
}

/// Files as the answers hold them.
pub(crate) fn encoded(images: &[&[u8]]) -> Value {
    images.iter().map(|image| Value::from(STANDARD.encode(image))).collect()
}
