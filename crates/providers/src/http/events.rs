//! A provider's server-sent events as Converse's.

use std::collections::VecDeque;

use ::http::Response;
use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::ConverseStreamOutput;
use outcrop_api::{Fault, Kind};
use outcrop_dialects::client::{ClientDialect, ReadError, StreamReader};
use outcrop_outbound::Sse;

use super::{Body, Http, MOST_EVENT_BYTES, refused};
use crate::ids::tool_use_id;
use crate::{Answer, Failure};

struct Reading {
    http: Http,
    sse: Sse<Body>,
    reader: Box<dyn StreamReader>,
    ready: VecDeque<ConverseStreamOutput>,
    over: bool,
}

/// Reads up to the first event, so that what fails before it can be asked of somebody else.
pub(super) async fn begin(
    http: &Http,
    dialect: &'static dyn ClientDialect,
    response: Response<Body>,
) -> Result<Answer, Failure> {
    let mut reading = Reading {
        http: http.clone(),
        sse: Sse::new(response.into_body(), MOST_EVENT_BYTES),
        reader: dialect.reader(tool_use_id),
        ready: VecDeque::new(),
        over: false,
    };
    while reading.ready.is_empty() && !reading.over {
        reading.read().await?;
    }
    let prompt = reading.reader.prompt();
    let events = futures_util::stream::unfold(reading, |mut reading| async move {
        loop {
            if let Some(event) = reading.ready.pop_front() {
                return Some((Ok(event), reading));
            }
            if reading.over {
                return None;
            }
            if let Err(failure) = reading.read().await {
                reading.over = true;
                return Some((Err(in_stream(failure.fault)), reading));
            }
        }
    });
    Ok(Answer::Stream { prompt, events: events.boxed() })
}

impl Reading {
    async fn read(&mut self) -> Result<(), Failure> {
        let mut out = Vec::new();
        let read = match self.sse.next().await {
            Some(Ok(event)) => {
                let name = std::str::from_utf8(&event.name).unwrap_or_default();
                self.reader.event(name, &event.data, &mut out)
            }
            Some(Err(error)) => return Err(self.http.broken(&error)),
            None => {
                self.over = true;
                self.reader.end(&mut out)
            }
        };
        self.ready.extend(out);
        read.map_err(|error| unread(&self.http, &error))
    }
}

/// What cannot be read, or tells of an error in place of the answer.
pub(super) fn unread(http: &Http, error: &ReadError) -> Failure {
    match error {
        ReadError::Refused(refusal) => {
            let refusal = http.scrub(refusal.clone());
            tracing::warn!(provider = &*http.name, code = refusal.code, "a provider refuses within its answer");
            refused::within(&http.name, &refusal)
        }
        error => http.broken(error),
    }
}

/// ModelErrorException is a name of whole answers only; the stream's is ModelStreamErrorException. It is also the name
/// of what a model's own server says within its answer.
pub(crate) fn in_stream(fault: Fault) -> Fault {
    match fault.kind {
        Kind::ServiceUnavailable if fault.original.is_some() => Fault { kind: Kind::ModelStreamError, ..fault },
        Kind::ModelError => Fault { kind: Kind::ModelStreamError, ..fault },
        _ => fault,
    }
}
