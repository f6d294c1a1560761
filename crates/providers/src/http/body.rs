//! An answer's body: as it comes, or as it came once.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::tape::Recording;

/// What an answer's body is.
pub enum Body {
    /// It comes over the network.
    Live(outcrop_outbound::Body),
    /// The same, and each piece is written down.
    Recorded(outcrop_outbound::Body, Box<Recording>),
    /// It came once, in these pieces.
    Kept(VecDeque<Bytes>),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Live(body) => Pin::new(body).poll_frame(cx),
            Self::Recorded(body, recording) => {
                let frame = ready!(Pin::new(body).poll_frame(cx));
                match &frame {
                    Some(Ok(frame)) => recording.piece(frame.data_ref()),
                    // What broke off is no example of anything.
                    Some(Err(_)) => recording.discard(),
                    None => recording.finish(),
                }
                Poll::Ready(frame)
            }
            Self::Kept(pieces) => Poll::Ready(pieces.pop_front().map(|piece| Ok(Frame::data(piece)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Live(body) => body.is_end_stream(),
            // Its end is what writes it down.
            Self::Recorded(..) => false,
            Self::Kept(pieces) => pieces.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Live(body) | Self::Recorded(body, _) => body.size_hint(),
            Self::Kept(pieces) => SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum()),
        }
    }
}
