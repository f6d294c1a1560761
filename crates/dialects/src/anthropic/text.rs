use crate::body::{Node, parse};
use crate::prompt::{Prompt, text_block, text_only};
use crate::request::{self, decimal, put};
use crate::{ChatDialect, DialectError, Head, METRICS, Metrics, StreamEncoder, converse};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// Anthropic's legacy completions: a prompt of `Human` and `Assistant` turns.
pub struct Completions;

const HUMAN: &str = "\n\nHuman:";
const ASSISTANT: &str = "\n\nAssistant:";

impl ChatDialect for Completions {
    fn name(&self) -> &'static str {
        "anthropic-text"
    }

    fn decode(&self, body: &[u8]) -> Result<ConverseRequest, DialectError> {
        let value = parse(body)?;
        let body = Node::root(&value);
        body.only(&[
            "prompt",
            "max_tokens_to_sample",
            "temperature",
            "top_p",
            "top_k",
            "stop_sequences",
            "anthropic_version",
        ])?;
        if let Some(version) = body.get("anthropic_version")? {
            version.text(1, 64)?;
        }
        let prompt = body.required("prompt")?.text(1, usize::MAX)?;
        let max_tokens = body.required("max_tokens_to_sample")?.integer(1, 4096)?;
        // The documented defaults of the format, not those of the model behind it.
        let mut inference = InferenceConfiguration {
            max_tokens: i32::try_from(max_tokens).ok(),
            temperature: Some(1.0),
            top_p: Some(1.0),
            stop_sequences: None,
        };
        if let Some(node) = body.get("temperature")? {
            inference.temperature = Some(node.number(0.0, 1.0)?);
        }
        if let Some(node) = body.get("top_p")? {
            inference.top_p = Some(node.number(0.0, 1.0)?);
        }
        if let Some(node) = body.get("stop_sequences")? {
            for stop in node.items(0, 8191)? {
                stop.text(1, usize::MAX)?;
            }
            inference.stop_sequences = Some(node.strings(8191)?);
        }
        let mut request = read(prompt)?.request(inference, text_block);
        if let Some(node) = body.get("top_k")? {
            request.additional_model_request_fields = Some(json!({"top_k": node.integer(0, 500)?}));
        }
        Ok(request)
    }

    fn encode_request(&self, request: &ConverseRequest) -> Result<Value, DialectError> {
        request::only(request, &["messages", "system", "inferenceConfig", "additionalModelRequestFields"])?;
        let prompt = Prompt::of(request, "\n", text_only)?;
        let config = request.inference_config.clone().unwrap_or_default();
        let mut body = Map::new();
        put(&mut body, "prompt", Some(prompt.proven(write(&prompt), |text| read(text).ok())?));
        put(&mut body, "max_tokens_to_sample", Some(request::max_tokens(&config)?));
        put(&mut body, "temperature", config.temperature.map(decimal));
        put(&mut body, "top_p", config.top_p.map(decimal));
        put(&mut body, "stop_sequences", config.stop_sequences);
        request::merge(&mut body, request.additional_model_request_fields.as_ref())?;
        Ok(Value::Object(body))
    }

    fn encode(&self, _: &Head, answer: &ConverseResponse) -> Value {
        let fields = answer.additional_model_response_fields.as_ref();
        chunk(&converse::text(answer), Some(&answer.stop_reason), converse::stop_sequence(fields))
    }

    fn stream(&self, _: Head) -> Box<dyn StreamEncoder> {
        Box::new(Encoder { stop: MessageStopEvent::default() })
    }
}

fn write(prompt: &Prompt) -> String {
    let mut out = prompt.system.clone().unwrap_or_default();
    for turn in &prompt.turns {
        out.push_str(if turn.assistant { ASSISTANT } else { HUMAN });
        out.push(' ');
        out.push_str(&turn.text);
    }
    if prompt.turns.last().is_some_and(|turn| !turn.assistant) {
        out.push_str(ASSISTANT);
    }
    out
}

/// The turns of a prompt: an optional system prompt, `Human`, `Assistant` and so on. An answer that is begun is the
/// last turn. Turns of one side in a row become one, unless that makes a mark out of their words.
fn read(prompt: &str) -> Result<Prompt, DialectError> {
    let mut out = Prompt::default();
    let Some((system, mut side, mut rest)) = next(prompt).filter(|(_, assistant, _)| !assistant) else {
        return rule(format!("prompt must start with \"{HUMAN}\" turn after an optional system prompt"));
    };
    if !system.trim().is_empty() {
        out.system = Some(system.to_owned());
    }
    loop {
        let found = next(rest);
        let text = found.map_or(rest, |(text, ..)| text);
        let text = text.strip_prefix(' ').unwrap_or(text);
        match found {
            Some((_, assistant, after)) => {
                out.push(side, text);
                (side, rest) = (assistant, after);
            }
            None if !side => return rule(format!("prompt must end with \"{ASSISTANT}\" turn")),
            None => {
                out.push(true, text);
                break;
            }
        }
    }
    // The mark alone asks for the answer.
    if out.turns.last().is_some_and(|turn| turn.text.trim().is_empty()) {
        out.turns.pop();
    }
    if out.turns.iter().any(|turn| next(&turn.text).is_some()) {
        return rule(format!("prompt must alternate between \"{HUMAN}\" and \"{ASSISTANT}\" turns"));
    }
    Ok(out)
}

fn rule<T>(text: String) -> Result<T, DialectError> {
    Err(DialectError::Rule(text))
}

/// The text before the next mark, whether the mark is the assistant's, and what follows it.
fn next(text: &str) -> Option<(&str, bool, &str)> {
    let human = text.find(HUMAN).map(|at| (at, false, HUMAN));
    let assistant = text.find(ASSISTANT).map(|at| (at, true, ASSISTANT));
    let (at, side, mark) = [human, assistant].into_iter().flatten().min()?;
    Some((&text[..at], side, &text[at + mark.len()..]))
}

/// One chunk, or the whole answer, which looks the same.
fn chunk(text: &str, reason: Option<&StopReason>, stop: Option<&str>) -> Value {
    let (reason, stop) = match reason {
        None => (None, None),
        Some(StopReason::MaxTokens | StopReason::ModelContextWindowExceeded) => (Some("max_tokens"), None),
        // Claude ended its turn by beginning the human's.
        Some(_) => (Some("stop_sequence"), Some(stop.unwrap_or(HUMAN))),
    };
    json!({"type": "completion", "completion": text, "stop_reason": reason, "stop": stop})
}

struct Encoder {
    stop: MessageStopEvent,
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &ConverseStreamOutput, out: &mut Vec<Value>) {
        match event {
            ConverseStreamOutput::MessageStop(stop) => self.stop = stop.clone(),
            event => out.extend(converse::text_delta(event).map(|text| chunk(text, None, None))),
        }
    }

    fn finish(&mut self, metrics: &Metrics, out: &mut Vec<Value>) {
        let fields = self.stop.additional_model_response_fields.as_ref();
        let mut last = chunk("", Some(&self.stop.stop_reason), converse::stop_sequence(fields));
        last[METRICS] = metrics.value();
        out.push(last);
    }
}
