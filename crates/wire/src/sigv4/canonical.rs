//! The canonical request: the one text that client and server must both arrive at.

use super::{ALGORITHM, Scope, Signature, SigningKey};
use std::borrow::Cow;

/// A request as received: nothing decoded, nothing normalised.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// The raw path, percent-encoding and all.
    pub path: &'a str,
    /// The raw query without its `?`; empty if there is none.
    pub query: &'a str,
    /// Names in any case and raw values, in the order received. HTTP/2's `:authority` counts as a header: the
    /// JavaScript SDK signs it in place of `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Request<'a> {
    /// The first name in `signed_headers` (joined by `;`) that this request does not have.
    pub fn missing_header<'n>(&self, signed_headers: &'n str) -> Option<&'n str> {
        signed_headers.split(';').find(|name| self.values(name).next().is_none())
    }

    /// The values of a header, in the order received.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Where the signature is: a presigned query signs itself but for the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the `Authorization` header.
    Header,
    /// In the query.
    Query,
}

/// How the path goes into the canonical request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathRule {
    /// Every service but S3: empty and dot segments dropped, then encoded once more.
    Normal,
    /// Encoded once more as it is; some clients do not normalise.
    AsSent,
    /// Only S3: encoded once, so that a received path comes out as it was.
    S3,
}

/// Everything that a signature covers.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'a> {
    /// What was received.
    pub request: Request<'a>,
    /// Lower-case names joined by `;`, in the signer's order.
    pub signed_headers: &'a str,
    /// The body's SHA-256 in lower-case hexadecimal, or one of the words that stand in its place.
    pub payload: &'a str,
    /// `YYYYMMDDTHHMMSSZ`.
    pub timestamp: &'a str,
    /// What the key was derived for.
    pub scope: Scope<'a>,
    /// Where the signature is.
    pub place: Place,
    /// How the path is written.
    pub path_rule: PathRule,
}

impl ToSign<'_> {
    /// The canonical request. Bytes, because header values need not be UTF-8.
    pub fn canonical_request(&self) -> Vec<u8> {
        let request = &self.request;
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(request.method.as_bytes());
        out.push(b'\n');
        path(&mut out, request.path, self.path_rule);
        out.push(b'\n');
        query(&mut out, request.query, self.place);
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            out.extend_from_slice(name.as_bytes());
            let mut separator = b':';
            for value in request.values(name) {
                out.push(separator);
                trimmed(&mut out, value);
                separator = b',';
            }
            if separator == b':' {
                out.push(b':');
            }
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload.as_bytes());
        out
    }

    /// The text that the key signs.
    pub fn string_to_sign(&self) -> String {
        let hash = super::sha256_hex(&self.canonical_request());
        format!("{ALGORITHM}\n{}\n{}\n{hash}", self.timestamp, self.scope)
    }

    /// The signature under `key`.
    pub fn sign(&self, key: &SigningKey) -> Signature {
        key.sign(self.string_to_sign().as_bytes())
    }

    /// Whether `signature` (hexadecimal) is the one under `key`, in time that does not depend on where they
    /// differ.
    pub fn verify(&self, key: &SigningKey, signature: &str) -> bool {
        self.sign(key).matches(signature)
    }
}

fn path(out: &mut Vec<u8>, path: &str, rule: PathRule) {
    match rule {
        // An empty path is `/` to every client.
        _ if path.is_empty() => out.push(b'/'),
        PathRule::Normal if path.contains("//") || path.contains("/.") => encode(out, normal(path).as_bytes(), b'/'),
        PathRule::Normal | PathRule::AsSent => encode(out, path.as_bytes(), b'/'),
        PathRule::S3 => {
            // Segments are decoded one by one, so that `%2F` stays apart from `/`.
            for (at, segment) in path.split('/').enumerate() {
                if at > 0 {
                    out.push(b'/');
                }
                encode(out, &percent_decode(segment.as_bytes(), false), b'-');
            }
        }
    }
}

/// The path without empty and dot segments, by the rule that botocore and the SDKs share: an end in `/` stays.
fn normal(path: &str) -> String {
    let mut kept = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let end = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

fn query(out: &mut Vec<u8>, query: &str, place: Place) {
    let mut sorted = Vec::new();
    for (name, value) in pairs(query) {
        if place == Place::Query && name == "X-Amz-Signature" {
            continue;
        }
        // Decoded and encoded anew: `a`, `a=` and `%61=` are one to every client.
        let mut pair = (Vec::with_capacity(name.len()), Vec::with_capacity(value.len()));
        encode(&mut pair.0, &percent_decode(name.as_bytes(), true), b'-');
        encode(&mut pair.1, &percent_decode(value.as_bytes(), true), b'-');
        sorted.push(pair);
    }
    // By name, then value; sorting the joined text would put `a-b=` before `a=`.
    sorted.sort_unstable();
    for (at, (name, value)) in sorted.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// The raw names and values of a query.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// A name or value of a query as text; bytes that are not UTF-8 become U+FFFD, which no credential holds.
pub(super) fn decode_component(raw: &str) -> Cow<'_, str> {
    match percent_decode(raw.as_bytes(), true) {
        Cow::Borrowed(_) => Cow::Borrowed(raw),
        Cow::Owned(bytes) => {
            Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
        }
    }
}

/// Percent-decoding; a `%` without two digits stays. In a query `+` is a space, as every client's own
/// canonical form has it.
fn percent_decode(raw: &[u8], plus: bool) -> Cow<'_, [u8]> {
    if !raw.iter().any(|b| *b == b'%' || (plus && *b == b'+')) {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        rest = match rest {
            [] => return Cow::Owned(out),
            [b'+', tail @ ..] if plus => {
                out.push(b' ');
                tail
            }
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(digit(*high) << 4 | digit(*low));
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

/// The value of a hexadecimal digit.
pub(super) fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte & 0x0f) + 9,
    }
}

/// Percent-encodes all but the unreserved characters and `keep`.
pub(super) fn encode(out: &mut Vec<u8>, bytes: &[u8], keep: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') || byte == keep {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// A header's value without space at its ends, inner runs of space as one.
fn trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}
