//! The client as a thread sees it that waits: downloads are files, hashes and a progress bar, and nothing else.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use outcrop_outbound::{Body, Endpoint, OutboundError};
use tokio::runtime::{Builder, Runtime};

/// How long a server may be silent, before its answer and within it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A thread that connections live on.
pub(super) struct Blocking(Option<Runtime>);

impl Blocking {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Some(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)))
    }

    pub(super) fn send(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
    ) -> Result<Response<Answer<'_>>, OutboundError> {
        let host = endpoint.host().to_owned();
        let silent = || OutboundError::Io { host, why: format!("no answer within {} s", PATIENCE.as_secs()) };
        let answer = self.wait(async move { tokio::time::timeout(PATIENCE, endpoint.send(request)).await });
        let answer = answer.and_then(Result::ok).unwrap_or_else(|| Err(silent()))?;
        Ok(answer.map(|body| Answer { blocking: self, body: Some(body) }))
    }

    /// What `work` comes to. The caller may be a thread of another runtime, which must not enter this one.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (done, wait) = std::sync::mpsc::sync_channel(1);
        self.0.as_ref()?.spawn(async move {
            let _ = done.send(work.await);
        });
        wait.recv().ok()
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Waiting for its thread is what a runtime's own thread must not do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// An answer's body, piece by piece.
pub(super) struct Answer<'a> {
    blocking: &'a Blocking,
    body: Option<Body>,
}

impl Answer<'_> {
    /// The next piece; none at the end.
    pub(super) fn piece(&mut self) -> Result<Option<Bytes>, OutboundError> {
        while let Some(mut body) = self.body.take() {
            let next = self.blocking.wait(async move {
                let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
                (frame, body)
            });
            let silent = || OutboundError::Body(format!("nothing came for {} s", PATIENCE.as_secs()));
            let Some((Ok(frame), body)) = next else { return Err(silent()) };
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| OutboundError::Body(error.to_string()))?;
            self.body = Some(body);
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// All of it, if it is no more than `limit` bytes.
    pub(super) fn whole(mut self, limit: usize) -> Result<Vec<u8>, OutboundError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece()? {
            if piece.len() > limit - whole.len() {
                return Err(OutboundError::TooLarge { limit });
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}
