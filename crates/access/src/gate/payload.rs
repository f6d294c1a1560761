//! What a request to S3 says of its body before the body comes. "Authenticating Requests: Using the Authorization
//! Header" of the S3 API reference, and "Transferring payload in multiple chunks" there.

use super::head::Head;
use crate::AccessError;
use outcrop_wire::sigv4::{EMPTY_BODY, Place, SigningKey, UNSIGNED_BODY};

/// The service of which bodies are too large to be hashed before they are read.
pub(super) const S3: &str = "s3";

const UNSIGNED_CHUNKS: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_CHUNKS_AND_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

/// What the body of a proven request must be.
#[derive(Debug)]
pub enum Payload {
    /// Anything: nobody signed it.
    Unsigned,
    /// What has this SHA-256, in lower-case hexadecimal.
    Hash(String),
    /// Chunks in the framing `aws-chunked`, each of which, and the trailer, carries what the seal makes, if there is one.
    Chunks(Option<Seal>),
}

/// Verifies the signatures of one body's chunks, each of which is made over the one before.
pub struct Seal {
    pub(super) key: SigningKey,
    pub(super) timestamp: String,
    pub(super) scope: String,
    pub(super) previous: String,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// Whether `signature` is that of the next chunk, whose SHA-256 is `hash`.
    pub fn chunk(&mut self, hash: &str, signature: &str) -> bool {
        self.next("AWS4-HMAC-SHA256-PAYLOAD", &format!("{EMPTY_BODY}\n{hash}"), signature)
    }

    /// Whether `signature` is that of the trailer, whose lines have the SHA-256 `hash`.
    pub fn trailer(&mut self, hash: &str, signature: &str) -> bool {
        self.next("AWS4-HMAC-SHA256-TRAILER", hash, signature)
    }

    fn next(&mut self, algorithm: &str, hashes: &str, signature: &str) -> bool {
        let text = format!("{algorithm}\n{}\n{}\n{}\n{hashes}", self.timestamp, self.scope, self.previous);
        let expected = self.key.sign(text.as_bytes());
        self.previous = expected.to_string();
        expected.matches(signature)
    }
}

impl Payload {
    /// What a declaration means; chunks are held against `seal` where they are signed.
    pub(super) fn of(declared: &str, seal: Option<Seal>) -> Result<Self, AccessError> {
        match declared {
            UNSIGNED_BODY => Ok(Self::Unsigned),
            UNSIGNED_CHUNKS => Ok(Self::Chunks(None)),
            SIGNED_CHUNKS | SIGNED_CHUNKS_AND_TRAILER => Ok(Self::Chunks(seal)),
            hash if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Self::Hash(hash.to_ascii_lowercase()))
            }
            _ => Err(AccessError::Malformed("x-amz-content-sha256 is neither a hash nor a word that is known here")),
        }
    }
}

/// What stands for the body in the signature.
pub(super) fn declared<'a>(head: &Head<'a>, place: Place) -> Result<&'a str, AccessError> {
    match (head.header("x-amz-content-sha256"), place) {
        (Some(declared), _) => Ok(declared),
        (None, Place::Query) => Ok(UNSIGNED_BODY),
        (None, Place::Header) => Err(AccessError::Malformed("there is no x-amz-content-sha256 header")),
    }
}
