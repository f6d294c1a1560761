use super::finish_reason;
use crate::body::{Node, parse};
use crate::converse;
use crate::openai::agrees;
use crate::request::{self, decimal, put};
use crate::{ChatDialect, DialectError, Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// Cohere Command and Command Light.
pub struct Command;

const KEYS: &[&str] = &[
    "prompt",
    "temperature",
    "p",
    "k",
    "max_tokens",
    "stop_sequences",
    "return_likelihoods",
    "stream",
    "num_generations",
    "logit_bias",
    "truncate",
];

impl ChatDialect for Command {
    fn name(&self) -> &'static str {
        "cohere-command"
    }

    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(KEYS)?;
        let prompt = body.required("prompt")?.text(1, usize::MAX)?.to_owned();
        if let Some(wanted) = body.get("return_likelihoods")?
            && wanted.one_of(&["NONE", "GENERATION", "ALL"])? != "NONE"
        {
            return Err(wanted.refuse("likelihoods are not available, leave return_likelihoods out or set it to NONE"));
        }
        if let Some(n) = body.get("num_generations")?
            && n.integer(1, 5)? > 1
        {
            return Err(n.refuse("one generation is made for each request, leave num_generations out or set it to 1"));
        }
        body.get("stream")?.map(|s| s.boolean()).transpose()?;
        let mut fields = Map::new();
        put(&mut fields, "k", top_k(&body)?);
        if let Some(bias) = body.get("logit_bias")? {
            bias.object()?;
            put(&mut fields, "logit_bias", Some(bias.value.clone()));
        }
        let truncate = body.get("truncate")?.map(|t| t.one_of(&["NONE", "START", "END"])).transpose()?;
        put(&mut fields, "truncate", truncate);
        let max_tokens = body.get("max_tokens")?.map(|n| n.integer(1, 4096)).transpose()?.unwrap_or(20);
        let p = body.get("p")?.map(|p| p.number(0.0, 1.0)).transpose()?.unwrap_or(0.75);
        // The documented defaults of the format, not those of the model behind it.
        let inference = InferenceConfiguration {
            max_tokens: i32::try_from(max_tokens).ok(),
            temperature: Some(body.get("temperature")?.map(|t| t.number(0.0, 5.0)).transpose()?.unwrap_or(0.9)),
            // 0 and 1 both switch it off (user guide).
            top_p: Some(if p == 0.0 { 1.0 } else { p }),
            stop_sequences: stops(&body, 4)?,
        };
        let message = Message { role: ConversationRole::User, content: vec![ContentBlock::Text(prompt)] };
        Ok(ConverseRequest {
            messages: Some(vec![message]),
            inference_config: Some(inference),
            additional_model_request_fields: (!fields.is_empty()).then_some(Value::Object(fields)),
            ..ConverseRequest::default()
        })
    }

    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::only(request, &["messages", "inferenceConfig", "additionalModelRequestFields"])?;
        let message = request::single(request)?;
        if request.inference_config.as_ref().is_some_and(|c| c.top_p == Some(0.0)) {
            let text = "inferenceConfig.topP must be above 0: in the model's request format 0 switches it off.";
            return Err(DialectError::Rule(text.to_owned()));
        }
        let mut body = Map::new();
        put(&mut body, "prompt", Some(request::text("messages.0", &message.content)?));
        write_inference(request, &mut body);
        request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
        Ok(Value::Object(body))
    }

    fn agrees(&self, body: &[u8], models: &[&str], streaming: bool) -> Result<(), DialectError> {
        agrees(body, models, streaming)
    }

    fn repeats(&self, request: &ConverseRequest) -> Value {
        let said = request.messages.iter().flatten().flat_map(|m| &m.content).filter_map(converse::plain);
        said.collect::<String>().into()
    }

    fn encode(&self, head: &Head, answer: &ConverseResponse) -> Value {
        json!({
            "id": head.message_id,
            "prompt": head.repeated,
            "generations": [{
                "id": head.message_id,
                "text": converse::text(answer),
                "finish_reason": finish_reason(&answer.stop_reason),
            }],
        })
    }

    fn stream(&self, _: Head) -> Box<dyn StreamEncoder> {
        Box::new(Encoder { stop: StopReason::EndTurn })
    }
}

/// `k`; the user guide types it as a float, samplers want a whole number.
pub(super) fn top_k(body: &Node) -> Result<Option<Value>, DialectError> {
    let Some(k) = body.get("k")? else { return Ok(None) };
    let number = k.number(0.0, 500.0)?;
    Ok(Some(if number.fract() == 0.0 { Value::from(number as u32) } else { k.value.clone() }))
}

pub(super) fn stops(body: &Node, most: usize) -> Result<Option<Vec<String>>, DialectError> {
    let Some(node) = body.get("stop_sequences")? else { return Ok(None) };
    let mut stops = Vec::new();
    for stop in node.items(0, most)? {
        stops.push(stop.text(1, usize::MAX)?.to_owned());
    }
    Ok((!stops.is_empty()).then_some(stops))
}

pub(super) fn write_inference(request: &ConverseRequest, body: &mut Map<String, Value>) {
    let config = request.inference_config.clone().unwrap_or_default();
    put(body, "max_tokens", config.max_tokens);
    put(body, "temperature", config.temperature.map(decimal));
    put(body, "p", config.top_p.map(decimal));
    put(body, "stop_sequences", config.stop_sequences.filter(|s| !s.is_empty()));
}

struct Encoder {
    stop: StopReason,
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::MessageStop(stop) => self.stop = stop.stop_reason.clone(),
            // Clients read the other two in every chunk.
            event => out.extend(
                converse::text_delta(event)
                    .map(|text| json!({"text": text, "is_finished": false, "finish_reason": null})),
            ),
        }
    }

    /// Clients stop reading where it is finished, so that stands beside the metrics.
    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        out.push(json!({
            "text": "",
            "is_finished": true,
            "finish_reason": finish_reason(&self.stop),
            METRICS: metrics.value(),
        }));
    }
}
