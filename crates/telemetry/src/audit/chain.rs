//! The chain: what makes a line part of it, and what a line must be to be one.
//!
//! A line is a JSON object whose last two members are `chain` (node, sequence, the hash of the line before) and
//! `hash`: the SHA-256 of all bytes of the line before `,"hash"`.

use std::io::Write;

use memchr::memmem;
use sha2::{Digest, Sha256};

const HASH: &[u8] = b",\"hash\":\"";
const CHAIN: &[u8] = b",\"chain\":{\"node\":\"";
const SEQUENCE: &[u8] = b"\",\"sequence\":";
const PREVIOUS: &[u8] = b",\"previous\":\"";
/// `,"hash":"`, 64 digits, `"}`.
const TAIL: usize = HASH.len() + 64 + 2;

/// A SHA-256, in hexadecimal digits.
pub type Hash = [u8; 64];

/// The end of a chain as far as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The sequence number of the last line; 0 before the first.
    pub sequence: u64,
    /// Its hash; before the first, that of the node's name, so that no two chains have a line in common.
    pub hash: Hash,
}

/// What a line says of its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose chain.
    pub node: String,
    /// Its place in it, from 1.
    pub sequence: u64,
    /// The hash of the line before.
    pub previous: Hash,
    /// Its own.
    pub hash: Hash,
}

impl Head {
    /// Before the first line of `node`.
    pub fn of(node: &str) -> Self {
        Self { sequence: 0, hash: hex(node.as_bytes()) }
    }

    /// Makes the open object at `out[start..]` the next line: `{"a":1` becomes a whole line with its link.
    pub fn seal(&mut self, node: &str, out: &mut Vec<u8>, start: usize) {
        self.sequence += 1;
        out.extend_from_slice(CHAIN);
        out.extend_from_slice(node.as_bytes());
        out.extend_from_slice(SEQUENCE);
        // Writing to memory cannot fail.
        let _ = write!(out, "{}", self.sequence);
        out.extend_from_slice(PREVIOUS);
        out.extend_from_slice(&self.hash);
        out.extend_from_slice(b"\"}");
        self.hash = hex(&out[start..]);
        out.extend_from_slice(HASH);
        out.extend_from_slice(&self.hash);
        out.extend_from_slice(b"\"}\n");
    }
}

/// Reads a line's link and proves its hash; otherwise says what is wrong with it.
pub fn check(line: &[u8]) -> Result<Link, &'static str> {
    let body = line.len().checked_sub(TAIL).ok_or("it is too short to be a record")?;
    let (body, tail) = line.split_at(body);
    let hash =
        tail.strip_prefix(HASH).and_then(|tail| tail.strip_suffix(b"\"}")).ok_or("it does not end in its hash")?;
    let link = memmem::rfind(body, CHAIN).ok_or("it has no place in the chain")?;
    let link = &body[link + CHAIN.len()..];
    let read = || {
        let sequence = memmem::find(link, SEQUENCE)?;
        let rest = &link[sequence + SEQUENCE.len()..];
        let previous = memmem::find(rest, PREVIOUS)?;
        let number = std::str::from_utf8(&rest[..previous]).ok()?.parse().ok().filter(|number| *number > 0)?;
        let previous: Hash = rest[previous + PREVIOUS.len()..].strip_suffix(b"\"}")?.try_into().ok()?;
        let node = std::str::from_utf8(&link[..sequence]).ok()?.to_owned();
        Some(Link { node, sequence: number, previous, hash: hash.try_into().ok()? })
    };
    let link = read().ok_or("its place in the chain cannot be read")?;
    if hex(body) != link.hash {
        return Err("it was altered: its hash is another");
    }
    Ok(link)
}

/// The SHA-256 of `bytes`.
pub fn hex(bytes: &[u8]) -> Hash {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 64];
    for (pair, byte) in out.chunks_exact_mut(2).zip(Sha256::digest(bytes)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out
}

/// A hash as text.
pub fn shown(hash: &Hash) -> &str {
    std::str::from_utf8(hash).unwrap_or_default()
}
