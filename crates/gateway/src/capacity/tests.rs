use std::time::Duration;

use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::bedrock::{CreateProvisionedModelThroughputRequest, DeleteProvisionedModelThroughputRequest};
use outcrop_api::bedrock_runtime::{ContentBlock, ConverseRequest, InferenceConfiguration, Message};
use outcrop_models::{Catalogue, Units, provisioned};
use outcrop_resources::Resources;
use outcrop_store::{Options, Sqlite};
use outcrop_telemetry::Tokens;

use super::*;

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

struct Bench {
    models: Models,
    cx: Context,
    _folder: tempfile::TempDir,
}

async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let units = Units { all: 100, ..Units::default() };
    let settings = outcrop_models::Settings { units, ..outcrop_models::Settings::default() };
    let models = Models::new(Catalogue::builtin().unwrap(), settings, &resources);
    let cx = Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock-runtime");
    Bench { models, cx, _folder: folder }
}

impl Bench {
    async fn reserve(&self, name: &str, units: i32) -> Resolved {
        let input = CreateProvisionedModelThroughputRequest {
            provisioned_model_name: name.into(),
            model_id: format!("{HAIKU}:200k"),
            model_units: units,
            ..Default::default()
        };
        provisioned::create(&self.cx, &self.models, input).await.unwrap();
        self.models.resolve(&self.cx, name).await.unwrap()
    }

    async fn on_demand(&self) -> Resolved {
        self.models.resolve(&self.cx, HAIKU).await.unwrap()
    }

    fn admit(&self, capacity: &Capacity, resolved: &Resolved, tokens: u64) -> Result<Permit, Fault> {
        capacity.admit(&self.models, resolved, Estimate { input: tokens, output: 0 })
    }
}

fn unit(tokens_per_minute: u64, concurrency: u64) -> Unit {
    Unit { tokens_per_minute, concurrency }
}

fn settings(of_model: OfModel) -> Settings {
    Settings { unit: unit(1, 1), by_model: [(HAIKU.to_owned(), of_model)].into() }
}

fn refused(result: Result<Permit, Fault>, what: &str) -> Fault {
    let Err(fault) = result else { panic!("it is admitted") };
    assert_eq!(fault.kind, Kind::Throttling);
    assert_eq!(fault.message, format!("Too many {what}, please wait before trying again."));
    fault
}

fn used(input: u64, output: u64) -> Tokens {
    Tokens { input, output, cache_read: 1_000_000, ..Tokens::default() }
}

#[tokio::test]
async fn each_unit_has_places_and_no_other_call_takes_them() {
    let b = bench().await;
    let (one, other) = (b.reserve("one", 2).await, b.reserve("other", 1).await);
    let capacity = Capacity::default().under(settings(OfModel { unit: unit(1_000, 2), ..OfModel::default() }));
    let mut held: Vec<_> = (0..4).map(|_| b.admit(&capacity, &one, 1).unwrap()).collect();
    let fault = refused(b.admit(&capacity, &one, 1), "requests");
    assert_eq!(fault.retry_after, None, "nobody knows when a call ends");
    let _theirs = b.admit(&capacity, &other, 1).unwrap();
    // Nothing is said about what the model has in all, so on-demand calls are not counted.
    let on_demand = b.on_demand().await;
    let _many: Vec<_> = (0..50).map(|_| b.admit(&capacity, &on_demand, 1_000_000).unwrap()).collect();
    drop(held.pop());
    held.push(b.admit(&capacity, &one, 1).unwrap());
    refused(b.admit(&capacity, &one, 1), "requests");
}

#[tokio::test]
async fn on_demand_calls_have_what_is_not_reserved() {
    let b = bench().await;
    let all = OfModel { unit: unit(100, 2), tokens_per_minute: Some(1_000), concurrency: Some(5) };
    let capacity = Capacity::default().under(settings(all));
    let on_demand = b.on_demand().await;
    let five: Vec<_> = (0..5).map(|_| b.admit(&capacity, &on_demand, 1).unwrap()).collect();
    refused(b.admit(&capacity, &on_demand, 1), "requests");
    drop(five);
    let reserved = b.reserve("one", 2).await;
    let one = b.admit(&capacity, &on_demand, 1).unwrap();
    refused(b.admit(&capacity, &on_demand, 1), "requests");
    // However many are kept out, what is reserved is there.
    let four: Vec<_> = (0..4).map(|_| b.admit(&capacity, &reserved, 50).unwrap()).collect();
    drop((one, four));
    // Of 1000 tokens a minute 800 are left; who asks for more gets in when all of them are there.
    let large = b.admit(&capacity, &on_demand, 5_000).unwrap();
    large.settle(&used(500, 200));
    let fault = refused(b.admit(&capacity, &on_demand, 400), "tokens");
    let wait = fault.retry_after.unwrap();
    assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs_f64(22.6), "{wait:?}");
    drop(b.admit(&capacity, &on_demand, 90).unwrap());
    // When they are given back, on-demand calls have them again.
    let input = DeleteProvisionedModelThroughputRequest { provisioned_model_id: "one".into() };
    provisioned::delete(&b.cx, &b.models, input).await.unwrap();
    let _five: Vec<_> = (0..5).map(|_| b.admit(&capacity, &on_demand, 1).unwrap()).collect();
    refused(b.admit(&capacity, &on_demand, 1), "requests");
}

#[tokio::test]
async fn where_all_is_reserved_nothing_is_left() {
    let b = bench().await;
    let all = OfModel { unit: unit(100, 2), tokens_per_minute: Some(100), concurrency: None };
    let capacity = Capacity::default().under(settings(all));
    b.reserve("one", 3).await;
    refused(b.admit(&capacity, &b.on_demand().await, 0), "tokens");
}

#[tokio::test]
async fn what_was_not_used_comes_back_and_what_was_used_beyond_is_owed() {
    let b = bench().await;
    let reserved = b.reserve("one", 1).await;
    let capacity = Capacity::default().under(settings(OfModel { unit: unit(600, 9), ..OfModel::default() }));
    // A call that failed cost nothing.
    drop(b.admit(&capacity, &reserved, 600).unwrap());
    let permit = b.admit(&capacity, &reserved, 600).unwrap();
    refused(b.admit(&capacity, &reserved, 300), "tokens");
    permit.settle(&used(20, 30));
    let permit = b.admit(&capacity, &reserved, 500).unwrap();
    permit.settle(&used(600, 600));
    let wait = refused(b.admit(&capacity, &reserved, 1), "tokens").retry_after.unwrap();
    assert!(wait > Duration::from_secs(55), "{wait:?}");
    // Another configuration keeps what was taken.
    let more = capacity.under(settings(OfModel { unit: unit(6_000, 9), ..OfModel::default() }));
    refused(b.admit(&more, &reserved, 5_999), "tokens");
    drop(b.admit(&more, &reserved, 4_000).unwrap());
}

#[test]
fn tokens_come_back_over_a_minute() {
    let start = Instant::now();
    let (pool, limits) = (Pool::new(start), Limits { tokens_per_minute: Some(600), concurrency: None });
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    assert_eq!(pool.take(limits, 600, at(0)), Ok(600));
    assert_eq!(pool.take(limits, 100, at(5)), Err(Refused::Tokens { wait: Duration::from_secs(5) }));
    assert_eq!(pool.take(limits, 100, at(10)), Ok(100));
    // An earlier time than the last changes nothing.
    assert!(pool.take(limits, 1, at(9)).is_err());
    assert_eq!(pool.take(limits, 600, at(70)), Ok(600));
    assert!(!pool.idle_since(at(200), FORGET_AFTER), "calls are under way");
    for _ in 0..3 {
        pool.leave();
    }
    assert!(pool.idle_since(at(200), FORGET_AFTER) && !pool.idle_since(at(71), FORGET_AFTER));
}

#[test]
fn places_are_never_more_than_there_are_however_many_take_at_once() {
    let pool = Pool::new(Instant::now());
    let limits = Limits { tokens_per_minute: None, concurrency: Some(8) };
    let got: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..100).filter(|_| pool.take(limits, 1, Instant::now()).is_ok()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(got, 8);
}

#[tokio::test]
async fn an_estimate_counts_text_and_what_the_answer_may_have() {
    let b = bench().await;
    let model = b.models.catalogue().get(HAIKU).unwrap();
    let message = |text: &str| Message { content: vec![ContentBlock::Text(text.into())], ..Default::default() };
    let mut request = ConverseRequest { messages: Some(vec![message(&"word".repeat(100))]), ..Default::default() };
    let estimate = Estimate::of(&request, model);
    assert_eq!((estimate.input, estimate.output), (100, u64::from(model.max_output.unwrap())));
    request.inference_config = Some(InferenceConfiguration { max_tokens: Some(7), ..Default::default() });
    assert_eq!(Estimate::of(&request, model).tokens(), 107);
    request.inference_config = Some(InferenceConfiguration { max_tokens: Some(i32::MAX), ..Default::default() });
    assert_eq!(Estimate::of(&request, model).output, u64::from(model.max_output.unwrap()));
    assert_eq!(Estimate::of_texts(&["12345".into(), "678".into()]).tokens(), 2);
}
