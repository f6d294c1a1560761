//! Reading a request body whole, within bounds of size, time and memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::body::{Body, BodyError};

/// What must arrive in every `body_timeout`: below it a client is holding memory, not sending.
const LEAST_PROGRESS: usize = 8 * 1024;
/// Memory is taken as bytes arrive and in steps of this size, not by what a Content-Length promises: otherwise a
/// handful of idle connections could reserve all of it.
const STEP: usize = 64 * 1024;

/// Reads `body` whole: at most `limit` bytes, and in every `body_timeout` either its end or some kilobytes of it.
/// A Content-Length over the limit is refused before a byte is read.
pub async fn collect(mut body: Body, limit: usize, body_timeout: Duration) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge { limit });
    }
    let mut held = Held { bytes: Vec::new(), memory: None };
    let memory = body.origin.as_ref().map(|origin| origin.memory.clone());
    let mut deadline = Instant::now() + body_timeout;
    let mut due = LEAST_PROGRESS;
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(BodyError::TooSlow),
            Ok(None) => break,
            Ok(Some(frame)) => frame?,
        };
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - held.bytes.len() {
            return Err(BodyError::TooLarge { limit });
        }
        held.grow(memory.as_ref(), data.len())?;
        held.bytes.extend_from_slice(&data);
        if held.bytes.len() >= due {
            due = held.bytes.len() + LEAST_PROGRESS;
            deadline = Instant::now() + body_timeout;
        }
    }
    Ok(if held.bytes.is_empty() { Bytes::new() } else { Bytes::from_owner(held) })
}

/// Bytes with the memory they occupy, given back together.
struct Held {
    bytes: Vec<u8>,
    memory: Option<OwnedSemaphorePermit>,
}

impl Held {
    fn grow(&mut self, memory: Option<&Arc<Semaphore>>, by: usize) -> Result<(), BodyError> {
        let Some(memory) = memory else { return Ok(()) };
        let held = self.memory.as_ref().map_or(0, |permit| permit.num_permits());
        let needed = (self.bytes.len() + by).div_ceil(STEP).saturating_sub(held);
        if needed == 0 {
            return Ok(());
        }
        let needed = u32::try_from(needed).map_err(|_| BodyError::Busy)?;
        let more = memory.clone().try_acquire_many_owned(needed).map_err(|_| BodyError::Busy)?;
        match &mut self.memory {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// `bytes` of memory in the steps by which [`collect`] takes it.
pub(super) fn steps(bytes: usize) -> usize {
    bytes / STEP
}
