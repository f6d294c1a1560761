//! The envelope: bytes sealed by a key of their own, which is itself wrapped by a named key.
//!
//! ```text
//! record    version 1 | wrap 80 | ciphertext and tag
//! wrap      key id 8 | nonce 24 | wrapped data key and tag 48
//! ```
//!
//! Both layers are XChaCha20-Poly1305. A data key seals one record, or one blob's pieces, once, so its nonces are
//! counted from 0; wraps have random nonces, which 24 bytes make safe without counting. What a wrap is for (its
//! [`Address`]) is authenticated with it: a ciphertext that is moved to another address does not open. Changing the
//! named key rewrites the wrap only.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::keys::{Key, random};
use crate::{Error, KeyId, Result};

/// The format that is written.
pub(crate) const VERSION: u8 = 1;
/// Bytes of a wrap.
pub(crate) const WRAP: usize = 8 + 24 + 32 + TAG;
/// Bytes of an authenticator.
pub(crate) const TAG: usize = 16;

/// What is sealed, and where it belongs.
pub(crate) struct Address(Vec<u8>);

impl Address {
    /// Parts with their lengths, so that no two addresses read the same.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut bytes = vec![VERSION];
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(bytes)
    }
}

/// A key that seals one record or one blob.
pub(crate) struct DataKey {
    bytes: Zeroizing<[u8; 32]>,
    cipher: XChaCha20Poly1305,
}

impl DataKey {
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        random(&mut *bytes)?;
        Ok(Self::new(bytes))
    }

    fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        let cipher = XChaCha20Poly1305::new((&*bytes).into());
        Self { bytes, cipher }
    }

    /// Seals piece `index`. That the last one is marked is what shows a missing end, and its number a changed order
    /// (the STREAM construction).
    pub(crate) fn seal(&self, index: u64, last: bool, plain: &[u8]) -> Result<Vec<u8>> {
        self.cipher.encrypt(&piece(index, last), plain).map_err(|_| failed("sealing"))
    }

    /// Opens piece `index`; nothing where it is not what was sealed there.
    pub(crate) fn open(&self, index: u64, last: bool, sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&piece(index, last), sealed).ok()
    }

    pub(crate) fn wrap(&self, key: &Key, address: &Address) -> Result<[u8; WRAP]> {
        let mut nonce = [0; 24];
        random(&mut nonce)?;
        let aad = wrap_aad(key.id, address);
        let payload = Payload { msg: &self.bytes[..], aad: &aad };
        let cipher = XChaCha20Poly1305::new(key.bytes().into());
        let wrapped = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| failed("wrapping a key"))?;
        let mut wrap = [0; WRAP];
        wrap[..8].copy_from_slice(&key.id.0);
        wrap[8..32].copy_from_slice(&nonce);
        wrap[32..].copy_from_slice(&wrapped);
        Ok(wrap)
    }

    /// Nothing where the wrap is not this key's and this address's.
    pub(crate) fn unwrap(wrap: &[u8; WRAP], key: &Key, address: &Address) -> Option<Self> {
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&wrap[8..32]);
        let aad = wrap_aad(key.id, address);
        let payload = Payload { msg: &wrap[32..], aad: &aad };
        let cipher = XChaCha20Poly1305::new(key.bytes().into());
        let bytes = Zeroizing::new(cipher.decrypt(&XNonce::from(nonce), payload).ok()?);
        Some(Self::new(Zeroizing::new(<[u8; 32]>::try_from(&bytes[..]).ok()?)))
    }
}

/// The id of the key that a wrap needs.
pub(crate) fn wrapped_by(wrap: &[u8; WRAP]) -> KeyId {
    let mut id = [0; 8];
    id.copy_from_slice(&wrap[..8]);
    KeyId(id)
}

fn piece(index: u64, last: bool) -> XNonce {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&index.to_be_bytes());
    nonce[8] = u8::from(last);
    XNonce::from(nonce)
}

fn wrap_aad(id: KeyId, address: &Address) -> Vec<u8> {
    [&id.0[..], &address.0].concat()
}

fn failed(doing: &str) -> Error {
    Error::Io { context: doing.to_owned(), reason: "the cipher refused".to_owned() }
}

/// A sealed record, taken apart.
struct Envelope<'a> {
    wrap: &'a [u8; WRAP],
    sealed: &'a [u8],
}

fn read(envelope: &[u8]) -> Result<Envelope<'_>, &'static str> {
    let (version, rest) = envelope.split_first().ok_or("it is empty")?;
    if *version != VERSION {
        return Err("its format is not one that this version knows");
    }
    let (wrap, sealed) = rest.split_first_chunk().ok_or("it is cut off")?;
    if sealed.len() < TAG {
        return Err("it is cut off");
    }
    Ok(Envelope { wrap, sealed })
}

/// The id of the key that an envelope needs. [`Error::Sealed`] where it is none.
pub fn envelope_key(envelope: &[u8]) -> Result<KeyId> {
    let envelope = read(envelope).map_err(|reason| unreadable("an envelope", reason))?;
    Ok(wrapped_by(envelope.wrap))
}

pub(crate) fn unreadable(what: &str, reason: &str) -> Error {
    Error::Sealed { what: what.to_owned(), reason: reason.to_owned() }
}

/// Seals a record.
pub(crate) fn seal(key: &Key, address: &Address, plain: &[u8]) -> Result<Vec<u8>> {
    let data = DataKey::generate()?;
    let (wrap, sealed) = (data.wrap(key, address)?, data.seal(0, true, plain)?);
    let mut envelope = Vec::with_capacity(1 + WRAP + sealed.len());
    envelope.push(VERSION);
    envelope.extend_from_slice(&wrap);
    envelope.extend_from_slice(&sealed);
    Ok(envelope)
}

/// Opens a record; `what` names it in the error.
pub(crate) fn open(
    envelope: &[u8],
    address: &Address,
    what: &str,
    key: impl FnOnce(KeyId) -> Result<Arc<Key>>,
) -> Result<Vec<u8>> {
    let Envelope { wrap, sealed } = read(envelope).map_err(|reason| unreadable(what, reason))?;
    let key = key(wrapped_by(wrap))?;
    let data = DataKey::unwrap(wrap, &key, address);
    let plain = data.and_then(|data| data.open(0, true, sealed));
    plain.ok_or_else(|| unreadable(what, "it was altered, or moved from another place"))
}

/// The same record with its data key wrapped by another named key.
pub(crate) fn rewrap(envelope: &[u8], address: &Address, what: &str, old: &Key, new: &Key) -> Result<Vec<u8>> {
    let Envelope { wrap, sealed } = read(envelope).map_err(|reason| unreadable(what, reason))?;
    let data = DataKey::unwrap(wrap, old, address);
    let data = data.ok_or_else(|| unreadable(what, "it was altered, or moved from another place"))?;
    let mut again = vec![VERSION];
    again.extend_from_slice(&data.wrap(new, address)?);
    again.extend_from_slice(sealed);
    Ok(again)
}
