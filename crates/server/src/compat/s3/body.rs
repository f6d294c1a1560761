//! A request's body while it goes by: its framing taken off, and held against all that was said of it, the signatures
//! of its chunks, its hash, its checksums, its length. What does not fit ends it with an error, and nothing is written.

mod chunks;
mod sums;

use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use outcrop_access::Payload;

use super::error::Refused;
use crate::listen::{Body, BodyError};
use chunks::Chunks;
use sums::Sums;

/// A body without its framing.
pub(super) struct Checked {
    pub bytes: Pin<Box<dyn Stream<Item = Result<Bytes, Refused>> + Send>>,
    /// How long it is where a framing was taken off.
    pub length: Option<u64>,
}

/// Holds `body` against the head and what was signed. In every `patience` something must come.
pub(super) fn checked(
    headers: &HeaderMap,
    body: Body,
    payload: Payload,
    patience: Duration,
) -> Result<Checked, Refused> {
    let mut sums = Sums::of(headers)?;
    let (chunks, length) = match payload {
        Payload::Unsigned => (None, None),
        Payload::Hash(hash) => {
            sums.sha256(hash);
            (None, None)
        }
        Payload::Chunks(seal) => {
            let length = number(headers, "x-amz-decoded-content-length")?.ok_or_else(|| {
                Refused::new("MissingContentLength", "You must provide the Content-Length HTTP header.")
            })?;
            sums.trailer(headers)?;
            (Some(Chunks::new(seal, length)), Some(length))
        }
    };
    // Without a framing the connection sees to the length.
    let reader = Reader { body, patience, buffer: BytesMut::new(), chunks, sums };
    let bytes =
        stream::try_unfold(reader, |mut reader| async move { Ok(reader.next().await?.map(|piece| (piece, reader))) });
    Ok(Checked { bytes: Box::pin(bytes), length })
}

struct Reader {
    body: Body,
    patience: Duration,
    /// What has come of the framing and was not read yet.
    buffer: BytesMut,
    chunks: Option<Chunks>,
    sums: Sums,
}

impl Reader {
    /// The next bytes of the object; none at its end, if all is as it was said.
    async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            if let Some(chunks) = &mut self.chunks
                && let Some(piece) = chunks.take(&mut self.buffer)?
            {
                self.sums.update(&piece);
                return Ok(Some(piece));
            }
            let ended = self.chunks.as_ref().is_some_and(Chunks::ended);
            match self.frame().await? {
                Some(data) if self.chunks.is_some() => self.buffer.extend_from_slice(&data),
                Some(data) => {
                    self.sums.update(&data);
                    return Ok(Some(data));
                }
                None if self.chunks.is_some() && !ended => return Err(incomplete()),
                None => {
                    let trailer = self.chunks.as_ref().map_or(&[][..], Chunks::trailer);
                    return self.sums.check(trailer).map(|()| None);
                }
            }
        }
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            let frame = match tokio::time::timeout(self.patience, self.body.frame()).await {
                Ok(frame) => frame,
                Err(_) => {
                    let text = "Your socket connection to the server was not read from or written to within the \
                                timeout period.";
                    return Err(Refused::new("RequestTimeout", text));
                }
            };
            match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    tracing::info!(%error, "a body broke off");
                    return Err(match error {
                        BodyError::TooLarge { .. } => Refused::new("EntityTooLarge", error.to_string()),
                        _ => incomplete(),
                    });
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

fn incomplete() -> Refused {
    let text = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Refused::new("IncompleteBody", text)
}

/// A header that is a number.
fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Refused> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|value| value.trim().parse().ok());
    number.map(Some).ok_or_else(|| Refused::new("InvalidArgument", format!("{name} is not a number")))
}

/// A header's text.
fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}
