//! AWS Bedrock, or another Outcrop, as a provider. Its contract is ours: requests are written and answers read by the
//! generated shapes, and bodies of InvokeModel pass through untouched.
//!
//! Requests are signed with the operator's credentials, which the AWS SDK's chain finds (environment, profile, web
//! identity, container, instance role), or carry a Bedrock API key. Start at [`Bedrock`].

mod answer;
mod other;
mod refused;
mod stream;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use ::http::header::{ACCEPT, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, Method, Response};
use async_trait::async_trait;
use bytes::Bytes;
use outcrop_api::bedrock_runtime::{
    ConverseOutput, ConverseRequest, ConverseResponse, ConverseTokensRequest, CountTokensInput, CountTokensRequest,
    CountTokensResponse, DocumentBlock, Message, TokenUsage,
};
use outcrop_outbound::Outbound;
use outcrop_signing::Identity;
use outcrop_wire::shape::Structure;

use crate::http::{Auth, Body, Http};
use crate::{
    Answer, Call, Embed, Embedded, Failure, Offer, Pass, PassBody, Passed, Provider, ProviderSettings, Ranked, Rerank,
    SettingsError,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A Bedrock that answers.
pub struct Bedrock {
    /// `bedrock-runtime`.
    runtime: Http,
    /// `bedrock`: what models there are.
    control: Http,
    /// None where an API key says who asks.
    identity: Option<Identity>,
}

impl Bedrock {
    /// The Bedrock of `settings`: AWS's in their Region, or whoever listens at their URL.
    pub fn new(settings: &ProviderSettings, outbound: &Outbound) -> Result<Self, SettingsError> {
        let region = match (&settings.region, &settings.url) {
            (Some(region), _) => region.clone(),
            (None, Some(_)) => "us-east-1".to_owned(),
            (None, None) => return Err(SettingsError::new(settings, "it needs a region, such as us-east-1")),
        };
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let at = |service: &str| format!("https://{service}.{region}.{suffix}");
        let open = |url: String| Http::new(settings, outbound, Some(&url), Auth::Bearer);
        Ok(Self {
            runtime: open(at("bedrock-runtime"))?,
            control: open(at("bedrock"))?,
            identity: settings
                .api_key
                .is_none()
                .then(|| Identity::new(outbound.clone(), "bedrock", region, settings.profile.clone())),
        })
    }

    async fn send(
        &self,
        http: &Http,
        method: Method,
        path: &str,
        body: Bytes,
        mut headers: HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        let mut signed = None;
        if let Some(identity) = self.identity.as_ref().filter(|_| http.calls()) {
            // What is sent and what is signed must be the same header.
            headers.entry(CONTENT_TYPE).or_insert(JSON);
            let done = identity.sign(&method, &http.uri(path), http.host(), &body, &mut headers).await;
            signed = Some(done.map_err(|error| refused::no_credentials(http.name(), &error))?);
        }
        let response = http.exchange(method, path, body, headers).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let said = http.refusal(body).await;
        let failure = refused::failure(http, parts.status, &parts.headers, &said);
        Err(match signed {
            Some(signed) => refused::without(&signed, failure),
            None => failure,
        })
    }

    async fn post(&self, path: &str, body: &dyn Structure) -> Result<Response<Body>, Failure> {
        let body = outcrop_wire::encode::body(body, Vec::with_capacity(1024));
        self.send(&self.runtime, Method::POST, path, body.into(), HeaderMap::new()).await
    }

    async fn asked<T: Structure + Default>(&self, path: &str, body: &dyn Structure) -> Result<T, Failure> {
        let body = self.runtime.whole(self.post(path, body).await?).await?;
        answer::read(&body).map_err(|error| self.runtime.broken(&error))
    }

    /// InvokeModel.
    async fn invoke(&self, model: &str, body: Bytes) -> Result<(HeaderMap, Bytes), Failure> {
        let headers = HeaderMap::from_iter([(ACCEPT, JSON), (CONTENT_TYPE, JSON)]);
        let response = self.send(&self.runtime, Method::POST, &path(model, "invoke"), body, headers).await?;
        let head = response.headers().clone();
        Ok((head, self.runtime.whole(response).await?))
    }
}

#[async_trait]
impl Provider for Bedrock {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        let request = &*alternating(&call.request);
        if !call.stream {
            let answer: ConverseResponse = self.asked(&path(&call.model, "converse"), request).await?;
            if matches!(answer.output, ConverseOutput::Unset) {
                return Err(self.runtime.broken(&"an answer without a message"));
            }
            return Ok(Answer::Whole(Box::new(answer)));
        }
        let response = self.post(&path(&call.model, "converse-stream"), request).await?;
        stream::converse(&self.runtime, response).await
    }

    fn reads(&self, _: &DocumentBlock) -> bool {
        true
    }

    fn cites(&self) -> bool {
        true
    }

    async fn count_tokens(&self, call: Call) -> Result<u32, Failure> {
        let request = alternating(&call.request);
        let input = CountTokensInput::Converse(ConverseTokensRequest {
            messages: request.messages.clone(),
            system: request.system.clone(),
            tool_config: request.tool_config.clone(),
            additional_model_request_fields: request.additional_model_request_fields.clone(),
        });
        let asked = CountTokensRequest { input, ..Default::default() };
        let counted: CountTokensResponse = self.asked(&path(&call.model, "count-tokens"), &asked).await?;
        let counted = u32::try_from(counted.input_tokens).ok().filter(|tokens| *tokens > 0);
        counted.ok_or_else(|| self.runtime.broken(&"a count without tokens"))
    }

    async fn embed(&self, call: Embed) -> Result<Embedded, Failure> {
        other::embed(self, &call).await
    }

    async fn rerank(&self, call: Rerank) -> Result<Ranked, Failure> {
        other::rerank(self, call).await
    }

    fn passes(&self, _dialect: &str) -> bool {
        true
    }

    async fn pass(&self, call: Pass) -> Result<Passed, Failure> {
        if !call.stream {
            let (head, body) = self.invoke(&call.model, call.body).await?;
            return Ok(Passed { body: PassBody::Whole(body), usage: usage(&head) });
        }
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON)]);
        headers.insert("x-amzn-bedrock-accept", JSON);
        let path = path(&call.model, "invoke-with-response-stream");
        let response = self.send(&self.runtime, Method::POST, &path, call.body, headers).await?;
        let body = stream::chunks(&self.runtime, response).await?;
        Ok(Passed { body: PassBody::Stream(body), usage: None })
    }

    async fn models(&self) -> Result<Vec<Offer>, Failure> {
        let http = &self.control;
        let response = self.send(http, Method::GET, "/foundation-models", Bytes::new(), HeaderMap::new()).await?;
        let body = http.whole(response).await?;
        other::offers(&body).map_err(|error| http.broken(&error))
    }
}

/// Bedrock refuses turns of one role in a row; here they are one turn.
fn alternating(request: &ConverseRequest) -> Cow<'_, ConverseRequest> {
    let turns = request.messages.as_deref().unwrap_or_default();
    if turns.windows(2).all(|pair| pair[0].role != pair[1].role) {
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    let mut joined: Vec<Message> = Vec::with_capacity(turns.len());
    for turn in request.messages.take().into_iter().flatten() {
        match joined.last_mut() {
            Some(last) if last.role == turn.role => last.content.extend(turn.content),
            _ => joined.push(turn),
        }
    }
    request.messages = Some(joined);
    Cow::Owned(request)
}

/// `/model/{modelId}/…`, with the id as the AWS clients write it.
fn path(model: &str, operation: &str) -> String {
    let mut path = String::with_capacity(model.len() + operation.len() + 16);
    path.push_str("/model/");
    for byte in model.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path.push('/');
    path.push_str(operation);
    path
}

/// What InvokeModel took, as its headers tell.
fn usage(headers: &HeaderMap) -> Option<TokenUsage> {
    let count = |name: &str| {
        let name = format!("x-amzn-bedrock-{name}-token-count");
        headers.get(name)?.to_str().ok()?.parse::<i32>().ok()
    };
    let (input, output) = (count("input")?, count("output")?);
    let (read, written) = (count("cache-read-input"), count("cache-write-input"));
    let cached = [read, written].into_iter().flatten().fold(0, i32::saturating_add);
    Some(TokenUsage {
        input_tokens: input,
        output_tokens: output,
        total_tokens: input.saturating_add(output).saturating_add(cached),
        cache_read_input_tokens: read,
        cache_write_input_tokens: written,
        cache_details: None,
    })
}
