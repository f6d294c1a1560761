//! Meta Llama: `llama`. The body is a prompt; where it follows the chat template of Llama 2, 3 or 4 from end to end, its
//! turns become messages, else the whole prompt is one turn of the user.

mod encode;
mod image;
mod template;

use crate::body::{Node, parse};
use crate::prompt::Prompt;
use crate::request::{self, decimal, put};
use crate::{ChatDialect, DialectError, Head, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value};

/// The dialect.
pub struct Llama;

impl ChatDialect for Llama {
    fn name(&self) -> &'static str {
        "llama"
    }

    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["prompt", "max_gen_len", "temperature", "top_p", "images"])?;
        let prompt = body.required("prompt")?.text(1, usize::MAX)?;
        // The documented defaults of the format, not those of the model behind it.
        let mut inference = InferenceConfiguration {
            max_tokens: Some(512),
            temperature: Some(0.5),
            top_p: Some(0.9),
            stop_sequences: None,
        };
        if let Some(node) = body.get("max_gen_len")? {
            inference.max_tokens = i32::try_from(node.integer(1, 2048)?).ok();
        }
        if let Some(node) = body.get("temperature")? {
            inference.temperature = Some(node.number(0.0, 1.0)?);
        }
        if let Some(node) = body.get("top_p")? {
            inference.top_p = Some(node.number(0.0, 1.0)?);
        }
        let prompt = template::read(prompt).unwrap_or_else(|| Prompt::plain(prompt));
        let images = body.get("images")?;
        let mut request = prompt.request(inference, crate::prompt::text_block);
        if let Some(images) = images {
            image::place(&images, request.messages.iter_mut().flatten())?;
        }
        Ok(request)
    }

    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        let places = [
            "messages",
            "system",
            "inferenceConfig.maxTokens",
            "inferenceConfig.temperature",
            "inferenceConfig.topP",
            "additionalModelRequestFields",
        ];
        request::only(request, &places)?;
        let prompt = Prompt::of(request, "", image::write)?;
        let mut body = Map::new();
        let written = template::write(&prompt, &request.model_id);
        put(&mut body, "prompt", Some(prompt.proven_or_plain(written, template::read)?));
        if let Some(config) = &request.inference_config {
            put(&mut body, "max_gen_len", config.max_tokens);
            put(&mut body, "temperature", config.temperature.map(decimal));
            put(&mut body, "top_p", config.top_p.map(decimal));
        }
        put(&mut body, "images", image::list(request, &prompt)?);
        request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
        Ok(Value::Object(body))
    }

    fn encode(&self, _: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(answer)
    }

    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(encode::Encoder::new(&head))
    }
}
