//! One connection from its first byte to its last, and each request on it.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use outcrop_api::Kind;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::peer::Accepted;
use super::socket::Socket;
use super::watch::{Verdict, Watch};
use super::{Body, Limits, LiveLimits, Peer, Tls, refusal, tls};
use crate::doors::Speaks;

/// After saying that no more requests are taken, how long an idle client has to hang up.
const FAREWELL: Duration = Duration::from_secs(5);
/// When connections run out, one that has been idle this long goes.
const SPARE: Duration = Duration::from_secs(1);

/// The first byte of a client that speaks TLS (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 22;
const NOT_TLS: &str = "This port speaks HTTPS only: begin the endpoint with https://.";

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is ready for HTTP.
enum Opened {
    Plain(Box<dyn Stream>),
    Secure(Box<dyn Stream>),
    /// In the open, where TLS is spoken.
    Mistaken(Box<dyn Stream>),
}

/// What all connections of a listener share.
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) limits: Arc<LiveLimits>,
    pub(super) tls: Option<Arc<Tls>>,
    /// Take no more requests.
    pub(super) shutdown: CancellationToken,
    /// The time for finishing is over.
    pub(super) kill: CancellationToken,
    /// Connections have run out.
    pub(super) pressure: Notify,
}

impl<S, F> Shared<S>
where
    S: Fn(Request<Body>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    pub(super) async fn connection(self: Arc<Self>, accepted: Accepted) {
        let limits = self.limits.now();
        // The handshake is part of the time that the first head may take.
        let watch = Watch::new(&limits);
        let (stream, peer) = match accepted {
            Accepted::Unix(stream) => {
                (Opened::Plain(Box::new(stream)), Peer { address: None, secure: false, certificate: None })
            }
            Accepted::Tcp(stream, from) => {
                // An event of a few bytes must leave at once.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(peer = %from, %error, "cannot set TCP_NODELAY");
                }
                let opened = tokio::select! {
                    opened = timeout(limits.header_timeout, self.open(stream)) => opened,
                    () = self.kill.cancelled() => return,
                    () = self.shutdown.cancelled() => return,
                };
                match opened {
                    Ok(Ok((stream, certificate))) => {
                        let secure = matches!(stream, Opened::Secure(_));
                        (stream, Peer { address: Some(from), secure, certificate })
                    }
                    // Who only looks whether the port is open ends it like this.
                    Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return,
                    Ok(Err(error)) => return tracing::info!(peer = %from, %error, "the TLS handshake failed"),
                    Err(_) => return tracing::debug!(peer = %from, "the TLS handshake took too long"),
                }
            }
        };
        self.speak(stream, peer, &limits, watch).await;
    }

    /// The handshake, where there is one.
    async fn open(&self, stream: TcpStream) -> io::Result<(Opened, Option<Arc<str>>)> {
        let Some(tls) = &self.tls else { return Ok((Opened::Plain(Box::new(stream)), None)) };
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first != [TLS_HANDSHAKE] {
            return Ok((Opened::Mistaken(Box::new(stream)), None));
        }
        let stream = tls.accept(stream).await?;
        let subject = tls::subject(&stream);
        Ok((Opened::Secure(Box::new(stream)), subject))
    }

    async fn speak(self: Arc<Self>, stream: Opened, peer: Peer, limits: &Limits, watch: Arc<Watch>) {
        let mistaken = matches!(stream, Opened::Mistaken(_));
        let (Opened::Plain(stream) | Opened::Secure(stream) | Opened::Mistaken(stream)) = stream;
        let (shared, watched, from) = (self.clone(), watch.clone(), peer.clone());
        let span = tracing::info_span!("connection", %peer, certificate = peer.certificate.as_deref());
        let service = service_fn(move |request: Request<Incoming>| {
            let (shared, watch, peer, span) = (shared.clone(), watched.clone(), from.clone(), span.clone());
            async move {
                if mistaken {
                    let mut response = refusal(Speaks::at(request.uri().path()), Kind::Validation, NOT_TLS);
                    watch.leave_unread();
                    response.body_mut().open = Some(watch.begin());
                    return Ok::<_, Infallible>(response);
                }
                // Not around the connection: an HTTP/2 request is a task of its own.
                Ok(shared.request(&watch, peer, request).instrument(span).await)
            }
        });
        let builder = protocol(limits);
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(Socket::new(stream, watch.clone())), service));
        let mut closing = false;
        loop {
            let next = match watch.verdict(Instant::now()) {
                Verdict::LookAgain(at) => at,
                Verdict::Idle if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                    Instant::now() + FAREWELL
                }
                verdict => {
                    tracing::debug!(%peer, ?verdict, "closing the connection");
                    return;
                }
            };
            tokio::select! {
                biased;
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        tracing::debug!(%peer, %error, "the connection ended");
                    }
                    return;
                }
                () = self.kill.cancelled() => return,
                () = self.shutdown.cancelled(), if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.pressure.notified(), if !closing => {
                    if watch.idle_for(SPARE) {
                        closing = true;
                        connection.as_mut().graceful_shutdown();
                    }
                }
                () = sleep_until(next) => {}
            }
        }
    }

    async fn request(&self, watch: &Arc<Watch>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let mut open = watch.begin();
        open.permit = self.limits.requests.permits.clone().try_acquire_owned().ok();
        let speaks = Speaks::at(request.uri().path());
        let mut response =
            if open.permit.is_none() && !self.limits.now().never_throttled.contains(&request.uri().path()) {
                refusal(speaks, Kind::Throttling, "Too many requests, please wait before trying again.")
            } else {
                let memory = self.limits.memory.permits.clone();
                let mut request = request.map(|incoming| Body::incoming(incoming, memory, watch.clone()));
                request.extensions_mut().insert(peer);
                // In a box: the futures around it are moved, and it would be with each of them, some kilobytes a time.
                let answering = AssertUnwindSafe(async { Box::pin((self.service)(request)).await }).catch_unwind();
                // The panic hook has logged it with its place; the caller learns that it was not the input's fault.
                answering.await.unwrap_or_else(|_| {
                    let text = "The server encountered an internal error while processing the request.";
                    refusal(speaks, Kind::InternalServer, text)
                })
            };
        response.body_mut().open = Some(open);
        response
    }
}

fn protocol(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Watch` does this; hyper's would count the idle time of a kept-alive connection too.
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes.max(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        // Room for a document of some MB without a round trip for each 64 KiB.
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .max_send_buf_size(64 * 1024)
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping);
    builder
}
