//! Answers that are read whole, or as far as they are wanted.

use std::fmt::Display;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::OutboundError;

/// All of `body`, if it is no more than `limit` bytes. A body of one piece is not copied.
pub async fn collect<B>(mut body: B, limit: usize) -> Result<Bytes, OutboundError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let too_large = || OutboundError::TooLarge { limit };
    let expected = usize::try_from(body.size_hint().lower()).map_err(|_| too_large())?;
    if expected > limit {
        return Err(too_large());
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| OutboundError::Body(error.to_string()))?;
        let Ok(piece) = frame.into_data() else { continue };
        if piece.len() > limit - (first.len() + whole.len()) {
            return Err(too_large());
        }
        if first.is_empty() && whole.is_empty() {
            first = piece;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(expected.max(first.len() + piece.len()));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// The first `limit` bytes of `body`; all of it where it has no more.
pub async fn beginning<B>(mut body: B, limit: usize) -> Result<Bytes, OutboundError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let mut first = BytesMut::new();
    while first.len() < limit
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|error| OutboundError::Body(error.to_string()))?;
        if let Ok(piece) = frame.into_data() {
            first.extend_from_slice(&piece[..piece.len().min(limit - first.len())]);
        }
    }
    Ok(first.freeze())
}
