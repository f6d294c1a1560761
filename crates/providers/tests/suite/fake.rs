//! A server on this machine that answers what it is told to, one request after the other.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A request that came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    /// The body, where it is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What is answered to one request.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// The bytes of an answer.
pub enum Body {
    Whole(Bytes),
    /// As they come; [`Reset`] breaks the connection.
    Stream(mpsc::UnboundedReceiver<Result<Bytes, Reset>>),
}

/// The connection breaks.
#[derive(Debug)]
pub struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reset by the test")
    }
}

impl std::error::Error for Reset {}

/// Whatever an answer's stream is fed by.
pub type Feed = mpsc::UnboundedSender<Result<Bytes, Reset>>;

impl Reply {
    /// An answer of success.
    pub fn whole(kind: &str, body: impl Into<Bytes>) -> Self {
        Self::status(200, kind, body)
    }

    /// An answer of any status.
    pub fn status(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], body: Body::Whole(body.into()) }
    }

    /// The same with a header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// An answer that comes as it is fed.
    pub fn fed(kind: &str) -> (Self, Feed) {
        let (feed, frames) = mpsc::unbounded_channel();
        (Self { status: 200, headers: vec![("content-type", kind.to_owned())], body: Body::Stream(frames) }, feed)
    }

    /// An answer of these pieces, whole.
    pub fn pieces(kind: &str, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let (reply, feed) = Self::fed(kind);
        pieces.into_iter().for_each(|piece| feed.send(Ok(piece)).unwrap());
        reply
    }

    /// An answer of these pieces, after which the connection breaks.
    pub fn broken(kind: &str, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let (reply, feed) = Self::fed(kind);
        pieces.into_iter().for_each(|piece| feed.send(Ok(piece)).unwrap());
        feed.send(Err(Reset)).unwrap();
        reply
    }
}

/// A server; it ends when dropped.
pub struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Fake {
    /// Answers with `replies`, one for each request, and with a 501 from then on.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let log = seen.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (log, replies) = (log.clone(), replies.clone());
                let service = service_fn(move |request| answer(request, log.clone(), replies.clone()));
                connections.spawn(async move {
                    let _ =
                        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, seen, task }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("no request came")
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    log: Arc<Mutex<Vec<Seen>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
) -> Result<Response<UnsyncBoxBody<Bytes, Reset>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    log.lock().unwrap().push(Seen { method: parts.method, path, headers: parts.headers, body });
    let reply = replies.lock().unwrap().pop_front();
    let reply = reply.unwrap_or_else(|| Reply::status(501, "text/plain", "no reply is left"));
    let body = match reply.body {
        Body::Whole(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
        Body::Stream(frames) => {
            let frames = futures_util::stream::unfold(frames, |mut frames| async move {
                // Whoever sends too fast would have its frames joined.
                tokio::task::yield_now().await;
                frames.recv().await.map(|frame| (frame.map(Frame::data), frames))
            });
            StreamBody::new(frames).boxed_unsync()
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status.try_into().unwrap();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    Ok(response)
}
