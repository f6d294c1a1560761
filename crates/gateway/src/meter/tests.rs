use std::sync::Mutex;

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::ConverseStreamOutput;
use serde_json::json;

use super::*;
use crate::tests::{HAIKU, asking, bench, hello, scripted, streaming, tiny};

#[derive(Default)]
struct Told(Mutex<Vec<Record>>);

impl Meter for Told {
    fn record(&self, record: &Record) {
        self.0.lock().unwrap().push(record.clone());
    }
}

impl Told {
    fn outcomes(&self) -> Vec<(Outcome, i32, u32)> {
        self.0.lock().unwrap().iter().map(|r| (r.outcome, r.usage.output_tokens, r.attempts)).collect()
    }
}

#[tokio::test]
async fn every_call_is_told_once_however_it_ends() {
    let told = Arc::new(Told::default());
    let metered = async |events| {
        let mut b = bench(scripted(events), tiny()).await;
        b.gateway = b.gateway.meter(told.clone());
        b
    };
    metered(hello()).await.converse(asking(HAIKU, json!({}))).await.unwrap();
    assert_eq!(told.outcomes(), [(Outcome::Answered, 2, 1)]);

    // A stream counts when it ends, and one that nobody reads to its end counts as it is dropped.
    let b = metered(hello()).await;
    let events = b.gateway.converse_stream(&b.cx, streaming(HAIKU)).await.unwrap().1;
    assert_eq!(told.outcomes().len(), 1);
    events.collect::<Vec<_>>().await;
    assert_eq!(told.outcomes()[1], (Outcome::Answered, 2, 1));
    let b = metered(hello()).await;
    let mut events = b.gateway.converse_stream(&b.cx, streaming(HAIKU)).await.unwrap().1;
    assert!(matches!(events.next().await, Some(Ok(ConverseStreamOutput::MessageStart(_)))));
    drop(events);
    assert_eq!(told.outcomes()[2], (Outcome::Gone, 0, 1));

    // Cut off; refused before anybody was asked.
    let mut cut = hello();
    cut.pop();
    metered(cut).await.converse(asking(HAIKU, json!({}))).await.unwrap_err();
    assert_eq!(told.outcomes()[3], (Outcome::Failed(Kind::ModelStreamError), 0, 1));
    let empty = json!({ "messages": [] });
    metered(hello()).await.converse(asking(HAIKU, empty)).await.unwrap_err();
    assert_eq!(told.outcomes()[4], (Outcome::Failed(Kind::Validation), 0, 0));
    assert_eq!(told.outcomes().len(), 5);
    let record = told.0.lock().unwrap()[0].clone();
    assert_eq!((record.account.as_str(), record.model.as_str()), ("111122223333", HAIKU));
    assert!(record.first_event.is_some_and(|first| first <= record.total));
}
