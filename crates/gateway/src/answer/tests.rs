use std::sync::Arc;
use std::time::Duration;

use outcrop_api::bedrock_runtime::StopReason;
use outcrop_telemetry::prices::{Prices, Rates, Table};
use rust_decimal::Decimal;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::routing::Policy;
use crate::tests::{HAIKU, Scripted, asking, hello, scripted, served_by, streaming};

#[tokio::test(start_paused = true)]
async fn a_stream_that_stops_is_cut_off_and_says_so() {
    let hanging = || Arc::new(Scripted { hang: true, ..scripted(hello()[..2].to_vec()) });
    let policy = Policy { between_tokens: Duration::from_secs(7), ..Policy::default() };
    let b = served_by(vec![hanging()], policy).await;
    let (reply, events) = b.gateway.converse_stream(&b.cx, streaming(HAIKU)).await.unwrap();
    assert_eq!(reply.headers, [("x-outcrop-served-by", "a".to_owned())]);
    let began = Instant::now();
    let events: Vec<_> = events.collect().await;
    assert_eq!((events.len(), began.elapsed()), (3, Duration::from_secs(7)));
    let fault = events[2].as_ref().unwrap_err();
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (Kind::ModelStreamError, "The model stopped in the middle of its answer.")
    );

    // However steadily it talks, it ends.
    let policy = Policy { total: Duration::from_secs(5), ..Policy::default() };
    let b = served_by(vec![hanging()], policy).await;
    let fault = b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::ModelError, "The model's answer took too long."));
}

#[tokio::test(start_paused = true)]
async fn who_answers_in_place_of_another_is_told() {
    struct Ill;
    #[async_trait::async_trait]
    impl outcrop_providers::Provider for Ill {
        async fn converse(&self, _: outcrop_providers::Call) -> Result<Answer, Failure> {
            Err(Failure::new(Cause::Unavailable, Fault::new(Kind::ServiceUnavailable, "no")))
        }
    }
    let mut b = served_by(vec![Arc::new(Ill), Arc::new(scripted(hello()))], Policy::default()).await;
    let rates = Rates { input: Some(Decimal::new(25, 2)), output: Some(Decimal::new(125, 2)), ..Rates::default() };
    let table = Table { list: vec![(HAIKU.to_owned(), rates)], charged_by: vec!["b".to_owned()], ..Table::default() };
    b.gateway = b.gateway.prices(Arc::new(Prices::new(&table)));
    let reply = b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap();
    assert_eq!(reply.output.stop_reason, StopReason::EndTurn);
    let headers = [("x-outcrop-served-by", "b".to_owned()), ("x-outcrop-attempts", "2".to_owned())];
    assert_eq!(reply.headers, headers);
    let report = b.gateway.routes().report();
    let route = report.iter().find(|route| route.model == HAIKU).unwrap();
    let told: Vec<_> = route.targets.iter().map(|t| (t.name.as_str(), t.attempts, t.failures, t.answered)).collect();
    assert_eq!(told, [("a", 1, 1, 0), ("b", 1, 0, 1)]);
    // Seven tokens at Haiku's price of $0.25 and $1.25 a million.
    assert!((route.targets[1].cost - (5.0 * 0.25 + 2.0 * 1.25) / 1e6).abs() < 1e-9, "{}", route.targets[1].cost);
}
