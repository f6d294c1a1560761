//! Reading AWS's shapes from the client's side: what breaks a constraint is taken as it is.

use outcrop_wire::decode::{self, Problems, Unreadable};
use outcrop_wire::shape::Structure;

/// The structure that `body` tells.
pub(super) fn read<T: Structure + Default>(body: &[u8]) -> Result<T, Unreadable> {
    let mut into = T::default();
    decode::body(body, &mut into, &mut Problems::default())?;
    Ok(into)
}

/// The union whose member is `name`: an event, whose name stands beside its payload.
pub(super) fn event<T: Structure + Default>(name: &str, payload: &[u8]) -> Result<T, Unreadable> {
    let mut body = Vec::with_capacity(name.len() + payload.len() + 5);
    body.extend_from_slice(b"{\"");
    body.extend(name.bytes().filter(u8::is_ascii_alphanumeric));
    body.extend_from_slice(b"\":");
    body.extend_from_slice(if payload.is_empty() { b"{}" } else { payload });
    body.push(b'}');
    read(&body)
}
