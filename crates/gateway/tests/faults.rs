//! What callers see when providers break: nothing, as long as somebody answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail")]

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::bedrock_runtime::{
    ContentBlock, ContentBlockDelta, ConverseOutput, ConverseRequest, ConverseStreamOutput, ConverseStreamRequest,
};
use outcrop_api::{Fault as Refusal, Kind as RefusalKind};
use outcrop_gateway::routing::{BreakerSettings, Glob, Naming, Policy, RouteSettings, Setup, Source, TargetSettings};
use outcrop_gateway::{Gateway, Meter, Registry, Routes};
use outcrop_models::data_retention::Retention;
use outcrop_models::{Catalogue, Models, Settings};
use outcrop_outbound::Outbound;
use outcrop_providers::testing::faulty::{Fault, Options, Upstream, text};
use outcrop_providers::{Kind, ProviderSettings, Secret, open};
use outcrop_resources::Resources;
use outcrop_store::{Options as StoreOptions, Sqlite};
use outcrop_telemetry::{Entry, Outcome};
use outcrop_wire::decode::{self, Problems};
use outcrop_wire::shape::Structure;
use serde_json::json;

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const KEY: &str = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz";
const CALLS: usize = 10_000;
const AT_A_TIME: usize = 64;

/// Everything that was logged in this process.
fn logged() -> &'static Mutex<Vec<u8>> {
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        struct Writer;
        impl io::Write for Writer {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                logged().lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Writer).init();
        Mutex::default()
    })
}

fn log_text() -> String {
    String::from_utf8_lossy(&logged().lock().unwrap()).into_owned()
}

/// Counts what it hears.
#[derive(Default)]
struct Heard {
    by_outcome: Mutex<HashMap<Outcome, u64>>,
    output_tokens: AtomicU64,
}

impl Meter for Heard {
    fn record(&self, entry: Entry) {
        *self.by_outcome.lock().unwrap().entry(entry.outcome).or_default() += 1;
        if entry.outcome == Outcome::Answered {
            self.output_tokens.fetch_add(entry.tokens.output, Relaxed);
        }
    }
}

impl Heard {
    fn answered(&self) -> u64 {
        self.by_outcome.lock().unwrap().get(&Outcome::Answered).copied().unwrap_or_default()
    }

    fn all(&self) -> u64 {
        self.by_outcome.lock().unwrap().values().sum()
    }
}

struct Bench {
    gateway: Gateway,
    heard: Arc<Heard>,
    cx: Context,
    _folder: tempfile::TempDir,
}

/// A gateway whose targets are `upstreams`, each with its priority.
async fn bench(upstreams: &[(&Upstream, u32)]) -> Bench {
    logged();
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &StoreOptions::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let models = Arc::new(Models::new(Catalogue::builtin().unwrap(), Settings::default(), &resources));
    let outbound = Outbound::new(outcrop_outbound::Settings::default()).unwrap();
    let (mut sources, mut targets) = (Vec::new(), Vec::new());
    for (at, (upstream, priority)) in upstreams.iter().enumerate() {
        let name = format!("up-{at}");
        let settings = ProviderSettings {
            name: name.clone(),
            kind: Kind::OpenAi,
            url: Some(upstream.url().to_owned()),
            api_key: Some(Secret::new(KEY)),
            ..Default::default()
        };
        sources.push(Arc::new(Source {
            name: name.as_str().into(),
            provider: open(&settings, &outbound).unwrap(),
            identity: upstream.url().to_owned(),
            naming: Naming::Anthropic,
            serves: Vec::new(),
            models: Default::default(),
            retention: Retention::None,
            region: None,
            local: false,
        }));
        let model = Some("m".to_owned());
        targets.push(TargetSettings { provider: name, model, weight: 1.0, priority: *priority, ..Default::default() });
    }
    let policy = Policy {
        // What hangs is given up soon, so that the test ends soon; what is only slow on a busy machine is not.
        first_token: Duration::from_secs(2),
        whole: Duration::from_secs(2),
        between_tokens: Duration::from_secs(5),
        total: Duration::from_secs(30),
        longest_pause: Duration::from_millis(200),
        retry_share: 0.5,
        // Calls that hang together fail together: what is one burst is not taken for an illness.
        breaker: BreakerSettings {
            pause: Duration::from_millis(50),
            consecutive: 500,
            ratio: 0.9,
            ..Default::default()
        },
        ..Default::default()
    };
    let routes = vec![RouteSettings { model: Glob::new(HAIKU), targets, policy }];
    let setup = Setup { sources, routes, ..Default::default() };
    let routes = Routes::new(models.catalogue(), &setup, &Registry::default()).unwrap();
    let heard = Arc::new(Heard::default());
    let cx = Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock-runtime");
    Bench { gateway: Gateway::new(models, routes).meter(heard.clone()), heard, cx, _folder: folder }
}

fn filled<T: Structure + Default>(text: &str) -> T {
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": text }] }] });
    let (mut input, mut problems) = (T::default(), Problems::default());
    decode::body(body.to_string().as_bytes(), &mut input, &mut problems).unwrap();
    input
}

impl Bench {
    async fn whole(&self, asked: &str) -> Result<String, Refusal> {
        let request = ConverseRequest { model_id: HAIKU.into(), ..filled(asked) };
        let reply = self.gateway.converse(&self.cx, request).await?;
        let ConverseOutput::Message(message) = reply.output.output else { panic!("no message") };
        let blocks = message.content.into_iter().map(|block| match block {
            ContentBlock::Text(text) => text,
            other => panic!("{other:?}"),
        });
        Ok(blocks.collect())
    }

    async fn streamed(&self, asked: &str) -> Result<String, Refusal> {
        let request = ConverseStreamRequest { model_id: HAIKU.into(), ..filled(asked) };
        let (_, mut events) = self.gateway.converse_stream(&self.cx, request).await?;
        let (mut text, mut ended) = (String::new(), false);
        while let Some(event) = events.next().await {
            match event? {
                ConverseStreamOutput::ContentBlockDelta(delta) => match delta.delta {
                    ContentBlockDelta::Text(piece) => text.push_str(&piece),
                    other => panic!("{other:?}"),
                },
                ConverseStreamOutput::Metadata(_) => ended = true,
                _ => (),
            }
        }
        assert!(ended, "a stream just ended");
        Ok(text)
    }

    /// Calls in both ways, in turn; how many succeeded. Every one that did has to be whole and its own.
    async fn call_often(&self) -> u64 {
        let calls = stream::iter(0..CALLS).map(|call| async move {
            let asked = format!("call {call}");
            let answered = if call % 2 == 0 { self.whole(&asked).await } else { self.streamed(&asked).await };
            match answered {
                Ok(answer) => {
                    assert_eq!(answer, text(&asked));
                    true
                }
                Err(refusal) => {
                    assert!(!refusal.message.contains(KEY), "{refusal:?}");
                    eprintln!("{asked}: {refusal:?}");
                    false
                }
            }
        });
        calls.buffer_unordered(AT_A_TIME).filter(|succeeded| std::future::ready(*succeeded)).count().await as u64
    }

    fn metered_once(&self, succeeded: u64) {
        assert_eq!((self.heard.all(), self.heard.answered()), (CALLS as u64, succeeded));
        // Of those, and only once each.
        assert_eq!(self.heard.output_tokens.load(Relaxed), succeeded * 17);
        assert!(!log_text().contains(KEY), "the log shows a key");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_survive_a_first_target_that_breaks_three_of_ten() {
    let options = Options { seed: 1, probability: 0.3, ..Options::default() };
    let faulty = Upstream::start(options).await.unwrap();
    let (one, other) = (healthy().await, healthy().await);
    let b = bench(&[(&faulty, 0), (&one, 1), (&other, 1)]).await;
    let succeeded = b.call_often().await;
    for fault in Fault::ALL {
        assert!(faulty.broken(fault) > 100, "{fault:?} came {} times", faulty.broken(fault));
    }
    assert!(succeeded >= CALLS as u64 * 999 / 1000, "{succeeded}");
    b.metered_once(succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_survive_two_targets_that_both_break() {
    // Of the first attempts 15 in 100 break, of the second ones again, so that only repetitions answer everything. What
    // does not answer at all is left to the test above: here it would keep every caller waiting at once, and how many
    // fail together then is the machine's doing.
    let fails = |fault: &Fault| !matches!(fault, Fault::Hang | Fault::Endless);
    let faults: Vec<Fault> = Fault::ALL.into_iter().filter(fails).collect();
    let options = |seed| Options {
        seed,
        probability: 0.15,
        faults: faults.clone(),
        retry_after: 0,
        line_bytes: 100_000,
        ..Options::default()
    };
    let one = Upstream::start(options(2)).await.unwrap();
    let other = Upstream::start(options(3)).await.unwrap();
    let b = bench(&[(&one, 0), (&other, 0)]).await;
    let succeeded = b.call_often().await;
    assert!(succeeded >= CALLS as u64 * 999 / 1000, "{succeeded}");
    b.metered_once(succeeded);
}

#[tokio::test]
async fn a_stream_that_breaks_after_its_first_words_ends_in_an_exception_and_is_not_begun_anew() {
    for fault in [Fault::Reset, Fault::HalfChunk, Fault::Malformed, Fault::LongLine] {
        let options = Options { pieces_before: 4, ..Options::always(fault) };
        let (faulty, behind) = (Upstream::start(options).await.unwrap(), healthy().await);
        let b = bench(&[(&faulty, 0), (&behind, 1)]).await;
        let request = ConverseStreamRequest { model_id: HAIKU.into(), ..filled("hello") };
        let (_, events) = b.gateway.converse_stream(&b.cx, request).await.unwrap();
        let events: Vec<_> = events.collect().await;
        let (last, before) = events.split_last().unwrap();
        let kind = last.as_ref().unwrap_err().kind;
        assert_eq!(kind, RefusalKind::ModelStreamError, "{fault:?}");
        let text: String = before
            .iter()
            .map(|event| match event.as_ref().unwrap() {
                ConverseStreamOutput::ContentBlockDelta(delta) => match &delta.delta {
                    ContentBlockDelta::Text(text) => text.clone(),
                    other => panic!("{other:?}"),
                },
                _ => String::new(),
            })
            .collect();
        assert!(text.starts_with("You said \"hello\": word-00"), "{fault:?}: {text}");
        assert_eq!((faulty.calls(), behind.calls()), (1, 0), "{fault:?}");
        drop(events);
        assert_eq!((b.heard.all(), b.heard.answered()), (1, 0), "{fault:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_nowhere_to_be_read() {
    let options = Options { key: Some("another".to_owned()), ..Options::healthy() };
    let upstream = Upstream::start(options).await.unwrap();
    let b = bench(&[(&upstream, 0)]).await;
    for refusal in [b.whole("hello").await.unwrap_err(), b.streamed("hello").await.unwrap_err()] {
        let shown = format!("{refusal:?} {}", refusal.message);
        assert!(!shown.contains(KEY) && !shown.contains("0123456789abcdef"), "{shown}");
        assert!(shown.contains("credentials"), "{shown}");
    }
    assert!(upstream.refused() >= 2);
    let log = log_text();
    assert!(log.contains("invalid_api_key"), "{log}");
    assert!(!log.contains("0123456789abcdef"), "{log}");
}

async fn healthy() -> Upstream {
    Upstream::start(Options::healthy()).await.unwrap()
}
