//! One port or Unix socket, HTTP/1.1 and HTTP/2, in the open or in TLS, and bounds on what a client may hold.
//!
//! The listener knows nothing of AWS but the form of an error, and the forms that other doors have for one. It hands
//! every request to one function and sees to it that slow, silent, broken and departed clients cost a bounded amount of
//! memory, connections and time; [`Limits`] says how much. When a client goes, the function's future or the answer's
//! stream is dropped at once: cancellation is `Drop`. Start at [`serve`]; the clock of a connection is in `watch`.
//!
//! Every refusal is JSON in the form of the door that was asked, and in AWS's where no path is known: hyper's own
//! answers to unreadable HTTP/1.1 heads (`socket`). What cannot be: an HTTP/2 header list over the limit, which `h2`
//! answers with a bare 431, and violations of HTTP/2 framing, for which the protocol has GOAWAY and RST_STREAM and no
//! answers. A connection that sends no head in time is closed without an answer, for there is no request to answer.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod address;
mod bind;
mod body;
mod collect;
mod connection;
mod limits;
mod peer;
mod proxies;
mod refusal;
mod socket;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod unix;
mod watch;

pub use address::Address;
pub use bind::{BindError, Listener, bind, check_bind};
pub use body::{Body, BodyError};
pub use collect::collect;
pub use limits::{Limits, LiveLimits};
pub use peer::Peer;
pub use proxies::{TrustedProxy, client};
pub use refusal::refusal;
pub use tls::{Tls, TlsError, TlsFiles};

use connection::Shared;
use peer::Accepted;

/// Serves `listener` until `shutdown` is cancelled, then lets what is open finish for [`Limits::grace`] and cuts the
/// rest. Returns when every connection is closed. With `tls`, connections over TCP speak it.
pub async fn serve<S, F>(
    listener: Listener,
    service: S,
    limits: Arc<LiveLimits>,
    tls: Option<Arc<Tls>>,
    shutdown: CancellationToken,
) where
    S: Fn(Request<Body>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let kill = CancellationToken::new();
    // Whoever drops this future wants the connections gone too.
    let _kill_on_drop = kill.clone().drop_guard();
    let connections = limits.connections.permits.clone();
    let shared = Arc::new(Shared {
        service,
        limits,
        tls,
        shutdown: shutdown.clone(),
        kill: kill.clone(),
        pressure: Notify::new(),
    });
    let tracker = TaskTracker::new();
    loop {
        let permit = tokio::select! {
            permit = one_more(&connections, &shared.pressure) => permit,
            () = shutdown.cancelled() => break,
        };
        let Some(permit) = permit else { break };
        let accepted = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok(accepted) => {
                let connection = shared.clone().connection(accepted);
                tracker.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => after_failed_accept(&error).await,
        }
    }
    drop(listener);
    tracker.close();
    if timeout(shared.limits.now().grace, tracker.wait()).await.is_err() {
        tracing::warn!(connections = tracker.len(), "cutting the connections that did not finish in time");
        kill.cancel();
        tracker.wait().await;
    }
}

async fn accept(listener: &Listener) -> io::Result<Accepted> {
    match listener {
        Listener::Tcp(listener) => listener.accept().await.map(|(stream, from)| Accepted::Tcp(stream, from)),
        Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
    }
}

/// A permit for one more connection; while there is none, idle connections are asked to go.
async fn one_more(connections: &Arc<Semaphore>, pressure: &Notify) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = connections.clone().try_acquire_owned() {
        return Some(permit);
    }
    tracing::warn!("the limit of connections is reached; new ones wait");
    loop {
        pressure.notify_waiters();
        // Not once: connections become idle later, too.
        if let Ok(permit) = timeout(Duration::from_millis(250), connections.clone().acquire_owned()).await {
            return permit.ok();
        }
    }
}

/// A connection that broke before it was accepted is nothing; a process out of file descriptors must not spin.
async fn after_failed_accept(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "cannot accept a connection");
        sleep(Duration::from_millis(200)).await;
    }
}
