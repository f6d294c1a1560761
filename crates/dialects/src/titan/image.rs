use crate::body::{Node, parse};
use crate::image::encoded;
use crate::{DialectError, ImageDialect, ImageRequest};
use serde_json::{Value, json};

/// Titan Image Generator.
pub static IMAGE: Canvas = Canvas {
    name: "titan-image",
    longest: 512,
    sides: (320, 1408),
    step: 1,
    side: 1408,
    seeds: 2_147_483_646,
    styles: false,
};

/// Nova Canvas: the same tasks, longer texts, more sizes.
pub static CANVAS: Canvas = Canvas {
    name: "nova-canvas",
    longest: 1024,
    sides: (320, 4096),
    step: 16,
    side: 1024,
    seeds: 858_993_459,
    styles: true,
};

/// The tasks of both. All but the first begin with an image, or with colours.
const TASKS: &[&str] = &[
    "TEXT_IMAGE",
    "INPAINTING",
    "OUTPAINTING",
    "IMAGE_VARIATION",
    "COLOR_GUIDED_GENERATION",
    "BACKGROUND_REMOVAL",
    "VIRTUAL_TRY_ON",
];

/// The members of `textToImageParams`.
const PARAMS: &[&str] = &["text", "negativeText", "conditionImage", "controlMode", "controlStrength", "style"];

/// A model that makes images by task.
pub struct Canvas {
    name: &'static str,
    /// The greatest length of a text, in characters.
    longest: usize,
    /// The shortest and the longest side.
    sides: (i64, i64),
    /// What sides are multiples of.
    step: i64,
    /// The side where only the other is named.
    side: u32,
    /// The greatest seed.
    seeds: i64,
    /// A style can be named.
    styles: bool,
}

impl ImageDialect for Canvas {
    fn name(&self) -> &'static str {
        self.name
    }

    fn decode(&self, body: &[u8]) -> Result<ImageRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        let task = body.required("taskType")?.one_of(TASKS)?;
        if task != "TEXT_IMAGE" {
            return Err(DialectError::OnlyItself(format!("The task {task}")));
        }
        body.only(&["taskType", "textToImageParams", "imageGenerationConfig"])?;
        let mut request = self.text(&body.required("textToImageParams")?)?;
        request.count = 1;
        if let Some(config) = body.get("imageGenerationConfig")? {
            self.config(&config, &mut request)?;
        }
        Ok(request)
    }

    fn encode(&self, _: &ImageRequest, images: &[&[u8]]) -> Value {
        json!({"images": encoded(images), "error": null})
    }
}

impl Canvas {
    fn text(&self, params: &Node) -> Result<ImageRequest, DialectError> {
        params.only(&PARAMS[..if self.styles { 6 } else { 5 }])?;
        // These are about an image to follow, and about looks that this model alone was taught.
        for member in &PARAMS[2..] {
            if params.get(member)?.is_some() {
                return Err(DialectError::OnlyItself(format!("TEXT_IMAGE with textToImageParams.{member}")));
            }
        }
        let prompt = params.required("text")?.text(1, self.longest)?.to_owned();
        let unwanted = params.get("negativeText")?.map(|n| n.text(1, self.longest)).transpose()?;
        Ok(ImageRequest { prompt, negative_prompt: unwanted.map(str::to_owned), ..ImageRequest::default() })
    }

    fn config(&self, config: &Node, request: &mut ImageRequest) -> Result<(), DialectError> {
        config.only(&["quality", "numberOfImages", "height", "width", "cfgScale", "seed"])?;
        let quality = config.get("quality")?.map(|n| n.one_of(&["standard", "premium"])).transpose()?;
        request.quality = quality.map(str::to_owned);
        if let Some(n) = config.get("numberOfImages")? {
            request.count = u32::try_from(n.integer(1, 5)?).unwrap_or(1);
        }
        let (width, height) = (self.pixels(config, "width")?, self.pixels(config, "height")?);
        if width.is_some() || height.is_some() {
            request.size = Some((width.unwrap_or(self.side), height.unwrap_or(self.side)));
        }
        request.guidance = config.get("cfgScale")?.map(|n| n.number(1.1, 10.0)).transpose()?;
        request.seed = config.get("seed")?.map(|n| n.integer(0, self.seeds)).transpose()?;
        Ok(())
    }

    fn pixels(&self, config: &Node, side: &str) -> Result<Option<u32>, DialectError> {
        let Some(node) = config.get(side)? else { return Ok(None) };
        let n = node.integer(self.sides.0, self.sides.1)?;
        if n % self.step != 0 {
            return Err(node.refuse(format_args!("{n} is not a multiple of {}", self.step)));
        }
        Ok(u32::try_from(n).ok())
    }
}
