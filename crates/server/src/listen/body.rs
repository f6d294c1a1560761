//! The one body type of requests and responses.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use super::watch::{Open, Watch};

/// A whole answer leaves in pieces of this size, so that a client which stops reading is noticed between two
/// of them and the rest is let go.
const PIECE: usize = 64 * 1024;

/// Why a body could not be read or written to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The body is longer than its operation admits.
    #[error("the request body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The client sends too slowly.
    #[error("the request body did not arrive in time")]
    TooSlow,
    /// The bodies held at this moment fill the memory set aside for them.
    #[error("too many large requests are being read")]
    Busy,
    /// The connection broke or the framing is wrong.
    #[error("the request body could not be read: {0}")]
    Broken(#[source] hyper::Error),
    /// The producer of a response stopped before its end. The connection is cut, so that the client cannot take
    /// what it has for a complete answer.
    #[error("the response ended before it was complete")]
    Aborted,
}

/// The body of a request or a response.
///
/// Dropping a response body drops what produces it: that is how a client's departure cancels a generation.
#[derive(Default)]
pub struct Body {
    kind: Content,
    /// Counts the exchange as open until the body is gone. Only on responses under way.
    pub(super) open: Option<Open>,
    /// Where a request came from. Only on requests that came over a socket.
    pub(super) origin: Option<Origin>,
    /// Taken by [`Body::has_content`], not yet given to the reader.
    first: Option<Frame<Bytes>>,
}

pub(super) struct Origin {
    /// The memory from which [`super::collect`] takes.
    pub(super) memory: Arc<Semaphore>,
    pub(super) watch: Arc<Watch>,
    /// Whether the body was read to its end.
    pub(super) ended: bool,
}

enum Content {
    Full(Bytes),
    Stream(BoxStream<'static, Result<Bytes, BodyError>>),
    Incoming(Incoming),
}

impl Default for Content {
    fn default() -> Self {
        Self::Full(Bytes::new())
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the content: bodies carry prompts.
        f.write_str(match self.kind {
            Content::Full(_) => "Body::Full",
            Content::Stream(_) => "Body::Stream",
            Content::Incoming(_) => "Body::Incoming",
        })
    }
}

impl Body {
    /// No content.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A whole body.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Content::Full(bytes.into()).into()
    }

    /// A body drawn from `stream` as fast as the client reads, and no faster. An `Err` or a panic in it cuts the
    /// connection (HTTP/1.1) or resets the stream (HTTP/2).
    pub fn stream(stream: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> Self {
        Content::Stream(stream.boxed()).into()
    }

    /// The same body, of which `seen` is shown every piece as it leaves. It is dropped with the last one, or with the
    /// body if the client goes away before.
    pub fn shown_to(mut self, mut seen: impl FnMut(&Bytes) + Send + 'static) -> Self {
        self.kind = match self.kind {
            Content::Full(bytes) => {
                seen(&bytes);
                Content::Full(bytes)
            }
            Content::Stream(stream) => {
                let pieces = stream.inspect(move |piece| {
                    if let Ok(piece) = piece {
                        seen(piece);
                    }
                });
                Content::Stream(pieces.boxed())
            }
            // A request's.
            incoming @ Content::Incoming(_) => incoming,
        };
        self
    }

    pub(super) fn incoming(incoming: Incoming, memory: Arc<Semaphore>, watch: Arc<Watch>) -> Self {
        let ended = incoming.is_end_stream();
        Self {
            kind: Content::Incoming(incoming),
            open: None,
            origin: Some(Origin { memory, watch, ended }),
            first: None,
        }
    }

    /// Whether any content comes. Where nothing announces its length the first of it tells: an HTTP/2 client may
    /// end an empty body by an empty frame of its own. Silence for longer than `patience` is taken for content.
    pub async fn has_content(&mut self, patience: Duration) -> bool {
        if let Some(length) = self.size_hint().exact() {
            return length > 0;
        }
        let first = async {
            while let Some(Ok(frame)) = self.frame().await {
                if frame.data_ref().is_some_and(|data| !data.is_empty()) {
                    return Some(frame);
                }
            }
            None
        };
        match tokio::time::timeout(patience, first).await {
            Ok(None) => false,
            Ok(first) => {
                self.first = first;
                true
            }
            Err(_) => true,
        }
    }
}

impl From<Content> for Body {
    fn from(kind: Content) -> Self {
        Self { kind, open: None, origin: None, first: None }
    }
}

impl Content {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Self::Stream(stream) => match catch_unwind(AssertUnwindSafe(|| stream.poll_next_unpin(cx))) {
                Ok(next) => next.map(|piece| piece.map(|piece| piece.map(Frame::data))),
                Err(_) => Poll::Ready(Some(Err(BodyError::Aborted))),
            },
            Self::Incoming(incoming) => Pin::new(incoming).poll_frame(cx).map_err(BodyError::Broken),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Incoming(incoming) => incoming.is_end_stream(),
            Self::Stream(_) => false,
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if !self.ended {
            self.watch.leave_unread();
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let body = self.get_mut();
        if let Some(first) = body.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let polled = body.kind.poll(cx);
        if let Some(open) = &body.open {
            // A piece given and none asked for since: the client is not reading. Waiting for the producer is not that.
            open.handed_a_piece(matches!(polled, Poll::Ready(Some(Ok(_)))));
        }
        if let Some(origin) = &mut body.origin {
            origin.ended |= matches!(polled, Poll::Ready(None)) || body.kind.is_end_stream();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.kind.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Incoming(incoming) => incoming.size_hint(),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}
