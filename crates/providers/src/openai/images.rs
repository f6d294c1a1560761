//! `/images/generations`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::server::Server;
use super::{OpenAi, unless_absent};
use crate::{Failure, Image, Images};

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    prompt: &'a str,
    n: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    negative_prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guidance_scale: Option<f32>,
}

#[derive(Deserialize)]
struct Response {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    b64_json: Option<String>,
}

pub(super) async fn make(provider: &OpenAi, call: &Images) -> Result<Vec<Image>, Failure> {
    // OpenAI's newer models give bytes in any case and refuse to be asked for them; its older one makes one at a time.
    let gpt = call.model.contains("gpt-image");
    let wanted = &*call.request;
    let count = wanted.count.max(1);
    let at_once = if &*call.model == "dall-e-3" { 1 } else { count };
    let own = provider.server == Server::SelfHosted;
    let unwanted = wanted.negative_prompt.as_deref().filter(|words| !words.is_empty());
    let prompt = match unwanted {
        Some(words) if !own => format!("{}\nLeave out: {words}", wanted.prompt),
        _ => wanted.prompt.clone(),
    };
    let mut images = Vec::new();
    while images.len() < count as usize {
        let request = Request {
            model: &call.model,
            prompt: &prompt,
            n: at_once,
            size: wanted.size.map(|(width, height)| format!("{width}x{height}")),
            quality: wanted.quality.as_deref().map(|quality| match (quality, gpt) {
                ("standard", true) => "medium",
                ("premium", true) => "high",
                ("premium", false) => "hd",
                (quality, _) => quality,
            }),
            response_format: (!gpt).then_some("b64_json"),
            output_format: wanted.format.as_deref().filter(|_| gpt),
            negative_prompt: unwanted.filter(|_| own),
            // Services have no seed: each call is another image.
            seed: wanted.seed.filter(|_| own),
            guidance_scale: wanted.guidance.filter(|_| own),
        };
        let answer = provider.call::<Response>(&provider.http, "/images/generations", &request).await;
        let answer = answer.map_err(|failure| unless_absent(failure, "images"))?;
        let before = images.len();
        for item in answer.data {
            let bytes = item.b64_json.and_then(|data| STANDARD.decode(data).ok());
            // A link is not followed: addresses come from the configuration alone.
            let bytes = bytes.ok_or_else(|| provider.http.broken(&"an image has no bytes in base64"))?;
            images.push(Image { bytes: Bytes::from(bytes) });
        }
        if images.len() == before {
            return Err(provider.http.broken(&"it holds no images"));
        }
    }
    images.truncate(count as usize);
    Ok(images)
}
