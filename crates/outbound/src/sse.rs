//! Server-sent events, as the HTML standard's section 9.2 reads them.
//!
//! Lines end in LF, CRLF or CR; comments and fields that nobody needs here (`id`, `retry`) are passed over. An event
//! within one piece of the answer is a view of that piece and is not copied. Unlike a browser, the end of the answer
//! ends the last event: servers forget its empty line.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;

use crate::{Body, OutboundError};

#[cfg(test)]
mod tests;

/// Where nobody says otherwise: an image in base64 is the largest that providers send.
pub const DEFAULT_MAX_LINE: usize = 8 << 20;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its name; empty where it has none.
    pub name: Bytes,
    /// Its data, lines joined by LF.
    pub data: Bytes,
}

/// From pieces of an answer to events, without reading them itself.
#[derive(Debug)]
pub struct Decoder {
    max: usize,
    /// What is not looked at yet.
    piece: Bytes,
    /// The beginning of a line whose end is not here.
    partial: BytesMut,
    /// After a CR: a LF belongs to it.
    after_cr: bool,
    started: bool,
    name: Bytes,
    data: Option<Bytes>,
    /// Data of more than one line.
    joined: BytesMut,
}

impl Decoder {
    /// For lines and events of at most `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            piece: Bytes::new(),
            partial: BytesMut::new(),
            after_cr: false,
            started: false,
            name: Bytes::new(),
            data: None,
            joined: BytesMut::new(),
        }
    }

    /// Takes the next piece of the answer. Call [`Self::next_event`] until it has no more before the next.
    pub fn push(&mut self, piece: Bytes) {
        if self.piece.is_empty() {
            self.piece = piece;
        } else {
            let mut both = BytesMut::with_capacity(self.piece.len() + piece.len());
            both.extend_from_slice(&self.piece);
            both.extend_from_slice(&piece);
            self.piece = both.freeze();
        }
    }

    /// The next event that is here whole.
    pub fn next_event(&mut self) -> Result<Option<Event>, OutboundError> {
        loop {
            if self.after_cr && !self.piece.is_empty() {
                self.after_cr = false;
                if self.piece[0] == b'\n' {
                    self.piece.advance(1);
                }
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', &self.piece) else {
                self.within(self.partial.len() + self.piece.len())?;
                self.partial.extend_from_slice(&self.piece);
                self.piece.clear();
                return Ok(None);
            };
            self.within(self.partial.len() + end)?;
            let line = if self.partial.is_empty() {
                self.piece.split_to(end)
            } else {
                self.partial.extend_from_slice(&self.piece[..end]);
                self.piece.advance(end);
                self.partial.split().freeze()
            };
            self.after_cr = self.piece[0] == b'\r';
            self.piece.advance(1);
            if let Some(event) = self.line(line)? {
                return Ok(Some(event));
            }
        }
    }

    /// The event that the end of the answer ends. [`Self::next_event`] has none left.
    pub fn finish(&mut self) -> Result<Option<Event>, OutboundError> {
        let line = self.partial.split().freeze();
        if !line.is_empty()
            && let Some(event) = self.line(line)?
        {
            return Ok(Some(event));
        }
        Ok(self.event())
    }

    fn line(&mut self, mut line: Bytes) -> Result<Option<Event>, OutboundError> {
        if !self.started {
            self.started = true;
            if line.starts_with(b"\xef\xbb\xbf") {
                line.advance(3);
            }
        }
        if line.is_empty() {
            return Ok(self.event());
        }
        if let Some(value) = field(&line, b"data") {
            self.add(value)?;
        } else if let Some(value) = field(&line, b"event") {
            self.name = value;
        }
        Ok(None)
    }

    fn add(&mut self, value: Bytes) -> Result<(), OutboundError> {
        let Some(first) = &mut self.data else {
            self.data = Some(value);
            return Ok(());
        };
        let before = first.len() + self.joined.len();
        self.within(before + 1 + value.len())?;
        if self.joined.is_empty() {
            // Empty lines join to a LF, so that this is never empty again.
            self.joined.extend_from_slice(&self.data.replace(Bytes::new()).unwrap_or_default());
        }
        self.joined.extend_from_slice(b"\n");
        self.joined.extend_from_slice(&value);
        Ok(())
    }

    fn event(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let first = self.data.take()?;
        let data = if self.joined.is_empty() { first } else { self.joined.split().freeze() };
        Some(Event { name, data })
    }

    fn within(&self, size: usize) -> Result<(), OutboundError> {
        if size > self.max { Err(OutboundError::EventTooLarge { limit: self.max }) } else { Ok(()) }
    }
}

/// The value of the field `name`, if the line is one.
fn field(line: &Bytes, name: &[u8]) -> Option<Bytes> {
    let rest = line.strip_prefix(name)?;
    match rest {
        [] => Some(Bytes::new()),
        [b':', b' ', ..] => Some(line.slice(name.len() + 2..)),
        [b':', ..] => Some(line.slice(name.len() + 1..)),
        _ => None,
    }
}

/// The events of an answer.
#[derive(Debug)]
pub struct Sse<B = Body> {
    body: Option<B>,
    decoder: Decoder,
}

impl<B> Sse<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    /// Of `body`, whose lines and events have at most `max_line` bytes.
    pub fn new(body: B, max_line: usize) -> Self {
        Self { body: Some(body), decoder: Decoder::new(max_line) }
    }

    /// The next event; none at the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Event, OutboundError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<B> Stream for Sse<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    type Item = Result<Event, OutboundError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            let failed = match this.decoder.next_event() {
                Ok(Some(event)) => return Poll::Ready(Some(Ok(event))),
                Ok(None) => match ready!(Pin::new(body).poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        if let Ok(piece) = frame.into_data() {
                            this.decoder.push(piece);
                        }
                        continue;
                    }
                    Some(Err(error)) => OutboundError::Body(error.to_string()),
                    None => {
                        this.body = None;
                        return Poll::Ready(this.decoder.finish().transpose());
                    }
                },
                Err(error) => error,
            };
            this.body = None;
            return Poll::Ready(Some(Err(failed)));
        }
    }
}
