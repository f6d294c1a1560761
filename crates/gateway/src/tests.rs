//! The whole path with a provider that says what a test scripts.

mod guarded;
mod media;

pub(crate) use guarded::says;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt;
use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::bedrock_runtime::{
    ContentBlockDelta, ContentBlockDeltaEvent, ConversationRole, ConverseRequest, ConverseResponse,
    ConverseStreamMetadataEvent, ConverseStreamMetrics, ConverseStreamOutput, ConverseStreamRequest,
    InvokeModelRequest, InvokeModelWithResponseStreamRequest, MessageStartEvent, MessageStopEvent,
    PerformanceConfigLatency, ResponseStream, ServiceTierType, StopReason, TokenUsage,
};
use outcrop_api::{Events, Fault, Kind, Reply};
use outcrop_models::{Catalogue, LocalKind, LocalModel, Models, Settings};
use outcrop_providers::{Answer, Call, Embed, Embedded, Failure, Priority, Provider};
use outcrop_resources::Resources;
use outcrop_store::{Options, Sqlite};
use outcrop_wire::decode::{self, Problems};
use outcrop_wire::shape::Structure;
use serde_json::{Value, json};

use super::routing::{Glob, Naming, Policy, Setup, Source};
use super::*;

pub(crate) const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const TITAN: &str = "amazon.titan-embed-text-v2:0";

/// Answers with the scripted events and keeps what it was asked.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) events: Mutex<Vec<Result<ConverseStreamOutput, Fault>>>,
    /// After the events, never end.
    pub(crate) hang: bool,
    pub(crate) asked: Mutex<Vec<Call>>,
}

#[async_trait]
impl Provider for Scripted {
    async fn converse(&self, call: Call) -> Result<Answer, Failure> {
        self.asked.lock().unwrap().push(call);
        let events = futures_util::stream::iter(std::mem::take(&mut *self.events.lock().unwrap()));
        let events = if self.hang { events.chain(futures_util::stream::pending()).boxed() } else { events.boxed() };
        Ok(Answer::Stream { prompt: usage(), events })
    }
    async fn count_tokens(&self, call: Call) -> Result<u32, Failure> {
        self.asked.lock().unwrap().push(call);
        Ok(42)
    }
    async fn embed(&self, call: Embed) -> Result<Embedded, Failure> {
        let mut vector = vec![0.0; call.dimensions];
        vector[0] = 1.0;
        let n = call.request.texts.len();
        Ok(Embedded { vectors: vec![vector; n], lengths: vec![2.0; n], tokens: 3 })
    }
}

fn usage() -> TokenUsage {
    TokenUsage { input_tokens: 5, output_tokens: 2, total_tokens: 7, ..Default::default() }
}

/// `hello`, complete.
pub(crate) fn hello() -> Vec<Result<ConverseStreamOutput, Fault>> {
    let delta = ContentBlockDeltaEvent { delta: ContentBlockDelta::Text("hello".into()), content_block_index: 0 };
    let fields = json!({ "stop_sequence": "x", "other": 1 });
    vec![
        Ok(ConverseStreamOutput::MessageStart(MessageStartEvent { role: ConversationRole::Assistant })),
        Ok(ConverseStreamOutput::ContentBlockDelta(delta)),
        Ok(ConverseStreamOutput::MessageStop(MessageStopEvent {
            stop_reason: StopReason::EndTurn,
            additional_model_response_fields: Some(fields),
        })),
        Ok(ConverseStreamOutput::Metadata(ConverseStreamMetadataEvent {
            usage: usage(),
            metrics: ConverseStreamMetrics { latency_ms: 1 },
            ..Default::default()
        })),
    ]
}

pub(crate) struct Bench {
    pub(crate) gateway: Gateway,
    pub(crate) provider: Arc<Scripted>,
    pub(crate) cx: Context,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn converse(&self, request: ConverseRequest) -> Result<Reply<ConverseResponse>, Fault> {
        self.gateway.converse(&self.cx, request).await
    }
}

pub(crate) async fn bench(provider: Scripted, stand_ins: Option<StandIns>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let local = LocalModel { name: "tiny".into(), kind: LocalKind::Text, context: 2048 };
    let catalogue = Catalogue::builtin().unwrap().with_local([local]).unwrap();
    let models = Arc::new(Models::new(catalogue, Settings::default(), &resources));
    let provider = Arc::new(provider);
    let cx = Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock-runtime");
    let sources = vec![Arc::new(Source::local(provider.clone()))];
    let setup = Setup { sources, stand_ins, ..Default::default() };
    let routes = Routes::new(models.catalogue(), &setup, &Registry::default()).unwrap();
    Bench { gateway: Gateway::new(models, routes), provider, cx, _folder: folder }
}

/// The same with these providers for [`HAIKU`], asked in their order.
pub(crate) async fn served_by(providers: Vec<Arc<dyn Provider>>, policy: Policy) -> Bench {
    let mut bench = bench(scripted(Vec::new()), None).await;
    let names = ["a", "b", "c"].into_iter();
    let source = |(name, provider): (&str, Arc<dyn Provider>)| {
        let local = Source::local(provider);
        let (naming, serves) = (Naming::Anthropic, vec![Glob::new(HAIKU)]);
        Arc::new(Source { name: name.into(), identity: name.into(), naming, serves, local: false, ..local })
    };
    let sources = names.zip(providers).map(source).collect();
    let setup = Setup { sources, policy, ..Default::default() };
    let models = Arc::clone(&bench.gateway.models);
    let routes = Routes::new(models.catalogue(), &setup, &Registry::default()).unwrap();
    bench.gateway = Gateway::new(models, routes);
    bench
}

pub(crate) fn scripted(events: Vec<Result<ConverseStreamOutput, Fault>>) -> Scripted {
    Scripted { events: Mutex::new(events), ..Default::default() }
}

pub(crate) fn tiny() -> Option<StandIns> {
    Some(StandIns { text: Some("tiny".into()), embedding: Some("vectors".into()), ..Default::default() })
}

pub(crate) fn filled<T: Structure + Default>(body: Value) -> T {
    let (mut input, mut problems) = (T::default(), Problems::default());
    decode::body(body.to_string().as_bytes(), &mut input, &mut problems).unwrap();
    input
}

pub(crate) fn asking(model: &str, more: Value) -> ConverseRequest {
    let mut body = json!({ "messages": [{ "role": "user", "content": [{ "text": "hi" }] }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ConverseRequest { model_id: model.into(), ..filled(body) }
}

pub(crate) fn streaming(model: &str) -> ConverseStreamRequest {
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "hi" }] }] });
    ConverseStreamRequest { model_id: model.into(), ..filled(body) }
}

#[tokio::test]
async fn a_stand_in_answers_openly_and_only_where_there_is_one() {
    let b = bench(scripted(hello()), tiny()).await;
    let reply = b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap();
    assert_eq!(reply.headers, [("x-outcrop-served-by", "outcrop.tiny".to_owned())]);
    assert_eq!(reply.output.stop_reason, StopReason::EndTurn);
    {
        let asked = b.provider.asked.lock().unwrap();
        assert_eq!((&*asked[0].model, &*asked[0].scope), ("tiny", "111122223333"));
    }

    let b = bench(scripted(hello()), None).await;
    let refused = b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap_err();
    assert_eq!(refused.kind, Kind::AccessDenied);
    assert!(refused.message.starts_with("You don't have access to the model with the specified model ID."));
    // A local model named by the caller needs no stand-in, and nobody is served in another's name.
    let reply = b.gateway.converse(&b.cx, asking("outcrop.tiny", json!({}))).await.unwrap();
    assert!(reply.headers.is_empty());
}

#[tokio::test]
async fn a_model_may_have_a_stand_in_of_its_own() {
    let by_model = [(HAIKU.to_owned(), "other".to_owned())].into();
    let b = bench(scripted(hello()), Some(StandIns { by_model, ..tiny().unwrap() })).await;
    let reply = b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap();
    assert_eq!(reply.headers[0].1, "outcrop.other");
    let none = StandIns::default();
    let b = bench(scripted(hello()), Some(none)).await;
    assert_eq!(b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap_err().kind, Kind::AccessDenied);
}

#[tokio::test]
async fn tier_and_latency_are_echoed_as_resolved_and_only_where_asked() {
    let b = bench(scripted(hello()), tiny()).await;
    let plain = b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap().output;
    assert!(plain.service_tier.is_none() && plain.performance_config.is_none());
    assert_eq!(plain.additional_model_response_fields, None);

    for (tier, resolved, priority) in [
        ("priority", ServiceTierType::Priority, Priority::High),
        ("flex", ServiceTierType::Flex, Priority::Low),
        ("reserved", ServiceTierType::Default, Priority::Normal),
    ] {
        let b = bench(scripted(hello()), tiny()).await;
        let more = json!({
            "serviceTier": { "type": tier },
            "performanceConfig": { "latency": "optimized" },
            "additionalModelResponseFieldPaths": ["/stop_sequence"],
        });
        let output = b.gateway.converse(&b.cx, asking(HAIKU, more)).await.unwrap().output;
        assert_eq!(output.service_tier.unwrap().r#type, resolved);
        assert_eq!(output.performance_config.unwrap().latency, Some(PerformanceConfigLatency::Standard));
        assert_eq!(output.additional_model_response_fields, Some(json!({ "stop_sequence": "x" })));
        assert_eq!(b.provider.asked.lock().unwrap()[0].priority, priority);
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_never_looks_complete() {
    let mut cut = hello();
    cut.pop();
    let b = bench(scripted(cut), tiny()).await;
    let events = b.gateway.converse_stream(&b.cx, streaming(HAIKU)).await.unwrap().1;
    let events: Vec<_> = events.collect().await;
    assert_eq!(events.len(), 4);
    assert_eq!(events[3].as_ref().unwrap_err().kind, Kind::ModelStreamError);

    // The whole answer's operations know another name for it.
    let mut cut = hello();
    cut.pop();
    let b = bench(scripted(cut), tiny()).await;
    let refused = b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap_err();
    assert_eq!(refused.kind, Kind::ModelError);

    // After an error nothing follows.
    let mut broken = hello();
    broken.insert(1, Err(Fault::new(Kind::Throttling, "no")));
    let b = bench(scripted(broken), tiny()).await;
    let events: Vec<_> = b.gateway.converse_stream(&b.cx, streaming(HAIKU)).await.unwrap().1.collect().await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].as_ref().unwrap_err().kind, Kind::Throttling);
}

#[tokio::test]
async fn a_stopping_server_says_so_in_the_stream() {
    let mut begun = hello();
    begun.truncate(2);
    let b = bench(Scripted { hang: true, ..scripted(begun) }, tiny()).await;
    let mut events: Events<_> = b.gateway.converse_stream(&b.cx, streaming(HAIKU)).await.unwrap().1;
    assert!(events.next().await.unwrap().is_ok() && events.next().await.unwrap().is_ok());
    b.cx.cancel.cancel();
    assert_eq!(events.next().await.unwrap().unwrap_err().kind, Kind::ServiceUnavailable);
    assert!(events.next().await.is_none());
}

const CLAUDE: &str =
    r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#;

#[tokio::test]
async fn invoke_model_speaks_the_models_own_format() {
    let b = bench(scripted(hello()), tiny()).await;
    let input = InvokeModelRequest { model_id: HAIKU.into(), body: Some(CLAUDE.into()), ..Default::default() };
    let reply = b.gateway.invoke_model(&b.cx, input).await.unwrap();
    let body: Value = serde_json::from_slice(&reply.output.body).unwrap();
    assert_eq!((&body["content"][0]["text"], &body["stop_reason"]), (&json!("hello"), &json!("end_turn")));
    let header = |name: &str| reply.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(header("x-amzn-bedrock-input-token-count"), Some("5"));
    assert_eq!(header("x-amzn-bedrock-output-token-count"), Some("2"));
    assert_eq!(header("x-amzn-bedrock-cache-read-input-token-count"), None);
    assert_eq!(header("x-outcrop-served-by"), Some("outcrop.tiny"));
    assert_eq!(b.provider.asked.lock().unwrap()[0].request.inference_config.as_ref().unwrap().max_tokens, Some(5));
}

#[tokio::test]
async fn the_last_chunk_carries_the_metrics() {
    let b = bench(scripted(hello()), tiny()).await;
    let input = InvokeModelWithResponseStreamRequest {
        model_id: HAIKU.into(),
        body: Some(CLAUDE.into()),
        ..Default::default()
    };
    let (_, events) = b.gateway.invoke_model_with_response_stream(&b.cx, input).await.unwrap();
    let chunks: Vec<Value> = events
        .map(|event| match event.unwrap() {
            ResponseStream::Chunk(part) => serde_json::from_slice(&part.bytes.unwrap()).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect()
        .await;
    assert_eq!(chunks[0]["type"], "message_start");
    let last = chunks.last().unwrap();
    assert_eq!(last["type"], "message_stop");
    assert_eq!(last["amazon-bedrock-invocationMetrics"]["outputTokenCount"], 2);
    let metered = chunks.iter().filter(|c| c.get("amazon-bedrock-invocationMetrics").is_some());
    assert_eq!(metered.count(), 1);
}

#[tokio::test]
async fn vectors_have_the_length_that_was_asked() {
    for (ask, length, first) in [
        (json!({ "inputText": "a" }), 1024, 1.0),
        (json!({ "inputText": "a", "dimensions": 256 }), 256, 1.0),
        (json!({ "inputText": "a", "normalize": false }), 1024, 2.0),
    ] {
        let b = bench(Scripted::default(), tiny()).await;
        let body = Some(ask.to_string().into());
        let input = InvokeModelRequest { model_id: TITAN.into(), body, ..Default::default() };
        let reply = b.gateway.invoke_model(&b.cx, input).await.unwrap();
        let body: Value = serde_json::from_slice(&reply.output.body).unwrap();
        let vector = body["embedding"].as_array().unwrap();
        assert_eq!((vector.len(), vector[0].as_f64()), (length, Some(first)), "{ask}");
        assert_eq!(body["inputTextTokenCount"], 3);
    }
}

#[tokio::test]
async fn what_a_model_cannot_do_is_refused_before_anyone_is_asked() {
    let b = bench(scripted(hello()), tiny()).await;
    let refused = b.gateway.converse(&b.cx, asking(TITAN, json!({}))).await.unwrap_err();
    assert!(refused.message.starts_with("This action doesn't support the model that you provided."));
    let guarded = json!({ "guardrailConfig": { "guardrailIdentifier": "abc", "guardrailVersion": "1" } });
    assert_eq!(b.gateway.converse(&b.cx, asking(HAIKU, guarded)).await.unwrap_err().kind, Kind::NotImplemented);
    let input = InvokeModelRequest {
        model_id: HAIKU.into(),
        body: Some(CLAUDE.into()),
        request_metadata: Some("{\"a\":1}".into()),
        ..Default::default()
    };
    assert_eq!(b.gateway.invoke_model(&b.cx, input).await.unwrap_err().kind, Kind::Validation);
    let unknown = b.gateway.converse(&b.cx, asking("nobody.knows-v1", json!({}))).await.unwrap_err();
    assert_eq!(unknown.message, "The provided model identifier is invalid.");
    assert!(b.provider.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn computed_prompts_stay_within_the_account_or_the_principal() {
    let scopes = async |sharing| {
        let mut scopes = Vec::new();
        for (account, user) in [("111122223333", "alice"), ("111122223333", "bob"), ("444455556666", "alice")] {
            let mut b = bench(scripted(hello()), tiny()).await;
            b.gateway = b.gateway.sharing(sharing);
            b.cx.caller.account = account.into();
            b.cx.caller.arn = format!("arn:aws:iam::{account}:user/{user}");
            b.gateway.converse(&b.cx, asking(HAIKU, json!({}))).await.unwrap();
            let scope = b.provider.asked.lock().unwrap()[0].scope.to_string();
            scopes.push(scope);
        }
        scopes
    };
    let account = scopes(Sharing::Account).await;
    assert!(account[0] == account[1] && account[0] != account[2]);
    let principal = scopes(Sharing::Principal).await;
    assert!(principal[0] != principal[1] && principal[0] != principal[2] && principal[1] != principal[2]);
}

/// The list may only shrink: what is not on it has a codec.
#[test]
fn the_formats_of_models_are_built() {
    let catalogue = Catalogue::builtin().unwrap();
    let mut missing: Vec<&str> = Vec::new();
    for model in catalogue.iter() {
        let name = model.family.dialect.name();
        if outcrop_dialects::by_name(name).is_none() && !missing.contains(&name) {
            missing.push(name);
        }
    }
    missing.sort_unstable();
    // Films and streams of speech have operations of their own; the others read or hear what is not text, or are gone
    // from Bedrock.
    let without =
        ["ai21-j2", "luma-ray", "marengo", "nova-embed", "nova-reel", "nova-sonic", "pegasus", "stability-sdxl"];
    assert_eq!(missing, without);
}
