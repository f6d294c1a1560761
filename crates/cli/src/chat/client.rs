//! A small Bedrock client: signed calls over HTTP/1.1, ConverseStream's events as they come.

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use outcrop_api::bedrock_runtime::ConverseStreamRequest;
use outcrop_wire::eventstream::{Decoder, Message};
use outcrop_wire::sigv4;
use serde_json::Value;

/// What a caller of [`Client::converse_stream`] hears.
pub enum Heard<'a> {
    /// More of the answer.
    Text(&'a str),
    /// What it took, for people.
    Usage(&'a str),
}

/// Where to send, and as whom.
pub struct Client {
    authority: String,
    prefix: String,
    region: String,
    key: String,
    secret: String,
    session: Option<String>,
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

impl Client {
    /// A client of the server at `url`, with the AWS credentials of the environment; without any, `test` and `test`,
    /// which `outcrop dev` accepts.
    pub fn new(url: &str) -> Result<Self, String> {
        if !url.contains("://") {
            return Err(format!("{url} is not a whole URL: write http://{url}"));
        }
        let uri: Uri = url.parse().map_err(|e| format!("{url} is not a URL: {e}"))?;
        if uri.scheme_str() != Some("http") {
            return Err(format!(
                "{url}: this command speaks plain HTTP only. Use a server without TLS (--url http://127.0.0.1:7711), \
                 or the AWS CLI"
            ));
        }
        let authority = uri.authority().ok_or_else(|| format!("{url} names no host"))?.to_string();
        let keys = env("AWS_ACCESS_KEY_ID").zip(env("AWS_SECRET_ACCESS_KEY"));
        let (key, secret) = keys.unwrap_or_else(|| ("test".into(), "test".into()));
        Ok(Self {
            authority,
            prefix: uri.path().trim_end_matches('/').to_owned(),
            region: env("AWS_REGION").or_else(|| env("AWS_DEFAULT_REGION")).unwrap_or_else(|| "us-east-1".into()),
            key,
            secret,
            session: env("AWS_SESSION_TOKEN"),
        })
    }

    fn address(&self) -> String {
        // A host name without a port means HTTP's own.
        if self.authority.rsplit(']').next().is_some_and(|end| end.contains(':')) {
            self.authority.clone()
        } else {
            format!("{}:80", self.authority)
        }
    }

    /// Asks and tells `hear` what comes.
    pub async fn converse_stream(
        &self,
        request: &ConverseStreamRequest,
        mut hear: impl FnMut(Heard<'_>),
    ) -> Result<(), String> {
        let path = self.path(&["model", &request.model_id, "converse-stream"]);
        let mut body = self.send(&path, outcrop_wire::encode::body(request, Vec::new())).await?;
        let mut decoder = Decoder::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| format!("the answer was cut off: {e}"))?;
            decoder.feed(frame.data_ref().map_or(&[], |data| data));
            while let Some(message) = decoder.next().map_err(|e| e.to_string())? {
                hear_message(&message, &mut hear)?;
            }
        }
        Ok(())
    }

    /// One call with a JSON body to a path of [`Client::path`], or one that needs no escapes.
    pub async fn post(&self, path: &str, asked: &Value) -> Result<Value, String> {
        let body = self.send(path, asked.to_string().into_bytes()).await?;
        let bytes = body.collect().await.map_err(|e| format!("the answer was cut off: {e}"))?.to_bytes();
        serde_json::from_slice(&bytes).map_err(|e| format!("the answer is not JSON: {e}"))
    }

    /// A path of these segments.
    pub fn path(&self, segments: &[&str]) -> String {
        segments.iter().map(|segment| format!("/{}", encoded(segment))).collect()
    }

    /// Sends a body and gives the answer's, if that is one; refusals are errors with their reason.
    async fn send(&self, path: &str, body: Vec<u8>) -> Result<Incoming, String> {
        let unreachable = |e: &dyn std::fmt::Display| {
            format!(
                "no server answers at http://{}: {e}\nStart one with `outcrop dev`, or name another with --url.",
                self.authority
            )
        };
        let stream = tokio::net::TcpStream::connect(self.address()).await.map_err(|e| unreachable(&e))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| unreachable(&e))?;
        tokio::spawn(connection);
        let request = self.signed(&format!("{}{path}", self.prefix), body)?;
        let response = sender.send_request(request).await.map_err(|e| unreachable(&e))?;
        let status = response.status();
        let body = response.into_body();
        if !status.is_success() {
            let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let told = serde_json::from_slice::<Value>(&bytes).ok();
            let message = told.as_ref().and_then(|v| v["message"].as_str()).unwrap_or("no reason was given");
            return Err(format!("{status}: {message}"));
        }
        Ok(body)
    }

    fn signed(&self, path: &str, body: Vec<u8>) -> Result<http::Request<Full<Bytes>>, String> {
        let timestamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let hash = sigv4::sha256_hex(&body);
        let mut headers = vec![("host", self.authority.as_str()), ("x-amz-date", &timestamp)];
        let mut names = String::from("host;x-amz-date");
        if let Some(session) = &self.session {
            headers.push(("x-amz-security-token", session));
            names.push_str(";x-amz-security-token");
        }
        let signable: Vec<(&str, &[u8])> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        let request = sigv4::Request { method: "POST", path, query: "", headers: &signable };
        let signer =
            sigv4::Signer { access_key_id: &self.key, secret: &self.secret, region: &self.region, service: "bedrock" };
        let authorization = signer.authorization(request, &names, &timestamp, &hash);
        let mut builder = http::Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        builder.header("authorization", authorization).body(Full::new(body.into())).map_err(|e| e.to_string())
    }
}

/// A label of a path: everything but unreserved characters escaped, as AWS's own clients do.
fn encoded(label: &str) -> String {
    let mut out = String::with_capacity(label.len() + 8);
    for b in label.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(b as char);
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

fn hear_message(message: &Message<'_>, hear: &mut impl FnMut(Heard<'_>)) -> Result<(), String> {
    let payload: Value = serde_json::from_slice(message.payload).map_err(|e| format!("an unreadable event: {e}"))?;
    if message.text(":message-type") == Some("exception") {
        let name = message.text(":exception-type").unwrap_or("exception");
        return Err(format!("{name}: {}", payload["message"].as_str().unwrap_or("no reason was given")));
    }
    match message.text(":event-type") {
        Some("contentBlockDelta") => {
            if let Some(text) = payload["delta"]["text"].as_str() {
                hear(Heard::Text(text));
            }
        }
        Some("metadata") => {
            let (usage, ms) = (&payload["usage"], &payload["metrics"]["latencyMs"]);
            hear(Heard::Usage(&format!("{} tokens in, {} out, {ms} ms", usage["inputTokens"], usage["outputTokens"])));
        }
        _ => {}
    }
    Ok(())
}
