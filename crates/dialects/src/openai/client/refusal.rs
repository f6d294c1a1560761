//! What the bodies of refusals say: OpenAI's, and those of the servers and proxies that look like it from afar.

use serde_json::Value;

use crate::client::Refusal;

/// What is passed on of a text; some servers repeat the request.
const LONGEST: usize = 2000;

pub(super) fn read(body: &[u8]) -> Refusal {
    match serde_json::from_slice::<Value>(body) {
        // Google's list of one.
        Ok(Value::Array(list)) => list.first().map(of).unwrap_or_default(),
        Ok(value) => of(&value),
        Err(_) => Refusal { message: plain(body), code: None },
    }
}

fn of(value: &Value) -> Refusal {
    // Older vLLM has the members of the error beside `object`, Ollama's own API a text for it.
    let error = value.get("error").unwrap_or(value);
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    let message = match error {
        Value::String(text) => text.clone(),
        _ => match (text("message").or_else(|| text("detail")), error.get("detail")) {
            (Some(text), _) => text.to_owned(),
            // FastAPI's list of what is wrong.
            (None, Some(detail)) => detail.to_string(),
            // Mistral's, one level deeper.
            (None, None) => error.get("message").filter(|m| m.is_object()).map(Value::to_string).unwrap_or_default(),
        },
    };
    let number = error.get("code").and_then(Value::as_i64).map(|n| n.to_string());
    let code = text("code").or_else(|| text("type")).map(str::to_owned).or(number);
    Refusal { message: short(message), code: code.filter(|code| !code.is_empty()).map(short) }
}

/// The page of a proxy says nothing to a caller.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') { String::new() } else { short(text.to_owned()) }
}

fn short(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
