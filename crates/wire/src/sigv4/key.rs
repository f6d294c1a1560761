//! Derived keys and signatures.

use super::canonical::digit;
use super::{Scope, TERMINATOR};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// A key derived from a secret for one day, Region and service. Its `Debug` says nothing.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl SigningKey {
    /// The key for `scope` under a secret access key.
    pub fn derive(secret: &str, scope: Scope<'_>) -> Self {
        let date = hmac(&[b"AWS4", secret.as_bytes()].concat(), scope.date.as_bytes());
        let region = hmac(&date, scope.region.as_bytes());
        let service = hmac(&region, scope.service.as_bytes());
        Self(hmac(&service, TERMINATOR.as_bytes()))
    }

    /// Signs any text; [`super::ToSign::sign`] says which.
    pub fn sign(&self, text: &[u8]) -> Signature {
        Signature(hmac(&self.0, text))
    }
}

/// A signature; displays as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub struct Signature([u8; 32]);

impl Signature {
    /// Whether `claimed` says the same, compared in constant time.
    pub fn matches(&self, claimed: &str) -> bool {
        let claimed = claimed.as_bytes();
        if claimed.len() != 64 || !claimed.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(claimed.chunks_exact(2)) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        self.0.ct_eq(&bytes).into()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// SHA-256 as lower-case hexadecimal, the form in which bodies are signed.
pub fn sha256_hex(bytes: &[u8]) -> String {
    // By hand: the formatting machinery takes longer over it than the hash of a short text.
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
    out
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // `new_from_slice` takes any length: HMAC hashes longer keys. The error is unreachable, and a key of zeros
    // would verify nothing that was signed with the real one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}
