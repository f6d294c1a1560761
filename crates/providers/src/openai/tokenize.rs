//! Counting tokens, where the server has its tokenizer at hand: vLLM's and llama.cpp's `/tokenize`.

use http::HeaderMap;
use outcrop_dialects::client::Ask;
use serde::Deserialize;
use serde_json::{Value, json};

use super::server::Server;
use super::{OpenAi, unless_absent};
use crate::http::unmappable;
use crate::{Call, Failure};

const WHAT: &str = "counting tokens";

#[derive(Deserialize)]
struct Tokens {
    count: Option<u32>,
}

#[derive(Deserialize)]
struct Prompt {
    prompt: String,
}

#[derive(Deserialize)]
struct Pieces {
    tokens: Vec<Value>,
}

pub(super) async fn count(provider: &OpenAi, call: &Call) -> Result<u32, Failure> {
    if provider.server != Server::SelfHosted {
        return Err(Failure::not_offered(WHAT));
    }
    let dialect = provider.dialect(&call.model);
    let ask = Ask { request: &call.request, model: &call.model, stream: false };
    let body = dialect.request(&ask).map_err(|error| unmappable(&call.model, &error))?;
    let absent = |failure| unless_absent(failure, WHAT);
    // vLLM takes the conversation itself. llama.cpp has two steps, and finds nothing to tokenize in the first.
    let answer = provider.root.call(dialect, "/tokenize", body.clone(), HeaderMap::new()).await.map_err(absent)?;
    let broken = |error: serde_json::Error| provider.root.broken(&error);
    if let Some(count) = serde_json::from_slice::<Tokens>(&answer).map_err(broken)?.count {
        return Ok(count);
    }
    let prompt = provider.root.call(dialect, "/apply-template", body, HeaderMap::new()).await.map_err(absent)?;
    let prompt: Prompt = serde_json::from_slice(&prompt).map_err(broken)?;
    let text = json!({"content": prompt.prompt, "add_special": true, "parse_special": true});
    let pieces: Pieces = provider.call(&provider.root, "/tokenize", &text).await?;
    Ok(u32::try_from(pieces.tokens.len()).unwrap_or(u32::MAX))
}
