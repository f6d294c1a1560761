//! DeepSeek R1: `deepseek`. A prompt marked by the model's chat template becomes messages, any other is one turn of the
//! user.
//!
//! The documented prompt ends in `<think>`, so the text of an answer begins with the model's thoughts, and `</think>`
//! stands between them and what it says.

mod encode;
mod template;

use crate::body::{Node, parse};
use crate::prompt::Prompt;
use crate::request::{self, decimal, put};
use crate::{ChatDialect, DialectError, Head, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value};

/// The dialect.
pub struct R1;

impl ChatDialect for R1 {
    fn name(&self) -> &'static str {
        "deepseek"
    }

    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["prompt", "temperature", "top_p", "max_tokens", "stop"])?;
        let prompt = body.required("prompt")?.text(1, usize::MAX)?;
        let mut inference = InferenceConfiguration::default();
        if let Some(node) = body.get("temperature")? {
            inference.temperature = Some(node.number(0.0, 1.0)?);
        }
        if let Some(node) = body.get("top_p")? {
            inference.top_p = Some(node.number(0.0, 1.0)?);
        }
        if let Some(node) = body.get("max_tokens")? {
            inference.max_tokens = i32::try_from(node.integer(1, 32_768)?).ok();
        }
        if let Some(node) = body.get("stop")? {
            for stop in node.items(0, 10)? {
                stop.text(1, usize::MAX)?;
            }
            inference.stop_sequences = Some(node.strings(10)?);
        }
        let prompt = template::read(prompt).unwrap_or_else(|| Prompt::plain(prompt));
        Ok(prompt.request(inference, template::blocks))
    }

    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::only(request, &["messages", "system", "inferenceConfig", "additionalModelRequestFields"])?;
        let prompt = Prompt::of(request, "\n", template::block)?;
        let mut body = Map::new();
        put(&mut body, "prompt", Some(prompt.proven_or_plain(template::write(&prompt), template::read)?));
        let config = request.inference_config.clone().unwrap_or_default();
        put(&mut body, "temperature", config.temperature.map(decimal));
        put(&mut body, "top_p", config.top_p.map(decimal));
        put(&mut body, "max_tokens", config.max_tokens);
        put(&mut body, "stop", config.stop_sequences);
        request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
        Ok(Value::Object(body))
    }

    fn encode(&self, _: &Head, answer: &ConverseResponse) -> Value {
        encode::answer(answer)
    }

    fn stream(&self, _: Head) -> Box<dyn StreamEncoder> {
        Box::new(encode::Encoder::default())
    }
}
