use super::prompt;
use crate::body::{Node, parse};
use crate::converse;
use crate::prompt::{Prompt, text_block, text_only};
use crate::request::{self, decimal, put};
use crate::{ChatDialect, DialectError, Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// `mistral-text`.
pub struct Text;

impl ChatDialect for Text {
    fn name(&self) -> &'static str {
        "mistral-text"
    }

    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["prompt", "max_tokens", "stop", "temperature", "top_p", "top_k"])?;
        let prompt = body.required("prompt")?.text(1, usize::MAX)?;
        let mut stops = Vec::new();
        if let Some(node) = body.get("stop")? {
            for stop in node.items(0, 10)? {
                stops.push(stop.text(1, usize::MAX)?.to_owned());
            }
        }
        let max_tokens = body.get("max_tokens")?.map(|n| n.integer(1, 8192)).transpose()?.unwrap_or(512);
        // The defaults of the user guide for Mistral 7B and Mixtral, not those of the model behind it.
        let inference = InferenceConfiguration {
            max_tokens: i32::try_from(max_tokens).ok(),
            temperature: Some(body.get("temperature")?.map(|t| t.number(0.0, 1.0)).transpose()?.unwrap_or(0.5)),
            top_p: Some(body.get("top_p")?.map(|p| p.number(0.0, 1.0)).transpose()?.unwrap_or(0.9)),
            stop_sequences: (!stops.is_empty()).then_some(stops),
        };
        let top_k = body.get("top_k")?.map(|k| k.integer(1, 200)).transpose()?;
        let conversation = prompt::read(prompt).unwrap_or_else(|| Prompt::plain(prompt));
        let mut request = conversation.request(inference, text_block);
        request.additional_model_request_fields = top_k.map(|k| json!({"top_k": k}));
        Ok(request)
    }

    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::only(request, &["messages", "inferenceConfig", "additionalModelRequestFields"])?;
        let mut body = Map::new();
        let conversation = Prompt::of(request, "\n", text_only)?;
        let written = conversation.proven_or_plain(prompt::write(&conversation), prompt::read)?;
        put(&mut body, "prompt", Some(written));
        let config = request.inference_config.clone().unwrap_or_default();
        put(&mut body, "max_tokens", config.max_tokens);
        put(&mut body, "temperature", config.temperature.map(decimal));
        put(&mut body, "top_p", config.top_p.map(decimal));
        put(&mut body, "stop", config.stop_sequences.filter(|s| !s.is_empty()));
        request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
        Ok(Value::Object(body))
    }

    fn encode(&self, _: &Head, answer: &ConverseResponse) -> Value {
        output(&converse::text(answer), Some(ending(&answer.stop_reason)))
    }

    fn stream(&self, _: Head) -> Box<dyn StreamEncoder> {
        Box::new(Encoder { stop: StopReason::EndTurn })
    }
}

fn output(text: &str, ending: Option<&str>) -> Value {
    json!({"outputs": [{"text": text, "stop_reason": ending}]})
}

fn ending(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "length",
        _ => "stop",
    }
}

struct Encoder {
    stop: StopReason,
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::MessageStop(stop) => self.stop = stop.stop_reason.clone(),
            event => out.extend(converse::text_delta(event).map(|text| output(text, None))),
        }
    }

    /// Clients stop reading at the stop reason, so it stands beside the metrics.
    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        let mut last = output("", Some(ending(&self.stop)));
        last[METRICS] = metrics.value();
        out.push(last);
    }
}
