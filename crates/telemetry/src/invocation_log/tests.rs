use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::bedrock::{
    CloudWatchConfig, DeleteModelInvocationLoggingConfigurationRequest, GetModelInvocationLoggingConfigurationRequest,
    LoggingConfig, PutModelInvocationLoggingConfigurationRequest, S3Config,
};
use outcrop_store::Sqlite;
use outcrop_wire::eventstream;
use serde_json::{Value, json};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    folder: tempfile::TempDir,
    logs: InvocationLogs,
    cx: Context,
}

async fn house(buffer: usize) -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("store"), &Default::default()).unwrap();
    let resources = Resources::open(Arc::new(store)).await.unwrap();
    let destinations = Destinations {
        buckets: [("logs-1".to_owned(), folder.path().join("bucket"))].into(),
        log_groups: [("/group".to_owned(), folder.path().join("group"))].into(),
        data: folder.path().to_owned(),
    };
    let logs = InvocationLogs::open(&resources, destinations, buffer).unwrap();
    let mut cx = Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock");
    cx.request_id = "r-1".into();
    House { folder, logs, cx }
}

fn bucket(prefix: Option<&str>) -> Option<S3Config> {
    Some(S3Config { bucket_name: "logs-1".into(), key_prefix: prefix.map(str::to_owned) })
}

impl House {
    async fn put(&self, config: LoggingConfig) -> Result<(), LogError> {
        put(&self.cx, &self.logs, PutModelInvocationLoggingConfigurationRequest { logging_config: config }).await?;
        Ok(())
    }

    fn call(&self, operation: &'static str, body: &str) -> Option<Tap> {
        let body = Bytes::from(body.to_owned());
        self.logs.begin(&self.cx, || Call {
            operation,
            model_id: Some("m".into()),
            content_type: Some("application/json"),
            metadata: None,
            body: &body,
        })
    }

    fn answer(&self, tap: Option<Tap>, kind: &str, pieces: &[&[u8]]) {
        let mut tap = tap.unwrap();
        tap.head(|name| (name == "content-type").then_some(kind));
        for piece in pieces {
            tap.piece(&Bytes::copy_from_slice(piece));
        }
    }

    fn records(&self) -> Vec<Value> {
        assert!(self.logs.flush(PATIENCE));
        let mut records = Vec::new();
        for file in files(&self.folder.path().join("bucket")) {
            if !file.to_string_lossy().contains("/data/") {
                let mut text = String::new();
                let packed = std::fs::read(file).unwrap();
                flate2::read::MultiGzDecoder::new(&*packed).read_to_string(&mut text).unwrap();
                records.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            }
        }
        records
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_configuration_is_kept_for_an_account_and_a_region() {
    let house = house(1 << 20).await;
    assert!(house.call("Converse", "{}").is_none(), "off");
    let config = LoggingConfig {
        cloud_watch_config: Some(CloudWatchConfig {
            log_group_name: "/group".into(),
            role_arn: "arn:aws:iam::111122223333:role/logs".into(),
            large_data_delivery_s3_config: bucket(Some("large")),
        }),
        s3_config: bucket(Some("a/b")),
        image_data_delivery_enabled: Some(false),
        ..LoggingConfig::default()
    };
    house.put(config.clone()).await.unwrap();
    let shown = get(&house.cx, &house.logs, GetModelInvocationLoggingConfigurationRequest {}).await.unwrap();
    assert_eq!(format!("{:?}", shown.logging_config), format!("{:?}", Some(config)));
    assert!(house.call("Converse", "{}").is_some(), "on");
    let mut other = house.cx.clone();
    other.region = "us-west-2".into();
    let elsewhere = get(&other, &house.logs, GetModelInvocationLoggingConfigurationRequest {}).await.unwrap();
    assert!(elsewhere.logging_config.is_none());
    delete(&house.cx, &house.logs, DeleteModelInvocationLoggingConfigurationRequest {}).await.unwrap();
    assert!(house.call("Converse", "{}").is_none(), "off again");
}

#[tokio::test]
async fn what_the_operator_has_not_set_up_cannot_be_named() {
    let house = house(1 << 20).await;
    std::fs::create_dir_all(house.folder.path().join("buckets/own-bucket")).unwrap();
    let s3 = |name: &str, prefix: Option<&str>| LoggingConfig {
        s3_config: Some(S3Config { bucket_name: name.into(), key_prefix: prefix.map(str::to_owned) }),
        ..LoggingConfig::default()
    };
    house.put(s3("own-bucket", None)).await.unwrap();
    house.put(s3("own-bucket", Some("/a/b/"))).await.unwrap();
    for (config, says) in [
        (LoggingConfig::default(), "must say where records go"),
        (s3("unknown", None), "There is no bucket unknown."),
        (s3("../x", None), "There is no bucket"),
        (s3("...", None), "There is no bucket"),
        (s3("own-bucket", Some("../../etc")), "keyPrefix must be"),
        (s3("own-bucket", Some("a//b")), "keyPrefix must be"),
    ] {
        let error = house.put(config).await.unwrap_err();
        assert!(matches!(&error, LogError::Invalid(text) if text.contains(says)), "{error}");
    }
}

#[tokio::test]
async fn a_record_has_awss_form_and_place() {
    let house = house(1 << 20).await;
    house.put(LoggingConfig { s3_config: bucket(Some("pre")), ..LoggingConfig::default() }).await.unwrap();
    let tap = house.call("Converse", r#"{"messages":[],"requestMetadata":{"team":"a"}}"#);
    let answer = json!({ "output": {}, "usage": { "inputTokens": 3, "outputTokens": 4, "cacheReadInputTokens": 2 } });
    house.answer(tap, "application/json", &[answer.to_string().as_bytes()]);
    let mut failed = house.call("InvokeModel", "not json").unwrap();
    failed.failed("ValidationException");
    drop(failed);
    let records = house.records();
    let mut first = records[0].clone();
    let at: jiff::Timestamp = first["timestamp"].as_str().unwrap().parse().unwrap();
    first.as_object_mut().unwrap().remove("timestamp");
    assert_eq!(
        first,
        json!({
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
            "accountId": "111122223333",
            "identity": { "arn": "arn:aws:iam::111122223333:root" },
            "region": "us-east-1",
            "requestId": "r-1",
            "operation": "Converse",
            "modelId": "m",
            "requestMetadata": { "team": "a" },
            "input": {
                "inputContentType": "application/json",
                "inputTokenCount": 3,
                "cacheReadInputTokenCount": 2,
                "inputBodyJson": { "messages": [], "requestMetadata": { "team": "a" } },
            },
            "output": { "outputContentType": "application/json", "outputTokenCount": 4, "outputBodyJson": answer },
        })
    );
    assert_eq!((&records[1]["errorCode"], records.len()), (&json!("ValidationException"), 2));
    let hour = at.strftime("pre/AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/%Y/%m/%d/%H").to_string();
    let file = files(&house.folder.path().join("bucket")).remove(0);
    assert!(file.starts_with(house.folder.path().join("bucket").join(hour)), "{}", file.display());
    // What is not JSON stands apart.
    let place = records[1]["input"]["inputBodyS3Path"].as_str().unwrap();
    let path = house.folder.path().join("bucket").join(place.strip_prefix("s3://logs-1/").unwrap());
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*std::fs::read(path).unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "not json");
    assert_eq!(house.logs.deliveries().s3_success, 2);
}

#[tokio::test]
async fn streams_are_the_array_of_their_chunks() {
    let house = house(1 << 20).await;
    house.put(LoggingConfig { s3_config: bucket(None), ..LoggingConfig::default() }).await.unwrap();
    let mut frames = Vec::new();
    eventstream::event(&mut frames, "messageStart", "application/json", br#"{"role":"assistant"}"#).unwrap();
    eventstream::event(&mut frames, "metadata", "application/json", br#"{"usage":{"inputTokens":1,"outputTokens":2}}"#)
        .unwrap();
    eventstream::exception(&mut frames, "throttlingException", br#"{"message":"no"}"#).unwrap();
    let (a, b) = frames.split_at(50);
    house.answer(house.call("ConverseStream", "{}"), "application/vnd.amazon.eventstream", &[a, b]);
    let sse = b"event: x\ndata: {\"message\":{\"usage\":{\"input_tokens\":7}}}\n\ndata: {\"usage\":{\"output_tokens\":8}}\n\ndata: [DONE]\n\n";
    house.answer(house.call("Messages", "{}"), "text/event-stream; charset=utf-8", &[sse]);
    let records = house.records();
    assert_eq!(
        records[0]["output"]["outputBodyJson"],
        json!([
            { "messageStart": { "role": "assistant" } },
            { "metadata": { "usage": { "inputTokens": 1, "outputTokens": 2 } } },
            { "throttlingException": { "message": "no" } },
        ])
    );
    assert_eq!(records[0]["errorCode"], "ThrottlingException");
    assert_eq!(
        (&records[0]["input"]["inputTokenCount"], &records[0]["output"]["outputTokenCount"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        (&records[1]["input"]["inputTokenCount"], &records[1]["output"]["outputTokenCount"]),
        (&json!(7), &json!(8))
    );
}

#[tokio::test]
async fn large_bodies_stand_apart_and_log_groups_are_lines() {
    let house = house(1 << 24).await;
    let group = |large| LoggingConfig {
        cloud_watch_config: Some(CloudWatchConfig {
            log_group_name: "/group".into(),
            role_arn: "arn:aws:iam::111122223333:role/logs".into(),
            large_data_delivery_s3_config: large,
        }),
        ..LoggingConfig::default()
    };
    let long = json!({ "text": "x".repeat(record::LARGE) }).to_string();
    for large in [None, bucket(None)] {
        house.put(group(large)).await.unwrap();
        house.answer(house.call("InvokeModel", &long), "application/json", &[b"{}"]);
    }
    assert!(house.logs.flush(PATIENCE));
    let file = files(&house.folder.path().join("group/aws/bedrock/modelinvocations")).remove(0);
    let text = std::fs::read_to_string(file).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records[0]["input"], json!({ "inputContentType": "application/json" }));
    assert!(records[1]["input"]["inputBodyS3Path"].as_str().unwrap().starts_with("s3://logs-1/AWSLogs/111122223333/"));
    let deliveries = house.logs.deliveries();
    assert_eq!((deliveries.cloud_watch_success, deliveries.large_success), (2, 1));
}

#[tokio::test]
async fn what_finds_no_room_is_counted_and_what_cannot_be_written_too() {
    let house = house(100).await;
    house.put(LoggingConfig { s3_config: bucket(None), ..LoggingConfig::default() }).await.unwrap();
    house.answer(house.call("Converse", "{}"), "application/json", &[&[b' '; 200]]);
    assert_eq!(house.logs.deliveries().s3_failure, 1);
    // The room is free again.
    house.answer(house.call("Converse", "{}"), "application/json", &[b"{}"]);
    assert_eq!(house.records().len(), 1);
    // A file stands where the bucket was: not even root can write below it.
    std::fs::remove_dir_all(house.folder.path().join("bucket")).unwrap();
    std::fs::write(house.folder.path().join("bucket"), "").unwrap();
    house.answer(house.call("Converse", "{}"), "application/json", &[b"{}"]);
    assert!(house.logs.flush(PATIENCE));
    let deliveries = house.logs.deliveries();
    assert_eq!((deliveries.s3_success, deliveries.s3_failure), (1, 2));
}

#[test]
fn what_is_not_to_be_delivered_is_taken_out() {
    use super::body::{Body, withhold};
    use super::operations::Config;
    let mut image = Body::Json(json!({
        "messages": [{ "content": [
            { "image": { "format": "png", "source": { "bytes": "SECRET" } } },
            { "type": "image_url", "image_url": { "url": "SECRET" } },
            { "type": "image", "source": { "data": "SECRET" } },
            { "text": "an image" },
        ]}],
        "inputImage": "SECRET",
    }));
    let mut answer = Body::Json(json!({ "output": "text" }));
    let off = Some(false);
    withhold(&Config { image: off, ..Config::default() }, &mut image, &mut answer);
    let Body::Json(left) = &image else { panic!("{image:?}") };
    assert!(!left.to_string().contains("SECRET") && left.to_string().contains("an image"), "{left}");
    withhold(&Config { text: off, ..Config::default() }, &mut image, &mut answer);
    assert_eq!((image, answer), (Body::None, Body::None));
    let vectors = || (Body::Json(json!({ "inputText": "t" })), Body::Json(json!({ "embedding": [1.0] })));
    let (mut input, mut output) = vectors();
    withhold(&Config { embedding: off, ..Config::default() }, &mut input, &mut output);
    assert_eq!((input, output), (vectors().0, Body::None));
    let (mut input, mut output) = vectors();
    withhold(&Config { text: off, ..Config::default() }, &mut input, &mut output);
    assert_eq!((input, output), (Body::None, vectors().1));
}
