//! Reading frames as they arrive, within bounds that the sender cannot stretch.

use super::{MAX_HEADERS, MAX_PAYLOAD, PRELUDE, TRAILER, Value};

/// More headers than any frame in use has; it bounds the search for duplicates.
const MAX_COUNT: usize = 256;

/// Why bytes are not a stream of frames. After the first error the decoder gives it again: past a wrong
/// length nothing can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The CRC over the two lengths is wrong.
    #[error("the prelude checksum of an event-stream frame does not match")]
    PreludeChecksum,
    /// The CRC over the whole frame is wrong.
    #[error("the message checksum of an event-stream frame does not match")]
    MessageChecksum,
    /// The lengths contradict each other or are over the bounds.
    #[error("the lengths of an event-stream frame are out of bounds")]
    Length,
    /// A header is cut off, has an unknown type, an empty or repeated name, or text that is not UTF-8.
    #[error("a header of an event-stream frame is malformed")]
    Header,
}

/// Takes bytes in pieces of any size and gives frames.
///
/// ```
/// # use outcrop_wire::eventstream::{Decoder, event};
/// let mut bytes = Vec::new();
/// event(&mut bytes, "messageStart", "application/json", b"{}").unwrap();
/// let mut decoder = Decoder::new();
/// decoder.feed(&bytes);
/// while let Some(message) = decoder.next().unwrap() {
///     assert_eq!(message.text(":event-type"), Some("messageStart"));
/// }
/// ```
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    max_payload: usize,
    failed: Option<DecodeError>,
}

/// One frame, lying in the decoder's buffer. Its headers have been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    headers: &'a [u8],
    /// The bytes after the headers, JSON in all Bedrock's streams.
    pub payload: &'a [u8],
}

/// The headers of a frame in the order sent.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl Decoder {
    /// A decoder that accepts what every client accepts.
    pub fn new() -> Self {
        Self::with_max_payload(MAX_PAYLOAD)
    }

    /// A decoder that refuses a frame with more payload than this, before it is buffered.
    pub fn with_max_payload(max_payload: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, max_payload, failed: None }
    }

    /// Adds bytes as they came. What is held is at most one unfinished frame and what was fed since the last
    /// [`Decoder::next`] that gave `None`.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more is fed.
    // Not an `Iterator`: the frame borrows from the decoder.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Message<'_>>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match split(&self.buffer[self.start..], self.max_payload) {
            Ok(None) => Ok(None),
            Ok(Some((message, length))) => {
                self.start += length;
                Ok(Some(message))
            }
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// True where the bytes so far end with a whole frame: a stream that stops elsewhere was cut off.
    pub fn is_at_boundary(&self) -> bool {
        self.failed.is_none() && self.start == self.buffer.len()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Message<'a> {
    /// The headers in the order sent.
    pub fn headers(&self) -> Headers<'a> {
        Headers { rest: self.headers }
    }

    /// The header of this name.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The header of this name, if it is text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value, rest) = header(self.rest)?;
        self.rest = rest;
        Some((name, value))
    }
}

/// The first frame of `bytes` and its length, `None` if it is not all there.
fn split(bytes: &[u8], max_payload: usize) -> Result<Option<(Message<'_>, usize)>, DecodeError> {
    let Some((prelude, _)) = bytes.split_first_chunk::<PRELUDE>() else { return Ok(None) };
    let [a, b, c, d, e, f, g, h, crc @ ..] = *prelude;
    if crc32fast::hash(&prelude[..8]) != u32::from_be_bytes(crc) {
        return Err(DecodeError::PreludeChecksum);
    }
    let total = u32::from_be_bytes([a, b, c, d]) as usize;
    let headers_length = u32::from_be_bytes([e, f, g, h]) as usize;
    let overhead = PRELUDE + TRAILER;
    if headers_length > MAX_HEADERS || total < overhead + headers_length {
        return Err(DecodeError::Length);
    }
    if total - overhead - headers_length > max_payload {
        return Err(DecodeError::Length);
    }
    let Some(frame) = bytes.get(..total) else { return Ok(None) };
    let (body, crc) = frame.split_at(total - TRAILER);
    if crc32fast::hash(body).to_be_bytes() != crc {
        return Err(DecodeError::MessageChecksum);
    }
    let (headers, payload) = body[PRELUDE..].split_at(headers_length);
    check(headers)?;
    Ok(Some((Message { headers, payload }, total)))
}

/// Whether `headers` is a row of well-formed headers, no name twice.
fn check(headers: &[u8]) -> Result<(), DecodeError> {
    let mut rest = headers;
    let mut count = 0;
    while !rest.is_empty() {
        let (name, _, after) = header(rest).ok_or(DecodeError::Header)?;
        let before = &headers[..headers.len() - rest.len()];
        count += 1;
        if count > MAX_COUNT || (Headers { rest: before }).any(|(known, _)| known == name) {
            return Err(DecodeError::Header);
        }
        rest = after;
    }
    Ok(())
}

/// The first header of `bytes` and what follows it.
fn header(bytes: &[u8]) -> Option<(&str, Value<'_>, &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(length))?;
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    let (&kind, rest) = rest.split_first()?;
    let (value, rest) = match kind {
        0 => (Value::Bool(true), rest),
        1 => (Value::Bool(false), rest),
        2 => fixed(rest, |v| Value::Byte(i8::from_be_bytes(v)))?,
        3 => fixed(rest, |v| Value::Short(i16::from_be_bytes(v)))?,
        4 => fixed(rest, |v| Value::Int(i32::from_be_bytes(v)))?,
        5 => fixed(rest, |v| Value::Long(i64::from_be_bytes(v)))?,
        6 => sized(rest).map(|(v, rest)| (Value::Bytes(v), rest))?,
        7 => {
            let (text, rest) = sized(rest)?;
            (Value::Text(std::str::from_utf8(text).ok()?), rest)
        }
        8 => fixed(rest, |v| Value::Timestamp(i64::from_be_bytes(v)))?,
        9 => fixed(rest, Value::Uuid)?,
        _ => return None,
    };
    Some((name, value, rest))
}

fn fixed<const N: usize>(bytes: &[u8], value: impl FnOnce([u8; N]) -> Value<'static>) -> Option<(Value<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    Some((value(*head), rest))
}

fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
