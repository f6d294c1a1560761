//! Over real sockets: hyper's clients where the client behaves, raw bytes where it does not.

mod bounds;
mod cancel;
mod live;
mod shutdown;
mod speak;
mod unix;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// Longer than anything here may take: a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    addr: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn start<S, F>(limits: Limits, service: S) -> Server
where
    S: Fn(Request<Body>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (server, _) = start_with(limits, None, service).await;
    server
}

async fn start_with<S, F>(limits: Limits, tls: Option<Arc<Tls>>, service: S) -> (Server, Arc<LiveLimits>)
where
    S: Fn(Request<Body>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (listener, addr) = bound().await;
    let (shutdown, limits) = (CancellationToken::new(), LiveLimits::new(limits));
    let task = tokio::spawn(serve(listener, service, limits.clone(), tls, shutdown.clone()));
    (Server { addr, shutdown, task }, limits)
}

async fn bound() -> (Listener, SocketAddr) {
    let listener = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Ok(Address::Tcp(addr)) = listener.address() else { panic!("no address") };
    (listener, addr)
}

/// A body written from elsewhere. It breaks when the sender goes, unless the last thing sent was an empty piece.
fn channel() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, pieces) = mpsc::channel::<Bytes>(1);
    let pieces = futures_util::stream::unfold(Some(pieces), |pieces| async {
        let mut pieces = pieces?;
        match pieces.recv().await {
            Some(piece) if piece.is_empty() => None,
            Some(piece) => Some((Ok(piece), Some(pieces))),
            None => Some((Err(BodyError::Aborted), None)),
        }
    });
    (sender, Body::stream(pieces))
}

/// Answers with the request: `METHOD path length`.
async fn echo(request: Request<Body>) -> Response<Body> {
    let said = format!("{} {}", request.method(), request.uri().path());
    match collect(request.into_body(), 1_000_000, Duration::from_millis(300)).await {
        Ok(bytes) => Response::new(Body::full(format!("{said} {}", bytes.len()))),
        Err(BodyError::TooLarge { .. }) => {
            refusal(crate::doors::Speaks::Aws, outcrop_api::Kind::RequestTooLarge, "too large")
        }
        Err(error) => refusal(crate::doors::Speaks::Aws, outcrop_api::Kind::Validation, &error.to_string()),
    }
}

/// The two protocols behind one face, so that a behaviour is written once and seen in both.
enum Client {
    One(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Two(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Client {
    async fn one(addr: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        Self::One(sender)
    }

    async fn two(addr: SocketAddr) -> Self {
        let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self::Two(sender)
    }

    async fn both(addr: SocketAddr) -> [Self; 2] {
        [Self::one(addr).await, Self::two(addr).await]
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let answer = async {
            match self {
                Self::One(sender) => sender.send_request(request).await,
                Self::Two(sender) => sender.send_request(request).await,
            }
        };
        timeout(PATIENCE, answer).await.expect("no answer in time")
    }

    async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> hyper::Result<Response<Incoming>> {
        let uri = format!("http://localhost{path}");
        self.send(Request::post(uri).header("host", "localhost").body(Full::new(body.into())).unwrap()).await
    }
}

async fn text(response: Response<Incoming>) -> String {
    let bytes = timeout(PATIENCE, response.into_body().collect()).await.unwrap().unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Sends `bytes` and reads until the server closes.
async fn raw(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    until_closed(&mut stream).await
}

async fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server did not close").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The JSON error in a raw HTTP/1.1 answer: status and body.
fn json_error(answer: &str) -> (u16, serde_json::Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}"));
    let head = head.to_ascii_lowercase();
    assert!(head.contains("\r\ncontent-type: application/json"), "{head}");
    assert!(head.contains("\r\nx-amzn-errortype: ") && head.contains("\r\nx-amzn-requestid: "), "{head}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {body:?}"));
    assert!(body["message"].is_string());
    (status, body)
}

/// Counts what is alive, to see it dropped.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicUsize>, Arc<Notify>);

struct Life(Alive);

impl Alive {
    fn new_life(&self) -> Life {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.notify_waiters();
        Life(self.clone())
    }

    async fn becomes(&self, count: usize) {
        let wait = async {
            loop {
                let changed = self.1.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.0.load(Ordering::SeqCst) == count {
                    return;
                }
                changed.await;
            }
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("{} alive, not {count}", self.0.load(Ordering::SeqCst)));
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }
}
