use std::sync::Mutex;

use futures_util::StreamExt;
use outcrop_access::Permissions;
use outcrop_api::bedrock_runtime::{CacheDetail, ConverseStreamOutput};
use outcrop_providers::{Answer, Cause, Failure};
use serde_json::json;

use super::*;
use crate::Capacity;
use crate::capacity::{OfModel, Settings};
use crate::routing::Policy;
use crate::tests::{HAIKU, asking, bench, hello, scripted, served_by, streaming, tiny};

#[derive(Default)]
struct Told(Mutex<Vec<Entry>>);

impl Meter for Told {
    fn record(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }
}

impl Told {
    fn outcomes(&self) -> Vec<(Outcome, u64, u32)> {
        self.0.lock().unwrap().iter().map(|e| (e.outcome, e.tokens.output, e.attempts)).collect()
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
    // Its one piece was written, and is paid for.
    assert_eq!(told.outcomes()[3], (Outcome::ServerError, 1, 1));
    let empty = json!({ "messages": [] });
    metered(hello()).await.converse(asking(HAIKU, empty)).await.unwrap_err();
    assert_eq!(told.outcomes()[4], (Outcome::ClientError, 0, 0));
    assert_eq!(told.outcomes().len(), 5);
    let record = told.0.lock().unwrap()[0].clone();
    assert_eq!((record.account.as_str(), record.model.as_str()), ("111122223333", HAIKU));
    assert!(record.first_event_ms.is_some_and(|first| first <= record.total_ms));
}

#[tokio::test]
async fn a_stream_holds_its_place_to_its_end_and_one_that_is_left_counts_for_what_was_made() {
    let told = Arc::new(Told::default());
    let one = OfModel { tokens_per_minute: Some(6_000), concurrency: Some(1), ..OfModel::default() };
    let settings = Settings { by_model: [(HAIKU.to_owned(), one)].into(), ..Settings::default() };
    let mut b = bench(scripted(hello()), tiny()).await;
    b.gateway = b.gateway.meter(told.clone()).capacity(Arc::new(Capacity::default().under(settings)));

    let mut events = b.gateway.converse_stream(&b.cx, streaming(HAIKU)).await.unwrap().1;
    let refused = b.converse(asking(HAIKU, json!({}))).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Throttling);
    assert_eq!(told.outcomes(), [(Outcome::Throttled, 0, 0)]);
    // Its place is free when it is left, and its prompt and the piece that was made are counted.
    while !matches!(events.next().await, Some(Ok(ConverseStreamOutput::ContentBlockDelta(_)))) {}
    drop(events);
    assert_eq!(told.outcomes()[1], (Outcome::Gone, 1, 1));
    let record = told.0.lock().unwrap()[1].clone();
    assert!(record.streamed && record.tokens.input == 1, "{record:?}");
    *b.provider.events.lock().unwrap() = hello();
    b.converse(asking(HAIKU, json!({}))).await.unwrap();
}

#[tokio::test]
async fn a_record_says_whose_call_it_was_and_for_what() {
    let told = Arc::new(Told::default());
    let mut b = bench(scripted(hello()), tiny()).await;
    b.gateway = b.gateway.meter(told.clone());
    b.cx.request_id = "id".into();
    b.cx.operation = "Converse";
    let tags = [("team".to_owned(), "search".to_owned())].into();
    b.cx.permissions = Arc::new(Permissions { tags, ..Permissions::default() });
    let more = json!({
        "requestMetadata": { "feature": "triage" },
        "inferenceConfig": { "maxTokens": 9 },
        "serviceTier": { "type": "flex" },
    });
    b.converse(asking(HAIKU, more)).await.unwrap();
    let record = told.0.lock().unwrap()[0].clone();
    assert_eq!(
        (record.request_id.as_str(), record.operation.as_str(), record.region.as_str()),
        ("id", "Converse", "us-east-1")
    );
    assert_eq!((record.tags["team"].as_str(), record.metadata["feature"].as_str()), ("search", "triage"));
    assert_eq!((record.max_tokens, record.tier.as_deref(), record.profile), (Some(9), Some("flex"), None));
    assert!(!record.streamed && !record.cross_region);
}

#[tokio::test]
async fn a_call_that_nobody_answers_says_who_was_asked() {
    struct Ill;
    #[async_trait::async_trait]
    impl outcrop_providers::Provider for Ill {
        async fn converse(&self, _: outcrop_providers::Call) -> Result<Answer, Failure> {
            Err(Failure::new(Cause::Unavailable, Fault::new(Kind::ServiceUnavailable, "no")))
        }
    }
    let told = Arc::new(Told::default());
    let policy = Policy { retries: 0, ..Policy::default() };
    let mut b = served_by(vec![Arc::new(Ill), Arc::new(Ill)], policy).await;
    b.gateway = b.gateway.meter(told.clone());
    b.converse(asking(HAIKU, json!({}))).await.unwrap_err();
    assert_eq!(told.outcomes(), [(Outcome::ServerError, 0, 2)]);
    let entry = told.0.lock().unwrap()[0].clone();
    assert_eq!((entry.provider.as_deref(), entry.tokens), (Some("b"), Tokens::default()));
    let report = b.gateway.routes().report();
    let route = report.iter().find(|route| route.model == HAIKU).unwrap();
    assert_eq!(route.targets.iter().map(|target| target.failed).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn usage_is_counted_as_entries_have_it() {
    let usage = TokenUsage {
        input_tokens: 100,
        output_tokens: 20,
        total_tokens: 150,
        cache_read_input_tokens: Some(10),
        cache_write_input_tokens: Some(20),
        cache_details: Some(vec![
            CacheDetail { ttl: CacheTTL::V5m, input_tokens: 8 },
            CacheDetail { ttl: CacheTTL::V1h, input_tokens: 12 },
        ]),
    };
    let counted = Tokens { input: 100, output: 20, cache_read: 10, cache_write: 20, cache_write_1h: 12 };
    assert_eq!(tokens(&usage), counted);
}

#[test]
fn errors_are_counted_as_the_callers_or_the_servers() {
    for (kind, expected) in [
        (Kind::Validation, Outcome::ClientError),
        (Kind::AccessDenied, Outcome::ClientError),
        (Kind::Throttling, Outcome::Throttled),
        (Kind::ModelError, Outcome::ServerError),
        (Kind::ModelTimeout, Outcome::ServerError),
        (Kind::ServiceUnavailable, Outcome::ServerError),
    ] {
        assert_eq!(ended(kind), expected, "{kind:?}");
    }
}
