//! What is asked, as the bytes that go over the wire.

use crate::{Error, argument, arguments};
use jiff::Timestamp;
use outcrop_wire::sigv4::{Request, Signer, sha256_hex};
use serde_json::{Value, json};

/// What kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Converse` and `ConverseStream`.
    Converse,
    /// `InvokeModel` with the body of Anthropic's models.
    Invoke,
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/messages`.
    Messages,
}

/// One request, sent again and again.
pub struct Ask {
    head: String,
    path: String,
    host: String,
    body: Vec<u8>,
    key: Option<(String, String)>,
    signed: Option<(i64, Vec<u8>)>,
}

impl Ask {
    /// `--kind`, `--stream`, `--model`, `--path`, `--header`, `--sign` as the command line has them.
    pub fn from_arguments(host: &str) -> Result<(Self, bool), Error> {
        let name = argument("kind").unwrap_or_else(|| "converse".to_owned());
        let (kind, streamed) = match name.as_str() {
            "converse" => (Kind::Converse, false),
            "converse-stream" => (Kind::Converse, true),
            "invoke" => (Kind::Invoke, false),
            "chat" => (Kind::Chat, false),
            "chat-stream" => (Kind::Chat, true),
            "messages" => (Kind::Messages, false),
            "messages-stream" => (Kind::Messages, true),
            _ => return Err(format!("--kind {name}: not known").into()),
        };
        let model = argument("model").unwrap_or_else(|| "bench".to_owned());
        let path = argument("path").unwrap_or_else(|| match kind {
            Kind::Converse if streamed => format!("/model/{model}/converse-stream"),
            Kind::Converse => format!("/model/{model}/converse"),
            Kind::Invoke => format!("/model/{model}/invoke"),
            Kind::Chat => "/v1/chat/completions".to_owned(),
            Kind::Messages => "/v1/messages".to_owned(),
        });
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n");
        for header in arguments("header") {
            head.push_str(&header);
            head.push_str("\r\n");
        }
        let key = match argument("sign") {
            None => None,
            Some(pair) => {
                let (id, secret) = pair.split_once(':').ok_or("--sign is ID:SECRET")?;
                Some((id.to_owned(), secret.to_owned()))
            }
        };
        let body = body(kind, &model, streamed).to_string().into_bytes();
        Ok((Self { head, path, host: host.to_owned(), body, key, signed: None }, streamed))
    }

    /// The whole request. It is signed once a second, which is as often as its signature changes: the load generator's
    /// time is not what is measured.
    pub fn bytes(&mut self) -> &[u8] {
        let now = Timestamp::now();
        let second = now.as_second();
        if !matches!(&self.signed, Some((at, _)) if *at == second || self.key.is_none()) {
            let bytes = self.written(now);
            self.signed = Some((second, bytes));
        }
        self.signed.as_ref().map_or(&[], |(_, bytes)| bytes)
    }

    fn written(&self, now: Timestamp) -> Vec<u8> {
        let mut head = format!("{}content-length: {}\r\n", self.head, self.body.len());
        if let Some((access_key_id, secret)) = &self.key {
            let timestamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
            let headers: [(&str, &[u8]); 3] = [
                ("content-type", b"application/json"),
                ("host", self.host.as_bytes()),
                ("x-amz-date", timestamp.as_bytes()),
            ];
            let request = Request { method: "POST", path: &self.path, query: "", headers: &headers };
            let signer = Signer { access_key_id, secret, region: "us-east-1", service: "bedrock" };
            let names = "content-type;host;x-amz-date";
            let authorization = signer.authorization(request, names, &timestamp, &sha256_hex(&self.body));
            head.push_str(&format!("x-amz-date: {timestamp}\r\nauthorization: {authorization}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// About 200 tokens in three turns under a system prompt.
fn body(kind: Kind, model: &str, streamed: bool) -> Value {
    let system = "You are a helpful assistant who answers in short sentences, says so when something is not known, and \
                  never invents a source.";
    let turns = [
        (
            "user",
            "The harbour lies beyond the old stone bridge. Ships come in with the morning tide and leave with the \
                  evening one. Which of them carry timber, and which carry grain? Please list them by the day.",
        ),
        (
            "assistant",
            "On Monday two ships with timber come in, on Tuesday one with grain. I do not know what comes on \
                  the other days, because the list that you gave me ends there.",
        ),
        (
            "user",
            "Thank you. Here is the rest of the list: on Wednesday the \"Ann\" with timber, on Thursday the \
                  \"Bee\" and the \"Cat\" with grain, on Friday nothing. Now count both kinds for the whole week.",
        ),
    ];
    let each = |block: fn(&str) -> Value| -> Vec<Value> {
        turns.iter().map(|(role, text)| json!({"role": role, "content": block(text)})).collect()
    };
    match kind {
        Kind::Converse => json!({
            "system": [{"text": system}],
            "messages": each(|text| json!([{"text": text}])),
            "inferenceConfig": {"maxTokens": 500, "temperature": 0.5, "topP": 0.9},
        }),
        Kind::Invoke => json!({
            "anthropic_version": "bedrock-2023-05-31", "max_tokens": 500, "temperature": 0.5, "system": system,
            "messages": each(|text| json!([{"type": "text", "text": text}])),
        }),
        Kind::Chat => {
            let mut messages = vec![json!({"role": "system", "content": system})];
            messages.extend(each(|text| json!(text)));
            let mut body =
                json!({"model": model, "messages": messages, "max_tokens": 500, "temperature": 0.5, "top_p": 0.9});
            if streamed {
                body["stream"] = true.into();
                body["stream_options"] = json!({"include_usage": true});
            }
            body
        }
        Kind::Messages => {
            let messages = each(|text| json!(text));
            let mut body =
                json!({"model": model, "max_tokens": 500, "temperature": 0.5, "system": system, "messages": messages});
            if streamed {
                body["stream"] = true.into();
            }
            body
        }
    }
}
