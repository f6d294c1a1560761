//! Stability AI: `stability-image`, the format of Stable Diffusion 3 and of Stable Image Core and Ultra.

use crate::body::{Node, parse};
use crate::image::encoded;
use crate::{DialectError, ImageDialect, ImageRequest};
use serde_json::{Value, json};

/// Stable Diffusion 3, Stable Image Core and Ultra.
pub struct Images;

/// The greatest length of a text, in characters.
const LONGEST: usize = 10_000;

/// The sizes of about a megapixel that Stability's models make of the ratios.
const RATIOS: &[(&str, (u32, u32))] = &[
    ("1:1", (1024, 1024)),
    ("16:9", (1344, 768)),
    ("21:9", (1536, 640)),
    ("2:3", (832, 1216)),
    ("3:2", (1216, 832)),
    ("4:5", (896, 1088)),
    ("5:4", (1088, 896)),
    ("9:16", (768, 1344)),
    ("9:21", (640, 1536)),
];

impl ImageDialect for Images {
    fn name(&self) -> &'static str {
        "stability-image"
    }

    fn decode(&self, body: &[u8]) -> Result<ImageRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        // The models that edit have members of their own beside the image.
        if body.get("image")?.is_some() {
            return Err(DialectError::OnlyItself("A request with an image".to_owned()));
        }
        let mode = body.get("mode")?.map(|n| n.one_of(&["text-to-image", "image-to-image"])).transpose()?;
        if mode == Some("image-to-image") {
            return Err(body.refuse("required key [image] not found"));
        }
        body.only(&["prompt", "mode", "aspect_ratio", "seed", "output_format", "negative_prompt", "image"])?;
        let prompt = body.required("prompt")?.text(0, LONGEST)?.to_owned();
        let unwanted = body.get("negative_prompt")?.map(|n| n.text(0, LONGEST)).transpose()?;
        let size = match body.get("aspect_ratio")? {
            Some(node) => {
                let ratio = node.string()?;
                let known = RATIOS.iter().find(|(name, _)| *name == ratio);
                let known = known.ok_or_else(|| node.refuse(format_args!("{ratio} is not a valid enum value")))?;
                Some(known.1)
            }
            None => None,
        };
        let format = body.get("output_format")?.map(|n| n.one_of(&["jpeg", "png", "webp"])).transpose()?;
        let seed = body.get("seed")?.map(|n| n.integer(0, i64::from(u32::MAX))).transpose()?;
        Ok(ImageRequest {
            prompt,
            negative_prompt: unwanted.map(str::to_owned),
            count: 1,
            size,
            format: format.map(str::to_owned),
            seed,
            ..ImageRequest::default()
        })
    }

    /// Where the caller named no seed it is 0, Stability's own word for a random one.
    fn encode(&self, request: &ImageRequest, images: &[&[u8]]) -> Value {
        let each = |value: Value| Value::Array(vec![value; images.len()]);
        let seed = request.seed.unwrap_or_default();
        json!({"seeds": each(seed.into()), "finish_reasons": each(Value::Null), "images": encoded(images)})
    }
}
