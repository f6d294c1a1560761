//! Guardrails on calls.

use outcrop_api::bedrock::{
    CreateGuardrailRequest, GuardrailRegexConfig, GuardrailSensitiveInformationPolicyConfig, GuardrailWordConfig,
    GuardrailWordPolicyConfig,
};
use outcrop_api::bedrock_runtime::{ContentBlock, ConverseOutput};
use outcrop_guard::content::Classifier;
use outcrop_guard::{EncodeError, Encoded, Encoder};
use outcrop_guardrails::{Guardrails, control};

use super::*;
use crate::guard::InputTime;

struct Flat;

impl Encoder for Flat {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Ok(texts.iter().map(|_| Encoded::default()).collect())
    }
}

struct Guarded {
    bench: Bench,
    id: String,
    _folder: tempfile::TempDir,
}

/// A gateway whose model says `pieces`, and a guardrail that blocks `cactus` and masks `T-7` in answers.
async fn guarded(pieces: &[&str], input: InputTime) -> Guarded {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store).await.unwrap();
    let classifier = Arc::new(Classifier::load().unwrap());
    let guardrails = Guardrails::new(&resources, Arc::new(Flat), classifier, Default::default());
    let mut bench = bench(scripted(says(pieces)), tiny()).await;
    let cx = Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock");
    let made = CreateGuardrailRequest {
        name: "test".into(),
        blocked_input_messaging: "not in".into(),
        blocked_outputs_messaging: "not out".into(),
        word_policy_config: Some(GuardrailWordPolicyConfig {
            words_config: Some(vec![GuardrailWordConfig { text: "cactus".into(), ..Default::default() }]),
            managed_word_lists_config: None,
        }),
        sensitive_information_policy_config: Some(GuardrailSensitiveInformationPolicyConfig {
            regexes_config: Some(vec![
                GuardrailRegexConfig {
                    name: "Ticket".into(),
                    pattern: r"T-\d+".into(),
                    action: "ANONYMIZE".into(),
                    ..Default::default()
                },
                GuardrailRegexConfig {
                    name: "Key".into(),
                    pattern: r"sk-\d+".into(),
                    action: "BLOCK".into(),
                    ..Default::default()
                },
            ]),
            ..Default::default()
        }),
        ..Default::default()
    };
    let id = control::create(&cx, &guardrails, made).await.unwrap().guardrail_id;
    let settings = crate::guard::Settings { input, ..Default::default() };
    bench.gateway = bench.gateway.guardrails(guardrails, settings);
    Guarded { bench, id, _folder: folder }
}

pub(crate) fn says(pieces: &[&str]) -> Vec<Result<ConverseStreamOutput, Fault>> {
    let mut events = hello();
    let delta = |text: &&str| {
        let delta = ContentBlockDelta::Text((*text).to_owned());
        Ok(ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent { delta, content_block_index: 0 }))
    };
    events.splice(1..2, pieces.iter().map(delta));
    events
}

impl Guarded {
    fn config(&self) -> Value {
        json!({ "guardrailIdentifier": self.id, "guardrailVersion": "DRAFT", "trace": "enabled" })
    }

    async fn asks(&self, text: &str) -> ConverseResponse {
        let more = json!({
            "guardrailConfig": self.config(),
            "messages": [{ "role": "user", "content": [{ "text": text }] }],
        });
        self.bench.converse(asking(HAIKU, more)).await.unwrap().output
    }

    async fn streams(&self, mode: &str) -> Vec<ConverseStreamOutput> {
        let mut config = self.config();
        config["streamProcessingMode"] = mode.into();
        let body = json!({
            "guardrailConfig": config,
            "messages": [{ "role": "user", "content": [{ "text": "hi" }] }],
        });
        let request = ConverseStreamRequest { model_id: HAIKU.into(), ..filled(body) };
        let (_, events) = self.bench.gateway.converse_stream(&self.bench.cx, request).await.unwrap();
        events.map(Result::unwrap).collect().await
    }
}

fn said(response: &ConverseResponse) -> &str {
    let ConverseOutput::Message(message) = &response.output else { panic!() };
    let [ContentBlock::Text(text)] = &message.content[..] else { panic!() };
    text
}

fn told(events: &[ConverseStreamOutput]) -> String {
    events.iter().filter_map(outcrop_dialects::converse::text_delta).collect()
}

fn stopped(events: &[ConverseStreamOutput]) -> StopReason {
    let stops = events.iter().filter_map(|event| match event {
        ConverseStreamOutput::MessageStop(stop) => Some(stop.stop_reason.clone()),
        _ => None,
    });
    let stops: Vec<_> = stops.collect();
    assert_eq!(stops.len(), 1);
    stops[0].clone()
}

fn counts(usage: &TokenUsage) -> (i32, i32, i32) {
    (usage.input_tokens, usage.output_tokens, usage.total_tokens)
}

#[tokio::test]
async fn blocked_input_asks_nobody() {
    let g = guarded(&["hello"], InputTime::Before).await;
    let answer = g.asks("my sk-123").await;
    assert_eq!((said(&answer), &answer.stop_reason), ("not in", &StopReason::GuardrailIntervened));
    assert_eq!(counts(&answer.usage), (0, 0, 0));
    assert!(g.bench.provider.asked.lock().unwrap().is_empty());
    let trace = answer.trace.unwrap().guardrail.unwrap();
    assert_eq!(trace.action_reason.as_deref(), Some("Guardrail blocked."));
    assert!(trace.output_assessments.is_none());

    let g = guarded(&["hello"], InputTime::Beside).await;
    let answer = g.asks("my sk-123").await;
    assert_eq!((said(&answer), counts(&answer.usage)), ("not in", (0, 0, 0)));
    let g = guarded(&["hello"], InputTime::Beside).await;
    assert_eq!(said(&g.asks("hi").await), "hello");
}

#[tokio::test]
async fn the_guardrail_stays_here() {
    let g = guarded(&["hello"], InputTime::Before).await;
    assert_eq!(said(&g.asks("hi").await), "hello");
    assert!(g.bench.provider.asked.lock().unwrap()[0].request.guardrail_config.is_none());
}

#[tokio::test]
async fn answers_are_masked_alike_whole_and_streamed() {
    let pieces = ["See T", "-", "1", "2 and ", "T-3."];
    let whole = guarded(&pieces, InputTime::Before).await.asks("hi").await;
    assert_eq!((said(&whole), &whole.stop_reason), ("See {Ticket} and {Ticket}.", &StopReason::GuardrailIntervened));
    let events = guarded(&pieces, InputTime::Before).await.streams("sync").await;
    assert_eq!((told(&events).as_str(), stopped(&events)), (said(&whole), StopReason::GuardrailIntervened));
    let Some(ConverseStreamOutput::Metadata(metadata)) = events.last() else { panic!() };
    let trace = metadata.trace.clone().unwrap().guardrail.unwrap();
    assert_eq!(trace.model_output.unwrap(), ["See T-12 and T-3."]);
    let events = guarded(&pieces, InputTime::Before).await.streams("async").await;
    assert_eq!(told(&events), "See T-12 and T-3.");
}

#[tokio::test]
async fn nothing_of_a_block_goes_on() {
    let pieces = ["The key is s", "k", "-", "77, and so on", " and on"];
    let events = guarded(&pieces, InputTime::Before).await.streams("sync").await;
    assert_eq!((told(&events).as_str(), stopped(&events)), ("The key is not out", StopReason::GuardrailIntervened));
    let Some(ConverseStreamOutput::Metadata(metadata)) = events.last() else { panic!() };
    assert_eq!(counts(&metadata.usage), counts(&usage()));
    let events = guarded(&pieces, InputTime::Before).await.streams("async").await;
    assert_eq!(stopped(&events), StopReason::GuardrailIntervened);
    assert!(told(&events).ends_with("not out"));
}
