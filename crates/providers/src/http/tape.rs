//! Exchanges with a provider, kept in files: recorded once, replayed byte for byte.
//!
//! One file for each request, named by the SHA-256 of its method, path and body; a later answer to the same request
//! replaces it. Headers of the request are never kept, and of the answer's only those that are read; where a secret of
//! the provider's settings stands in a body, the file says `<secret>`.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use outcrop_api::{Fault, Kind};
use outcrop_wire::sigv4::sha256_hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Body;
use crate::{Cause, Failure, ProviderSettings, Secret, SettingsError};

/// The headers of answers that are read somewhere.
const KEPT: [&str; 3] = ["content-type", "retry-after", "x-amzn-errortype"];
const KEPT_PREFIX: &str = "x-amzn-bedrock-";
const HIDDEN: &str = "<secret>";

/// A folder of exchanges.
pub struct Tape {
    folder: PathBuf,
    /// What is not here is asked and written down.
    record: bool,
    secrets: Vec<Secret>,
}

/// One exchange, as its file has it.
#[derive(Debug, Serialize, Deserialize)]
struct Exchange {
    request: Asked,
    response: Said,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Asked {
    method: String,
    path: String,
    /// For whoever reads the file: the request is found by its hash.
    body: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct Said {
    status: u16,
    headers: BTreeMap<String, String>,
    /// In the pieces in which it came.
    pieces: Vec<Piece>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Piece {
    Text(String),
    Bytes { base64: String },
}

/// An answer that is being written down.
pub struct Recording {
    tape: Arc<Tape>,
    name: String,
    exchange: Option<Exchange>,
    pieces: Vec<Bytes>,
}

impl Tape {
    /// The tape of `settings`, if they have one.
    pub fn open(settings: &ProviderSettings) -> Result<Option<Arc<Self>>, SettingsError> {
        let Some(tape) = &settings.tape else { return Ok(None) };
        let folder = tape.folder.clone();
        if tape.record {
            let made = std::fs::create_dir_all(&folder);
            made.map_err(|error| SettingsError::new(settings, format!("{}: {error}", folder.display())))?;
        } else if !folder.is_dir() {
            let why = format!("there is no folder {} with recordings", folder.display());
            return Err(SettingsError::new(settings, why));
        }
        let secrets = super::secrets(settings);
        Ok(Some(Arc::new(Self { folder, record: tape.record, secrets })))
    }

    /// Whether nobody is ever called.
    pub fn replays_only(&self) -> bool {
        !self.record
    }

    /// The answer that is kept for a request. A file that cannot be read is said to the log and counts as none.
    pub async fn find(self: &Arc<Self>, method: &Method, path: &str, body: &Bytes) -> Option<Response<Body>> {
        let file = self.folder.join(name(method, path, body));
        let read = tokio::task::spawn_blocking(move || {
            let text = match std::fs::read(&file) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
                read => read.map_err(|error| error.to_string()),
            };
            let exchange = text.and_then(|text| {
                let exchange: Exchange = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
                answer(exchange.response)
            });
            match exchange {
                Ok(answer) => Some(answer),
                Err(error) => {
                    tracing::error!(file = %file.display(), error, "a recording cannot be read");
                    None
                }
            }
        });
        read.await.ok().flatten()
    }

    /// Nothing is kept for a request.
    pub fn missed(&self, provider: &str, method: &Method, path: &str, body: &Bytes) -> Failure {
        let text = format!(
            "The provider {provider} replays recordings, and none is of this request: {method} {path}, expected in \
             the file {}. Set record = true for the provider to record it once.",
            name(method, path, body)
        );
        Failure::new(Cause::NoModel, Fault::new(Kind::ResourceNotFound, text))
    }

    /// `response`, written down as it is read.
    pub fn record(
        self: &Arc<Self>,
        method: &Method,
        path: &str,
        body: &Bytes,
        response: Response<outcrop_outbound::Body>,
    ) -> Response<Body> {
        let headers = response.headers().iter().filter_map(|(name, value)| {
            let kept = KEPT.contains(&name.as_str()) || name.as_str().starts_with(KEPT_PREFIX);
            kept.then(|| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))?
        });
        let asked = self.hide(&String::from_utf8_lossy(body));
        let exchange = Exchange {
            request: Asked {
                method: method.to_string(),
                path: path.to_owned(),
                body: serde_json::from_str(&asked).unwrap_or(Value::String(asked)),
            },
            response: Said { status: response.status().as_u16(), headers: headers.collect(), pieces: Vec::new() },
        };
        let recording = Recording {
            tape: Arc::clone(self),
            name: name(method, path, body),
            exchange: Some(exchange),
            pieces: Vec::new(),
        };
        response.map(|live| Body::Recorded(live, Box::new(recording)))
    }

    fn hide(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), HIDDEN))
    }

    /// The pieces as a file has them. A secret may come in two of them, or one of them be no text by itself: then all
    /// are one.
    fn pieces(&self, pieces: &[Bytes]) -> Vec<Piece> {
        let joined = pieces.concat();
        let whole = String::from_utf8_lossy(&joined);
        let texts: Option<Vec<&str>> = pieces.iter().map(|piece| std::str::from_utf8(piece).ok()).collect();
        if let Some(texts) = texts {
            let hidden: Vec<String> = texts.into_iter().map(|text| self.hide(text)).collect();
            if hidden.concat() == self.hide(&whole) {
                return hidden.into_iter().map(Piece::Text).collect();
            }
        }
        match std::str::from_utf8(&joined) {
            Ok(text) => vec![Piece::Text(self.hide(text))],
            Err(_) if self.hide(&whole) == whole => vec![Piece::Bytes { base64: BASE64_STANDARD.encode(&joined) }],
            Err(_) => vec![Piece::Text(self.hide(&whole))],
        }
    }

    /// Whole or not at all: beside its place first. Nobody else may read it: prompts stand in it.
    fn write(&self, name: &str, exchange: &Exchange) -> std::io::Result<()> {
        let mut text = serde_json::to_vec_pretty(exchange)?;
        text.push(b'\n');
        let beside = self.folder.join(format!(".{name}.{}", uuid::Uuid::new_v4().simple()));
        let mut file = std::fs::OpenOptions::new();
        file.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        std::io::Write::write_all(&mut file.open(&beside)?, &text)?;
        std::fs::rename(&beside, self.folder.join(name))
    }
}

impl Recording {
    /// Adds a piece of the body.
    pub(super) fn piece(&mut self, piece: Option<&Bytes>) {
        if self.exchange.is_some() {
            self.pieces.extend(piece.cloned());
        }
    }

    /// Nothing will be written.
    pub(super) fn discard(&mut self) {
        self.exchange = None;
    }

    /// Writes the exchange down, off the threads that answer.
    pub(super) fn finish(&mut self) {
        let Some(mut exchange) = self.exchange.take() else { return };
        exchange.response.pieces = self.tape.pieces(&std::mem::take(&mut self.pieces));
        let (tape, name) = (Arc::clone(&self.tape), std::mem::take(&mut self.name));
        tokio::task::spawn_blocking(move || {
            if let Err(error) = tape.write(&name, &exchange) {
                tracing::error!(folder = %tape.folder.display(), %error, "an exchange cannot be recorded");
            }
        });
    }
}

/// The file of a request.
fn name(method: &Method, path: &str, body: &[u8]) -> String {
    let mut text = format!("{method} {path}\n").into_bytes();
    text.extend_from_slice(body);
    let mut name = sha256_hex(&text);
    name.truncate(32);
    name.push_str(".json");
    name
}

fn answer(said: Said) -> Result<Response<Body>, String> {
    let mut pieces = VecDeque::with_capacity(said.pieces.len());
    for piece in said.pieces {
        pieces.push_back(match piece {
            Piece::Text(text) => Bytes::from(text),
            Piece::Bytes { base64 } => Bytes::from(BASE64_STANDARD.decode(base64).map_err(|e| e.to_string())?),
        });
    }
    let mut headers = HeaderMap::new();
    for (name, value) in said.headers {
        let name = HeaderName::try_from(name).map_err(|e| e.to_string())?;
        headers.insert(name, HeaderValue::try_from(value).map_err(|e| e.to_string())?);
    }
    let mut response = Response::new(Body::Kept(pieces));
    *response.status_mut() = StatusCode::from_u16(said.status).map_err(|e| e.to_string())?;
    *response.headers_mut() = headers;
    Ok(response)
}
