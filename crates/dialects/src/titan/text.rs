use crate::body::{Node, parse};
use crate::converse::{self, prompt_tokens};
use crate::request::{self, decimal, put};
use crate::{ChatDialect, DialectError, Head, METRICS, Metrics, StreamEncoder};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// Titan Text: a prompt and its completion.
pub struct Text;

impl ChatDialect for Text {
    fn name(&self) -> &'static str {
        "titan-text"
    }

    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&["inputText", "textGenerationConfig"])?;
        let prompt = body.required("inputText")?.text(1, usize::MAX)?.to_owned();
        // The documented defaults of the format, not those of the model behind it.
        let mut inference = InferenceConfiguration {
            max_tokens: Some(512),
            temperature: Some(0.7),
            top_p: Some(0.9),
            stop_sequences: None,
        };
        if let Some(config) = body.get("textGenerationConfig")? {
            config.only(&["temperature", "topP", "maxTokenCount", "stopSequences"])?;
            if let Some(node) = config.get("temperature")? {
                inference.temperature = Some(node.number(0.0, 1.0)?);
            }
            if let Some(node) = config.get("topP")? {
                inference.top_p = Some(node.number(0.0, 1.0)?);
            }
            if let Some(node) = config.get("maxTokenCount")? {
                inference.max_tokens = i32::try_from(node.integer(1, 8192)?).ok();
            }
            if let Some(node) = config.get("stopSequences")? {
                let stops = node.strings(2500)?;
                inference.stop_sequences = Some(stops.into_iter().filter(|s| !s.is_empty()).collect());
            }
        }
        let message = Message { role: ConversationRole::User, content: vec![ContentBlock::Text(prompt)] };
        Ok(ConverseRequest {
            messages: Some(vec![message]),
            inference_config: Some(inference),
            ..ConverseRequest::default()
        })
    }

    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::only(request, &["messages", "inferenceConfig", "additionalModelRequestFields"])?;
        let message = request::single(request)?;
        let mut config = Map::new();
        if let Some(given) = &request.inference_config {
            put(&mut config, "temperature", given.temperature.map(decimal));
            put(&mut config, "topP", given.top_p.map(decimal));
            put(&mut config, "maxTokenCount", given.max_tokens);
            put(&mut config, "stopSequences", given.stop_sequences.clone());
        }
        let mut body = Map::new();
        put(&mut body, "inputText", Some(request::text("messages.0", &message.content)?));
        put(&mut body, "textGenerationConfig", Some(config));
        request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
        Ok(Value::Object(body))
    }

    fn encode(&self, _: &Head, answer: &ConverseResponse) -> Value {
        json!({
            "inputTextTokenCount": prompt_tokens(&answer.usage),
            "results": [{
                "tokenCount": answer.usage.output_tokens,
                "outputText": converse::text(answer),
                "completionReason": completion_reason(&answer.stop_reason),
            }],
        })
    }

    fn stream(&self, head: Head) -> Box<dyn StreamEncoder> {
        Box::new(Encoder { prompt: prompt_tokens(&head.prompt), stop: StopReason::EndTurn })
    }
}

fn completion_reason(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => "LENGTH",
        StopReason::StopSequence => "STOP_CRITERIA_MET",
        StopReason::GuardrailIntervened | StopReason::ContentFiltered => "CONTENT_FILTERED",
        _ => "FINISHED",
    }
}

struct Encoder {
    prompt: i32,
    stop: StopReason,
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::MessageStop(stop) => self.stop = stop.stop_reason.clone(),
            event => out.extend(converse::text_delta(event).map(|text| {
                json!({
                    "outputText": text,
                    "index": 0,
                    "totalOutputTextTokenCount": null,
                    "completionReason": null,
                    "inputTextTokenCount": self.prompt,
                })
            })),
        }
    }

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        // Clients stop reading at the completion reason, so it stands beside the metrics.
        out.push(json!({
            "outputText": "",
            "index": 0,
            "totalOutputTextTokenCount": metrics.output_tokens,
            "completionReason": completion_reason(&self.stop),
            "inputTextTokenCount": self.prompt,
            METRICS: metrics.value(),
        }));
    }
}
