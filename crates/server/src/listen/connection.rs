//! One connection from its first byte to its last, and each request on it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
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
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::socket::Socket;
use super::watch::{Verdict, Watch};
use super::{Body, Limits, refusal};

/// After saying that no more requests are taken, how long an idle client has to hang up.
const FAREWELL: Duration = Duration::from_secs(5);
/// When connections run out, one that has been idle this long goes.
const SPARE: Duration = Duration::from_secs(1);

/// The other end of the connection, in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// What all connections of a listener share.
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) limits: Limits,
    pub(super) requests: Arc<Semaphore>,
    pub(super) memory: Arc<Semaphore>,
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
    pub(super) async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        // An event of a few bytes must leave at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let watch = Watch::new(&self.limits);
        let (shared, watched) = (self.clone(), watch.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (shared, watch) = (shared.clone(), watched.clone());
            async move { Ok::<_, Infallible>(shared.request(&watch, peer, request).await) }
        });
        let builder = protocol(&self.limits);
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

    async fn request(&self, watch: &Arc<Watch>, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        let mut open = watch.begin();
        open.permit = self.requests.clone().try_acquire_owned().ok();
        let mut response = if open.permit.is_none() && !self.limits.never_throttled.contains(&request.uri().path()) {
            refusal(Kind::Throttling, "Too many requests, please wait before trying again.")
        } else {
            let mut request = request.map(|incoming| Body::incoming(incoming, self.memory.clone(), watch.clone()));
            request.extensions_mut().insert(Peer(peer));
            // The panic hook has logged it with its place; the caller learns that it was not the input's fault.
            AssertUnwindSafe(async { (self.service)(request).await }).catch_unwind().await.unwrap_or_else(|_| {
                refusal(Kind::InternalServer, "The server encountered an internal error while processing the request.")
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
