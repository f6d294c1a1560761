//! The behaviours. Each takes the service that it is run for.

mod answers;
mod faults;
mod requests;
mod streams;

pub use answers::*;
pub use faults::*;
pub use requests::*;
pub use streams::*;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseResponse, ConverseStreamOutput};
use outcrop_dialects::converse::Fold;
use outcrop_outbound::{Outbound, Settings};
use outcrop_providers::{Answer, Call, Failure, Priority, Provider, open};
use outcrop_wire::decode::{self, Problems};
use outcrop_wire::encode;
use outcrop_wire::shape::Structure;
use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::speaks::{Said, Speaks};

/// One test for each behaviour.
macro_rules! suite {
    ($speaks:expr) => {
        suite!($speaks;
            text, streamed_text, tools, streamed_tools, forced_tool, structured_output, image, image_of_a_tool,
            reasoning, earlier_reasoning, stop_sequences, length_and_filter, usage, inference, turns_of_one_role,
            empty_arguments, refusals, keys_stay_here, refusal_within_a_stream, cut_streams, slow_stream,
            any_split, malformed_answers, line_without_end, nobody_there, dropping_ends_it
        );
    };
    ($speaks:expr; $($case:ident),+) => {
        mod suite {
            $(#[tokio::test]
            async fn $case() {
                crate::cases::$case(&$speaks).await;
            })+
        }
    };
}

/// A Converse request out of its JSON.
pub fn request(value: Value) -> ConverseRequest {
    let mut shape = ConverseRequest::default();
    let mut problems = Problems::default();
    decode::body(value.to_string().as_bytes(), &mut shape, &mut problems).unwrap();
    assert_eq!(problems.message(), None, "in {value}");
    shape
}

/// A shape as JSON.
pub fn written(shape: &dyn Structure) -> Value {
    serde_json::from_slice(&encode::body(shape, Vec::new())).unwrap()
}

/// A question.
pub fn question() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "How is the tide?"}]}]})
}

pub fn call(speaks: &dyn Speaks, value: Value, stream: bool) -> Call {
    Call {
        model: speaks.model().into(),
        request: Arc::new(request(value)),
        stream,
        scope: "123456789012".into(),
        priority: Priority::default(),
        cache_minimum: 1024,
    }
}

/// The provider for a fake at `url`.
pub fn provider(speaks: &dyn Speaks, url: &str) -> Arc<dyn Provider> {
    open(&speaks.settings(url), &Outbound::new(Settings::default()).unwrap()).unwrap()
}

/// Calls a fake that replies so.
pub async fn converse(
    speaks: &dyn Speaks,
    reply: Reply,
    value: Value,
    stream: bool,
) -> (Fake, Result<Answer, Failure>) {
    let fake = Fake::start([reply]).await;
    let answer = provider(speaks, &fake.url()).converse(call(speaks, value, stream)).await;
    (fake, answer)
}

/// The answer to a question, where the service says `said` all at once.
pub async fn whole(speaks: &dyn Speaks, said: &Said, value: Value) -> (Fake, ConverseResponse) {
    let reply = Reply::whole(speaks.whole_type(), speaks.whole(said));
    let (fake, answer) = converse(speaks, reply, value, false).await;
    match answer.unwrap_or_else(|failure| panic!("{failure}")) {
        Answer::Whole(answer) => (fake, *answer),
        Answer::Stream { .. } => panic!("a stream, where none was asked for"),
    }
}

/// The same, streamed.
pub async fn streamed(speaks: &dyn Speaks, said: &Said, value: Value) -> (Fake, Vec<ConverseStreamOutput>) {
    let reply = Reply::pieces(speaks.stream_type(), speaks.chunks(said));
    let (fake, answer) = converse(speaks, reply, value, true).await;
    let events = events(answer.unwrap_or_else(|failure| panic!("{failure}"))).await;
    (fake, events.into_iter().map(Result::unwrap).collect())
}

/// All that a streamed answer says.
pub async fn events(answer: Answer) -> Vec<Result<ConverseStreamOutput, Fault>> {
    match answer {
        Answer::Stream { events, .. } => events.collect().await,
        Answer::Whole(_) => panic!("no stream, where one was asked for"),
    }
}

/// Events added up. Checks their order on the way: one message, blocks one after the other, the counts last.
pub fn folded(events: &[ConverseStreamOutput]) -> ConverseResponse {
    let written: Vec<Value> = events.iter().map(|event| written(event)).collect();
    let shown = || serde_json::to_string_pretty(&written).unwrap();
    assert!(matches!(events.first(), Some(ConverseStreamOutput::MessageStart(_))), "{}", shown());
    let [.., ConverseStreamOutput::MessageStop(_), ConverseStreamOutput::Metadata(_)] = events else {
        panic!("{}", shown())
    };
    let mut open: Option<i32> = None;
    let mut next = 0;
    for event in &events[1..events.len() - 2] {
        match event {
            ConverseStreamOutput::ContentBlockStart(start) => {
                assert_eq!((open, start.content_block_index), (None, next), "{}", shown());
                open = Some(next);
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => {
                assert_eq!(*open.get_or_insert(next), delta.content_block_index, "{}", shown());
            }
            ConverseStreamOutput::ContentBlockStop(stop) => {
                assert_eq!(open.take(), Some(stop.content_block_index), "{}", shown());
                next += 1;
            }
            _ => panic!("{}", shown()),
        }
    }
    assert_eq!(open, None, "a block is left open: {}", shown());
    let mut fold = Fold::new();
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish().unwrap()
}

/// The content of an answer, as JSON.
pub fn content(answer: &ConverseResponse) -> Value {
    written(answer)["output"]["message"]["content"].clone()
}

/// All bytes of a streamed answer.
pub fn joined(chunks: &[Bytes]) -> Vec<u8> {
    chunks.concat()
}
