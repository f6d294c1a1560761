//! Frames of `application/vnd.amazon.eventstream`, the form of every streamed answer.
//!
//! A frame is `total length | headers length | CRC of those 8 bytes | headers | payload | CRC of all before`,
//! all integers big-endian. Clients check both CRCs: one wrong bit ends their call.
//! [`event`] and [`exception`] append a whole frame; [`Decoder`] takes bytes as they arrive.

mod decode;
#[cfg(test)]
mod tests;

pub use decode::{DecodeError, Decoder, Headers, Message};

/// Bytes before the headers: two lengths and their CRC.
const PRELUDE: usize = 12;
/// Bytes after the payload.
const TRAILER: usize = 4;
/// The most bytes all headers of a frame may take; botocore and the SDKs refuse more.
pub const MAX_HEADERS: usize = 128 * 1024;
/// The most payload that every client in use accepts (older botocore and aws-c-event-stream stop here).
pub const MAX_PAYLOAD: usize = 16 * 1024 * 1024;
/// The longest string or byte array that fits a header.
const MAX_VALUE: usize = i16::MAX as usize;

/// A header's value; the variants are the ten types of the format (the two booleans are one variant).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Types 0 (true) and 1 (false).
    Bool(bool),
    /// Type 2.
    Byte(i8),
    /// Type 3.
    Short(i16),
    /// Type 4.
    Int(i32),
    /// Type 5.
    Long(i64),
    /// Type 6, at most 32,767 bytes.
    Bytes(&'a [u8]),
    /// Type 7, at most 32,767 bytes.
    Text(&'a str),
    /// Type 8: milliseconds since the epoch.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

/// Why a frame cannot be written. The names of Bedrock's own events never cause one; a payload may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A header's name is empty or longer than its one length byte can say.
    #[error("an event-stream header name must have 1 to 255 bytes")]
    Name,
    /// A header's value is longer than the format admits.
    #[error("an event-stream header value must have at most 32767 bytes")]
    Value,
    /// The headers together are larger than clients accept.
    #[error("the headers of an event-stream frame must have at most 131072 bytes")]
    Headers,
    /// The payload is larger than clients accept.
    #[error("the payload of an event-stream frame must have at most 16777216 bytes")]
    Payload,
}

/// Appends a frame with `headers` and `payload` to `out`; on an error `out` is as it was.
pub fn encode(out: &mut Vec<u8>, headers: &[(&str, Value<'_>)], payload: &[u8]) -> Result<(), EncodeError> {
    out.reserve(PRELUDE + 96 + payload.len() + TRAILER);
    encode_with(out, headers, |out| out.extend_from_slice(payload))
}

/// Appends a frame whose payload `write` appends, so that a serializer needs no buffer of its own.
/// `write` must only append.
pub fn encode_with(
    out: &mut Vec<u8>,
    headers: &[(&str, Value<'_>)],
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), EncodeError> {
    let start = out.len();
    let done = frame(out, start, headers, write);
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// Appends the frame of one event: `name` is the event member, as in `contentBlockDelta`.
pub fn event(out: &mut Vec<u8>, name: &str, content_type: &str, payload: &[u8]) -> Result<(), EncodeError> {
    let headers = [
        (":event-type", Value::Text(name)),
        (":content-type", Value::Text(content_type)),
        (":message-type", Value::Text("event")),
    ];
    encode(out, &headers, payload)
}

/// Appends the frame of an error in mid-stream: `name` is the member, lower camel as in `throttlingException`,
/// and `payload` its JSON.
pub fn exception(out: &mut Vec<u8>, name: &str, payload: &[u8]) -> Result<(), EncodeError> {
    let headers = [
        (":exception-type", Value::Text(name)),
        (":content-type", Value::Text("application/json")),
        (":message-type", Value::Text("exception")),
    ];
    encode(out, &headers, payload)
}

fn frame(
    out: &mut Vec<u8>,
    start: usize,
    headers: &[(&str, Value<'_>)],
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), EncodeError> {
    out.extend_from_slice(&[0; PRELUDE]);
    for (name, value) in headers {
        header(out, name, *value)?;
    }
    let headers_length = out.len() - start - PRELUDE;
    if headers_length > MAX_HEADERS {
        return Err(EncodeError::Headers);
    }
    write(out);
    if out.len() - start - PRELUDE - headers_length > MAX_PAYLOAD {
        return Err(EncodeError::Payload);
    }
    // Both lengths fit: the bounds above are far below u32::MAX.
    let total = (out.len() - start + TRAILER) as u32;
    out[start..start + 4].copy_from_slice(&total.to_be_bytes());
    out[start + 4..start + 8].copy_from_slice(&(headers_length as u32).to_be_bytes());
    let crc = crc32fast::hash(&out[start..start + 8]);
    out[start + 8..start + 12].copy_from_slice(&crc.to_be_bytes());
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&crc.to_be_bytes());
    Ok(())
}

fn header(out: &mut Vec<u8>, name: &str, value: Value<'_>) -> Result<(), EncodeError> {
    let length = u8::try_from(name.len()).map_err(|_| EncodeError::Name)?;
    if length == 0 {
        return Err(EncodeError::Name);
    }
    out.push(length);
    out.extend_from_slice(name.as_bytes());
    match value {
        Value::Bool(true) => out.push(0),
        Value::Bool(false) => out.push(1),
        Value::Byte(v) => fixed(out, 2, &v.to_be_bytes()),
        Value::Short(v) => fixed(out, 3, &v.to_be_bytes()),
        Value::Int(v) => fixed(out, 4, &v.to_be_bytes()),
        Value::Long(v) => fixed(out, 5, &v.to_be_bytes()),
        Value::Bytes(v) => sized(out, 6, v)?,
        Value::Text(v) => sized(out, 7, v.as_bytes())?,
        Value::Timestamp(v) => fixed(out, 8, &v.to_be_bytes()),
        Value::Uuid(v) => fixed(out, 9, &v),
    }
    Ok(())
}

fn fixed(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(bytes);
}

fn sized(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) -> Result<(), EncodeError> {
    if bytes.len() > MAX_VALUE {
        return Err(EncodeError::Value);
    }
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
