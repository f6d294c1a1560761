use futures_util::stream;
use http_body_util::BodyExt;
use outcrop_api::Kind;
use outcrop_api::bedrock_runtime::{
    ContentBlockDelta, ContentBlockDeltaEvent, ConverseStreamMetadataEvent, MessageStartEvent, MessageStopEvent,
};
use outcrop_dialects::ChatDialect;
use outcrop_dialects::Head;
use outcrop_dialects::openai::API;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

struct Plain;

impl Frames for Plain {
    fn chunk(&mut self, chunk: Value, out: &mut Vec<u8>) {
        event(None, &chunk, out);
    }
    fn fault(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        event(Some("error"), &Value::from(fault.message.as_str()), out);
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"end");
    }
}

fn says(text: &str) -> ConverseStreamOutput {
    let delta = ContentBlockDelta::Text(text.to_owned());
    ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent { delta, content_block_index: 0 })
}

async fn told(events: Vec<Result<ConverseStreamOutput, Fault>>) -> String {
    let response = response(stream::iter(events).boxed(), API.stream(Head::default()), Plain, &[("x-a", "b".into())]);
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(response.headers()["x-a"], "b");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_whole_answer_ends_as_the_protocol_ends_it() {
    let told = told(vec![
        Ok(ConverseStreamOutput::MessageStart(MessageStartEvent::default())),
        Ok(says("fair\nwind")),
        Ok(ConverseStreamOutput::MessageStop(MessageStopEvent::default())),
        Ok(ConverseStreamOutput::Metadata(ConverseStreamMetadataEvent::default())),
    ])
    .await;
    assert!(told.ends_with("\n\nend"), "{told}");
    assert!(told.contains(r#""content":"fair\nwind""#) && !told.contains(METRICS), "{told}");
    let events: Vec<&str> = told.strip_suffix("end").unwrap().trim_end().split("\n\n").collect();
    assert!(events.iter().all(|event| event.starts_with("data: {") && event.lines().count() == 1), "{told}");
}

#[tokio::test]
async fn a_failure_after_the_head_is_an_event_and_the_last_one() {
    let fault = Fault::new(Kind::ModelStreamError, "cut off");
    let told = told(vec![Ok(says("fair")), Err(fault), Ok(says("wind"))]).await;
    assert!(told.ends_with("event: error\ndata: \"cut off\"\n\n"), "{told}");
    assert!(!told.contains("wind"), "{told}");
}

#[tokio::test]
async fn a_client_that_leaves_drops_what_makes_the_answer() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let held = Counted(Arc::clone(&dropped));
    let events = stream::iter([Ok(says("a"))]).chain(stream::pending()).map(move |event| {
        let _ = &held;
        event
    });
    let mut body = response(events.boxed(), API.stream(Head::default()), Plain, &[]).into_body();
    assert!(body.frame().await.is_some());
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    drop(body);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}
