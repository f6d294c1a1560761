//! A small AWS client: signed calls over HTTP/1.1, event streams as they come.

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

use crate::text::counted;

/// The header that says who answered for what was named.
pub const SERVED_BY: &str = "x-outcrop-served-by";

/// What a caller of [`Client::converse_stream`] hears.
pub enum Heard<'a> {
    /// More of the answer.
    Text(&'a str),
    /// What it took, for people.
    Usage(&'a str),
}

/// One request.
pub struct Ask<'a> {
    /// The service in whose scope it is signed.
    pub service: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path, escaped.
    pub path: &'a str,
    /// The query, escaped, without its question mark.
    pub query: &'a str,
    /// What the body is.
    pub content_type: &'a str,
    /// The body.
    pub body: Bytes,
}

/// Where to send, and as whom.
#[derive(Clone)]
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

    /// Whether somebody listens there.
    pub async fn reachable(&self) -> bool {
        tokio::net::TcpStream::connect(self.address()).await.is_ok()
    }

    /// The Region of the calls.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Asks and tells `hear` what comes.
    pub async fn converse_stream(
        &self,
        request: &ConverseStreamRequest,
        mut hear: impl FnMut(Heard<'_>),
    ) -> Result<(), String> {
        let path = self.path(&["model", &request.model_id, "converse-stream"]);
        let body = outcrop_wire::encode::body(request, Vec::new());
        self.events(&path, body, |name, payload| hear_event(name, payload, &mut hear)).await
    }

    /// Posts a JSON body and tells `hear` of each event of the answer: its name and payload.
    pub async fn events(&self, path: &str, body: Vec<u8>, mut hear: impl FnMut(&str, &Value)) -> Result<(), String> {
        let mut body = self.send(Ask::json("POST", path, body)).await?.into_body();
        let mut decoder = Decoder::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| format!("the answer was cut off: {e}"))?;
            decoder.feed(frame.data_ref().map_or(&[], |data| data));
            while let Some(message) = decoder.next().map_err(|e| e.to_string())? {
                let (name, payload) = read_event(&message)?;
                hear(name, &payload);
            }
        }
        Ok(())
    }

    /// One call with a JSON body to a path of [`Client::path`], or one that needs no escapes.
    pub async fn post(&self, path: &str, asked: &Value) -> Result<Value, String> {
        self.json("POST", path, asked).await
    }

    /// The same with another method; an answer without a body is null.
    pub async fn json(&self, method: &str, path: &str, asked: &Value) -> Result<Value, String> {
        let body = if asked.is_null() { Vec::new() } else { asked.to_string().into_bytes() };
        let (_, bytes) = self.bytes(Ask::json(method, path, body)).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|e| format!("the answer is not JSON: {e}"))
    }

    /// What a GET answers.
    pub async fn get(&self, path: &str, query: &str) -> Result<Value, String> {
        let (_, bytes) = self.bytes(Ask { query, ..Ask::json("GET", path, Vec::new()) }).await?;
        serde_json::from_slice(&bytes).map_err(|e| format!("the answer is not JSON: {e}"))
    }

    /// An answer's headers and whole body.
    pub async fn bytes(&self, ask: Ask<'_>) -> Result<(http::HeaderMap, Bytes), String> {
        let response = self.send(ask).await?;
        let headers = response.headers().clone();
        let body = response.into_body().collect().await.map_err(|e| format!("the answer was cut off: {e}"))?;
        Ok((headers, body.to_bytes()))
    }

    /// A path of these segments.
    pub fn path(&self, segments: &[&str]) -> String {
        segments.iter().map(|segment| format!("/{}", encoded(segment))).collect()
    }

    /// Sends and gives the answer, if that is one; refusals are errors with their reason.
    async fn send(&self, ask: Ask<'_>) -> Result<http::Response<Incoming>, String> {
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
        let request = self.signed(ask)?;
        let response = sender.send_request(request).await.map_err(|e| unreachable(&e))?;
        let status = response.status();
        if !status.is_success() {
            let body = response.into_body();
            let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            return Err(format!("{status}: {}", reason(&bytes)));
        }
        Ok(response)
    }

    fn signed(&self, ask: Ask<'_>) -> Result<http::Request<Full<Bytes>>, String> {
        let timestamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let hash = sigv4::sha256_hex(&ask.body);
        let mut headers = vec![("host", self.authority.as_str())];
        let mut names = String::from("host");
        // S3 alone has the hash of the body among its headers.
        if ask.service == "s3" {
            headers.push(("x-amz-content-sha256", &hash));
            names.push_str(";x-amz-content-sha256");
        }
        headers.push(("x-amz-date", &timestamp));
        names.push_str(";x-amz-date");
        if let Some(session) = &self.session {
            headers.push(("x-amz-security-token", session));
            names.push_str(";x-amz-security-token");
        }
        let signable: Vec<(&str, &[u8])> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        let path = format!("{}{}", self.prefix, ask.path);
        let request = sigv4::Request { method: ask.method, path: &path, query: ask.query, headers: &signable };
        let signer = sigv4::Signer {
            access_key_id: &self.key,
            secret: &self.secret,
            region: &self.region,
            service: ask.service,
        };
        let authorization = signer.authorization(request, &names, &timestamp, &hash);
        let target = if ask.query.is_empty() { path.clone() } else { format!("{path}?{}", ask.query) };
        let mut builder =
            http::Request::builder().method(ask.method).uri(target).header("content-type", ask.content_type);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        builder.header("authorization", authorization).body(Full::new(ask.body)).map_err(|e| e.to_string())
    }
}

impl<'a> Ask<'a> {
    /// One with a JSON body.
    pub fn json(method: &'a str, path: &'a str, body: Vec<u8>) -> Self {
        let content_type = "application/json";
        Self { service: "bedrock", method, path, query: "", content_type, body: body.into() }
    }
}

/// Why a call was refused: AWS's JSON, or the XML of S3 and STS.
fn reason(body: &[u8]) -> String {
    if let Some(message) = serde_json::from_slice::<Value>(body).ok().as_ref().and_then(|v| v["message"].as_str()) {
        return message.to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let message = text.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    message.map_or_else(|| "no reason was given".to_owned(), |(message, _)| message.to_owned())
}

/// A label of a path: everything but unreserved characters escaped, as AWS's own clients do.
pub fn encoded(label: &str) -> String {
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

/// An event's name and payload; an exception is an error.
fn read_event<'a>(message: &Message<'a>) -> Result<(&'a str, Value), String> {
    let payload: Value = serde_json::from_slice(message.payload).map_err(|e| format!("an unreadable event: {e}"))?;
    if message.text(":message-type") == Some("exception") {
        let name = message.text(":exception-type").unwrap_or("exception");
        return Err(format!("{name}: {}", payload["message"].as_str().unwrap_or("no reason was given")));
    }
    Ok((message.text(":event-type").unwrap_or_default(), payload))
}

fn hear_event(name: &str, payload: &Value, hear: &mut impl FnMut(Heard<'_>)) {
    match name {
        "contentBlockDelta" => {
            if let Some(text) = payload["delta"]["text"].as_str() {
                hear(Heard::Text(text));
            }
        }
        "metadata" => {
            let (usage, ms) = (&payload["usage"], &payload["metrics"]["latencyMs"]);
            let read = counted(usage["inputTokens"].as_u64().unwrap_or(0), "token");
            hear(Heard::Usage(&format!("{read} in, {} out, {ms} ms", usage["outputTokens"])));
        }
        _ => {}
    }
}
