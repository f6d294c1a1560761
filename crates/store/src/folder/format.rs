//! A blob's file.
//!
//! ```text
//! in clear   "outcrop blob 1\n" | 0 | content
//! sealed     "outcrop blob 1\n" | 1 | wrap 80 | wrap 80 | pieces
//! piece      64 KiB of content, sealed, and its tag 16; the last one is shorter, perhaps empty
//! ```
//!
//! One of the two wraps is in use and the other is zero. A rotation writes the free one, syncs, then wipes the
//! other: at no moment is the data key lost, and no content is sealed again. See [`crate::seal`] for wraps and pieces.

use std::io::{self, Read};

use crate::seal::{Address, DataKey, TAG, WRAP, wrapped_by};
use crate::{Error, KeyId, Result};

/// Content in a piece.
pub(super) const PIECE: usize = 64 * 1024;
/// How every blob begins.
const MAGIC: &[u8; 15] = b"outcrop blob 1\n";
/// Bytes before the content of a blob in clear.
pub(super) const CLEAR: usize = MAGIC.len() + 1;
/// Bytes before the pieces of a sealed blob.
pub(super) const SEALED: usize = CLEAR + 2 * WRAP;

/// What a blob's file begins with.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Header {
    Clear,
    Sealed([[u8; WRAP]; 2]),
}

impl Header {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        match self {
            Self::Clear => bytes.push(0),
            Self::Sealed(wraps) => {
                bytes.push(1);
                bytes.extend_from_slice(wraps.as_flattened());
            }
        }
        bytes
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Clear => CLEAR,
            Self::Sealed(_) => SEALED,
        }
    }

    /// Reads the header of a file, blocking.
    pub(super) fn read(file: &mut impl Read) -> io::Result<Self> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it does not begin as a blob does");
        let mut first = [0; CLEAR];
        file.read_exact(&mut first)?;
        match first.split_last() {
            Some((0, magic)) if magic == MAGIC => Ok(Self::Clear),
            Some((1, magic)) if magic == MAGIC => {
                let mut wraps = [[0; WRAP]; 2];
                file.read_exact(wraps.as_flattened_mut())?;
                Ok(Self::Sealed(wraps))
            }
            _ => Err(wrong()),
        }
    }

    /// The keys that it is wrapped by: one, or two in the middle of a rotation.
    pub(super) fn keys(&self) -> Vec<KeyId> {
        match self {
            Self::Clear => Vec::new(),
            Self::Sealed(wraps) => wraps.iter().filter(|wrap| is_used(wrap)).map(wrapped_by).collect(),
        }
    }

    /// How much content a file of that length holds.
    pub(super) fn content_size(&self, file: u64) -> Result<u64, &'static str> {
        let body = file.checked_sub(self.len() as u64).ok_or("it is cut off")?;
        if *self == Self::Clear {
            return Ok(body);
        }
        let (piece, tag) = ((PIECE + TAG) as u64, TAG as u64);
        let (whole, rest) = (body / piece, body % piece);
        // The last piece is always a short one.
        let rest = rest.checked_sub(tag).ok_or("it is cut off")?;
        Ok(whole * PIECE as u64 + rest)
    }
}

pub(super) fn is_used(wrap: &[u8; WRAP]) -> bool {
    wrap.iter().any(|byte| *byte != 0)
}

/// What a blob's wraps are bound to: the digest of its key, which is the name of its file.
pub(super) fn address(digest: &str) -> Address {
    Address::of(&[b"blob", digest.as_bytes()])
}

/// The data key of a sealed blob.
pub(super) fn data_key(
    wraps: &[[u8; WRAP]; 2],
    digest: &str,
    key: impl Fn(KeyId) -> Result<std::sync::Arc<crate::keys::Key>>,
) -> Result<DataKey> {
    let mut missing = None;
    for wrap in wraps.iter().filter(|wrap| is_used(wrap)) {
        match key(wrapped_by(wrap)) {
            Ok(key) => {
                if let Some(data) = DataKey::unwrap(wrap, &key, &address(digest)) {
                    return Ok(data);
                }
            }
            Err(error) => missing = Some(error),
        }
    }
    let reason = "it was altered, or moved from another place".to_owned();
    Err(missing.unwrap_or_else(|| Error::Sealed { what: format!("the blob {digest}"), reason }))
}
