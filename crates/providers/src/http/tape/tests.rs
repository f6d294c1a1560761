use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseStreamOutput};
use outcrop_outbound::{Outbound, Settings};
use outcrop_wire::decode::{self, Problems};
use serde_json::json;

use super::*;
use crate::testing::faulty::{Options, Upstream};
use crate::{Answer, Call, Priority, Provider, TapeSettings, open};

const KEY: &str = "sk-never-in-a-file";

fn provider(url: &str, folder: &Path, record: bool) -> Result<Arc<dyn Provider>, SettingsError> {
    let settings = ProviderSettings {
        name: "up".into(),
        kind: crate::Kind::OpenAi,
        url: Some(url.into()),
        api_key: Some(Secret::new(KEY)),
        tape: Some(TapeSettings { folder: folder.to_owned(), record }),
        ..ProviderSettings::default()
    };
    open(&settings, &Outbound::new(Settings::default()).unwrap())
}

fn call(text: &str, stream: bool) -> Call {
    let mut request = ConverseRequest::default();
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": text }] }] }).to_string();
    decode::body(body.as_bytes(), &mut request, &mut Problems::default()).unwrap();
    Call {
        model: "m".into(),
        request: Arc::new(request),
        stream,
        scope: "a".into(),
        priority: Priority::Normal,
        cache_minimum: 0,
    }
}

async fn read(provider: &dyn Provider, call: Call) -> Vec<String> {
    match provider.converse(call).await.unwrap() {
        Answer::Whole(answer) => vec![outcrop_dialects::converse::text(&answer)],
        Answer::Stream { events, .. } => {
            let events: Vec<_> = events.map(Result::unwrap).collect().await;
            assert!(matches!(events.last(), Some(ConverseStreamOutput::Metadata(_))));
            events.iter().filter_map(outcrop_dialects::converse::text_delta).map(str::to_owned).collect()
        }
    }
}

/// Exchanges are written off the threads that answer.
async fn files(folder: &Path, count: usize) -> Vec<String> {
    let list = || {
        let names = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with('.')).collect::<Vec<_>>()
    };
    let written = async {
        while list().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written).await.expect("nothing was written");
    list()
}

#[tokio::test]
async fn what_was_recorded_once_is_answered_without_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(Options { key: Some(KEY.into()), ..Options::healthy() }).await.unwrap();
    let url = upstream.url().to_owned();
    let live = provider(&url, folder.path(), true).unwrap();
    let whole = read(&*live, call("say it", false)).await;
    let streamed = read(&*live, call("say it", true)).await;
    assert_eq!(files(folder.path(), 2).await.len(), 2);
    // Recorded once, nobody is called again.
    assert_eq!(read(&*live, call("say it", false)).await, whole);
    assert_eq!(upstream.calls(), 2);
    drop(upstream);

    let kept = provider(&url, folder.path(), false).unwrap();
    assert_eq!(read(&*kept, call("say it", false)).await, whole);
    // The same pieces in the same order.
    assert_eq!(read(&*kept, call("say it", true)).await, streamed);
    let failure = kept.converse(call("something else", false)).await.err().unwrap();
    assert_eq!(failure.fault.kind, Kind::ResourceNotFound);
    assert!(failure.fault.message.contains("record = true"), "{}", failure.fault.message);
}

#[tokio::test]
async fn secrets_do_not_reach_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(Options::healthy()).await.unwrap();
    let live = provider(upstream.url(), folder.path(), true).unwrap();
    read(&*live, call(&format!("my key is {KEY}"), false)).await;
    for name in files(folder.path(), 1).await {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(!text.contains(KEY) && text.contains(HIDDEN), "{text}");
    }
}

#[tokio::test]
async fn what_breaks_off_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let broken = Options::always(crate::testing::faulty::Fault::HalfChunk);
    let upstream = Upstream::start(broken).await.unwrap();
    let live = provider(upstream.url(), folder.path(), true).unwrap();
    let _ = live.converse(call("x", false)).await;
    drop(live);
    assert!(files(folder.path(), 0).await.is_empty());
}

#[test]
fn a_folder_of_recordings_must_be_there_to_be_replayed() {
    let error = provider("http://127.0.0.1:9/v1", Path::new("/nowhere/recordings"), false).err().unwrap();
    assert!(error.to_string().contains("/nowhere/recordings"), "{error}");
}
