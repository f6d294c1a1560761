//! A provider's server-sent events passed through, each one's data as it came.

use ::http::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use outcrop_dialects::client::ReadError;
use outcrop_outbound::Sse;

use super::events::{in_stream, unread};
use super::{Body, Http, MOST_EVENT_BYTES};
use crate::{Failure, PassBody};

/// What an event of a format is to who passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// A part of the answer.
    Chunk,
    /// The part that makes it complete.
    Last,
    /// Nothing of the answer.
    Skip,
    /// Nothing of the answer, which it makes complete.
    End,
}

/// Says what the event of a name and its data is.
pub type Judge = fn(&str, &[u8]) -> Result<Passing, ReadError>;

struct Reading {
    http: Http,
    sse: Sse<Body>,
    judge: Judge,
    complete: bool,
    over: bool,
}

/// Reads up to the first chunk, so that what fails before it can be asked of somebody else.
pub async fn chunks(http: &Http, response: Response<Body>, judge: Judge) -> Result<PassBody, Failure> {
    let sse = Sse::new(response.into_body(), MOST_EVENT_BYTES);
    let mut reading = Reading { http: http.clone(), sse, judge, complete: false, over: false };
    let first = reading.next().await.transpose()?;
    let rest = futures_util::stream::unfold(reading, |mut reading| async move {
        if reading.over {
            return None;
        }
        let next = reading.next().await?;
        reading.over = next.is_err();
        Some((next.map_err(|failure| in_stream(failure.fault)), reading))
    });
    let first = futures_util::stream::iter(first.map(Ok));
    Ok(PassBody::Stream(first.chain(rest).boxed()))
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Bytes, Failure>> {
        loop {
            let event = match self.sse.next().await {
                Some(Ok(event)) => event,
                Some(Err(error)) => return Some(Err(self.http.broken(&error))),
                None if self.complete => return None,
                None => return Some(Err(unread(&self.http, &ReadError::Cut))),
            };
            match (self.judge)(std::str::from_utf8(&event.name).unwrap_or_default(), &event.data) {
                Ok(Passing::Skip) => continue,
                Ok(Passing::End) => {
                    self.complete = true;
                    continue;
                }
                Ok(passing) => self.complete |= passing == Passing::Last,
                Err(error) => return Some(Err(unread(&self.http, &error))),
            }
            return Some(Ok(event.data));
        }
    }
}
