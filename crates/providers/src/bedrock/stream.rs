//! AWS's event streams, read.

use std::collections::VecDeque;

use ::http::Response;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use http_body_util::BodyExt;
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ConverseStreamOutput, PayloadPart, TokenUsage};
use outcrop_wire::eventstream::{Decoder, Message};

use super::{answer, refused};
use crate::http::{Body, Http, in_stream};
use crate::{Answer, Failure};

/// One frame of an upstream: an event's name and payload.
type Frame = (String, Vec<u8>);

struct Frames {
    http: Http,
    body: Body,
    decoder: Decoder,
    /// The event without which a stream is not whole.
    last: Option<&'static str>,
    over: bool,
}

impl Frames {
    fn new(http: &Http, response: Response<Body>, last: Option<&'static str>) -> Self {
        Self { http: http.clone(), body: response.into_body(), decoder: Decoder::new(), last, over: false }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Result<Option<Frame>, Failure> {
        loop {
            match self.decoder.next() {
                Ok(Some(message)) => {
                    let frame = read(&self.http, &message)?;
                    self.last = self.last.filter(|last| *last != frame.0);
                    return Ok(Some(frame));
                }
                Ok(None) if self.over => {
                    let whole = self.decoder.is_at_boundary() && self.last.is_none();
                    return if whole { Ok(None) } else { Err(self.http.broken(&"a stream that ends too early")) };
                }
                Ok(None) => {}
                Err(error) => return Err(self.http.broken(&error)),
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.decoder.feed(data);
                    }
                }
                Some(Err(error)) => return Err(self.http.broken(&error)),
                None => self.over = true,
            }
        }
    }

    /// What follows, as a stream of `T`s that `of` reads; an error ends it.
    fn map<T: Send + 'static>(
        self,
        first: VecDeque<T>,
        of: fn(&Http, Frame) -> Result<Option<T>, Failure>,
    ) -> impl Stream<Item = Result<T, Fault>> + Send {
        futures_util::stream::unfold(Some((self, first)), move |state| async move {
            let (mut frames, mut ready) = state?;
            loop {
                if let Some(item) = ready.pop_front() {
                    return Some((Ok(item), Some((frames, ready))));
                }
                let frame = match frames.next().await {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return None,
                    Err(failure) => return Some((Err(in_stream(failure.fault)), None)),
                };
                match of(&frames.http, frame) {
                    Ok(item) => ready.extend(item),
                    Err(failure) => return Some((Err(in_stream(failure.fault)), None)),
                }
            }
        })
    }
}

fn read(http: &Http, message: &Message<'_>) -> Result<Frame, Failure> {
    let kind = message.text(":message-type").unwrap_or("event");
    if kind == "event" {
        return Ok((message.text(":event-type").unwrap_or_default().to_owned(), message.payload.to_vec()));
    }
    let name = message.text(":exception-type").or_else(|| message.text(":error-code")).unwrap_or_default();
    let said: serde_json::Value = serde_json::from_slice(message.payload).unwrap_or_default();
    let text = said["message"].as_str().or_else(|| message.text(":error-message")).unwrap_or_default();
    tracing::warn!(provider = http.name(), name, "a Bedrock ends its stream");
    Err(refused::in_stream(http, name, &said, text))
}

/// ConverseStream: read up to the first event, so that what fails before it can be asked of somebody else.
pub(super) async fn converse(http: &Http, response: Response<Body>) -> Result<Answer, Failure> {
    let mut frames = Frames::new(http, response, Some("metadata"));
    let mut first = VecDeque::new();
    while first.is_empty() {
        let Some(frame) = frames.next().await? else { return Err(http.broken(&"a stream without an event")) };
        first.extend(event(http, frame)?);
    }
    Ok(Answer::Stream { prompt: TokenUsage::default(), events: frames.map(first, event).boxed() })
}

fn event(http: &Http, (name, payload): Frame) -> Result<Option<ConverseStreamOutput>, Failure> {
    match answer::event(&name, &payload).map_err(|error| http.broken(&error))? {
        // An event of a later version.
        ConverseStreamOutput::Unset => Ok(None),
        event => Ok(Some(event)),
    }
}

/// InvokeModelWithResponseStream: the bytes of each chunk.
pub(super) async fn chunks(
    http: &Http,
    response: Response<Body>,
) -> Result<BoxStream<'static, Result<bytes::Bytes, Fault>>, Failure> {
    let mut frames = Frames::new(http, response, None);
    let mut first = VecDeque::new();
    while first.is_empty() {
        let Some(frame) = frames.next().await? else { return Err(http.broken(&"a stream without a chunk")) };
        first.extend(chunk(http, frame)?);
    }
    Ok(frames.map(first, chunk).boxed())
}

fn chunk(http: &Http, (name, payload): Frame) -> Result<Option<bytes::Bytes>, Failure> {
    if name != "chunk" {
        return Ok(None);
    }
    let part: PayloadPart = answer::read(&payload).map_err(|error| http.broken(&error))?;
    Ok(part.bytes)
}
