//! What buckets and objects may be called.

use crate::{BucketError, Result};

/// The longest key, in bytes.
pub const LONGEST_KEY: usize = 1024;

/// S3's rule ("General purpose bucket naming rules"), which also keeps names from being paths.
pub fn is_bucket(name: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    (3..=63).contains(&name.len())
        && name.bytes().all(inner)
        && edge(name.bytes().next())
        && edge(name.bytes().last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

/// Whether a text can be a key at all.
pub(crate) fn check_key(key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(BucketError::Invalid("A key has at least one character.".into()));
    }
    if key.len() > LONGEST_KEY {
        let text = format!("Your key is too long: {} bytes, of at most {LONGEST_KEY}.", key.len());
        return Err(BucketError::Sent { code: "KeyTooLongError", text });
    }
    Ok(())
}
